"""The coverage benchmark estimates as the package does, and its smallest world is as it should."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.model.grid import Grid
from analysis.model.interval_rule import choose_interval
from analysis.model.margins import METHODS
from analysis.stats.estimates import t_limits
from tests.benchmarks.coverage.errors import errors
from tests.benchmarks.coverage.estimators import (
    coverage,
    coverage_incomplete,
    estimate_many,
    grid_weights,
    one_noisy_cell,
    targets,
)
from tests.benchmarks.coverage.page import _wrong_lines, report
from tests.benchmarks.coverage.worlds import TWELVE, Scenario, cells_of, draw_many, lose, scenarios


def test_batches_are_estimated_as_the_package_estimates_one_grid() -> None:
    worlds, _ = scenarios()
    for world in (one for one in worlds if one.complete):
        shape = world.means.shape
        y = draw_many(world, 3, np.random.default_rng(5))
        got = estimate_many(y.reshape(*y.shape[:2], -1), grid_weights(shape))
        for at, runs in enumerate(y):
            cells = cells_of(runs)
            rule = choose_interval(cells)
            assert (rule.primary == "blocked") == got.shocked[at], world.name
            for column, (_, term, weights) in enumerate(targets(shape)):
                margin = Grid(cells).margin(term)
                for method, halves in zip(METHODS, (got.welch, got.blocked), strict=True):
                    numbers = margin.combine(weights, method)
                    low, high, _ = t_limits(*numbers)
                    assert got.estimate[at, column] == pytest.approx(numbers[0][0], abs=1e-12)
                    assert halves[at, column] == pytest.approx((high - low)[0] / 2, rel=1e-9)
                own = Grid(cells).estimate(grid_weights(shape)[column].reshape(shape))
                half = (own.high - own.low) / 2
                assert got.shared[at, column] == pytest.approx(half, rel=1e-9)


def test_incomplete_grids_are_estimated_as_the_package_does_and_cover() -> None:
    world = Scenario("12 cells, lost", np.zeros((3, 2, 2)), TWELVE, 3, 0.5, lost=2, empty=(4,))
    y = lose(world, draw_many(world, 1, np.random.default_rng(3))[0], np.random.default_rng(4))
    cells = cells_of(y)
    assert int(cells.empty.sum()) == 1
    assert cells.n == 31
    own = Grid(cells).estimate(grid_weights((3, 2, 2))[2].reshape(3, 2, 2))
    assert own.rests_on == "model of order 2 and its misfit"
    covered = coverage_incomplete(world, 400, 5)
    ruled = covered.loc[covered["method"] == "shared", "coverage"]
    assert ruled.between(0.93, 1.0).all()


def test_intervals_cover_and_tests_err_as_they_say() -> None:
    rng = np.random.default_rng(1)
    world = Scenario("8 cells", rng.normal(0.8, 0.05, (2, 2, 2)), np.full((2, 2, 2), 0.01), 3)
    covered = coverage(world, 4000, 0)
    for method in ("welch", "shared"):
        held = covered.loc[covered["method"] == method, "coverage"]
        assert held.between(0.94, 0.995).all()
    assert covered.loc[covered["method"] == "welch", "oracle"].between(0.95, 1.3).all()
    # A shock that the cells of a replicate share breaks Welch for means, and only Welch.
    shocked = Scenario("shock", world.means, world.deviations, 3, rho=0.5)
    means = coverage(shocked, 4000, 1)
    means = means[means["target"].str.startswith("mean")].groupby("method")["coverage"].mean()
    assert means["welch"] < 0.9 < 0.94 < means["blocked"]
    assert means["shared"] > 0.93
    null = Scenario("null", np.full((2, 2, 2), 0.8), world.deviations, 3)
    wrong = errors(null, 60, 2).set_index("test")["error"]
    assert wrong["term, own seeds"] < 0.12
    assert wrong["term, shared seeds"] < 0.12
    text = "\n".join(_wrong_lines(errors(null, 20, 3), 20))
    assert "Shown for reference only" in text


def test_seed_times_factor_does_not_pass_for_an_effect() -> None:
    """Where the cells of one level share a shock, the rule for shared seeds errs in 5 %."""
    even = Scenario("12", np.full((2, 3, 2), 0.8), np.full((2, 3, 2), 0.01), 3, 0.3, by_level=True)
    found = coverage(even, 8000, 2).set_index(["target", "method"])["coverage"]
    assert found["difference f0", "welch"] < 0.85
    assert found["difference f0", "shared"] > 0.94


def test_the_page_tells_every_world() -> None:
    worlds, nulls = scenarios()
    few = 40
    covered = pd.concat(
        (coverage if one.complete else coverage_incomplete)(one, few, 1) for one in worlds
    )
    text = report(worlds, covered, errors(nulls[0], 2, 3), one_noisy_cell(few, 6), few, 2)
    assert all(f"| {one.name} | marginal means |" in text for one in worlds)
    assert "nan" not in text


def test_the_worlds_are_those_of_the_published_table() -> None:
    worlds, nulls = scenarios()
    assert {world.means.size for world in worlds} == {300, 72, 32, 12, 8, 4}
    assert {world.replicates for world in worlds} == {2, 3, 5, 8}
    assert len({world.name for world in worlds}) == len(worlds)
    assert (worlds[0].deviations == 0).any()  # cells that never vary
    assert all(np.ptp(null.means) == 0 for null in nulls)
