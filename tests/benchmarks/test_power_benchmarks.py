"""The power benchmarks judge as reports do; in small numbers prediction and truth agree."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.factorials import Factorial, judge
from tests.benchmarks.power_outcomes import World, measure, page, worlds
from tests.benchmarks.power_replay import page as replay_page
from tests.benchmarks.power_replay import replay
from tests.benchmarks.sentences import study_of


@pytest.mark.parametrize("world", worlds(), ids=lambda one: one.name)
def test_what_a_world_shows_is_what_its_report_shows(world: World) -> None:
    rng = np.random.default_rng(3)
    drawn = [world.draw(rng, world.replicates) for _ in range(4)]
    assert [world.shown(one) for one in drawn] == [world.shown_by_report(one) for one in drawn]


@pytest.mark.parametrize("world", [worlds()[0], worlds()[5]], ids=lambda one: one.name)
def test_predicted_power_is_near_the_true_one(world: World) -> None:
    row = measure(world, 150, 1, 150, 7)
    assert abs(float(str(row["known"])) - float(str(row["true"]))) < 0.2
    assert world.name in page([row], "command")


def test_a_replay_asks_what_a_study_asks() -> None:
    shape = (2, 3, 2)
    rng = np.random.default_rng(4)
    runs = 0.9 + 0.02 * rng.normal(size=(4, *shape))
    runs[:, 1] += 0.05
    said = judge(runs)
    study = study_of(runs.reshape(4, -1).T, shape, own=True)
    table = study.judgement.table
    table = table[table["kind"].isin(["difference", "factor", "pair"])]
    assert sorted(said.sign != 0) == sorted(table["shown"])
    assert len(said.sign) == len(table) == said.mains + 3


def test_runs_are_drawn_from_their_own_combinations() -> None:
    runs = np.arange(24.0).reshape(4, 3, 2)
    runs[3, 0, 0] = np.nan
    one = Factorial("some", runs)
    assert (one.count, one.least) == (23, 3)
    rng = np.random.default_rng(5)
    for drawn in (one.own(2, rng), one.shared(2, rng)):
        assert np.isfinite(drawn).all()
        assert (drawn % 6 == np.arange(6.0).reshape(3, 2)).all()
        assert (drawn[0] != drawn[1]).all()
    row = replay(one, 2, "own", 3, 1)
    assert "| some |" in replay_page([row], 3, "command")
