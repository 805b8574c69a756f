"""When a cell is looked at: counted from its steps alone, and within 1 % of them."""

from __future__ import annotations

import pytest

from runner.probe.moments import FIXED, MOST, PASSES, SHARE, images, moments


@pytest.mark.parametrize("epochs", [1, 2, 6, 30, 200])
@pytest.mark.parametrize(("steps", "batch"), [(1, 30), (20, 64), (390, 128), (5000, 10)])
def test_all_looks_together_are_within_their_share(epochs: int, steps: int, batch: int) -> None:
    found = moments(epochs, steps, batch)
    assert found[0] == 0
    assert found[-1] == epochs * steps
    assert list(found) == sorted(set(found))
    assert len(found) <= MOST
    cost = PASSES * images(epochs * steps, batch) / batch + FIXED
    assert len(found) == 2 or len(found) * cost <= SHARE * epochs * steps


def test_a_long_training_is_looked_at_after_its_first_steps_and_some_epochs() -> None:
    assert moments(30, 390, 128) == (0, 10, 390, 780, 1560, 3120, 5850, 11700)
    assert images(30 * 390, 128) == 32


def test_a_short_one_at_its_ends_alone() -> None:
    assert moments(6, 20, 64) == (0, 120)
    assert images(120, 64) == 16
    assert moments(1, 1, 8) == (0, 1)
