"""Performance profiles against rliable's point values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.outcomes.profiles import performance_profiles
from analysis.table.columns import typed
from tests.analysis.published import expected, table

LEVELS = {
    "alpha": ("1e-8", "0.129"),
    "batch": ("4", "256"),
    "depth": ("1", "2", "3"),
    "lr": ("1e-5", "1.67e-3", "0.278"),
    "width": ("16", "1024"),
}


@pytest.mark.parametrize("level", LEVELS["lr"])
def test_point_values_reproduce_rliable(level: str) -> None:
    want = expected("rliable_metrics", "expected.json")["per_lr"][level]
    runs = typed(table("ml_hpobench_vehicle_5f"), list(LEVELS), "acc")
    profile = performance_profiles(runs, LEVELS, "acc", [0.3, 0.5, 0.7, 0.9])
    own = profile[(profile["factor"] == "lr") & (profile["level"] == level)]
    np.testing.assert_allclose(own["share"], want["profile_tau_0.3_0.5_0.7_0.9"], rtol=1e-12)
    assert (own["low"] <= own["share"]).all()
    assert (own["share"] <= own["high"]).all()


def test_runs_without_a_score_are_left_out() -> None:
    factors = {"A": ("x", "y"), "B": ("p", "q")}
    rows = [(a, b, np.nan if a == "y" else 0.5) for a in "xy" for b in "pq"]
    frame = pd.DataFrame(rows, columns=["A", "B", "acc"])
    profile = performance_profiles(frame, factors, "acc")
    assert set(profile.loc[profile["factor"] == "A", "level"]) == {"x"}
    assert performance_profiles(frame.assign(acc=np.nan), factors, "acc").empty
