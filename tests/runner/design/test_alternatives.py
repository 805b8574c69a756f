"""What other designs would tell: their errors against least squares, and what is offered."""

from __future__ import annotations

from itertools import combinations, product
from math import isnan, sqrt

import numpy as np
import pytest

from runner.design import design_of
from runner.design.alternatives import alternatives, questions
from runner.spec.adaptive import Adaptive
from runner.spec.spec_file import DOptimalDesign, OneAtATimeDesign, RegularDesign
from tests.benchmarks.sentences import study_of

from .conftest import MakeSpec


def test_a_full_grid_has_the_errors_of_its_margins(make_spec: MakeSpec) -> None:
    found = {one.name: one for one in alternatives(design_of(make_spec([2, 3, 2], replicates=3)))}
    own = found["as in the file"]
    # The factor of three levels has 12 runs of each; its pair with one of two 6 in each corner.
    assert own.main == pytest.approx(sqrt(2 / 12))
    assert own.pair == pytest.approx(sqrt(4 / 6))
    assert (own.cells, own.df) == ((36, 36), 24)
    assert found["all 12, 5 times"].main == pytest.approx(sqrt(2 / 20))
    assert "all 12, in waves" not in found, "in so few nothing is decided before the fifth run"
    assert "all 12, 3 times" not in found, "it is the file's own"


def test_a_fraction_has_the_errors_of_its_least_squares_fit(make_spec: MakeSpec) -> None:
    levels = (2, 3, 3, 2)
    asked = DOptimalDesign(kind="d_optimal", runs=24, order=2)
    design = design_of(make_spec(levels, design=asked, replicates=2))
    (own, *_) = alternatives(design)

    def coded(cells: list[tuple[int, ...]]) -> np.ndarray:
        """An intercept and dummies of every factor and pair, the first level left out."""
        single = [
            [np.array([cell[f] == k for cell in cells], float) for k in range(1, count)]
            for f, count in enumerate(levels)
        ]
        pairs = [a * b for i, j in combinations(range(4), 2) for a in single[i] for b in single[j]]
        return np.column_stack([np.ones(len(cells)), *(c for one in single for c in one), *pairs])

    whole = list(product(*map(range, levels)))
    ran = coded(list(design.runs))
    predicted = coded(whole) @ np.linalg.inv(ran.T @ ran) @ coded(whole).T / 2
    errors = []
    for factor, count in enumerate(levels):
        for one, other in combinations(range(count), 2):
            at = np.array([(cell[factor] == one) * 1.0 - (cell[factor] == other) for cell in whole])
            at /= len(whole) / count
            errors.append(sqrt(at @ predicted @ at))
    assert own.main == pytest.approx(max(errors))
    assert own.df == 24


def test_what_a_design_cannot_tell_is_no_number(make_spec: MakeSpec) -> None:
    one = OneAtATimeDesign(kind="one_at_a_time")
    (own, *_) = alternatives(design_of(make_spec([2, 3, 2], design=one, replicates=3)))
    assert own.main == pytest.approx(sqrt(2 / 3))
    assert isnan(own.pair)
    regular = RegularDesign(kind="regular", generators=["C=AB"])
    (own, *_) = alternatives(design_of(make_spec([2, 2, 2], design=regular, replicates=2)))
    assert (own.main, own.df) == (pytest.approx(sqrt(2 / 4)), 4)
    assert isnan(own.pair)


def test_replicates_in_waves_go_from_the_least_to_the_most(make_spec: MakeSpec) -> None:
    spec = make_spec([2, 3, 4], replicates=3, adaptive=Adaptive(3, 8))
    own, *others = alternatives(design_of(spec))
    assert own.cells == (4 * 24, 8 * 24), "nothing is decided before the fourth run of each"
    assert own.main == pytest.approx(sqrt(2 / (8 * 6)))
    (waves,) = (one for one in others if one.name == "all 24, in waves")
    assert waves.cells == (4 * 24, 5 * 24)


def test_large_grids_and_single_factors_are_not_compared(make_spec: MakeSpec) -> None:
    assert alternatives(design_of(make_spec([11, 10, 10]))) == []
    assert alternatives(design_of(make_spec([3]))) == []


def test_as_many_questions_as_a_study_judges() -> None:
    shape = (2, 3, 2)
    runs = np.random.default_rng(0).normal(size=(12, 3))
    table = study_of(runs, shape, own=True).judgement.table
    table = table[table["kind"].isin(["difference", "factor", "pair"])]
    assert questions(shape) == len(table) == 9
