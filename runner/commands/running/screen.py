"""What a person sees while a grid runs: a live screen in a terminal, lines elsewhere.

A display only listens: it decides nothing and may be left out. Counts of other workers' cells come
from the store, at most every two seconds; everything else is what this process's slots report.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from runner.content.outcome import Advance, Outcome, Point, Reason, Status, Target, told
from runner.content.response import ACCURACY, Response
from runner.machine.device import Slot
from runner.pool.process.launch import Ended
from runner.program.wording import duration
from runner.store import Lease

StateCounts = Mapping[int, Mapping[str, int]]
"""Replicate to state (waiting, running, complete, failed) to number of cells."""

STYLES = {
    Status.REACHED: "green",
    Status.SHORT: "cyan",
    Status.LEARNED: "green",
    Status.FINISHED: "green",
    Status.STALLED: "yellow",
    Status.DIVERGED: "magenta",
    Status.TIMEOUT: "red",
    Status.FAILED: "red",
}


@dataclass(frozen=True, slots=True)
class FinishedCell:
    """A cell this process finished, for the best and worst rows."""

    name: str
    value: float  # of the outcome that is shown
    status: Status  # as people read it


def cell_name(lease: Lease) -> str:
    """The cell as a person reads it: its levels in the order of the specification."""
    return " · ".join(lease.cell.labels.values())


class Pace:
    """Throughput of this process and the time that is left at that pace."""

    def __init__(self) -> None:
        self._ends: deque[float] = deque([time.monotonic()], maxlen=64)

    def tick(self) -> None:
        """A cell ended."""
        self._ends.append(time.monotonic())

    def per_hour(self) -> float | None:
        """Cells an hour over the last 63 cells; None before the first."""
        if len(self._ends) < 2:
            return None
        return 3600 * (len(self._ends) - 1) / max(time.monotonic() - self._ends[0], 1e-6)

    def left(self, cells: int) -> str:
        """Words for the time `cells` more will take."""
        pace = self.per_hour()
        return "ETA unknown" if pace is None else f"ETA {duration(3600 * cells / pace)}"


class Lines:
    """One line a finished cell, for logs; with `quiet` nothing at all.

    Args:
        counts: how far the study is.
        quiet: say nothing.
        target: what counts as reached; None: the file names none, which is told in the end.
        measure: the outcome that is shown.
    """

    def __init__(
        self,
        counts: Callable[[], StateCounts],
        *,
        quiet: bool = False,
        target: Target | None = None,
        measure: Response = ACCURACY,
    ) -> None:
        self._counts, self._quiet, self._target = counts, quiet, target
        self._measure = measure
        self._pace = Pace()
        self._lock = threading.Lock()

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def started(self, slot: Slot, lease: Lease) -> None:
        """Nothing to say yet."""

    def epoch(self, slot: Slot, epoch: Advance) -> None:
        """Nothing to say: a log of epochs would bury the cells."""

    def ended(self, slot: Slot, lease: Lease, ended: Ended) -> None:
        """Say how the cell ended and how far the study is."""
        self._pace.tick()
        if self._quiet:
            return
        with self._lock:
            done, total = _progress(self._counts())
            ending = _ending(ended, self._target, self._measure)
            print(
                f"{done:>{len(str(total))}}/{total}  replicate {lease.cell.replicate}  "
                f"{cell_name(lease)}  {ending}  {self._pace.left(total - done)}",
                flush=True,
            )


class Screen:
    """The live view: progress by replicate, running cells, pace, best and worst so far."""

    def __init__(
        self,
        title: str,
        counts: Callable[[], StateCounts],
        console: Console,
        target: Target | None = None,
        measure: Response = ACCURACY,
    ) -> None:
        self._title, self._counts, self._target = title, counts, target
        self._measure = measure
        self._pace = Pace()
        self._lock = threading.Lock()
        self._running: dict[str, tuple[str, Lease, Advance | None, float]] = {}
        self._finished: list[FinishedCell] = []
        self._seen: tuple[float, StateCounts] = (0.0, {})
        self._live = Live(
            console=console, get_renderable=self.render, refresh_per_second=4, transient=True
        )

    def __enter__(self) -> Screen:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def started(self, slot: Slot, lease: Lease) -> None:
        """Give the slot's row to the cell."""
        with self._lock:
            self._running[slot.name] = (cell_name(lease), lease, None, time.monotonic())

    def epoch(self, slot: Slot, epoch: Advance) -> None:
        """Show the newest epoch in the slot's row."""
        with self._lock:
            if slot.name in self._running:
                name, lease, _, began = self._running[slot.name]
                self._running[slot.name] = (name, lease, epoch, began)

    def ended(self, slot: Slot, lease: Lease, ended: Ended) -> None:
        """Free the slot's row and remember the outcome."""
        self._pace.tick()
        with self._lock:
            self._running.pop(slot.name, None)
            value = None if ended.outcome is None else _value(ended.outcome, self._measure)
            if ended.outcome is not None and value is not None:
                status = _status(ended.outcome, self._target)
                self._finished.append(FinishedCell(cell_name(lease), value, status))
                self._finished.sort(key=lambda one: -self._measure.sign * one.value)
                del self._finished[3:-3]

    def render(self) -> Group:
        """The whole screen; called by rich four times a second."""
        counts = self._newest_counts()
        done, total = _progress(counts)
        with self._lock:
            parts: list[RenderableType] = [
                self._header(done, total),
                _replicates(counts),
                self._slots(),
            ]
            if self._finished:
                parts.append(self._best_and_worst())
        return Group(*parts)

    def _newest_counts(self) -> StateCounts:
        at, counts = self._seen
        if time.monotonic() - at > 2:
            self._seen = (time.monotonic(), self._counts())
        return self._seen[1] or counts

    def _header(self, done: int, total: int) -> Text:
        pace = self._pace.per_hour()
        parts = [f"{done}/{total} cells", self._pace.left(total - done)]
        if pace is not None:
            parts.insert(1, f"{pace:,.0f} cells/h here")
        return Text(f"{self._title}  ·  " + "  ·  ".join(parts), style="bold")

    def _slots(self) -> Table:
        table = Table(box=None, pad_edge=False, show_header=bool(self._running), header_style="dim")
        own = any(lease.cell.trainer is not None for _, lease, _, _ in self._running.values())
        progress = ("step", "newest") if own else ("epoch", "val acc")
        for column in ("slot", "rep", "running cell", *progress, "time"):
            table.add_column(column, no_wrap=column != "running cell")  # which alone may shrink
        for slot, (name, lease, epoch, began) in sorted(self._running.items()):
            table.add_row(
                escape(slot),
                str(lease.cell.replicate),
                _one_line(name),
                *_progress_words(lease, epoch),
                duration(time.monotonic() - began),
            )
        return table

    def _best_and_worst(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        cells = "best and worst cells so far"
        measured = "test acc" if self._measure == ACCURACY else escape(self._measure.name)
        for column in ("", measured, "status", cells):
            table.add_column(column, no_wrap=column != cells)
        for index, one in enumerate(self._finished):
            table.add_row(
                "best" if index == 0 else "worst" if index == len(self._finished) - 1 else "",
                _number(one.value, self._measure),
                Text(one.status.value, style=STYLES[one.status]),
                _one_line(one.name),
            )
        return table


def _progress_words(lease: Lease, newest: Advance | None) -> tuple[str, str]:
    """How far a cell is, and the number that shows how well it does."""
    if isinstance(newest, Point):
        name = next(iter(newest.values), "")
        return str(newest.step), f"{escape(name)} {newest.headline:.4g}" if name else ""
    if lease.cell.trainer is not None:
        return "", ""
    step = 0 if newest is None else newest.step
    return (
        f"{step}/{lease.cell.train.epochs}",
        "" if newest is None else f"{newest.validation_accuracy:.3f}",
    )


def _value(outcome: Outcome, measure: Response) -> float | None:
    """The outcome's number that is shown."""
    return outcome.number(measure.column)


def _number(value: float, measure: Response) -> str:
    return f"{value:.3f}" if measure.unit_interval or measure.share else f"{value:.4g}"


def _one_line(name: str) -> Text:
    """A name that loses its end where the terminal is narrow, not what stands beside it."""
    return Text(name, no_wrap=True, overflow="ellipsis")


def _replicates(counts: StateCounts) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("replicate")
    table.add_column("", width=30)
    for column in ("complete", "running", "failed", "waiting"):
        table.add_column(column, justify="right")
    for replicate, states in sorted(counts.items()):
        total = sum(states.values())
        ended = states.get("complete", 0) + states.get("failed", 0)
        table.add_row(
            str(replicate),
            ProgressBar(total=max(total, 1), completed=ended, width=30),
            str(states.get("complete", 0)),
            str(states.get("running", 0)),
            Text(str(states.get("failed", 0)), style="red" if states.get("failed") else ""),
            str(states.get("waiting", 0)),
        )
    return table


def _progress(counts: StateCounts) -> tuple[int, int]:
    done = sum(c.get("complete", 0) + c.get("failed", 0) for c in counts.values())
    return done, sum(sum(c.values()) for c in counts.values())


def _status(outcome: Outcome, target: Target | None) -> Status:
    """How the run ended, as people read it where the target is known."""
    if target is None:
        return outcome.status
    return told(outcome.status, target.reached_by(outcome.best_validation_accuracy))


def _ending(ended: Ended, target: Target | None, measure: Response) -> str:
    outcome = ended.outcome
    if outcome is None or outcome.status is Status.FAILED:
        reason = ended.reason if outcome is None else outcome.reason
        if reason in (Reason.INTERRUPTED, Reason.LOST):
            return f"not finished: {ended.detail}"
        detail = ended.detail if outcome is None else outcome.detail
        return f"failed ({reason}: {detail})"
    value, name = _value(outcome, measure), "test" if measure == ACCURACY else measure.name
    shown = "" if value is None else f"  {name} {_number(value, measure)}"
    return f"{_status(outcome, target)}{shown}  {duration(outcome.seconds)}"


def progress_display(
    title: str,
    counts: Callable[[], StateCounts],
    *,
    quiet: bool,
    target: float | None = None,
    measure: Response = ACCURACY,
) -> AbstractContextManager[Lines | Screen]:
    """The screen where standard output is a terminal, lines where it is not."""
    console = Console()
    goal = None if target is None else Target(target)
    if console.is_terminal and not quiet:
        return Screen(title, counts, console, goal, measure)
    return Lines(counts, quiet=quiet, target=goal, measure=measure)
