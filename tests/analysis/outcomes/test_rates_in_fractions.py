"""Convergence where levels hardly meet: least squares of shares, in tests, intervals, claims."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.loading import from_frame
from analysis.outcomes.convergence import Convergence
from analysis.outcomes.rates.compared import Compared
from analysis.outcomes.rates.modelled import met
from analysis.stats.arrays import Floats
from analysis.study import Study
from runner.design.search.exchange import d_optimal

LEVELS = {
    "init": ("he", "naive"),
    "bn": ("none", "before", "after"),
    "opt": ("sgd", "adam"),
    "aug": ("none", "basic", "strong"),
    "depth": ("11", "16"),
    "lr": ("0.1", "0.01"),
}
SHAPE = tuple(len(levels) for levels in LEVELS.values())


@pytest.fixture(scope="module")
def runs() -> Floats:
    """Three runs of 48 of 144 combinations, D-optimal for mains and pairs."""
    cells = np.array(list(product(*map(range, SHAPE))))
    chosen, _ = d_optimal(cells, SHAPE, 48, order=2, seed=0, starts=2)
    counts = np.zeros(144)
    counts[chosen] = 3.0
    return counts.reshape(SHAPE)


def hits_of(runs: Floats, seed: int = 0) -> Floats:
    """Runs converge more often with he, most of all without bn."""
    init, bn = np.indices(SHAPE)[:2]
    shares = 0.9 - 0.25 * (init == 1) - 0.5 * ((init == 1) & (bn == 0))
    return np.random.default_rng(seed).binomial(runs.astype(int), shares).astype(float)


def compared(hits: Floats, runs: Floats) -> Compared:
    return Compared(hits, runs, runs, LEVELS, 2, 0.95)


def columns(*axes: int) -> Floats:
    """Sum-to-zero columns of mains and pairs over the grid, but for the axes left out."""
    at = np.indices(SHAPE).reshape(len(SHAPE), -1)
    coded = []
    for axis, count in enumerate(SHAPE):
        code = np.vstack([np.eye(count - 1), -np.ones(count - 1)])
        coded.append(code[at[axis]])
    kept = [np.ones((144, 1))]
    kept += [coded[axis] for axis in range(len(SHAPE)) if axis not in axes]
    for one in range(len(SHAPE)):
        for two in range(one + 1, len(SHAPE)):
            kept.append((coded[one][:, :, None] * coded[two][:, None, :]).reshape(144, -1))
    return np.hstack(kept)


def test_levels_meet_in_a_grid_and_hardly_in_a_fraction(runs: Floats) -> None:
    whole = np.full(SHAPE, 3.0)
    assert [met(whole, axis) for axis in range(6)] == [1.0] * 6
    lost = whole.copy()
    lost[0, 0, 0, 0, 0, 0] = 0.0
    assert all(0.9 < met(lost, axis) < 1.0 for axis in range(6))
    assert all(met(runs, axis) < 0.25 for axis in range(6))
    two = np.array([[3.0, 1.0], [2.0, 0.0]])  # of 6 runs 4 lie where both levels of the second ran
    assert met(two, 1) == pytest.approx(4 / 6)


def test_where_levels_meet_the_exact_test_speaks() -> None:
    whole = np.full(SHAPE, 3.0)
    whole[0, 0, 0, 0, 0, 0] = 0.0
    found = compared(hits_of(whole), whole)
    assert found.models == {}
    assert not found.tests["method"].str.contains("shares").any()
    assert found.said.startswith("verdicts and intervals rest on exact")


def test_the_test_of_a_factor_is_that_of_least_squares_over_combinations(runs: Floats) -> None:
    hits = hits_of(runs)
    ran = runs.ravel() > 0
    share = (hits / np.where(runs > 0, runs, 1)).ravel()[ran]

    def left(*axes: int) -> float:
        design = columns(*axes)[ran]
        return float(((share - design @ np.linalg.lstsq(design, share)[0]) ** 2).sum())

    df = 48 - columns().shape[1]
    smooth = (hits.ravel()[ran] + 0.5) / 4
    error = max(left() / df, float((smooth * (1 - smooth) / 3).mean()))
    tests = compared(hits, runs).tests.set_index("factor")
    for axis, name in enumerate(LEVELS):
        count = SHAPE[axis] - 1
        f = (left(axis) - left()) / count / error
        assert tests.loc[name, "statistic"] == pytest.approx(f, abs=1e-9)
        assert tests.loc[name, "df"] == count
        assert tests.loc[name, "p"] == pytest.approx(float(stats.f.sf(f, count, df)))
    assert set(tests["method"]) == {"F test of shares, model of order 2"}


def test_two_levels_are_one_contrast_of_that_model(runs: Floats) -> None:
    found = compared(hits_of(runs), runs)
    both = found.differences.merge(found.pairs, on=["factor", "level", "reference"])
    init = both[both["factor"] == "init"].iloc[0]
    f = found.tests.set_index("factor").loc["init"]
    assert init["p"] == pytest.approx(f["p"])
    assert init["estimate"] < 0
    assert init["low_x"] < init["high_x"] < 0
    zero = (both["low_x"] <= 0) & (both["high_x"] >= 0)
    assert (zero == (both["p"] > 0.05)).all()
    assert both["odds_ratio"].isna().all()


def test_shares_that_a_pair_decides_wholly_leave_an_error(runs: Floats) -> None:
    """The model hits every share: what is left is what three runs of a share scatter."""
    init, bn = np.indices(SHAPE)[:2]
    hits = np.where((init == 0) | (bn > 0), runs, 0.0)
    tests = compared(hits, runs).tests.set_index("factor")
    assert (tests.loc[["init", "bn"], "p"] < 0.001).all()
    assert (tests.loc[["opt", "aug", "depth"], "p"] > 0.99).all()
    ends = compared(hits, runs).differences.set_index("factor").loc[["opt", "depth"]]
    assert (ends["estimate"] == 0).all()
    assert (ends["high"] - ends["low"] > 0.1).all()
    assert (ends[["low", "high"]].abs() <= 1).all(axis=None)


def test_main_effects_alone_are_asked_of_a_screening_design_only() -> None:
    """Eight of 2^4, defining word ABCD: pairs are mixed, so only mains can be told."""
    at = np.indices((2, 2, 2, 2))
    runs = np.where(at.sum(axis=0) % 2 == 0, 4.0, 0.0)
    hits = np.where(at[0] == 0, runs, 0.0)
    factors = {name: ("0", "1") for name in "ABCD"}
    found = Compared(hits, runs, runs, factors, 2, 0.95)
    # 8 combinations less 5 parameters: too little is left to say how sure a model is.
    assert found.models == {}
    five = np.indices((2,) * 5)
    runs = np.where(five.sum(axis=0) % 2 == 0, 4.0, 0.0)
    hits = np.where(five[0] == 0, runs, 0.0)
    factors = {name: ("0", "1") for name in "ABCDE"}
    found = Compared(hits, runs, runs, factors, 2, 0.95)
    tests = found.tests.set_index("factor")
    assert set(tests["method"]) == {"F test of shares, model of order 1"}
    assert tests.loc["A", "p"] < 0.001
    assert "assuming that two or more factors do not interact" in found.said


def study(runs: Floats, hits: Floats, *claims: str) -> Study:
    """One row a run."""
    rows = []
    for place in np.argwhere(runs > 0):
        levels = [LEVELS[name][k] for name, k in zip(LEVELS, place, strict=True)]
        n, x = int(runs[tuple(place)]), int(hits[tuple(place)])
        rows += [(*levels, seed, 0.8 if seed < x else 0.1, float(seed < x)) for seed in range(n)]
    frame = pd.DataFrame(rows, columns=[*LEVELS, "seed", "acc", "converged"])
    made = from_frame(frame, list(LEVELS), "acc", "seed", levels=LEVELS)
    return replace(made, planned_claims=claims)


def test_a_claim_in_a_fraction_is_told_by_the_model(runs: Floats) -> None:
    hits = hits_of(runs)
    asked = (
        "init: he > naive on convergence | bn = none",
        "opt: sgd > adam on convergence",
    )
    made = study(runs, hits, *asked)
    rows = made.claims().set_index("claim")
    row = rows.loc[asked[0]]
    assert row["verdict"] == "supported"
    assert row["method"] == "shares"
    assert "with the other factors equal" in row["sentence"]
    assert row["sentence"].endswith("assuming that three or more factors do not interact.")
    row = rows.loc[asked[1]]
    assert row["verdict"] == "undecided"
    assert np.isposinf(row["replicates_to_decide"])
    assert "more combinations, rather than more runs of these, may decide it" in row["sentence"]
    one = made.convergence().differences
    one = one[one["factor"] == "opt"].iloc[0]
    assert row["estimate"] == pytest.approx(-one["estimate"])


def test_notes_say_what_verdicts_rest_on(runs: Floats) -> None:
    found: Convergence = study(runs, hits_of(runs)).convergence()
    text = " ".join(found.notes)
    assert "Levels of any factor seldom ran with the same levels of all other factors" in text
    assert "exact" not in text
    assert "zero or infinite" not in text
