"""What of a design is done, what is left to train, and how long that takes.

The time is told by the cells that ran, each level a factor on it, and by the estimate of a plan
where none has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.commands.sentences import adopted_words
from runner.design import estimate_cost
from runner.design.cost import START_SECONDS
from runner.program.wording import counted, duration
from runner.store import State

if TYPE_CHECKING:
    from runner.content.cell import Cell
    from runner.design import Design
    from runner.machine.device import Slot
    from runner.store import Kind, Store
    from runner.store.read import Progress


class Time(NamedTuple):
    """How long cells take.

    Attributes:
        cell_seconds: one of them, on the average; None where nothing tells.
        seconds: until the last of them ends; None where nothing tells.
        basis: of both, in words.
    """

    cell_seconds: float | None
    seconds: float | None
    basis: str

    def words(self, slots: int) -> str:
        """As in "about 12 s (3.0 s a cell) on 2 slots; basis: what 4 cells of this study took"."""
        time = "time unknown" if self.seconds is None else f"about {duration(self.seconds)}"
        each = "" if self.cell_seconds is None else f" ({self.cell_seconds:.1f} s a cell)"
        return f"{time}{each} on {counted(slots, 'slot')}; basis: {self.basis}"


@dataclass(frozen=True)
class Left:
    """Where a design stands in its study.

    Attributes:
        cells: of the design.
        states: cells of the design by state; those the store does not know yet are waiting.
        adopted: other studies to the cells that were taken from them.
        adoptable: other studies to the cells that the next `grid` takes from them.
        left: cells that are to be trained, those that train now included.
        time: that they take.
    """

    cells: int
    states: Mapping[State, int]
    adopted: Mapping[str, int]
    adoptable: Mapping[str, int]
    left: int
    time: Time

    @property
    def begun(self) -> bool:
        """Whether anything is done, trains now or can be adopted."""
        return self.left < self.cells or self.states[State.RUNNING] > 0

    def facts(self) -> dict[str, Any]:
        """For a program: `done` and `left`."""
        done = {
            **{state.value: count for state, count in self.states.items()},
            "adopted": dict(self.adopted),
            "adoptable": dict(self.adoptable),
        }
        return {"done": done, "left": {"cells": self.left, **self.time._asdict()}}

    def words(self, slots: int) -> list[str]:
        """Lines for a person; none of a study that nobody has begun."""
        if not self.begun:
            return []
        ended = self.states[State.COMPLETE] + self.states[State.FAILED]
        order = (State.COMPLETE, State.FAILED, State.RUNNING, State.WAITING)
        by_state = ", ".join(f"{self.states[one]} {one}" for one in order if self.states[one])
        taken = f"; adopted {adopted_words(self.adopted)}" if self.adopted else ""
        done = f"done already: {ended} of {counted(self.cells, 'cell')} ({by_state}){taken}"
        if not self.left:
            return [done, f"nothing is left to train{self._again()}"]
        return [
            done,
            f"left to train: {counted(self.left, 'cell')}, {self.time.words(slots)}{self._again()}",
        ]

    def _again(self) -> str:
        failed = self.states[State.FAILED]
        return "; `retry` puts failed cells back to waiting" if failed else ""


def left_of(
    design: Design, slots: Sequence[Slot], store: Store | None = None, kind: Kind | None = None
) -> Left:
    """Hold a design against what the store has of its study.

    Args:
        design: what is planned.
        slots: where it would train.
        store: None where there is none yet.
        kind: what it would train on; None where that is not known, so that nothing is adoptable.
    """
    name = design.spec.study
    progress: Mapping[str, Progress] = {}
    adopted: Mapping[str, int] = {}
    adoptable: Mapping[str, int] = {}
    if store is not None:
        if name in store.study_names():
            study = store.load_study(name)
            progress, adopted = store.progress(study), store.adopted(study)
        if kind is not None:
            adoptable = store.adoptable(name, design.cells, kind=kind)
    states = Counter(
        progress[cell.id].state if cell.id in progress else State.WAITING for cell in design.cells
    )
    left = states[State.WAITING] + states[State.RUNNING] - sum(adoptable.values())
    waiting = [
        cell
        for cell in design.cells
        if cell.id not in progress or progress[cell.id].state in (State.WAITING, State.RUNNING)
    ]
    took = {cell: one.seconds for cell, one in progress.items() if one.seconds}
    # A cell that trains now counts as if it had just begun.
    time = expected_time(design, waiting, slots, took, count=left)
    by_state = {state: states[state] for state in State}
    return Left(len(design.cells), by_state, adopted, adoptable, left, time)


def expected_time(
    design: Design,
    cells: Sequence[Cell],
    slots: Sequence[Slot],
    took: Mapping[str, float],
    *,
    count: int | None = None,
) -> Time:
    """How long cells of a design take, told by those that ran, else by the estimate of a plan.

    Args:
        design: whose cells.
        cells: those that are to be trained.
        slots: where they would.
        took: cell to the seconds it took, of those that ran.
        count: how many of them are to be trained, where that is not all of them.
    """
    count = len(cells) if count is None else count
    if not count:
        return Time(None, 0.0, "nothing is left")
    measured = len(took.keys() & {cell.id for cell in design.cells})
    if measured:
        from runner.design.order.best_next import BestNext

        expected = BestNext(design).seconds(took)
        each = sum(expected[cell.id] for cell in cells) / len(cells)
        basis = f"what {counted(measured, 'cell')} of this study took"
    else:
        cost = estimate_cost(replace(design, cells=tuple(cells)), slots)
        if cost.cell_seconds is None:
            return Time(None, None, cost.basis)
        each, basis = cost.cell_seconds, cost.basis
    places = max(1, min(len(slots), count))
    return Time(each, ceil(count / places) * (each + START_SECONDS), basis)
