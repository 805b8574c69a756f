"""The measurement of shared seeds sees sharing where there is some, and none where there is not."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.model.cell_means import CellMeans
from tests.benchmarks.coverage.worlds import cells_of
from tests.benchmarks.shared_seeds import FACTORS, contrasts, drawn, ratios, specification


def grid(values: np.ndarray) -> CellMeans:
    return cells_of(values.reshape(len(values), 2, 2, 3, 2))


def test_the_contrasts_are_six_differences_and_twelve_pairs() -> None:
    names, weights = contrasts(grid(np.zeros((3, 24))))
    assert (names.count("difference of levels"), names.count("pair of factors")) == (6, 12)
    assert weights.sum(axis=1) == pytest.approx(np.zeros(18), abs=1e-12)
    assert np.prod([len(levels) for levels in FACTORS.values()]) == weights.shape[1] == 24
    assert specification(None, 16, 0)["seeds"] == "shared"


def test_independent_cells_have_a_ratio_of_one_and_a_common_shock_one_below() -> None:
    rng = np.random.default_rng(0)
    own = rng.normal(size=(2000, 24))
    names, weights = contrasts(grid(own))
    assert ratios(own, names, weights)["ratio"].to_numpy() == pytest.approx(1.0, abs=0.05)
    moved = own + rng.normal(size=(2000, 1))
    assert ratios(moved, names, weights)["ratio"].to_numpy() == pytest.approx(0.5, abs=0.05)


def test_drawn_studies_cover_and_own_seeds_are_narrower() -> None:
    values = np.random.default_rng(1).normal(size=(16, 24))
    _, weights = contrasts(grid(values))
    found = drawn(values, weights, 400).set_index("seeds")
    assert (found["coverage"] > 0.93).all()
    assert found.loc["own", "width"] < found.loc["shared", "width"]
