"""What a cell does, and how many cells a round has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LEARNING_RATES = 2
"""Levels of the one factor that every program has; the rest of a grid are seeds."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every cell of a grid does.

    Attributes:
        name: as the raw data call it.
        trainer: which of a contestant's two programs runs.
        argument: what that program is told a cell shall do.
        words: as the page calls it.
        seconds: that a cell takes by itself.
    """

    name: str
    trainer: Literal["function", "command"]
    argument: str
    words: str
    seconds: float


EMPTY = (
    Job("function", "function", "nothing", "a function that returns at once", 0.0),
    Job("command", "command", "0", "a command that ends at once", 0.0),
)
ONE_SECOND = (
    Job("sleep", "function", "sleep", "a function that sleeps for 1 s", 1.0),
    Job("work", "function", "work", "a function that computes for 1 s in Python", 1.0),
    Job("command_1s", "command", "1", "a command of 1 s", 1.0),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        rounds: of everybody.
        cells: of 1 s a grid.
        few, many: empty cells of the two grids whose difference is a cell's cost.
        patience: seconds that the larger of the two may take; a contestant gets fewer cells then.
        bare: runs of the command by itself, a round.
    """

    rounds: int = 3
    cells: int = 60
    few: int = 20
    many: int = 200
    patience: float = 60.0
    bare: int = 100

    def cells_to_afford(self, seconds: float) -> int:
        """Cells of the larger empty grid for a contestant that takes `seconds` a cell."""
        affordable = int(min(self.many, self.patience / seconds))
        return max(2 * self.few, affordable // LEARNING_RATES * LEARNING_RATES)


QUICK = Plan(rounds=1, cells=4, few=4, many=8, patience=1.0, bare=5)
