"""Combinations that lie off the model that predicts empty cells: intervals and tests count it."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.loading import from_frame
from analysis.model.completion import LackOfFit
from analysis.model.grid import Grid
from analysis.model.terms import Term
from analysis.report.words.brief.build import brief
from analysis.stats.arrays import Floats
from analysis.stats.estimates import Estimate
from analysis.study import Study
from analysis.verdicts.replicates import replicates_to_decide
from runner.design.search.exchange import d_optimal

SHAPE = (3, 2, 2, 2, 2, 2)
FACTORS = {f"F{k}": tuple(f"l{i}" for i in range(n)) for k, n in enumerate(SHAPE)}
RUNS = 3


@pytest.fixture(scope="module")
def design() -> Floats:
    """48 of 96 combinations for mains and pairs (28 parameters)."""
    cells = np.array(list(product(*map(range, SHAPE))))
    return cells[d_optimal(cells, SHAPE, 48, order=2, seed=0, starts=2)[0]]


def study(design: Floats, departures: float, seed: int = 0) -> Study:
    """Three runs of each; what three factors do together has this deviation, runs one of 1."""
    rng = np.random.default_rng(seed)
    whole = rng.normal(0, departures, SHAPE)
    rows = []
    for cell in design:
        mean = 2.0 * (cell[1] == 0) + whole[tuple(cell)]
        levels = [FACTORS[name][k] for name, k in zip(FACTORS, cell, strict=True)]
        rows += [(*levels, f"s{seed}", mean + rng.normal()) for seed in range(RUNS)]
    frame = pd.DataFrame(rows, columns=[*FACTORS, "seed", "y"])
    return from_frame(frame.drop(columns="seed"), list(FACTORS), "y", levels=FACTORS)


def weights_of(grid: Grid, first: str = "l0", second: str = "l1") -> Floats:
    return grid.cells.difference({"F0": first}, {"F0": second})


def test_it_is_the_mean_square_around_the_model_less_what_the_runs_make_of_it(
    design: Floats,
) -> None:
    made = study(design, 2.0)
    lack = made.grid.completion.lack(2)
    fit = made.grid.completion.models[0][1]
    cells = made.cells
    own = cells.parts.variances
    hat = fit.basis @ fit.basis.T
    residual = (np.eye(48) - hat) @ fit.response
    df = 48 - 28
    seen = float(residual @ residual) / df
    expected = float(np.trace((np.eye(48) - hat) @ np.diag(own))) / df
    assert lack.variance == pytest.approx(seen - expected)
    assert (lack.df, lack.df_error) == (df, 96)
    assert lack.f == pytest.approx(seen / expected)
    assert lack.p == pytest.approx(float(stats.f.sf(seen / expected, df, 96)))
    assert lack.freedom == pytest.approx(df * (1 - expected / seen) ** 2)
    assert 2.0 < lack.variance < 8.0  # 4 times what is drawn off by pairs and mains


def test_an_interval_has_the_variance_of_what_the_estimate_and_the_truth_do_not_share(
    design: Floats,
) -> None:
    made = study(design, 2.0)
    grid = made.grid
    weights = weights_of(grid)
    one = grid.estimate(weights)
    completion = grid.completion
    needed, order = completion.of_grid(weights)
    error = -weights.ravel()  # of every combination's departure in estimate minus truth
    error[made.cells.ran] += needed
    alike = np.zeros(weights.size)  # the same departure at all levels of the factor: no truth
    alike[made.cells.ran] = needed
    alike = alike.reshape(SHAPE).sum(axis=0)
    size = max(float(error @ error), float((alike**2).sum()))
    assert one.fixed == pytest.approx(completion.lack(order).variance * size)
    own = float(needed**2 @ made.cells.parts.variances)
    assert one.se == pytest.approx(np.sqrt(own + one.fixed))
    row = made.contrasts().iloc[0]
    assert (row["se"], row["df"]) == pytest.approx((one.se, one.df))
    assert one.df < 30


def test_what_needs_no_empty_cell_and_a_model_that_fits_add_nothing(design: Floats) -> None:
    made = study(design, 2.0)
    cell = np.zeros(SHAPE)
    first, second = made.cells.ran[:2]
    cell.ravel()[[first, second]] = 1.0, -1.0
    direct = made.grid.estimate(cell)
    assert direct.fixed == 0.0
    assert direct.rests_on == "cell means"
    fits = next(one for one in (study(design, 0.0, seed) for seed in range(9))
                if one.grid.completion.lack(2).variance == 0.0)  # fmt: skip
    one = fits.grid.estimate(weights_of(fits.grid))
    assert one.fixed == 0.0
    assert one.rests_on == "model of order 2 and its misfit"


def test_a_term_of_one_degree_of_freedom_has_the_p_of_its_contrast(design: Floats) -> None:
    made = study(design, 2.0)
    tests = made.tests().set_index("term")["p"]
    rows = made.contrasts().set_index("factor")
    for name in ("F1", "F2", "F5"):
        assert tests[name] == pytest.approx(rows.loc[name, "p"])


def test_departures_widen_the_tests_of_several_contrasts_too(design: Floats) -> None:
    made = study(design, 2.0)
    bare = made.grid.completion
    counted = made.tests().set_index("term")["p"]
    none = replace(made.grid)
    none.completion.__dict__["lacks"] = {2: LackOfFit()}
    assert none.completion is not bare
    from analysis.effects.term_tests.welch_tests import welch_test

    for name in ("F0", "F0:F1", "F0:F3"):
        before = welch_test(none.margin(Term(tuple(name.split(":")))))["p"]
        assert counted[name] > before


def test_five_percent_stay_five_percent_where_three_factors_interact(design: Floats) -> None:
    """F0 does nothing; the other five interact in every combination of theirs."""
    p = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        others = np.broadcast_to(rng.normal(0, 2.0, SHAPE[1:]), SHAPE)
        made = study(design, 0.0, seed)
        at = tuple(made.frame[name].str[1:].astype(int) for name in FACTORS)
        frame = made.frame.assign(y=made.frame["y"] + others[at])
        shifted = from_frame(frame, list(FACTORS), "y", levels=FACTORS)
        p.append(shifted.grid.estimate(weights_of(shifted.grid)).p)
    assert np.mean(np.array(p) <= 0.05) <= 0.09  # 6.5 % measured; 41 % by the runs' noise alone


def test_notes_and_sentences_say_so(design: Floats) -> None:
    made = replace(study(design, 2.0), planned_claims=("F1: l0 > l1", "F0: l0 > l1"))
    said = made.claims()["reason"]
    assert "allowing for interactions of three or more factors" in said[0]
    assert "more combinations, rather than more runs of these, may decide it" in said[1]
    told = brief(made)
    (open_claim,) = [row for row in told.rows if row.asked == "F0: l0 > l1"]
    assert open_claim.needed == "more combinations"
    assert "(it takes more combinations)" in told.lines[-1]
    notes = " ".join(made.estimates().notes)
    assert "further from the model of order 2 than their runs scatter (F(20, 96) = " in notes
    assert "allowing for interactions of three or more factors" in notes


@pytest.mark.parametrize("runs", [1, RUNS])
def test_a_claim_about_one_level_of_another_factor_is_none_for_main_effects(
    design: Floats, runs: int
) -> None:
    """Where each ran once it was answered as if the condition were not there."""
    whole = study(design, 0.0)
    frame = whole.frame.groupby(list(FACTORS), observed=True).head(runs)[[*FACTORS, "y"]]
    made = from_frame(frame, list(FACTORS), "y", levels=FACTORS)
    asked = ("F1: l0 > l1 | F2 = l0", "F1: l0 > l1")
    rows = replace(made, order=1, planned_claims=asked).claims()
    assert rows["verdict"].tolist() == ["not testable", "supported"]
    assert "how two factors interact, and the design is for main effects alone" in rows["reason"][0]


def test_replicates_that_would_decide_leave_what_they_cannot_take_away() -> None:
    one = Estimate(0.5, 0.3, 100.0, -0.1, 1.1, 0.1, "welch")
    assert replicates_to_decide(one, 0.5, 3) == pytest.approx(9, abs=1)
    held = replace(one, fixed=0.08)
    assert np.isposinf(replicates_to_decide(held, 0.5, 3))
    assert np.isposinf(replicates_to_decide(held, 0.0, 3))
    assert np.isnan(replicates_to_decide(one, 0.0, 3))
    some = replace(one, fixed=0.02)
    assert replicates_to_decide(some, 0.5, 3) == pytest.approx(18, abs=1)
