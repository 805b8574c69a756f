"""Epochs to target: the mean of min(T, E), and Kaplan-Meier where a run was really censored."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest

from ablations.errors import InputError
from analysis.outcomes.time_to_target import TimeToTarget
from analysis.stats.kaplan_meier import restricted_mean

FACTORS = {"A": ("x", "y"), "B": ("p", "q")}
BUDGET = 20
Runs = dict[tuple[str, str], list[tuple[str, float, int]]]


def frame(cells: Runs) -> pd.DataFrame:
    """(A, B) -> runs as (status, epochs to target or nan, epochs run)."""
    rows = [
        (*cell, seed, status, reached, run, BUDGET)
        for cell, runs in cells.items()
        for seed, (status, reached, run) in enumerate(runs)
    ]
    names = ["A", "B", "replicate", "status"]
    return pd.DataFrame(rows, columns=[*names, "epochs_to_target", "epochs_run", "epochs_budget"])


def plain(**times: list[float]) -> Runs:
    """Runs that went the whole budget; nan for a target never reached."""
    cells = list(product("xy", "pq"))
    return {
        cell: [("converged" if np.isfinite(t) else "stalled", t, BUDGET) for t in times[a + b]]
        for cell, (a, b) in zip(cells, cells, strict=True)
    }


NEVER = float("nan")
SIMPLE = plain(xp=[4, 6, 8], xq=[5, 5, 8], yp=[10, 12, NEVER], yq=[NEVER, NEVER, 18])


def test_without_censoring_it_is_the_mean_of_min_t_and_the_budget() -> None:
    got = TimeToTarget.of(frame(SIMPLE), FACTORS, method="welch")
    means = got.means.set_index(["factor", "level"])
    assert (got.budget, got.runs, got.reached, got.censored) == (20, 12, 9, 0)
    assert means.loc[("A", "x"), "mean"] == pytest.approx(6.0)
    assert means.loc[("A", "y"), "mean"] == pytest.approx((42 / 3 + 58 / 3) / 2)
    variances = [np.var([10, 12, 20], ddof=1), np.var([20, 20, 18], ddof=1)]
    assert means.loc[("A", "y"), "se"] == pytest.approx(np.sqrt(sum(variances) / 3) / 2)
    assert means.loc[("A", "y"), "reached"] == pytest.approx(0.5)
    assert means.loc[("A", "x"), "median"] == 5
    row = got.differences.set_index("factor").loc["A"]
    assert (row["level"], row["reference"]) == ("y", "x")
    assert row["estimate"] == pytest.approx(50 / 3 - 6)
    assert row["low"] < row["estimate"] < row["high"]
    assert got.tests.set_index("factor")["p"]["A"] < 0.01 < got.tests.set_index("factor")["p"]["B"]


def test_a_diverged_run_counts_the_whole_budget_and_not_its_crash_epoch() -> None:
    crashed = dict(SIMPLE)
    crashed[("y", "q")] = [("diverged", NEVER, 1), ("diverged", NEVER, 2), ("converged", 18, 20)]
    both = [TimeToTarget.of(frame(cells), FACTORS, method="welch") for cells in (SIMPLE, crashed)]
    pd.testing.assert_frame_equal(both[0].means, both[1].means)
    assert both[1].censored == 0


def test_a_failed_run_is_missing_and_a_timeout_is_censored() -> None:
    cells = dict(SIMPLE)
    cells[("x", "p")] = [("converged", 4, 20), ("timeout", NEVER, 5), ("converged", 8, 20)]
    cells[("x", "q")] = [("converged", 5, 20), ("failed", NEVER, 3), ("converged", 8, 20)]
    got = TimeToTarget.of(frame(cells), FACTORS)
    assert (got.runs, got.censored) == (11, 1)
    # Cell (x, p): S = 2/3 after 4, 0 after 8: area 4 + 4 x 2/3. Cell (x, q): (5 + 8) / 2.
    means = got.means.set_index(["factor", "level"])
    km = restricted_mean([4, 5, 8], [1, 0, 1], 20)
    assert km.mean == pytest.approx(4 + 8 / 3)
    assert means.loc[("A", "x"), "mean"] == pytest.approx((km.mean + 6.5) / 2)
    assert means.loc[("A", "x"), "bound_low"] == pytest.approx(((4 + 6 + 8) / 3 + 6.5) / 2)
    assert means.loc[("A", "x"), "bound_high"] == pytest.approx(((4 + 20 + 8) / 3 + 6.5) / 2)
    assert "time limit" in got.notes[0]
    curve = got.curves[(got.curves["factor"] == "A") & (got.curves["level"] == "x")]
    assert curve.set_index("epoch")["censored"][5] == 1


def test_a_timeout_after_the_target_is_no_censoring() -> None:
    cells = dict(SIMPLE)
    cells[("x", "p")] = [("converged", 4, 20), ("timeout", 6, 9), ("converged", 8, 20)]
    got = TimeToTarget.of(frame(cells), FACTORS, method="welch")
    assert got.censored == 0
    pd.testing.assert_frame_equal(
        got.means, TimeToTarget.of(frame(SIMPLE), FACTORS, method="welch").means
    )


def test_where_the_last_run_was_censored_the_mean_is_nan_and_its_bounds_are_not() -> None:
    cells = dict(SIMPLE)
    cells[("x", "p")] = [("converged", 4, 20), ("converged", 5, 20), ("timeout", NEVER, 12)]
    means = TimeToTarget.of(frame(cells), FACTORS).means.set_index(["factor", "level"])
    assert np.isnan(means.loc[("A", "x"), "mean"])
    assert means.loc[("A", "x"), "bound_low"] == pytest.approx(((4 + 5 + 13) / 3 + 6) / 2)
    assert means.loc[("A", "x"), "bound_high"] == pytest.approx(((4 + 5 + 20) / 3 + 6) / 2)
    assert np.isfinite(means.loc[("A", "y"), "mean"])


def test_curves_rise_from_nothing_to_the_share_that_reached_it() -> None:
    got = TimeToTarget.of(frame(SIMPLE), FACTORS)
    for _, rows in got.curves.groupby(["factor", "level"]):
        assert rows["epoch"].tolist() == list(range(BUDGET + 1))
        assert rows["reached"].iloc[0] == 0
        assert rows["reached"].is_monotonic_increasing
        inside = rows.dropna()
        assert (inside["low"] <= inside["reached"]).all()
        assert (inside["reached"] <= inside["high"]).all()
    last = got.curves[got.curves["epoch"] == BUDGET].set_index(["factor", "level"])["reached"]
    assert last[("A", "x")] == 1.0
    assert last[("A", "y")] == pytest.approx(0.5)


def test_replicates_with_a_shared_shock_are_blocked() -> None:
    rng = np.random.default_rng(0)
    shock = rng.normal(0, 4, 6)
    times = {a + b: np.round(12 + shock + rng.normal(0, 0.5, 6)).tolist()
             for a, b in product("xy", "pq")}  # fmt: skip
    got = TimeToTarget.of(frame(plain(**times)), FACTORS)
    assert got.differences["method"].eq("blocked").all()
    assert got.differences["df"].eq(5).all()


def test_a_target_nobody_reached_is_said_and_not_tested() -> None:
    never = plain(**{a + b: [NEVER, NEVER] for a, b in product("xy", "pq")})
    got = TimeToTarget.of(frame(never), FACTORS)
    assert got.means["mean"].eq(BUDGET).all()
    assert got.tests["p"].isna().all()
    assert got.differences["p"].isna().all()
    assert got.means["median"].isna().all()
    assert "No run reached the target within 20 epochs." in got.notes
    text = json.dumps(got.to_dict(), allow_nan=False)
    assert '"p": null' in text


def test_different_budgets_are_compared_over_their_common_part() -> None:
    data = frame(SIMPLE)
    data.loc[data["A"] == "x", ["epochs_budget", "epochs_run"]] = 12
    got = TimeToTarget.of(data, FACTORS, method="welch")
    assert got.budget == 12
    assert got.means.set_index(["factor", "level"])["mean"][("A", "y")] < 12.0001


def test_missing_columns_and_empty_studies_are_one_sentence() -> None:
    with pytest.raises(InputError, match="no column 'epochs_run'"):
        TimeToTarget.of(frame(SIMPLE).drop(columns="epochs_run"), FACTORS)
    waiting = frame(SIMPLE).assign(status="not_run")
    with pytest.raises(InputError, match="no run has finished"):
        TimeToTarget.of(waiting, FACTORS)
