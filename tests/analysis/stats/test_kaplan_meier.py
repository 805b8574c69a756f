"""Curves, restricted means and log-rank against R's survival and survRM2."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.stats.kaplan_meier import curve, log_rank, restricted_mean
from tests.analysis.published import expected, table


def arm(case: str, column: str, label: str) -> tuple[np.ndarray, np.ndarray]:
    frame = table(case)
    chosen = frame[frame[column] == label]
    return chosen["time"].to_numpy(float), chosen["status"].to_numpy(float)


@pytest.mark.parametrize("group", ["Maintained", "Nonmaintained"])
def test_aml_curves_reproduce_r_survfit(group: str) -> None:
    want = expected("survival_aml", "computed.json")
    got = curve(*arm("survival_aml", "x", group))
    rows = [row for row in want["km"] if row["group"] == f"x={group}"]
    for name, mine in (("time", got.times), ("n_risk", got.at_risk), ("n_event", got.events)):
        assert mine.tolist() == [row[name] for row in rows]
    np.testing.assert_allclose(got.survival, [row["surv"] for row in rows], rtol=1e-9, atol=1e-12)
    for name, mine in (("se", got.se), ("lo_loglog", got.low), ("hi_loglog", got.high)):
        theirs = [np.nan if row[name] is None else row[name] for row in rows]
        np.testing.assert_allclose(mine, theirs, rtol=1e-8)
    summary = next(row for row in want["groups"] if row["group"] == group)
    assert got.median == summary["median"]
    mean = restricted_mean(*arm("survival_aml", "x", group), 48)
    assert mean.mean == pytest.approx(summary["rmean"], rel=1e-8)
    assert mean.se == pytest.approx(summary["se_rmean"], rel=1e-8)


def test_aml_log_rank_reproduces_r() -> None:
    want, frame = expected("survival_aml", "computed.json"), table("survival_aml")
    groups = (frame["x"] == "Maintained").astype(int)
    got = log_rank(frame["time"].astype(float), frame["status"].astype(int), groups)
    assert got.chisq == pytest.approx(want["logrank_chisq"], rel=1e-9)
    assert got.p == pytest.approx(want["logrank_p"], rel=1e-8)


@pytest.mark.parametrize(("label", "published"), [("0", (7.283, 0.295)), ("1", (7.146, 0.283))])
def test_the_error_is_that_of_the_mean_and_not_that_of_a_run(
    label: str, published: tuple[float, float]
) -> None:
    # The trap: Var(min(T, tau)) gives .261 for arm 1 where survRM2's standard error is .283.
    groups = expected("survrm2_pbc", "computed.json")["groups"]
    want = next(row for row in groups if row["group"] == label)
    got = restricted_mean(*arm("survrm2_pbc", "arm", label), 10)
    assert got.mean == pytest.approx(want["rmean"], rel=1e-8)
    assert got.se == pytest.approx(want["se_rmean"], rel=1e-8)
    assert (got.mean, got.se) == pytest.approx(published, abs=5e-4)


def test_without_censoring_the_restricted_mean_is_the_mean() -> None:
    times = [3.0, 5.0, 5.0, 9.0, 12.0]
    got = restricted_mean(times, [1] * 5, 10)
    capped = np.minimum(times, 10)
    assert got.mean == pytest.approx(capped.mean())
    assert got.se == pytest.approx(capped.std() / np.sqrt(5))  # Greenwood divides by n, not n - 1


def test_a_run_that_stopped_before_the_limit_leaves_the_mean_unknown() -> None:
    assert np.isnan(restricted_mean([3, 6], [1, 0], 10).mean)
    assert restricted_mean([3, 6], [0, 1], 10).mean == pytest.approx(6)  # S is 0 after 6
    assert np.isnan(curve([3, 6], [1, 0]).at(8))
    assert curve([3, 6], [0, 1]).at(8) == 0.0


def test_events_at_the_limit_count_in_full() -> None:
    assert restricted_mean([10, 10], [1, 0], 10).mean == 10
    assert restricted_mean([10, 10], [1, 0], 10).se == 0


def test_curve_steps_are_right_continuous() -> None:
    km = curve([2, 4], [1, 1])
    assert km.at([0, 1.9, 2, 3.9, 4]).tolist() == [1, 1, 0.5, 0.5, 0]
    assert np.isnan(curve([5, 5], [0, 0]).median)


def test_stratification_removes_a_nuisance_that_would_fake_a_difference() -> None:
    # Group 1 runs mostly in the slow stratum; within strata the groups are alike.
    fast, slow = [1, 2, 3, 4] * 3, [11, 12, 13, 14] * 3
    times = fast + fast[:4] + slow[:4] + slow
    groups = [0] * 12 + [1] * 4 + [0] * 4 + [1] * 12
    strata = [0] * 16 + [1] * 16
    assert log_rank(times, [1] * 32, groups).p < 0.05
    assert log_rank(times, [1] * 32, groups, strata).p > 0.9


def test_nothing_to_compare_has_no_p() -> None:
    assert np.isnan(log_rank([5, 5], [0, 0], [0, 1]).p)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        curve([1, np.nan], [1, 1])
    with pytest.raises(ValueError, match="at least one"):
        curve([], [])
