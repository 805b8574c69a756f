"""What runs next within a budget: everything once, and what tells most per second first."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.design import Design, design_of, with_runs
from runner.design.order.best_next import JUDGED, BestNext
from runner.design.order.measured_cost import expected_seconds
from runner.design.search.information import Information, aims_of, average
from runner.design.search.quality import estimable, model_matrix
from runner.spec.claims import parse_claim
from tests.runner.design.conftest import MakeSpec

levels_of = st.lists(st.integers(2, 4), min_size=1, max_size=4)


def ids(design: Design) -> list[str]:
    return [cell.id for cell in design.cells]


def grid(levels: tuple[int, ...]) -> np.ndarray:
    return np.array(list(np.ndindex(*levels)), dtype=np.int64)


@settings(max_examples=25, deadline=None)
@given(levels_of, st.integers(1, 3), st.randoms(use_true_random=False))
def test_every_waiting_cell_comes_once_and_replicates_in_their_order(
    make_spec: MakeSpec, levels: list[int], replicates: int, random: object
) -> None:
    design = design_of(make_spec(levels, replicates=replicates))
    took = {one: random.uniform(1, 50) for one in ids(design) if random.random() < 0.3}  # type: ignore[attr-defined]
    waiting = [one for one in ids(design) if one not in took]
    order = list(BestNext(design).choose(took, waiting, took))
    assert sorted(order) == sorted(waiting)
    cells = {cell.id: cell for cell in design.cells}
    seen: dict[tuple[str, ...], int] = {}
    for one in order:
        run = tuple(cells[one].labels.values())
        assert seen.get(run, -1) < cells[one].replicate
        seen[run] = cells[one].replicate


@settings(max_examples=15, deadline=None)
@given(levels_of, st.randoms(use_true_random=False))
def test_no_third_run_comes_before_the_second_of_all(
    make_spec: MakeSpec, levels: list[int], random: object
) -> None:
    design = design_of(make_spec(levels, replicates=4))
    took = {one: random.uniform(1, 500) for one in ids(design)}  # type: ignore[attr-defined]
    order = list(BestNext(design).choose([], ids(design), took))
    cells = {cell.id: cell.replicate for cell in design.cells}
    first = next(k for k, one in enumerate(order) if cells[one] >= JUDGED)
    assert first == JUDGED * design.combinations


@pytest.mark.parametrize("levels", [(2, 3), (3, 2, 2), (2, 2, 2, 3)])
def test_mains_are_estimable_after_hardly_more_runs_than_they_need(
    make_spec: MakeSpec, levels: tuple[int, ...]
) -> None:
    design = design_of(make_spec(levels, replicates=2))
    order = list(BestNext(design).choose([], ids(design), {}))
    run_of = {
        cell.id: tuple(int(label[1:]) for label in cell.labels.values()) for cell in design.cells
    }
    needed = 1 + sum(count - 1 for count in levels)
    runs = np.array([run_of[one] for one in order[: needed + 1]])
    assert all(estimable(runs, levels, 1).values())


def test_claims_come_first(make_spec: MakeSpec) -> None:
    claim = parse_claim("A: a0 > a1 | B = b2")
    design = design_of(make_spec((2, 3, 2), replicates=2, claims=(claim,)))
    cells = {cell.id: cell for cell in design.cells}
    order = list(BestNext(design).choose([], ids(design), {}))
    assert [cells[one].labels["B"] for one in order[:2]] == ["b2", "b2"]
    assert {cells[one].labels["A"] for one in order[:2]} == {"a0", "a1"}


def test_cheap_levels_run_more_and_what_is_too_long_is_left_out(make_spec: MakeSpec) -> None:
    design = design_of(make_spec((2, 3), replicates=2))
    cells = {cell.id: cell for cell in design.cells}
    took = {one: 1.0 if cells[one].labels["A"] == "a0" else 20.0 for one in ids(design)[:6]}
    best, waiting = BestNext(design), ids(design)[6:]
    order = list(best.choose(took, waiting, took))
    assert [cells[one].labels["A"] for one in order] == ["a0"] * 3 + ["a1"] * 3
    short = list(best.choose(took, waiting, took, at_most=5.0))
    assert {cells[one].labels["A"] for one in short} == {"a0"}


def test_nothing_measured_makes_all_cells_cost_the_same(make_spec: MakeSpec) -> None:
    design = design_of(make_spec((2, 3), replicates=1))
    assert BestNext(design).seconds({}) == {}
    none = np.zeros(0)
    assert (expected_seconds(grid((2, 3)), (2, 3), none.astype(np.int64), none) == 1).all()


def test_what_a_level_costs_is_learned_from_other_combinations() -> None:
    runs = grid((3, 2, 2))
    true = 5.0 * np.array([1.0, 2.0, 8.0])[runs[:, 0]] * np.array([1.0, 3.0])[runs[:, 2]]
    some = np.array([0, 1, 4, 5, 8, 2, 7])  # one cell of (2, ., 1) is never measured
    found = expected_seconds(runs, (3, 2, 2), some, true[some])
    assert np.all(np.abs(np.log(found / true)) < 0.7)
    assert np.corrcoef(np.log(found), np.log(true))[0, 1] > 0.98


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(2, 3), min_size=2, max_size=3), st.integers(0, 10**6))
def test_gains_are_what_a_run_then_adds(levels: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    runs = grid(tuple(levels))
    counts = random.integers(0, 3, len(runs))
    aims = aims_of(levels, 2)
    known = Information(runs, levels, 2, aims, counts)
    run = int(random.integers(len(runs)))
    before, gain = known.variances.copy(), known.gains()[run]
    known.add(run)
    afresh = Information(runs, levels, 2, aims, known.counts)
    np.testing.assert_allclose(known.variances, afresh.variances, rtol=1e-8)
    np.testing.assert_allclose(known.gains(), afresh.gains(), rtol=1e-6)
    fell = sum(
        aim.weight * log(b / a) for aim, b, a in zip(aims, before, known.variances, strict=True)
    )
    assert gain == pytest.approx(fell, rel=1e-8)


def test_the_average_of_levels_is_that_of_their_combinations() -> None:
    levels = (2, 3, 2)
    which = ([0], [0, 2], [0, 1])
    runs = np.array([run for run in np.ndindex(*levels) if run[0] == 0 and run[1] != 1])
    matrix, _ = model_matrix(runs, levels, 2)
    np.testing.assert_allclose(average(levels, 2, which), matrix.mean(axis=0), atol=1e-12)


def test_runs_that_waves_added_are_ordered_too(make_spec: MakeSpec) -> None:
    design = design_of(make_spec((2, 2), replicates=2))
    more = with_runs(design, {design.runs[0]: 4})
    order = list(BestNext(more).choose([], ids(more), {}))
    assert sorted(order) == sorted(ids(more))
    assert set(order[:8]) == set(ids(design))
