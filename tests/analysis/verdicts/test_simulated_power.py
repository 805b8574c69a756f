"""Power by simulated studies: what is set apart is what was asked, and simulation agrees."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablations.errors import InputError
from analysis.outcomes.convergence import Convergence
from analysis.outcomes.time_to_target import TimeToTarget
from analysis.verdicts.judgement import ALPHA, rates_together
from analysis.verdicts.simulated_power import (
    Asked,
    questions,
    rates_of,
    replicates_needed,
    share_shown,
    shows_convergence,
    simulated,
    trial_of,
)

FACTORS = {"A": ("a", "b"), "B": ("x", "y", "z"), "C": ("c", "d")}
SHAPE = (2, 3, 2)


def pilot(seed: int = 0, runs: int = 8, rate: float = 0.6) -> Convergence:
    rates = np.full(SHAPE, rate)
    rates[:, :, 1] = 0.8
    counted = np.full(SHAPE, float(runs))
    hits = np.random.default_rng(seed).binomial(runs, rates).astype(float)
    return Convergence(hits, counted, counted, FACTORS)


def times(seed: int = 0, runs: int = 5) -> TimeToTarget:
    rng = np.random.default_rng(seed)
    rows = [
        (*cell, k, min(int(rng.normal(20, 3)), 40))
        for cell in product(*FACTORS.values())
        for k in range(runs)
    ]
    frame = pd.DataFrame(rows, columns=[*FACTORS, "replicate", "epochs_to_target"])
    frame = frame.assign(epochs_run=40, epochs_budget=40, status="converged")
    return TimeToTarget.of(frame, FACTORS, None)


@given(st.floats(0.05, 0.9), st.sampled_from([("A", "a", "b"), ("B", "z", "x")]))
def test_two_levels_differ_by_what_is_asked(size: float, levels: tuple[str, str, str]) -> None:
    factor, first, second = levels
    rates = rates_of(pilot(), Asked(factor, first, second, size))
    axis = list(FACTORS).index(factor)
    by_level = np.moveaxis(rates, axis, 0).reshape(SHAPE[axis], -1).mean(axis=1)
    at = FACTORS[factor].index
    assert by_level[at(second)] - by_level[at(first)] == pytest.approx(size, abs=1e-6)
    assert ((rates > 0) & (rates < 1)).all()


def test_a_study_is_judged_as_the_report_judges_it() -> None:
    for seed in range(40):
        found = pilot(seed, 3, 0.35)
        table = rates_together(found.tests, found.combined, ALPHA).set_index("factor")
        for factor in FACTORS:
            assert shows_convergence(found, factor) == table["shown"].to_dict()[factor]


def test_power_of_epochs_is_that_of_the_t_test_where_scatter_is_known() -> None:
    # 30 runs a level, a deviation of about 3: a difference of 2.2 has 0.8 of power.
    share = share_shown(trial_of(times(runs=40), Asked("A", "a", "b", 2.2), 5), 300, seed=1)
    assert share == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize("known", [pilot(), times()])
def test_no_difference_is_hardly_ever_shown(known: Convergence | TimeToTarget) -> None:
    assert share_shown(trial_of(known, Asked("A", "a", "b", 1e-9), 3), 300) <= 0.08


def test_replicates_are_looked_for() -> None:
    asked = Asked("A", "a", "b", 0.4)
    needed = replicates_needed(pilot(), asked, 0.8, 60)
    assert share_shown(trial_of(pilot(), asked, int(needed)), 60) >= 0.8
    assert share_shown(trial_of(pilot(), asked, int(needed) - 1), 60) < 0.8
    table = simulated(pilot(), [asked], 2, None, 20)
    assert np.isnan(table["replicates_needed"]).all()


def test_a_pilot_in_which_all_converged_has_rates() -> None:
    runs = np.full(SHAPE, 3.0)
    rates = rates_of(Convergence(runs, runs, runs, FACTORS), Asked("A", "a", "b", 0.2))
    assert np.diff(rates.mean(axis=(1, 2)))[0] == pytest.approx(0.2, abs=1e-6)


def test_questions() -> None:
    assert [one.factor for one in questions(pilot())] == ["A", "B", "C"]
    assert questions(times())[0].size == 4
    assert questions(pilot(), 0.3, "B: z - x") == [Asked("B", "x", "z", 0.3)]
    with pytest.raises(InputError, match="names no two levels"):
        questions(pilot(), None, "B: z - w")
    with pytest.raises(InputError, match="points"):
        rates_of(pilot(), Asked("A", "a", "b", 1.2))
    with pytest.raises(InputError, match="expected 2 or more"):
        trial_of(times(), Asked("A", "a", "b", 2.0), 1)
