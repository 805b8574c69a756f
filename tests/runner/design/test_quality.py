"""Measures of a design equal hand-made answers and those of published designs."""

from __future__ import annotations

import json
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.design.search import quality
from runner.design.search.quality import Runs
from tests.analysis.published import expected as published


def grid(*levels: int) -> Runs:
    return np.array(list(product(*(range(count) for count in levels))), dtype=np.int64)


def letters(groups: list[list[quality.Term]]) -> list[str]:
    return ["=".join("".join("ABCDEFGHJ"[f] for f in term) for term in group) for group in groups]


FRACTIONS = published("design_regular_fractions", "expected.json")
ARRAYS = published("design_orthogonal_arrays", "expected.json")

# A half fraction of 2^3 by C = AB, and Plackett and Burman's array of 12 runs (1946).
HALF = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1]])
FIRST_ROW = [1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0]
PLACKETT = np.array([FIRST_ROW[-i:] + FIRST_ROW[:-i] for i in range(11)] + [[0] * 11])


@pytest.mark.parametrize("levels", [2, 3, 4, 7])
def test_contrasts_are_orthonormal(levels: int) -> None:
    columns = np.hstack([np.ones((levels, 1)), quality.helmert(levels)])
    np.testing.assert_allclose(columns.T @ columns / levels, np.eye(levels), atol=1e-12)


def test_a_full_grid_mixes_up_nothing() -> None:
    runs, levels = grid(3, 2, 2), [3, 2, 2]
    np.testing.assert_allclose(quality.word_lengths(runs, levels), [1, 0, 0, 0], atol=1e-12)
    assert quality.resolution(runs, levels) is None
    assert quality.generalized_resolution(runs, levels) is None
    assert quality.d_efficiency(runs, levels, 3) == pytest.approx(1)
    assert quality.correlations(runs, levels, 3).alias_sets() == []
    assert quality.correlations(runs, levels, 3).partial_aliases() == []
    assert all(quality.estimable(runs, levels, 3).values())


def test_a_half_fraction_by_hand() -> None:
    assert quality.word_lengths(HALF, [2] * 3).tolist() == pytest.approx([1, 0, 0, 1])
    assert quality.resolution(HALF, [2] * 3) == 3
    assert quality.generalized_resolution(HALF, [2] * 3) == pytest.approx((3.0, 3.0))
    assert letters(quality.correlations(HALF, [2] * 3).alias_sets()) == ["A=BC", "B=AC", "C=AB"]
    assert quality.correlations(HALF, [2] * 3).partial_aliases() == []
    assert quality.d_efficiency(HALF, [2] * 3, 1) == pytest.approx(1)
    assert quality.d_efficiency(HALF, [2] * 3, 2) == 0
    found = quality.estimable(HALF, [2] * 3, 2)
    assert found[()], "the mean is mixed with ABC alone, which is not in the model"
    assert not any(free for term, free in found.items() if term)


def test_plackett_burman_mixes_every_pair_by_a_third() -> None:
    levels = [2] * 11
    pattern = quality.word_lengths(PLACKETT, levels)
    assert pattern[1:3].tolist() == [0, 0]
    assert pattern[3] == pytest.approx(len(list(combinations(range(11), 3))) / 9)
    assert quality.generalized_resolution(PLACKETT, levels) == pytest.approx((11 / 3, 11 / 3))
    matrix, terms = quality.correlations(PLACKETT[:, :4], [2] * 4)
    place = {term: i for i, term in enumerate(terms)}
    assert matrix[place[(0,)], place[(1, 2)]] == pytest.approx(1 / 3)
    assert matrix[place[(0,)], place[(0, 1)]] == 0
    assert quality.correlations(PLACKETT[:, :3], [2] * 3).partial_aliases()[0] == (
        (0,), (1, 2), pytest.approx(1 / 3),
    )  # fmt: skip


def test_a_missing_cell_takes_the_pair_with_it() -> None:
    runs = np.array([[0, 0], [0, 1], [1, 0]])
    assert quality.estimable(runs, [2, 2], 1) == {(): True, (0,): True, (1,): True}
    assert quality.estimable(runs, [2, 2], 2) == dict.fromkeys([(), (0,), (1,), (0, 1)], False)
    assert quality.resolution(runs, [2, 2]) == 1, "unequal numbers of runs a level"
    assert quality.generalized_resolution(runs, [2, 2]) == pytest.approx((5 / 3, 5 / 3))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(2, 4), min_size=2, max_size=4), st.integers(0, 10**6))
def test_word_lengths_by_their_definition(levels: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    runs = grid(*levels)
    runs = runs[random.choice(len(runs), size=random.integers(2, len(runs) + 1))]
    by_definition = [1.0] + [
        sum(quality.projection(runs, levels, t) for t in combinations(range(len(levels)), size))
        for size in range(1, len(levels) + 1)
    ]
    np.testing.assert_allclose(quality.word_lengths(runs, levels), by_definition, atol=1e-8)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(2, 3), min_size=2, max_size=4), st.integers(0, 10**6))
def test_measures_do_not_depend_on_names_of_levels(levels: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    runs = grid(*levels)
    runs = runs[random.choice(len(runs), size=len(runs), replace=True)]
    renamed = runs.copy()
    for factor, count in enumerate(levels):
        renamed[:, factor] = random.permutation(count)[runs[:, factor]]
    np.testing.assert_allclose(
        quality.word_lengths(runs, levels), quality.word_lengths(renamed, levels), atol=1e-8
    )
    assert quality.d_efficiency(runs, levels, 1) == pytest.approx(
        quality.d_efficiency(renamed, levels, 1), abs=1e-9
    )
    assert quality.estimable(runs, levels, 2) == quality.estimable(renamed, levels, 2)


def test_parameters_are_counted_as_columns_are() -> None:
    levels = [3, 3, 2, 2, 2]
    for order in range(4):
        matrix, owners = quality.model_matrix(grid(*levels), levels, order)
        assert matrix.shape[1] == len(owners) == quality.parameter_count(levels, order)
    assert quality.parameter_count(levels, 2) == 27


def test_the_summary_says_what_a_report_needs() -> None:
    said = quality.summary(HALF, [2] * 3)
    assert said["resolution"] == 3
    assert said["word_lengths"] == [1, 0, 0, 1]
    assert (said["d_efficiency_main_effects"], said["d_efficiency_with_pairs"]) == (1, 0)
    json.dumps(said)


@pytest.mark.parametrize("name", ARRAYS)
def test_published_orthogonal_arrays(name: str) -> None:
    expected = ARRAYS[name]
    runs, levels = np.array(expected["design"]) - 1, expected["nlevels"]
    np.testing.assert_allclose(
        quality.word_lengths(runs, levels), expected["GWLP"], rtol=1e-9, atol=1e-9
    )
    found = quality.generalized_resolution(runs, levels)
    assert (found and pytest.approx(found, abs=1e-6)) == (expected["GR"] and tuple(expected["GR"]))


@pytest.mark.parametrize("name", FRACTIONS)
def test_published_regular_fractions(name: str) -> None:
    expected = FRACTIONS[name]
    runs = (np.array(expected["design"]) + 1) // 2
    levels = [2] * expected["nfactors"]
    assert quality.resolution(runs, levels) == expected["resolution"]
    printed = expected["WLP_3plus"]  # five lengths, whatever the number of factors
    words = [*quality.word_lengths(runs, levels)[3:], 0, 0, 0, 0][: len(printed)]
    np.testing.assert_allclose(words, printed, atol=1e-9)
    sets = quality.correlations(runs, levels).alias_sets()
    assert letters(sets) == [*expected["alias_main"], *expected["alias_2fi"]]
    mixed = {term for group in sets for term in group}
    clear = [t for t in combinations(range(len(levels)), 2) if t not in mixed]
    assert len(clear) == expected["n_clear_2fis"]
