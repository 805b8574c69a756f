"""A fraction that grows: cells unique, predicates kept, no old cell changed, `plan` right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ablations.errors import InputError
from runner.design import Design, design_of, facts
from runner.design.growth import gain_of
from runner.design.search.quality import model_matrix, parameter_count
from runner.spec import Spec
from runner.spec.spec_file import AugmentedDesign, DOptimalDesign, FullDesign, RegularDesign
from tests.runner.design.conftest import MakeSpec

RESOLUTION_3 = RegularDesign(kind="regular", generators=["D=AB", "E=AC"])


def grown(of: object, *by: dict[str, object]) -> AugmentedDesign:
    return AugmentedDesign.model_validate({"kind": "augmented", "of": of, "by": list(by)})


def built(spec: Spec) -> Design | None:
    try:
        return design_of(spec)
    except InputError:
        return None


def pair(make_spec: MakeSpec, levels: tuple[int, ...], design: object, **more: object) -> Spec:
    return make_spec(levels, design=design, replicates=2, **more)


def test_a_fold_over_of_all_frees_mains_from_pairs(make_spec: MakeSpec) -> None:
    before = design_of(pair(make_spec, (2,) * 5, RESOLUTION_3))
    after = design_of(pair(make_spec, (2,) * 5, grown(RESOLUTION_3, {"fold_over": "all"})))
    gain = gain_of(before, after)
    assert len(gain.new) == 8
    mains = set("ABCDE")
    assert mains.isdisjoint(term for group in facts(after).aliases for term in group)  # type: ignore[union-attr]
    assert mains <= set(gain.estimable)
    apart = {frozenset(part) for parts in gain.told_apart for part in parts}
    assert {frozenset([one]) for one in mains} <= apart


def test_a_fold_over_of_one_factor_frees_it_and_its_pairs(make_spec: MakeSpec) -> None:
    after = design_of(pair(make_spec, (2,) * 5, grown(RESOLUTION_3, {"fold_over": "A"})))
    assert after.combinations == 16
    found = facts(after)
    assert found is not None
    assert {"A", "A:B", "A:C", "A:D", "A:E"} <= set(found.estimable)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(2, 3), min_size=2, max_size=4),
    st.booleans(),
    st.floats(0.05, 0.95),
    st.integers(0, 3),
)
def test_more_runs_keep_cells_and_predicates(
    make_spec: MakeSpec, levels: list[int], excludes: bool, share: float, seed: int
) -> None:
    exclude = [{"A": ["a0"], "B": ["b1"]}] if excludes else []
    allowed = len(design_of(make_spec(levels, exclude)).runs)
    needed = parameter_count(levels, 1)
    first = DOptimalDesign(kind="d_optimal", runs=needed + 1, order=1, seed=seed, starts=2)
    if needed + 2 > allowed:
        return
    count = needed + 2 + round(share * (allowed - needed - 2))
    before = built(make_spec(levels, exclude, design=first, replicates=2))
    order = 2 if count >= parameter_count(levels, 2) else 1
    step = {"runs": count, "order": order, "starts": 2}
    after = built(make_spec(levels, exclude, design=grown(first, step), replicates=2))
    if before is None or after is None:  # so few runs lack a level, or cannot estimate the model
        return
    again = design_of(make_spec(levels, exclude, design=grown(first, step), replicates=2))
    assert again.runs == after.runs
    cells = [cell.id for cell in after.cells]
    assert len(set(cells)) == len(cells)
    assert {cell.id for cell in before.cells} <= set(cells)
    assert not excludes or all(run[:2] != (0, 1) for run in after.runs)
    _what_plan_says_holds(after, levels)
    gain = gain_of(before, after)
    assert set(gain.new).isdisjoint(before.runs)
    assert len(gain.new) == after.combinations - before.combinations


@settings(max_examples=20, deadline=None)
@given(st.integers(3, 5), st.sampled_from(["all", "A", "B", "C"]), st.booleans())
def test_folded_designs_keep_cells(make_spec: MakeSpec, n: int, which: str, twice: bool) -> None:
    base = RegularDesign(kind="regular", resolution=3)
    steps = [{"fold_over": which}]
    if twice:
        steps.append({"runs": 2**n - 1})
    before = design_of(make_spec((2,) * n, design=base))
    after = built(make_spec((2,) * n, design=grown(base, *steps)))
    if after is None:  # its mirror images are run already
        return
    assert {cell.id for cell in before.cells} < {cell.id for cell in after.cells}
    assert len(set(after.runs)) == len(after.runs)
    _what_plan_says_holds(after, (2,) * n)


def _what_plan_says_holds(design: Design, levels: Sequence[int]) -> None:
    """A term is estimable if without its columns the model has so many dimensions fewer."""
    found = facts(design)
    assert found is not None
    matrix, owners = model_matrix(np.array(design.runs), levels, min(2, len(levels)))
    rank = np.linalg.matrix_rank(matrix)
    said = set(found.estimable)
    for term in set(owners) - {()}:
        rest = [owner != term for owner in owners]
        fewer = rank - np.linalg.matrix_rank(matrix[:, rest])
        is_free = fewer == rest.count(False)
        assert (":".join("ABCDE"[f] for f in term) in said) == is_free


@pytest.mark.parametrize(
    ("levels", "design", "step", "problem"),
    [
        ((2,) * 4, RegularDesign(kind="regular", resolution=4), {"fold_over": "all"}, "no comb"),
        ((2,) * 5, RESOLUTION_3, {"fold_over": "F"}, "is no factor of this file"),
        ((2,) * 5, RESOLUTION_3, {"runs": 8}, "no more than the 8 combinations of before"),
        ((2,) * 5, RESOLUTION_3, {"runs": 33}, "more than the 32 combinations"),
        (
            (3, 2, 2),
            DOptimalDesign(kind="d_optimal", runs=6, order=1),
            {"fold_over": "A"},
            "swaps two levels, and A has 3",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    make_spec: MakeSpec, levels: tuple[int, ...], design: object, step: object, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        design_of(make_spec(levels, design=grown(design, step)))  # type: ignore[arg-type]


def test_a_design_that_loses_cells_has_not_grown(make_spec: MakeSpec) -> None:
    small = design_of(pair(make_spec, (2,) * 5, RESOLUTION_3))
    full = design_of(pair(make_spec, (2,) * 5, FullDesign()))
    assert gain_of(small, full).lost == ()
    with pytest.raises(ValueError, match="keeps its cells"):
        gain_of(full, small)
