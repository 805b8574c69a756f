"""Interim looks: levels that add up, verdicts that wait, advice in words."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from ablations.errors import InputError
from analysis.model.grid import Grid
from analysis.table.tidy import tidy
from analysis.verdicts.looks import decided, default_looks, look_levels

FACTORS = {"A": ("x", "y"), "B": ("p", "q", "r")}


def grid(waves: int, effect: float, rng: np.random.Generator) -> Grid:
    rows = [
        (a, b, str(k), effect * (a == "y") + rng.normal())
        for k, a, b in product(range(waves), *FACTORS.values())
    ]
    frame = pd.DataFrame(rows, columns=["A", "B", "replicate", "y"])
    return Grid.of(tidy(frame, ["A", "B"], "y", levels=FACTORS))


def test_levels_add_up_to_alpha_and_start_small() -> None:
    levels = look_levels([2, 4, 6, 8, 10], 10)
    assert sum(levels) == pytest.approx(0.05)
    assert levels == sorted(levels)
    assert levels[0] < 1e-4  # Lan and DeMets' O'Brien-Fleming: 2 (1 - Phi(1.96 / sqrt(.2)))
    assert levels[0] == pytest.approx(1.18e-5, rel=0.01)


def test_looks_are_few_and_end_with_the_plan() -> None:
    assert default_looks(2) == [2]
    assert default_looks(3) == [2, 3]
    assert default_looks(20) == [4, 8, 12, 16, 20]
    assert all(len(default_looks(n)) <= 5 and default_looks(n)[-1] == n for n in range(2, 40))


def test_a_large_effect_is_decided_early_and_a_small_one_is_not() -> None:
    rng = np.random.default_rng(1)
    big = decided(grid(6, 5.0, rng), planned=10)
    rows = big.table.set_index("factor")
    assert bool(rows.loc["A", "decided"])
    assert rows.loc["A", "replicates_to_decide"] == 6
    assert not rows.loc["B", "decided"].any()
    assert "After 6 of 10 waves 1 of 4 differences" in big.sentence
    assert 0 < big.alpha < 0.05


def test_before_the_second_wave_nothing_can_be_decided() -> None:
    got = decided(grid(1, 9.0, np.random.default_rng(0)), planned=5)
    assert got.alpha == 0
    assert not got.table["decided"].any()
    assert "nothing can be decided" in got.sentence


def test_precision_is_a_rule_of_its_own() -> None:
    runs = grid(8, 0.0, np.random.default_rng(2))
    width = float(decided(runs, 10).table["half_width"].max())
    wide, narrow = decided(runs, 10, precision=width * 1.01), decided(runs, 10, precision=0.01)
    assert wide.precise is True
    assert "as narrow as wanted" in wide.sentence
    assert narrow.precise is False
    assert decided(runs, 10).precise is None


def test_looking_five_times_keeps_the_level_and_looking_naively_does_not() -> None:
    rng = np.random.default_rng(9)
    looks = default_looks(20)
    walk = rng.normal(size=(20_000, 20)).cumsum(axis=1)[:, np.array(looks) - 1]
    p = 2 * ndtr(-np.abs(walk) / np.sqrt(looks))
    assert (p <= look_levels(looks, 20)).any(axis=1).mean() <= 0.05
    assert (p <= 0.05).any(axis=1).mean() > 0.12


def test_one_planned_replicate_is_refused() -> None:
    with pytest.raises(InputError, match="two or more"):
        decided(grid(2, 0, np.random.default_rng(0)), planned=1)
