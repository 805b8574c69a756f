"""A budget of time, by a clock that the tests move."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from runner.content.level import Factor, Level
from runner.content.protocol import DataSpec, ModelSpec, TrainSpec
from runner.design import Design, design_of
from runner.pool.budget import GRACE, Budget
from runner.spec import Spec
from runner.store import State
from runner.store.read import Progress

HOUR = 3600.0
FIXED = ("augmentation", "scheduler", "init", "bn_placement", "optimizer")


@dataclass
class World:
    """A clock, and how the cells of a grid of two by two stand; those with b1 take longer."""

    design: Design
    short: float = 600.0
    long: float = 1800.0
    now: float = 0.0
    states: dict[str, State] = field(default_factory=dict)

    def progress(self) -> dict[str, Progress]:
        complete = State.COMPLETE
        return {
            cell.id: Progress(state, self.cost(cell.id) if state == complete else None)
            for cell in self.design.cells
            for state in [self.states.get(cell.id, State.WAITING)]
        }

    def cost(self, cell: str) -> float:
        return self.long if cell in self.of("b1") else self.short

    def of(self, label: str) -> set[str]:
        return {cell.id for cell in self.design.cells if cell.labels["B"] == label}

    def run(self, budget: Budget) -> list[str]:
        """One slot until the budget has nothing more for it; returns what ran."""
        ran = []
        while chosen := budget.next_cell():
            budget.began(chosen)
            ran.append(chosen)
            self.now += self.cost(chosen)
            self.states[chosen] = State.COMPLETE
        return ran


@pytest.fixture
def world() -> World:
    factors = tuple(
        Factor(one, tuple(Level(one, f"{one.lower()}{k}", f"level{k}", {}) for k in range(2)))
        for one in "AB"
    )
    spec = Spec(
        name="made",
        profile="default",
        data=DataSpec(),
        model=ModelSpec(),
        train=TrainSpec(),
        factors=factors,
        replicates=2,
        fixed=tuple(Level(one, "x", "x", {}) for one in FIXED),
    )
    return World(design_of(spec))


def of(world: World, hours: float) -> Budget:
    return Budget(hours, lambda: world.now).of(world.design, world.progress)


def test_with_time_enough_every_cell_is_chosen_once(world: World) -> None:
    budget = of(world, 100)
    ran = world.run(budget)
    assert sorted(ran) == sorted(cell.id for cell in world.design.cells)
    assert not budget.is_over()
    assert budget.next_cell() == ""


def test_no_cell_is_begun_that_would_end_after_the_grace(world: World) -> None:
    budget = of(world, 1.0)
    world.run(budget)
    assert budget.is_over()
    assert world.now <= HOUR * (1 + GRACE)
    left = set(world.progress()) - set(world.states)
    assert left
    assert world.now + min(map(world.cost, left)) > HOUR * (1 + GRACE)


def test_what_is_left_of_the_time_goes_to_cells_that_fit(world: World) -> None:
    for cell in (min(world.of("b0")), min(world.of("b1"))):
        world.states[cell] = State.COMPLETE
    budget = of(world, 0.3)  # 1,080 s, and 108 s of grace: no cell of 1,800 s
    assert set(world.run(budget)) <= world.of("b0")
    assert budget.is_over()


def test_when_the_time_is_over_only_cells_that_end_soon_go_on(world: World) -> None:
    for cell in (min(world.of("b0")), min(world.of("b1"))):
        world.states[cell] = State.COMPLETE
    budget = of(world, 1.0)
    assert budget.next_cell()
    soon, late = max(world.of("b0")), max(world.of("b1"))
    world.now = HOUR - 500.0
    budget.began(soon)
    budget.began(late)
    assert not budget.is_up(soon)
    assert not budget.is_up(late)
    world.now = HOUR
    assert budget.next_cell() is None
    assert not budget.is_up(soon)  # is expected 100 s after the hour, in the grace
    assert budget.is_up(late)
    world.now = HOUR * (1 + GRACE)
    assert budget.is_up(soon)


def test_a_cell_of_unknown_length_may_use_the_grace(world: World) -> None:
    budget = of(world, 1.0)
    cell = budget.next_cell()
    assert cell
    budget.began(cell)
    world.now = HOUR + 1
    assert not budget.is_up(cell)
    world.now = HOUR * (1 + GRACE)
    assert budget.is_up(cell)


def test_what_was_begun_here_comes_first(world: World) -> None:
    cell = world.design.cells[-1].id
    assert of(world, 1.0).next_cell([cell]) == cell


def test_cells_of_others_are_not_chosen_again(world: World) -> None:
    mine = world.design.cells[0].id
    for cell in world.design.cells[1:]:
        world.states[cell.id] = State.RUNNING
    budget = of(world, 1.0)
    assert budget.next_cell() == mine
