"""A budget of time: which cell is next, when none is begun any more, which may still end.

What is next is chosen by what it buys per second (`runner.design.order.best_next`), anew whenever
cells have ended. No cell is begun that is expected to end after the grace; when the time is over,
the cells that train may go on for the grace if they are expected to end in it, and are put back
otherwise. Slots of one process share it; those of other processes take cells in the usual order.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from math import inf

from runner.design.design import Design
from runner.design.order.best_next import BestNext
from runner.store import State
from runner.store.read import Progress

GRACE = 0.1
"""Of the budget: so much longer may cells train that were begun in it."""
AHEAD = 32
"""Cells chosen at once: others follow when more is known of their cost."""
RESTED = 20.0
"""Times what choosing took: so long the next choice waits, however many cells have ended."""


class Budget:
    """Hours that a run may take, counted from when this was made."""

    def __init__(self, hours: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the clock."""
        self.hours = hours
        self._clock = clock
        self._deadline = clock() + 3600.0 * hours
        self._latest = self._deadline + GRACE * 3600.0 * hours
        self._lock = threading.Lock()
        self._closed = False
        self._begun: dict[str, float] = {}  # cells that this process trains, since when
        self._queue: list[str] = []
        self._stale, self._chosen_at, self._chosen_in = True, -inf, 0.0
        self._seconds: dict[str, float] = {}

    def of(self, design: Design, progress: Callable[[], Mapping[str, Progress]]) -> Budget:
        """Tell it what there is to run.

        Args:
            design: Whose cells.
            progress: Asks the store how they stand.
        """
        self._best, self._progress = BestNext(design), progress
        self._queue, self._stale = [], True
        return self

    @property
    def spent(self) -> bool:
        """Whether its time is up; a run may end before, when no cell would end in what is left."""
        return self._clock() >= self._deadline

    def is_over(self) -> bool:
        """Whether no further cell is begun."""
        return self._closed or self._clock() >= self._deadline

    def next_cell(self, begun: Sequence[str] = ()) -> str | None:
        """The cell to claim; "" where none is known to wait, None when none is to be begun.

        Args:
            begun: Cells with a checkpoint here: part of them is paid for, so they come first.
        """
        with self._lock:
            if self.is_over():
                return None
            rested = self._clock() - self._chosen_at > RESTED * self._chosen_in
            if self._stale and (rested or not self._queue):
                self._choose(begun)
            if (cell := self._first_that_fits()) is None:  # the rest may hold shorter ones
                self._choose(begun)
                cell = self._first_that_fits()
            return None if self._closed and cell is None else cell or ""

    def _first_that_fits(self) -> str | None:
        left = self._latest - self._clock()
        while self._queue:
            cell = self._queue.pop(0)
            if self._seconds.get(cell, 0.0) <= left:
                return cell
        return None

    def _choose(self, begun: Sequence[str]) -> None:
        """Ask how the cells stand, and line up those that are next."""
        since = self._clock()
        cells = self._progress()
        waiting = {cell for cell, one in cells.items() if one.state == State.WAITING}
        self._queue, self._stale = [], False
        if waiting:
            took = {cell: one.seconds for cell, one in cells.items() if one.seconds}
            self._seconds = self._best.seconds(took)
            left = self._latest - since
            first = [c for c in begun if c in waiting and self._seconds.get(c, 0.0) <= left]
            run = [c for c, one in cells.items() if one.state in (State.COMPLETE, State.RUNNING)]
            rest = waiting - set(first)
            chosen = self._best.choose([*run, *first], rest, took, at_most=left)
            self._queue = [*first, *islice(chosen, AHEAD)]
            self._closed = not self._queue  # those that wait would not end in time
        self._chosen_at = self._clock()
        self._chosen_in = self._chosen_at - since

    def began(self, cell: str) -> None:
        """A cell was claimed here."""
        with self._lock:
            self._begun[cell] = self._clock()
            self._stale = True

    def is_up(self, cell: str) -> bool:
        """Whether a cell that trains here is to be put back: it would not end in the grace."""
        now = self._clock()
        if now < self._deadline:
            return False
        if now >= self._latest:
            return True
        expected = self._seconds.get(cell)
        since = self._begun.get(cell, now)
        return expected is not None and since + expected > self._latest
