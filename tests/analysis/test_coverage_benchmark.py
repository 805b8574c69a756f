"""The coverage benchmark estimates as the package does, and its smallest world is as it should."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.model.grid import Grid
from analysis.model.interval_rule import choose_interval
from analysis.model.margins import METHODS
from analysis.stats.estimates import t_limits
from tests.benchmarks.coverage import (
    TWELVE,
    Scenario,
    cells_of,
    coverage,
    coverage_incomplete,
    draw_many,
    errors,
    estimate_many,
    grid_weights,
    lose,
    one_noisy_cell,
    report,
    scenarios,
    targets,
)


def test_batches_are_estimated_as_the_package_estimates_one_grid() -> None:
    worlds, _ = scenarios()
    for world in (one for one in worlds if one.complete):
        shape = world.means.shape
        y = draw_many(world, 6, np.random.default_rng(5))
        got = estimate_many(y.reshape(*y.shape[:2], -1), grid_weights(shape))
        for at, runs in enumerate(y):
            cells = cells_of(runs)
            rule = choose_interval(cells)
            assert (rule.primary == "blocked") == got.shocked[at], world.name
            assert rule.means == "blocked"
            by_rule = got.by_rule()
            for column, (_, term, weights) in enumerate(targets(shape)):
                margin = Grid(cells).margin(term)
                for method, halves in zip(METHODS, (got.welch, got.blocked), strict=True):
                    numbers = margin.combine(weights, method)
                    low, high, _ = t_limits(*numbers)
                    assert got.estimate[at, column] == pytest.approx(numbers[0][0], abs=1e-12)
                    assert halves[at, column] == pytest.approx((high - low)[0] / 2, rel=1e-9)
                own = Grid(cells).estimate(grid_weights(shape)[column].reshape(shape))
                if abs(weights.sum()) < 1e-9:
                    half = (own.high - own.low) / 2
                    assert by_rule[at, column] == pytest.approx(half, rel=1e-9)


def test_incomplete_grids_are_estimated_as_the_package_does_and_cover() -> None:
    world = Scenario("12 cells, lost", np.zeros((3, 2, 2)), TWELVE, 3, 0.5, lost=2, empty=(4,))
    y = lose(world, draw_many(world, 1, np.random.default_rng(3))[0], np.random.default_rng(4))
    cells = cells_of(y)
    assert int(cells.empty.sum()) == 1
    assert cells.n == 31
    own = Grid(cells).estimate(grid_weights((3, 2, 2))[2].reshape(3, 2, 2))
    assert own.rests_on == "model of order 2"
    covered = coverage_incomplete(world, 400, 5)
    ruled = covered.loc[covered["method"] == "rule", "coverage"]
    assert ruled.between(0.93, 1.0).all()
    noisy = one_noisy_cell(400, 6)
    text = report(covered, errors(world, 5, 3), noisy, 400, 5)
    assert "Where runs are lost or cells empty" in text


def test_intervals_cover_and_tests_err_as_they_say() -> None:
    rng = np.random.default_rng(1)
    world = Scenario("8 cells", rng.normal(0.8, 0.05, (2, 2, 2)), np.full((2, 2, 2), 0.01), 3)
    covered = coverage(world, 4000, 0)
    ruled = covered.loc[covered["method"] == "rule", "coverage"]
    assert ruled.between(0.94, 0.99).all()
    # A shock that the cells of a replicate share breaks Welch for means, and only Welch.
    shocked = Scenario("shock", world.means, world.deviations, 3, rho=0.5)
    means = coverage(shocked, 4000, 1)
    means = means[means["target"].str.startswith("mean")].groupby("method")["coverage"].mean()
    assert means["welch"] < 0.9 < 0.94 < means["blocked"] == means["rule"]
    null = Scenario("null", np.full((2, 2, 2), 0.8), world.deviations, 3)
    wrong = errors(null, 60, 2).set_index("test")["error"]
    assert wrong["term, by the rule"] < 0.12
    text = report(covered, errors(null, 20, 3), one_noisy_cell(200, 6), 4000, 20)
    assert "| 8 cells | marginal means |" in text
    assert "Shown for reference only" in text


def test_the_worlds_are_those_of_the_published_table() -> None:
    worlds, nulls = scenarios()
    assert {world.means.size for world in worlds} == {72, 32, 12, 8, 4}
    assert (worlds[0].deviations == 0).any()  # cells that never vary
    assert all(np.ptp(null.means) == 0 for null in nulls)
