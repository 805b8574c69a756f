"""The run: place slots, keep leases alive, repair what a crash left, end with a tally.

Start-up and every pass compare the store with what should be and act on the difference
(`Store.reconcile`, `Mirror.sync`), so that no callback has to survive a crash for a cell to be
retried. Interrupting ends the cell processes and puts their cells back.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from types import FrameType

from runner.machine.device import Slot
from runner.pool.slot import work
from runner.pool.worker import LEASE_SECONDS, Worker

BEAT_SECONDS = LEASE_SECONDS / 12
REPAIR_SECONDS = LEASE_SECONDS / 5  # a lease is judged by at least four looks
MIRROR_SECONDS = 2.0
PUBLISH_SECONDS = 60.0

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}
if hasattr(signal, "SIGHUP"):  # not on Windows
    SIGNALS[signal.SIGHUP] = 129
"""Exit codes by the shell's convention: 128 + signal number."""


@dataclass(frozen=True, slots=True)
class Run:
    """How a run of this process ended."""

    trained: int
    seconds: float
    signal: int | None = None  # the signal that stopped it


def run_slots(
    slots: Sequence[Slot], worker: Worker, *, publish: Callable[[], object] | None = None
) -> Run:
    """Train the study's open cells on these slots until none is left.

    The fork server must have been started.

    Args:
        slots: Where cells train; one thread supervises each.
        worker: The study, its store and what the slots share.
        publish: Called now and then from a thread of its own (dashboard panels); must not raise.

    Raises:
        Exception: `worker.trouble` (the store is unreachable, the disk is full): no further cell
            could be trained here. Finished cells are in the store or in their outcome files.
    """
    from joblib import Parallel, delayed

    began = time.monotonic()
    with coordinate(worker, publish) as signals:
        # Threads only supervise: each cell computes in a process of its own.
        trained = Parallel(n_jobs=len(slots), backend="threading")(
            delayed(work)(slot, worker) for slot in slots
        )
    if worker.trouble is not None:
        raise worker.trouble
    return Run(sum(trained), time.monotonic() - began, signals[0] if signals else None)


@contextlib.contextmanager
def coordinate(worker: Worker, publish: Callable[[], object] | None = None) -> Iterator[list[int]]:
    """Look after a study for as long as the block runs; yields the signals received so far."""
    # A command that only asks gives up soon; a run has cells to lose and waits as long to read as
    # to write.
    database = worker.store.database
    database.read_patience = database.write_patience
    with _stopped_by_signals(worker) as signals, _duties_beside(worker, publish):
        yield signals


@contextlib.contextmanager
def _stopped_by_signals(worker: Worker) -> Iterator[list[int]]:
    """First signal: stop claiming, end cell processes, put their cells back. Second: leave now."""
    received: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            os._exit(SIGNALS[signal.Signals(number)])  # the kernel ends the cell processes
        worker.stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield received  # a cluster's worker thread: its own process handles signals
        return
    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _duties_beside(worker: Worker, publish: Callable[[], object] | None) -> Iterator[None]:
    """Threads beside the slots, one a duty, so that a slow mirror never lets a lease expire."""
    done = threading.Event()
    from runner.optuna_mirror.mirror import Mirror

    with Mirror(worker.store, worker.study) as mirror:
        duties: list[tuple[str, float, Callable[[], object]]] = [
            ("beat", BEAT_SECONDS, worker.beat),
            ("repair", REPAIR_SECONDS, worker.repair),
            ("mirror", MIRROR_SECONDS, partial(mirror.keep, wait=False)),
        ]
        if publish is not None:
            duties.append(("publish", PUBLISH_SECONDS, publish))
        threads = [
            threading.Thread(target=_every, args=(duty, done, worker), name=duty[0], daemon=True)
            for duty in duties
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            done.set()
            for thread in threads:
                thread.join()
            if worker.trouble is None:
                mirror.keep()


def _every(
    duty: tuple[str, float, Callable[[], object]], done: threading.Event, worker: Worker
) -> None:
    _name, seconds, action = duty
    while not done.wait(seconds):
        try:
            action()
        except Exception as error:
            worker.give_up(error)
            return
