"""A command of one's own as the trainer: not one changed line in the script.

It runs in the folder the grid was started in, without a shell, in the cell's own process group, and
prints into the attempt's log. Its numbers are read while it runs and when it has ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import signal
import subprocess  # the whole point: the person's own command, split into words, without a shell
import sys
import time
from collections.abc import Iterator, Mapping
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from ablations.errors import InputError
from runner.content.cell import Cell
from runner.content.outcome import Outcome, Point, Reason
from runner.content.own.trainer import Trainer
from runner.machine.memory import lacks_memory, out_of_memory_kills
from runner.program.wording import printable
from runner.trainers.command_line import command_words, fields_of, filled
from runner.trainers.endings import TRY_AGAIN, Clock, ended, failed, out_of_time
from runner.trainers.failure import reason_of
from runner.trainers.function import detail_of, prepare
from runner.trainers.metrics import (
    last_object,
    last_values,
    points_of,
    rows_of_file,
    rows_printed,
)
from runner.trainers.place import Place, Report

LOOK_EVERY = 1.0
"""Seconds between two looks at the numbers of a command that runs."""
NOTICE = 0.2
"""Seconds after which it is seen at the latest that the command is to stop."""
POLL = 0.02
"""Seconds between two looks whether it has ended, where the kernel cannot say so (not Linux)."""
TERM_SECONDS = float(os.environ.get("ABLATIONS_TERM_SECONDS", "30"))
"""After SIGTERM a command may tidy up for so long; then it is killed."""


def train(cell: Cell, place: Place, report: Report) -> Outcome:
    """Run the command of a cell to its end; its numbers, or how it failed."""
    trainer = cell.trainer
    assert trainer is not None  # noqa: S101 - whoever calls has seen it
    clock = Clock(children=True)
    watched = _Watched(trainer, cell, place)
    try:
        cell.check_code()
        prepare(place)
        words = command_words(trainer, cell, place)
        print(f"$ {shlex.join(words)}", flush=True)
        watched.printed_from = place.log.stat().st_size if place.log.is_file() else 0
        kills = out_of_memory_kills()
        clock = Clock(children=True)
        code = _run(words, trainer, place, watched, report)
    except (InputError, OSError) as error:
        reason = Reason.BUG if isinstance(error, OSError) else reason_of(error)
        detail = detail_of(error) if isinstance(error, OSError) else str(error)
        return failed(reason, detail, (), clock.costs())
    points = watched.points()
    costs = clock.costs()
    if code is None:
        return out_of_time(place.seconds, points, costs)
    if code != 0:
        return failed(*_reason(code, watched.last_words(), kills), points, costs)
    return ended(watched.responses(), trainer.responses, points, costs)


def _reason(code: int, said: str, kills_before: int) -> tuple[Reason, str]:
    """Why a command failed, by its exit code and what it said last."""
    last = f"; it said last: {said}" if said else ""
    if code == TRY_AGAIN:
        return Reason.AGAIN, f"asked to be tried again (exit code {TRY_AGAIN})"
    if lacks_memory(said):
        return Reason.OOM, f"was refused memory: {said}"
    if code < 0 or code > 128:  # a shell says 128 + the signal that ended what it ran
        number = -code if code < 0 else code - 128
        with contextlib.suppress(ValueError):
            name = signal.Signals(number).name
            if number == signal.SIGKILL and out_of_memory_kills() > kills_before:
                return Reason.OOM, "killed by the system, which ran out of memory"
            return Reason.KILLED, f"killed by {name}{last}"
    return Reason.BUG, f"exit code {code}{last}"


class _Watched:
    """The numbers of one run of a command, as far as it has written them."""

    def __init__(self, trainer: Trainer, cell: Cell, place: Place) -> None:
        self._trainer, self._log = trainer, place.log
        fields = fields_of(cell, place)
        self._file = Path(trainer.folder, filled(trainer.metrics, fields))
        self.printed_from = 0

    def _printed(self) -> str:
        try:
            with self._log.open("rb") as file:
                file.seek(self.printed_from)
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def rows(self) -> list[dict[str, Any]]:
        """What it has written so far."""
        if self._trainer.metrics:
            return rows_of_file(self._file)
        if self._trainer.stdout:
            return rows_printed(self._printed(), self._trainer.stdout)
        return []

    def points(self) -> list[Point]:
        """Its curves so far."""
        return points_of(self.rows())

    def responses(self) -> Mapping[str, float]:
        """The last value of each name; without metrics, the last JSON object it printed."""
        if self._trainer.metrics or self._trainer.stdout:
            return last_values(self.rows())
        return last_values([last_object(self._printed())])

    def last_words(self) -> str:
        """The last line it printed."""
        lines = self._printed().splitlines()
        return next((printable(one.strip())[:300] for one in reversed(lines) if one.strip()), "")


def _run(
    words: list[str], trainer: Trainer, place: Place, watched: _Watched, report: Report
) -> int | None:
    """Run the command; its exit code, None where it took too long."""
    sys.stdout.flush()
    with _stopped_in_turn() as stopping:
        process = subprocess.Popen(  # noqa: S603 - as the person wrote it, and no shell
            words, cwd=trainer.folder, stdin=subprocess.DEVNULL, preexec_fn=_die_with_this
        )
        began = looked = time.monotonic()
        told = -1
        while not ended_within(process, NOTICE):
            now = time.monotonic()
            was_stopped = bool(stopping)
            if was_stopped or now - began > place.seconds:
                _end(process)  # which sends this process the signal too
                if was_stopped:
                    os._exit(128 + signal.SIGTERM)  # whoever stopped it wants no outcome
                return None
            if now - looked >= LOOK_EVERY:
                points = watched.points()
                looked = time.monotonic()
                if points and points[-1].step != told:
                    told = points[-1].step
                    report(points[-1])
        return process.returncode


def ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the process ends within so many seconds; returns as soon as it does."""
    if sys.platform == "linux":
        try:
            handle = os.pidfd_open(process.pid)
        except OSError:  # a kernel before 5.3, or no file can be opened
            time.sleep(POLL)
        else:
            try:
                wait([handle], seconds)
            finally:
                os.close(handle)
    else:
        time.sleep(POLL)
    return process.poll() is not None


@contextlib.contextmanager
def _stopped_in_turn() -> Iterator[list[int]]:
    """SIGTERM, which reaches the whole group, is noted here and left to the command."""
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: received.append(number))
    _on_parents_death(signal.SIGTERM)  # not SIGKILL: what the command has started is to end too
    try:
        yield received
    finally:
        _on_parents_death(signal.SIGKILL)
        signal.signal(signal.SIGTERM, before)


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the command and what it started, then SIGKILL."""
    os.killpg(os.getpgrp(), signal.SIGTERM)  # this process notes it and goes on
    try:
        process.wait(TERM_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _die_with_this() -> None:
    """In the command's process before it begins: end with the process that watches it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _on_parents_death(signal.SIGKILL)


def _on_parents_death(number: int) -> None:
    """Which signal the kernel sends this process when its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, number)  # PR_SET_PDEATHSIG of <linux/prctl.h>
