"""Fractions are what they promise: balanced, estimable, as good as the published ones, the same
whatever the order of the file.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ablations.errors import InputError
from runner.design import design_of
from runner.design.search import exchange, quality
from runner.design.search.exchange import d_optimal, orthogonal_array
from runner.design.search.regular import defining_words, from_generators, generators_of_resolution
from runner.spec import Factor, Spec
from runner.spec.spec_file import DOptimalDesign, FullDesign, OrthogonalDesign, RegularDesign
from tests.analysis.published import expected as published

from .conftest import MakeSpec
from .test_quality import FRACTIONS, grid


def chosen(spec: Spec) -> np.ndarray:
    return np.array(design_of(spec).runs)


def signature(spec: Spec) -> set[tuple[tuple[str, str], ...]]:
    """The combinations by names, whatever the order of factors and levels."""
    return {tuple(sorted(cell.labels.items())) for cell in design_of(spec).cells}


# -- regular ---------------------------------------------------------------------------------


def test_the_half_fraction_of_five_factors_has_resolution_five(make_spec: MakeSpec) -> None:
    runs = chosen(make_spec([2] * 5, design=RegularDesign(kind="regular", resolution=5)))
    assert len(runs) == 16
    assert quality.resolution(runs, [2] * 5) == 5
    assert quality.correlations(runs, [2] * 5).alias_sets() == []
    assert all(quality.estimable(runs, [2] * 5, 2).values())


@pytest.mark.parametrize(
    ("factors", "resolution", "runs", "shortest"),
    # Box, Hunter and Hunter (2005), table 6.22: runs, and words of the shortest length.
    [(4, 4, 8, 1), (5, 3, 8, 2), (6, 3, 8, 4), (6, 4, 16, 3), (7, 3, 8, 7), (7, 4, 16, 7),
     (8, 4, 16, 14), (8, 5, 64, 2), (9, 4, 32, 6), (10, 4, 32, 10), (11, 5, 128, 6)],
)  # fmt: skip
def test_the_smallest_fraction_has_minimum_aberration(
    factors: int, resolution: int, runs: int, shortest: int
) -> None:
    words = generators_of_resolution(factors, resolution)
    found = np.array(from_generators(factors, words))
    assert found.shape == (runs, factors)
    assert len({tuple(run) for run in found.tolist()}) == runs
    pattern = quality.word_lengths(found, [2] * factors)
    assert quality.resolution(found, [2] * factors) == resolution
    assert pattern[resolution] == pytest.approx(shortest)


@pytest.mark.parametrize("name", FRACTIONS)
def test_own_fractions_equal_the_catalogue(name: str) -> None:
    expected = FRACTIONS[name]
    factors = expected["nfactors"]
    words = generators_of_resolution(factors, expected["resolution"])
    runs = np.array(from_generators(factors, words))
    assert len(runs) == expected["nruns"]
    pattern = [*quality.word_lengths(runs, [2] * factors)[3:], 0, 0, 0, 0]
    printed = expected["WLP_3plus"]
    np.testing.assert_allclose(pattern[: len(printed)], printed, atol=1e-9)


def test_generators_are_obeyed_with_their_sign(make_spec: MakeSpec) -> None:
    design = RegularDesign(kind="regular", generators=["d = A*B", "E=-ABC"])
    runs = 2 * chosen(make_spec([2] * 5, design=design)) - 1
    assert len(runs) == 8
    np.testing.assert_array_equal(runs[:, 3], runs[:, 0] * runs[:, 1])
    np.testing.assert_array_equal(runs[:, 4], -runs[:, 0] * runs[:, 1] * runs[:, 2])
    assert sorted(defining_words([0b01011, 0b10111])) == [0b01011, 0b10111, 0b11100]


@pytest.mark.parametrize(
    ("generators", "says"),
    [
        (["E"], "'E': expected such as 'E=ABCD'"),
        (["E=ABZ"], "there is no factor Z; the 5 factors are A to E"),
        (["F=ABC"], "there is no factor F"),
        (["E=AAB"], "A stands twice"),
        (["E=ABC", "E=ABD"], "E is defined twice"),
        (["D=ABC", "E=AD"], "itself defined by a generator"),
        (["E=A"], "always change together"),
        (["D=AB", "E=AB"], "always change together"),
        (["E=ABE"], "itself defined"),
    ],
)
def test_generators_that_make_no_fraction(
    make_spec: MakeSpec, generators: list[str], says: str
) -> None:
    design = RegularDesign(kind="regular", generators=generators)
    with pytest.raises(InputError) as refused:
        design_of(make_spec([2] * 5, design=design))
    assert says in str(refused.value)


def test_regular_fractions_need_two_levels_and_the_whole_grid(make_spec: MakeSpec) -> None:
    design = RegularDesign(kind="regular", resolution=4)
    with pytest.raises(InputError, match="needs two levels a factor, B has 3; use d_optimal"):
        design_of(make_spec([2, 3, 2, 2], design=design))
    with pytest.raises(InputError, match="would break the balance of a regular fraction"):
        design_of(make_spec([2] * 4, exclude=[{"A": ["a0"], "B": ["b0"]}], design=design))
    with pytest.raises(InputError, match="no fraction of 4 two-level factors has resolution 5"):
        design_of(make_spec([2] * 4, design=RegularDesign(kind="regular", resolution=5)))
    with pytest.raises(InputError, match="searched for up to 11 factors; give generators"):
        generators_of_resolution(12, 4)


# -- D-optimal -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "target"), [(30, 0.9061), (36, 0.9870), (40, 0.9717), (48, 0.9673)]
)
def test_d_optimal_designs_reach_what_is_known_for_3x3x2x2x2(
    make_spec: MakeSpec, count: int, target: float
) -> None:
    design = DOptimalDesign(kind="d_optimal", runs=count)
    runs = chosen(make_spec([3, 3, 2, 2, 2], design=design))
    assert len({tuple(run) for run in runs.tolist()}) == count
    assert quality.d_efficiency(runs, [3, 3, 2, 2, 2], 2) > target - 1e-3
    assert all(quality.estimable(runs, [3, 3, 2, 2, 2], 2).values())


def test_d_optimal_designs_equal_the_reference() -> None:
    known = published("design_d_optimal_33222", "expected.json")["results"]
    for count, expected in known.items():
        positions, value = d_optimal(
            grid(3, 3, 2, 2, 2), [3, 3, 2, 2, 2], int(count), order=2, seed=0, starts=20
        )
        found = float(np.exp(value / expected["p"]))
        assert found >= expected["D_eff_relative_to_full_factorial"] - 1e-9
        assert len(set(positions.tolist())) == int(count)


def test_a_small_d_optimal_design_is_the_best_there_is() -> None:
    """Against all 70 ways to run 4 of 8 combinations: main effects, so the half fraction wins."""
    from itertools import combinations

    runs = grid(2, 2, 2)
    best = max(
        quality.d_efficiency(runs[list(some)], [2, 2, 2], 1) for some in combinations(range(8), 4)
    )
    positions, _ = d_optimal(runs, [2, 2, 2], 4, order=1, seed=3, starts=5)
    found = quality.d_efficiency(runs[positions], [2, 2, 2], 1)
    assert found == pytest.approx(best) == pytest.approx(1)


def test_d_optimal_works_around_what_is_excluded(make_spec: MakeSpec) -> None:
    spec = make_spec(
        [3, 3, 2],
        exclude=[{"A": ["a0"], "B": ["b0", "b1"]}],
        design=DOptimalDesign(kind="d_optimal", runs=8, order=1),
    )
    runs = chosen(spec)
    assert not any(run[0] == 0 and run[1] < 2 for run in runs.tolist())
    assert all(quality.estimable(runs, [3, 3, 2], 1).values())


def test_a_search_that_would_fill_the_memory_is_refused_beforehand(make_spec: MakeSpec) -> None:
    design = DOptimalDesign(kind="d_optimal", runs=12_000, order=1)
    with pytest.raises(InputError, match=r"12,000 of 24,000 combinations .* takes 1 GiB to choose"):
        design_of(make_spec((200, 120), design=design))


def test_a_long_search_says_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(exchange, "SAID_AFTER", 0.0)
    d_optimal(grid(3, 3, 2), (3, 3, 2), 8, order=1, seed=0, starts=2)
    assert caplog.messages == [
        "choosing 8 of 18 combinations: random start 1 of at most 2, 0 swaps so far"
    ]


@pytest.mark.parametrize(
    ("runs", "order", "exclude", "says"),
    [
        (9, 2, [], "design.runs: 9 cannot estimate the 10 parameters of the model of order 2"),
        (4, 1, [], "design.runs: 4 cannot estimate the 5 parameters of the model of order 1"),
        (13, 2, [], "design.runs: 13 is more than the 12 combinations there are"),
        (10, 2, [{"A": ["a0"], "B": ["b0"]}], "no 10 of the allowed combinations estimate"),
    ],
)
def test_d_optimal_designs_that_cannot_be(
    make_spec: MakeSpec, runs: int, order: int, exclude: list[dict[str, list[str]]], says: str
) -> None:
    design = DOptimalDesign(kind="d_optimal", runs=runs, order=order)  # type: ignore[arg-type]
    with pytest.raises(InputError) as refused:
        design_of(make_spec([2, 3, 2], exclude=exclude, design=design))
    assert says in str(refused.value)


def test_a_large_grid_is_searched_in_part(
    make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.design.search.fraction.MOST_CANDIDATES", 100)
    spec = make_spec([5, 5, 5, 5], design=DOptimalDesign(kind="d_optimal", runs=40, order=1))
    runs = chosen(spec)
    assert len(runs) == 40
    assert quality.d_efficiency(runs, [5, 5, 5, 5], 1) > 0.9


# -- orthogonal ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levels", "count", "third", "fourth"),
    # Known best A3, then A4 (Schoen, Eendebak and Nguyen, 2010, and the catalogue of DoE.base).
    [
        ([3, 3, 3, 3], 9, 8, 0),
        ([2, 3, 3, 3, 3], 18, 3.5, 4.5),
        ([3, 3, 3, 3], 18, 2, 1.5),
        ([3, 3, 2, 2, 2], 36, 0.0124, 0.2),
        ([3, 3, 3, 2, 2], 36, 0.125, 0.75),
        ([3] * 5, 18, 5, 7.5),
        ([3] * 5, 27, 2, 6),
        ([3] * 5, 36, 1.25, 4.125),
        ([3] * 5, 81, 0, 0),
        ([3, 3, 3, 3, 2], 54, 0, 1.556),
        ([4, 2, 2, 2, 2], 16, 1, 2),
        ([4, 2, 2, 2, 2], 32, 0, 1),
        ([4, 3, 3, 3], 36, 0.4584, 1.5417),
        ([2, 2, 2, 3], 12, 0.7778, 0.8889),
    ],
)
def test_orthogonal_arrays_are_as_good_as_the_known_ones(
    make_spec: MakeSpec, levels: list[int], count: int, third: float, fourth: float
) -> None:
    runs = chosen(make_spec(levels, design=OrthogonalDesign(kind="orthogonal", runs=count)))
    assert len({tuple(run) for run in runs.tolist()}) == count
    pattern = quality.word_lengths(runs, levels)
    assert pattern[1:3].tolist() == [0, 0], "every level and every pair of levels equally often"
    assert pattern[3] <= third + 1e-4
    if pattern[3] > third - 1e-3:
        assert pattern[4] <= fourth + 1e-3
    assert quality.d_efficiency(runs, levels, 1) == pytest.approx(1)


def test_an_orthogonal_array_of_all_runs_is_the_grid(make_spec: MakeSpec) -> None:
    spec = make_spec([3, 2, 2], design=OrthogonalDesign(kind="orthogonal", runs=12))
    assert signature(spec) == signature(replace(spec, design=FullDesign()))


@pytest.mark.parametrize(
    ("levels", "runs", "exclude", "says"),
    [
        ([3, 3, 2, 2, 2], 30, [], "3x3x2x2x2 levels has a multiple of 36 runs, at most 72; got 30"),
        ([3, 3, 2, 2, 2], 108, [], "at most 72; got 108"),
        ([2] * 3, 4, [{"A": ["a0"], "B": ["b0"]}], "break the balance of an orthogonal array"),
        ([2] * 4, 4, [], "no orthogonal array of 2x2x2x2 levels in 4 distinct runs was found"),
        ([2] * 11, 12, [], "searched among at most 2,000 combinations, here are 2,048"),
    ],
)
def test_orthogonal_arrays_that_cannot_be(
    make_spec: MakeSpec,
    levels: list[int],
    runs: int,
    exclude: list[dict[str, list[str]]],
    says: str,
) -> None:
    design = OrthogonalDesign(kind="orthogonal", runs=runs)
    if len(levels) == 11:
        spec = make_spec(levels[:10], design=design)
        spec = replace(spec, factors=(*spec.factors, replace(spec.factors[0], name="L")))
    else:
        spec = make_spec(levels, exclude=exclude, design=design)
    with pytest.raises(InputError) as refused:
        design_of(spec)
    assert says in str(refused.value)


def test_the_search_is_repeatable_and_uses_its_seed() -> None:
    runs, levels = grid(3, 3, 2, 2), [3, 3, 2, 2]
    one, other = (orthogonal_array(runs, levels, 18, seed=5, starts=2, steps=20) for _ in range(2))
    np.testing.assert_array_equal(one, other)


# -- all kinds -------------------------------------------------------------------------------

DESIGNS = [
    ([2] * 5, RegularDesign(kind="regular", resolution=5)),
    ([3, 2, 2, 2], DOptimalDesign(kind="d_optimal", runs=16, order=2)),
    ([3, 2, 2, 2], OrthogonalDesign(kind="orthogonal", runs=12)),
]


@pytest.mark.parametrize(("levels", "design"), DESIGNS, ids=["regular", "d_optimal", "orthogonal"])
@settings(max_examples=3, deadline=None)
@given(data=st.data())
def test_a_fraction_does_not_depend_on_the_files_order(
    make_spec: MakeSpec, levels: list[int], design: object, data: st.DataObject
) -> None:
    spec = make_spec(levels, design=design)
    shuffled = replace(
        spec,
        factors=tuple(
            Factor(f.name, tuple(data.draw(st.permutations(f.levels))))
            for f in data.draw(st.permutations(spec.factors))
        ),
    )
    assert signature(shuffled) == signature(spec)


@pytest.mark.parametrize(("levels", "design"), DESIGNS, ids=["regular", "d_optimal", "orthogonal"])
def test_a_fractions_cells_are_cells_of_the_grid(
    make_spec: MakeSpec, levels: list[int], design: object
) -> None:
    part = {cell.id for cell in design_of(make_spec(levels, replicates=2, design=design)).cells}
    whole = {cell.id for cell in design_of(make_spec(levels, replicates=2)).cells}
    assert part < whole
    assert len(whole) == 2 * len(list(product(*map(range, levels))))
