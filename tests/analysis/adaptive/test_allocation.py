"""Runs go where the noise is, and the noise of a combination is told by others."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from analysis.adaptive.allocation import LEAST, expected_noise, next_counts


def test_the_noise_of_a_combination_is_its_neighbours_mean() -> None:
    variances = np.arange(1.0, 13.0).reshape(2, 3, 2)
    found = expected_noise(variances, 3)
    for at in product(range(2), range(3), range(2)):
        near = [
            variances[other]
            for other in product(range(2), range(3), range(2))
            if sum(a != b for a, b in zip(at, other, strict=True)) == 1
        ]
        assert found[at] == pytest.approx(np.mean(near))


def test_its_own_runs_say_nothing_of_how_often_it_runs() -> None:
    variances = np.ones((3, 2, 2))
    before = expected_noise(variances, 3)[1, 1, 1]
    variances[1, 1, 1] = 100.0
    assert expected_noise(variances, 3)[1, 1, 1] == before


def test_where_no_neighbour_ran_all_others_tell() -> None:
    variances = np.full((2, 2), np.nan)
    variances[0, 0], variances[1, 1] = 3.0, 5.0
    found = expected_noise(variances, 2)
    assert (found[0, 0], found[1, 1]) == (5.0, 3.0)
    assert found[0, 1] == found[1, 0] == 4.0


def test_quiet_neighbours_are_no_proof_of_quiet() -> None:
    variances = np.zeros((2, 2, 2))
    variances[0, 0, 0] = 8.0
    assert expected_noise(variances, 3).min() > 0
    assert LEAST > 0


@given(
    arrays.arrays(float, st.integers(1, 12), elements=st.floats(0, 1e6)),
    st.integers(0, 40),
    st.integers(2, 9),
    st.data(),
)
def test_a_wave_takes_most_from_the_variance(
    importance: np.ndarray, runs: int, most: int, data: st.DataObject
) -> None:
    counts = np.array(data.draw(st.lists(st.integers(0, 6), min_size=len(importance),
                                         max_size=len(importance))))  # fmt: skip
    new = next_counts(importance, counts, runs, most)
    room = int(np.maximum(most - counts, 0)[counts > 0].sum())
    assert (new >= counts).all()
    assert (new[counts == 0] == 0).all()
    assert (new <= np.maximum(counts, most)).all()
    assert (new - counts).sum() == min(runs, room)
    greedy = counts.astype(float)
    for _ in range(min(runs, room)):
        free = (counts > 0) & (greedy < most)
        gain = np.where(free, importance / np.maximum(greedy * (greedy + 1), 1), -1.0)
        greedy[gain.argmax()] += 1

    def left(n: np.ndarray) -> float:
        return float((importance[counts > 0] / n[counts > 0]).sum())

    assert left(new) == pytest.approx(left(greedy), rel=1e-6, abs=1e-9)
