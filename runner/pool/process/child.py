"""Inside a cell process: from its first instruction to the outcome file.

A cell process is a child of the fork server, which has imported once what its cells need (torch,
for the shipped trainer) and never touched CUDA or a database, so that a child starts in about a
tenth of a second. It takes jobs from its channel,
trains, writes the outcome to a file and says so. It never speaks to the store. It dies with the
run: each process in the chain run -> fork server -> cell asks the kernel to be killed when its
parent ends, which also reaches a process that is stopped or hangs.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.errors import InputError
from ablations.registry import load_plugins
from runner.content.cell import Cell
from runner.content.outcome import Advance, Outcome, Status
from runner.content.outcome_files import write_outcome
from runner.machine.memory import lacks_memory
from runner.network.found import Found
from runner.pool.process.parent_death import die_with_parent, end_group_with_parent

if TYPE_CHECKING:
    from runner.data import Images
    from runner.training.parts.kept import Which

OUTCOME_NOT_WRITTEN = 74
"""Exit code (EX_IOERR of sysexits.h) of a cell process that could not write its outcome file."""

ENDED = "ended"
"""What the channel says once the outcome file is in its place."""


OUT_OF_MEMORY = "there is too little memory to read the data set"
"""How the channel begins to say that it was not for lack of images."""


@dataclass(frozen=True, slots=True)
class CellJob:
    """One attempt at one cell, as plain values that cross to the cell process."""

    cell: str  # Cell.to_json()
    token: str  # the lease's fence, written into the outcome file
    folder: str  # where outcome files go
    log: str  # file that takes what the cell prints
    device: str  # "cpu" or "cuda:0" (of the devices the slot's environment shows)
    checkpoint: str | None = None
    weights: str = ""  # file that its weights are left in; "": they are not
    which: Which = "final"  # of its weights
    own_folder: str = ""  # of a cell with a trainer of one's own, kept between its attempts


_server: int | None = None  # the fork server's process id, as its children find it


def note_fork_server() -> None:
    """Called in the fork server: its children compare their parent with it."""
    global _server
    _server = os.getpid()


def serve_jobs(channel: Connection, environment: dict[str, str]) -> None:
    """Serve jobs from `channel` until it closes; the target of a cell process."""
    die_with_parent(_server)
    os.setsid()  # its own group: Ctrl-C reaches the run, and the run ends the whole group
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.environ.update(environment)
    logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
    while True:
        try:
            job: CellJob = channel.recv()
        except (EOFError, OSError):
            return
        cell = Cell.from_json(job.cell)
        try:
            _print_into(job.log)
            outcome = _train_own(job, cell, channel) if cell.trainer else _train(job, channel)
            write_outcome(Path(job.folder), cell.id, job.token, outcome)
        except OSError as error:
            with contextlib.suppress(OSError):  # the log may lie on the same full disk
                print(f"the outcome could not be written: {error}", file=sys.stderr, flush=True)
            os._exit(OUTCOME_NOT_WRITTEN)
        _send(channel, ENDED)


def _train_own(job: CellJob, cell: Cell, channel: Connection) -> Outcome:
    """Train by a function or command of somebody's own."""
    from runner.trainers import command, function
    from runner.trainers.place import Place

    end_group_with_parent(command.TERM_SECONDS + 1)
    place = Place(
        device=job.device,
        folder=Path(job.own_folder),
        log=Path(job.log),
        threads=cell.train.threads,
        seconds=cell.train.time_limit,
    )
    of_kind = {"function": function.train, "command": command.train}
    assert cell.trainer is not None  # noqa: S101 - whoever calls has seen it
    return of_kind[cell.trainer.kind](cell, place, lambda point: _send(channel, point))


def _train(job: CellJob, channel: Connection) -> Outcome:
    from runner.trainers.failure import reason_of
    from runner.trainers.function import detail_of
    from runner.training import train
    from runner.training.parts.kept import Kept

    try:
        cell = Cell.from_json(job.cell)
        load_plugins(cell.plugins)
        images = _images(cell)
        return train(
            cell,
            images,
            job.device,
            on_epoch=lambda epoch: _send(channel, epoch),
            checkpoint=None if job.checkpoint is None else Path(job.checkpoint),
            kept=Kept(Path(job.weights), job.which) if job.weights else None,
        )
    except (Exception, SystemExit) as error:  # a level may call sys.exit
        traceback.print_exc()
        sys.stderr.flush()
        return Outcome(Status.FAILED, reason=reason_of(error), detail=detail_of(error))


def read_images(channel: Connection, cell: str) -> None:
    """Read the images of a cell once, before any slot needs them, every byte; say how it went.

    The target of a process of its own: a download or a first decoding shows its progress on the
    run's own terminal, and what fails is one sentence before any cell has been claimed.
    """
    die_with_parent(_server)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _send(channel, _answer_of(lambda: _read_through(cell)))


def _read_through(cell: str) -> None:
    from runner.data import load

    one = Cell.from_json(cell)
    load_plugins(one.plugins)
    load(one.data, verify=True)  # for all cells of the session


def _answer_of(reading: Callable[[], None]) -> InputError | str:
    """How it went, as the run is told: what is nobody's to mend stays raised."""
    try:
        reading()
    except InputError as error:  # of a plugin's class perhaps, which the run does not know
        return InputError(error.problem, error.key)
    except (MemoryError, ImportError, OSError) as error:
        said = f"{type(error).__name__}: {error}"
        if lacks_memory(said):
            return f"{OUT_OF_MEMORY}: {said}"
        if not isinstance(error, OSError):
            raise
        return InputError(str(error) or type(error).__name__)
    return ENDED


def try_networks(channel: Connection, cells: list[str]) -> None:
    """Take the network of each cell through one batch; send what was found, cell by cell.

    The target of a process of its own, which may import torch where the one that asks must not.
    """
    die_with_parent(_server)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.dup2(2, 1)  # what a plugin prints is no part of a plan
    from runner.network.trial import tried

    for text in cells:
        cell = Cell.from_json(text)
        load_plugins(cell.plugins)
        _send(channel, tried(cell))
    _send(channel, ENDED)


_loaded: dict[str, Images] = {}


def _images(cell: Cell) -> Images:
    """The cell's images, kept while the process trains cells of the same data set."""
    from runner.data import load

    key = f"{cell.data_identity} {cell.data.model_dump_json()}"
    if key not in _loaded:
        _loaded.clear()
        _loaded[key] = load(cell.data, cell.data_identity)
    return _loaded[key]


def _send(channel: Connection, message: Advance | InputError | Found | str) -> None:
    try:
        channel.send(message)
    except OSError:  # the run is gone: the kernel ends this process in a moment
        os._exit(1)


def _print_into(log: str) -> None:
    """Send standard output and error, of C code too, to the attempt's log."""
    sys.stdout.flush()
    sys.stderr.flush()
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
