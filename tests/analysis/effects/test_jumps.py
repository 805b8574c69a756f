"""Means of an outcome that falls to chance in some runs: bounds where intervals see too little."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.effects.jumps import find_jumps
from analysis.loading import from_frame
from analysis.report.words.caveats import caveats
from tests.benchmarks.sentences import CHANCE, LEARNT, SHAPES, falling, gaussian, study_of


def test_noise_alone_is_no_jump() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        study = study_of(gaussian(rng, SHAPES["2x3"], 3), SHAPES["2x3"])
        assert find_jumps(study.table) is None


def test_a_combination_that_always_fails_is_no_jump() -> None:
    """What is so in every run of a combination is its mean, not chance."""
    values = gaussian(np.random.default_rng(0), SHAPES["2x3"], 3)
    values[2] -= 0.8
    assert find_jumps(study_of(values, SHAPES["2x3"]).table) is None


def test_bounds_are_clopper_and_pearsons_of_what_fell() -> None:
    rows = [("x", seed, 0.9 + 0.001 * seed) for seed in range(8)]
    rows += [("y", seed, 0.1 if seed < 2 else 0.9 + 0.001 * seed) for seed in range(8)]
    study = from_frame(pd.DataFrame(rows, columns=["A", "seed", "acc"]), ["A"], "acc", "seed")
    row = study.effects().set_index("level").loc["y"]
    assert row["mean_method"] == "bounds"
    share = stats.binomtest(2, 8).proportion_ci(0.975).high
    well = np.array([0.9 + 0.001 * seed for seed in range(2, 8)])
    low = well.mean() - stats.t.ppf(1 - 0.0125, 5) * well.std(ddof=1) / 6**0.5
    assert row["mean_low"] == pytest.approx(share * 0.1 + (1 - share) * low)
    assert any("jumps: 2 of 16 runs" in text for text in caveats(study, None))


def test_bounds_cover_where_intervals_over_replicates_do_not() -> None:
    """F13: 53.8 % of intervals covered with 3 replicates of which 5 % fall, 86 % with 20 %."""
    rng = np.random.default_rng(13)
    shape = SHAPES["2x3x2"]
    for share, replicates in ((0.05, 5), (0.2, 3)):
        truth = LEARNT - share * (LEARNT - CHANCE)
        covered, before = [], []
        for _ in range(40):
            study = study_of(falling(share)(rng, shape, replicates), shape)
            if study.estimates().jumps is None:
                continue
            for method, hits in ((None, covered), ("blocked", before)):
                means = study.effects(method=method)  # type: ignore[arg-type]
                hits += ((means["mean_low"] <= truth) & (truth <= means["mean_high"])).tolist()
        assert np.mean(covered) > 0.93
        assert np.mean(before) < np.mean(covered)
