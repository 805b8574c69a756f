"""Robust summaries against rliable's point values, and the intervals it gets wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.outcomes.profiles import (
    aggregates,
    improvements,
    interquartile_mean,
    optimality_gap,
    performance_profiles,
    probability_of_improvement,
)
from tests.analysis.published import expected, table

LEVELS = {
    "alpha": ("1e-8", "0.129"),
    "batch": ("4", "256"),
    "depth": ("1", "2", "3"),
    "lr": ("1e-5", "1.67e-3", "0.278"),
    "width": ("16", "1024"),
}


def scores(level: str) -> list[np.ndarray]:
    frame = table("ml_hpobench_vehicle_5f")
    own = frame[frame["lr"] == level]
    others = ["alpha", "batch", "depth", "width"]
    return [rows["acc"].to_numpy(float) for _, rows in own.groupby(others)]


@pytest.mark.parametrize("level", LEVELS["lr"])
def test_point_values_reproduce_rliable(level: str) -> None:
    want = expected("rliable_metrics", "expected.json")["per_lr"][level]
    x = np.concatenate(scores(level))
    assert interquartile_mean(x) == pytest.approx(want["IQM"], rel=1e-9)
    assert optimality_gap(x, 0.9) == pytest.approx(want["optimality_gap_gamma_0.9"], rel=1e-9)
    profile = performance_profiles(
        table("ml_hpobench_vehicle_5f"), LEVELS, "acc", [0.3, 0.5, 0.7, 0.9]
    )
    own = profile[(profile["factor"] == "lr") & (profile["level"] == level)]
    np.testing.assert_allclose(own["share"], want["profile_tau_0.3_0.5_0.7_0.9"], rtol=1e-12)
    assert (own["low"] <= own["share"]).all()
    assert (own["share"] <= own["high"]).all()


def test_probability_of_improvement_reproduces_rliable() -> None:
    want = expected("rliable_metrics", "expected.json")
    for level in ("1.67e-3", "1e-5"):
        got = probability_of_improvement(scores(level), scores("0.278"))
        assert got == pytest.approx(want[f"prob_improvement_{level}_over_0.278"], rel=1e-9)
    rows = improvements(table("ml_hpobench_vehicle_5f"), LEVELS, "acc")
    row = rows.set_index(["factor", "level", "reference"]).loc[("lr", "0.278", "1.67e-3")]
    assert row["probability"] == pytest.approx(1 - want["prob_improvement_1.67e-3_over_0.278"])


def test_ties_count_one_half_and_empty_cells_not_at_all() -> None:
    assert probability_of_improvement([[1.0, 1.0]], [[1.0]]) == 0.5
    assert probability_of_improvement([[2.0], []], [[1.0], [5.0]]) == 1.0
    assert np.isnan(probability_of_improvement([[]], [[]]))
    assert np.isnan(interquartile_mean([]))
    assert np.isnan(optimality_gap([np.nan], 1))


def test_the_same_seed_gives_the_same_interval_whatever_numpy_did_before() -> None:
    frame = table("ml_hpobench_vehicle_5f")
    np.random.seed(1)
    one = aggregates(frame, LEVELS, "acc", "seed", draws=100, seed=3)
    np.random.seed(2)
    two = aggregates(frame, LEVELS, "acc", "seed", draws=100, seed=3)
    pd.testing.assert_frame_equal(one, two)
    other = aggregates(frame, LEVELS, "acc", "seed", draws=100, seed=4)
    assert not one["low"].equals(other["low"])


def replicated(shock: float, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [(a, b, s, 0.0) for s in range(4) for a in "xy" for b in "pqrst"]
    frame = pd.DataFrame(rows, columns=["A", "B", "replicate", "acc"])
    shared = rng.normal(0, shock, 4)
    return frame.assign(acc=shared[frame["replicate"]] + rng.normal(0, 0.1, len(frame)))


def test_replicates_that_cells_share_are_resampled_together() -> None:
    factors = {"A": ("x", "y"), "B": tuple("pqrst")}
    frame = replicated(shock=1.0, seed=0)
    together = aggregates(frame, factors, "acc", "replicate", draws=300)
    apart = aggregates(frame, factors, "acc", None, draws=300)
    width = (together["high"] - together["low"]).iloc[0]
    # Draws within cells average the shared shock away over five cells: the trap.
    assert width > 1.5 * (apart["high"] - apart["low"]).iloc[0]


def test_one_replicate_has_no_interval() -> None:
    factors = {"A": ("x", "y"), "B": tuple("pqrst")}
    frame = replicated(0.1, 0)
    got = aggregates(frame[frame["replicate"] == 0], factors, "acc", "replicate")
    assert got["low"].isna().all()
    assert got["iqm"].notna().all()


def test_runs_without_a_score_are_left_out_and_counted_out() -> None:
    factors = {"A": ("x", "y", "z"), "B": tuple("pqrst")}
    frame = replicated(0.1, 0)
    frame.loc[frame["A"] == "y", "acc"] = np.nan
    got = aggregates(frame, factors, "acc", "replicate", draws=20).set_index(["factor", "level"])
    assert got.loc[("A", "y"), "runs"] == 0
    assert np.isnan(got.loc[("A", "y"), "iqm"])
    profile = performance_profiles(frame, factors, "acc")
    assert set(profile.loc[profile["factor"] == "A", "level"]) == {"x"}
    assert performance_profiles(frame.assign(acc=np.nan), factors, "acc").empty
