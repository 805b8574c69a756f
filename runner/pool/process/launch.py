"""Outside a cell process: start it, hand it a job, watch it, end it.

Whatever happens inside (a crash, a leak, an endless loop, a poisoned device) comes out here as an
`Ended` value; nothing is raised. The outcome file decides, not the exit code: a process that was
killed after it had written its outcome has finished.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Protocol

from _ablate import start_safely
from ablations.errors import InputError
from runner.content.cell import Cell
from runner.content.outcome import Advance, Epoch, Outcome, Point, Reason
from runner.content.outcome_files import read_outcome
from runner.machine.device import Slot
from runner.machine.memory import lacks_memory, out_of_memory_kills
from runner.network.found import Found
from runner.pool.process import child
from runner.pool.process.child import ENDED, OUTCOME_NOT_WRITTEN, CellJob, read_images, serve_jobs
from runner.pool.process.parent_death import PARENT, PRELOADED
from runner.program.exits import MachineError
from runner.trainers.command import TERM_SECONDS

GRACE_SECONDS = float(os.environ.get("ABLATIONS_GRACE_SECONDS", "20"))
"""A cell stops itself at its time limit; this long after it, the process is killed."""

POLL_SECONDS = 0.2

STARTS = 3
"""How often a process is tried to be started before it is said that none can be."""

MEMORY = f"glibc.malloc.mmap_threshold={2**30}:glibc.malloc.trim_threshold={2**30}"
"""GLIBC_TUNABLES of cell processes: freed memory stays theirs. A step frees what the next one
takes; given back, all of it is mapped and cleared anew. Other C libraries do not read it."""

_context = multiprocessing.get_context("forkserver")
# multiprocessing reads a child's exit code from a pipe, once: two threads that ask at the same
# moment (starting a process asks for all of them) would make one of them see 255.
_one_at_a_time = threading.Lock()
# The kernel ends the fork server with the thread that started it, and starting a cell process makes
# a new server where the old one was killed: one thread does it, as long as this process lives.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")


class NoProcess(MachineError):
    """The machine starts no further process: memory or a limit on processes is exhausted."""


class Stop(Protocol):
    """Says whether a cell is to end unfinished: a `threading.Event`, or what knows of more."""

    def is_set(self) -> bool:
        """Whether it is."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended: with an outcome, or without one for a reason."""

    outcome: Outcome | None
    reason: Reason | None = None
    detail: str = ""
    disk_full: bool = False  # the outcome could not be written: no later cell would fare better
    device_gone: bool = False  # no later cell would fare better in this slot


def start_fork_server(preload: Sequence[str] | None = None) -> None:
    """Start the fork server, with one-threaded maths.

    The environment it starts with is every cell process's.

    Args:
        preload: modules that the cells of a trainer of one's own import, and nothing besides; None:
            what the shipped trainer needs.

    Raises:
        NoProcess: it cannot be started.
    """
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # torch.set_num_threads follows train.threads
    os.environ.setdefault("GLIBC_TUNABLES", MEMORY)
    # Asking NVML whether a device is there leaves the process able to fork.
    os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")
    os.environ[PARENT] = str(os.getpid())
    if preload is None:
        _context.set_forkserver_preload(["_ablate", "runner.pool.process.preload"])
    else:
        os.environ[PRELOADED] = ",".join(preload)
        _context.set_forkserver_preload(["_ablate", "runner.pool.process.preload_own"])
    try:
        _starter.submit(start_safely, forkserver.ensure_running).result()
    except OSError as error:
        raise _none_starts(error) from None


def prepare_images(cell: Cell) -> None:
    """Have the images of a cell read, downloaded and decoded where that was not done before.

    Raises:
        InputError: they cannot be had; the message says why.
        MachineError: nobody can read them.
    """
    for tried in range(1, STARTS + 1):
        ours, process = _start("reader of images", read_images, cell.to_json())
        answer = _receive(ours)
        ours.close()
        with _one_at_a_time:
            process.join()
        if answer == ENDED:
            return
        if isinstance(answer, InputError):
            raise answer
        if isinstance(answer, str):
            raise MachineError(answer)
        was_killed = process.exitcode not in (0, 1)  # or its fork server was
        if not was_killed or tried == STARTS:
            code = process.exitcode
            raise MachineError(
                f"reading the data set ended with code {code}; what it said stands above"
            )


def try_networks(cells: Sequence[Cell]) -> list[Found | None]:
    """Take the network of each cell through one batch, in a process of its own.

    Returns:
        What was found of each; None of a cell at which the process was ended from outside (for
        lack of memory, say), and of those behind it.
    """
    ours, process = _start("trial of networks", child.try_networks, [c.to_json() for c in cells])
    found: list[Found | None] = []
    while isinstance(answer := _receive(ours), Found):
        found.append(answer)
    ours.close()
    with _one_at_a_time:
        process.join()
    return found + [None] * (len(cells) - len(found))


class CellProcess:
    """One process that trains cells: one cell on CPU, many on CUDA until one goes bad."""

    def __init__(self, slot: Slot) -> None:
        """Start it.

        Raises:
            NoProcess: none can be started here.
        """
        self._one_cell = slot.device == "cpu"
        self._closed = False
        self._channel, self._process = _start(
            f"cell process of {slot.name}", serve_jobs, dict(slot.env)
        )
        self.reusable = True

    def train(
        self,
        job: CellJob,
        *,
        on_epoch: Callable[[Advance], None],
        taken_away: Callable[[], bool],
        stop: Stop,
    ) -> Ended:
        """Run one job to its end; afterwards `reusable` says whether another can follow."""
        cell = Cell.from_json(job.cell)
        patience = TERM_SECONDS if cell.trainer is not None else 0.0
        # A command is told by its own process to end at its limit, and may tidy up.
        tidying = TERM_SECONDS if cell.trainer is not None and cell.trainer.kind == "command" else 0
        deadline = time.monotonic() + cell.train.time_limit + tidying + GRACE_SECONDS
        kills_before = out_of_memory_kills()
        ended = self._watch(job, deadline, on_epoch, taken_away, stop)
        outcome = read_outcome(Path(job.folder), cell.id, job.token)
        if ended is None and outcome is None:  # it is dying: let it, its exit code tells why
            wait([self._process.sentinel], timeout=10)
        one_cell = self._one_cell or cell.trainer is not None
        self.reusable = ended is None and not one_cell and _healthy(outcome)
        if not self.reusable:
            self.close(patience if ended is not None else 0.0)
        if outcome is not None:
            return Ended(outcome)
        if ended is not None:
            return ended
        return self._post_mortem(kills_before, Path(job.log))

    def close(self, patience: float = 0.0) -> None:
        """End the process and everything it started; returns when it is gone.

        Args:
            patience: seconds that it has after SIGTERM, to tidy up; then SIGKILL.
        """
        if self._closed:  # by now its number may be another process's
            return
        self._closed = True
        self._channel.close()
        pid = self._process.pid
        if pid is None:
            raise RuntimeError("the process was never started")
        if patience:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGTERM)
            wait([self._process.sentinel], timeout=patience)
        try:
            os.killpg(pid, signal.SIGKILL)  # what a dead process has started ends too
        except ProcessLookupError:  # it has not yet made its group, or all of it is gone
            if self._alive():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        wait([self._process.sentinel], timeout=10)
        self._alive()

    def _watch(
        self,
        job: CellJob,
        deadline: float,
        on_epoch: Callable[[Advance], None],
        taken_away: Callable[[], bool],
        stop: Stop,
    ) -> Ended | None:
        """None when the process ended the job or itself; otherwise why it is to be killed."""
        try:
            self._channel.send(job)
        except OSError:
            return None
        while True:
            if stop.is_set():
                return Ended(None, Reason.INTERRUPTED, "the run was stopped")
            if taken_away():
                return Ended(None, Reason.LOST, "the lease was lost to another worker")
            if time.monotonic() > deadline:
                return Ended(None, Reason.TIMEOUT, "did not stop at its time limit and was killed")
            for ready in wait([self._channel, self._process.sentinel], timeout=POLL_SECONDS):
                if ready is self._channel:
                    message = _receive(self._channel)
                    if message is None or message == ENDED:
                        return None
                    if isinstance(message, Epoch | Point):
                        on_epoch(message)
                elif not self._channel.poll():
                    return None

    def _alive(self) -> bool:
        with _one_at_a_time:
            return self._process.exitcode is None

    def _post_mortem(self, kills_before: int, log: Path) -> Ended:
        said = _last_words(log)
        with _one_at_a_time:
            code = self._process.exitcode
        if code == OUTCOME_NOT_WRITTEN:
            return Ended(None, Reason.DATA, "the outcome could not be written", disk_full=True)
        if lacks_memory(said):  # too little to begin with, or a library that gave up
            return Ended(None, Reason.OOM, f"was refused memory: {said}")
        if code is not None and code < 0:
            if code == -signal.SIGKILL and out_of_memory_kills() > kills_before:
                return Ended(None, Reason.OOM, "killed by the system, which ran out of memory")
            return Ended(None, Reason.KILLED, f"killed by {signal.Signals(-code).name}")
        if code == 255:  # what multiprocessing says when the fork server died with its children
            return Ended(None, Reason.KILLED, "its fork server was killed")
        last = f"; it said last: {said}" if said else ""
        return Ended(None, Reason.BUG, f"ended without an outcome, exit code {code}{last}")


def _start(
    name: str, target: Callable[..., None], argument: object
) -> tuple[Connection, ForkServerProcess]:
    """Our end of the channel to a process that runs `target(its end, argument)`, and the process.

    The fork server may be killed meanwhile: the next try finds it gone and makes another.

    Raises:
        NoProcess: none could be started, several times over.
    """
    for tried in range(1, STARTS + 1):
        ours, theirs = _context.Pipe()
        process = _context.Process(target=target, args=(theirs, argument), name=name)
        try:
            with _one_at_a_time:
                _starter.submit(start_safely, process.start).result()
        except (OSError, EOFError) as error:
            ours.close()
            if tried == STARTS:
                raise _none_starts(error) from None
            time.sleep(POLL_SECONDS)
        else:
            return ours, process
        finally:
            theirs.close()
    raise AssertionError("the last start returns or raises")


def _last_words(log: Path) -> str:
    """The last line that a cell process wrote into its log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4096))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")


def _none_starts(error: Exception) -> NoProcess:
    why = getattr(error, "strerror", None) or "the server that starts them ended at once"
    return NoProcess(
        f"no process can be started here ({why}): look at the limits on memory and processes "
        "(`ulimit -a`), and for what it may have said above"
    )


def _receive(channel: Connection) -> object:
    try:
        return channel.recv()
    except (EOFError, OSError):
        return None


def _healthy(outcome: Outcome | None) -> bool:
    """Whether the process that left this outcome can be trusted with the next cell."""
    return outcome is not None and outcome.reason is None
