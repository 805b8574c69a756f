"""A slot: a place where one cell trains at a time.

`work` is the whole life of a slot: claim a cell, train it in a cell process, hand the outcome to
the store, again until nothing is left. It is the same on this machine, on a cluster and on a host
that joined by hand. What all slots of one process share (the leases they hold, whether to stop) is
the `Desk`.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runner.content.outcome import Epoch, Reason
from runner.content.outcome_files import forget_outcome, log_path
from runner.machine.device import Slot
from runner.machine.provenance import provenance
from runner.machine.slots import is_there
from runner.pool.process.child import Job
from runner.pool.process.launch import CellProcess, Ended
from runner.pool.sharing import Room
from runner.store import Lease, Store, StoreError, StudyInfo

LEASE_SECONDS = float(os.environ.get("ABLATIONS_LEASE_SECONDS", "60"))
"""A lease not renewed for this long is taken from its worker: it counts as lost."""

IDLE_SECONDS = 1.0
"""How often a slot looks again while only other workers still train cells."""


NOT_THE_DEVICE = {None, Reason.INTERRUPTED, Reason.LOST}
"""Ends of an attempt that say nothing of its device: for every other it is looked for."""


class Board(Protocol):
    """Whoever shows what the slots do (runner.commands.running.screen)."""

    def started(self, slot: Slot, lease: Lease) -> None:
        """A cell process got the claimed cell."""

    def epoch(self, slot: Slot, epoch: Epoch) -> None:
        """An epoch of the slot's cell ended."""

    def ended(self, slot: Slot, lease: Lease, ended: Ended) -> None:
        """The slot's attempt ended and the store knows it."""


@dataclass
class Desk:
    """What the slots of one process share. Every method may be called from any thread."""

    store: Store
    study: StudyInfo
    folder: Path  # results/STUDY of this machine
    worker: str
    board: Board
    stay: bool = True  # wait for the cells of other workers, in case one is lost
    stop: threading.Event = field(default_factory=threading.Event)
    trouble: Exception | None = None  # why no further cell can be trained here
    vanished: set[str] = field(default_factory=set)  # devices, as a person knows them

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, Lease] = {}
        self._progress: dict[str, Epoch] = {}
        self._refused: set[str] = set()
        self._rooms: dict[str, Room] = {}  # by device
        self._provenance = {**provenance(), "spec": self.study.spec_digest}
        for name in ("attempts", "checkpoints"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def room(self, slot: Slot) -> Room:
        """The slot's device as its slots share it."""
        with self._lock:
            return self._rooms.setdefault(slot.device_id, Room())

    def lose_slot(self, slot: Slot) -> None:
        """Close the slot, for its device vanished; the run ends when it was the last one."""
        self.room(slot).close_slot()
        with self._lock:
            self.vanished.add(f"{slot.name.partition('/')[0]} ({slot.device_id})")
            left = any(room.slots for room in self._rooms.values())
        if not left:
            gone = ", ".join(sorted(self.vanished))
            self.give_up(NoDeviceLeft(f"no device is left: {gone} vanished; the cells are waiting"))

    def claim(self, slot: Slot) -> Lease | None:
        """Claim the next waiting cell and begin to beat for it; None when none is waiting."""
        lease = self.store.claim(
            self.study,
            self.worker,
            lease_seconds=LEASE_SECONDS,
            slot=slot.name,
            device=slot.device_id,
            provenance=self._provenance,
            prefer=self._begun_here(),
        )
        if lease is not None:
            with self._lock:
                self._held[lease.token] = lease
        return lease

    def is_over(self) -> bool:
        """Whether there is nothing to wait for once no cell could be claimed."""
        if self.stay:
            return not self.store.open_cells(self.study)
        return not self.store.status(self.study).waiting  # another's lock may have hidden some

    def progressed(self, lease: Lease, epoch: Epoch) -> None:
        """Remember the newest epoch of the lease's cell for the next beat."""
        with self._lock:
            self._progress[lease.token] = epoch

    def drop(self, lease: Lease) -> None:
        """Stop beating for the lease."""
        with self._lock:
            self._held.pop(lease.token, None)
            self._progress.pop(lease.token, None)
            self._refused.discard(lease.token)

    def refused(self, lease: Lease) -> bool:
        """Whether a beat for the lease was refused: another worker has the cell now."""
        with self._lock:
            return lease.token in self._refused

    def beat(self) -> None:
        """Renew all leases in one statement and note the ones that were lost."""
        with self._lock:
            leases = list(self._held.values())
            progress = dict(self._progress)
        if not leases:
            return
        refused = self.store.beat(leases, progress=progress)
        with self._lock:
            self._refused |= refused & self._held.keys()

    def _begun_here(self) -> list[str]:
        """Cells with a checkpoint on this machine: here they need not start over."""
        return [path.stem for path in (self.folder / "checkpoints").glob("*.pt")]

    def repair(self) -> None:
        """Put right what crashes left: expired leases, outcomes nobody recorded, checkpoints."""
        self.store.reconcile(self.study, self.folder / "attempts")
        begun = self._begun_here()
        if begun:  # by now some may have been completed, here or elsewhere
            self.forget_checkpoints(self.store.complete_among(self.study, begun))

    def forget_checkpoints(self, cells: Iterable[str]) -> None:
        """Remove the cells' checkpoints, also what a kill left half written."""
        for cell in cells:
            for left in (self.folder / "checkpoints").glob(f"{cell}.pt*"):
                left.unlink(missing_ok=True)

    def give_up(self, trouble: Exception) -> None:
        """Stop every slot: no further cell can be trained here."""
        with self._lock:
            if self.trouble is None:
                self.trouble = trouble
        self.stop.set()


class DiskFull(Exception):
    """An outcome could not be written; the cell is waiting again."""


class NoDeviceLeft(Exception):
    """Every device vanished while cells trained; those are waiting again."""


def work(slot: Slot, desk: Desk) -> int:
    """Train cells on `slot` until none is left or the desk says stop; returns how many ended."""
    room = desk.room(slot)
    room.open_slot()
    process: CellProcess | None = None
    lease: Lease | None = None
    trained = 0
    try:
        while not desk.stop.is_set():
            if not room.enter():
                _close(process)  # its memory may be what the cell that is alone lacks
                process = None
                room.wait()
                continue
            alone = False
            try:
                lease = desk.claim(slot)
                if lease is not None:
                    if lease.previous is Reason.OOM:
                        _close(process)
                        process = None
                        room.be_alone()
                        alone = True
                    if process is None or not process.reusable:
                        process = CellProcess(slot)
                    ended = _attempt(lease, slot, process, desk)
            finally:
                room.leave(alone=alone)
            if lease is None:
                _close(process)
                process = None
                if desk.is_over():
                    break
                desk.stop.wait(IDLE_SECONDS)
                continue
            trained += ended.outcome is not None
            if ended.device_gone:
                desk.lose_slot(slot)
                break
            if _reason(ended) is Reason.OOM:
                room.ran_out(lease.cell.id)
            elif alone and ended.outcome is not None and room.fitted_alone(lease.cell.id):
                break
    except StoreError as error:
        desk.give_up(error)
    except Exception as error:  # whatever it is: no other slot goes on as if it had not been
        desk.give_up(error)
        if lease is not None:
            with contextlib.suppress(StoreError):
                desk.store.release(lease)
    finally:
        if lease is not None:
            desk.drop(lease)
        _close(process)
    return trained


def _close(process: CellProcess | None) -> None:
    if process is not None:
        process.close()


def _attempt(lease: Lease, slot: Slot, process: CellProcess, desk: Desk) -> Ended:
    """One attempt at one cell, from claim to store."""
    cell = lease.cell
    attempts = desk.folder / "attempts"
    log = log_path(attempts, cell.id, lease.attempt)
    job = Job(
        cell=cell.to_json(),
        token=lease.token,
        folder=str(attempts),
        log=str(log),
        device=slot.device,
        checkpoint=str(desk.folder / "checkpoints" / f"{cell.id}.pt"),
    )

    def on_epoch(epoch: Epoch) -> None:
        desk.progressed(lease, epoch)
        desk.board.epoch(slot, epoch)

    desk.board.started(slot, lease)
    ended = process.train(
        job, on_epoch=on_epoch, taken_away=lambda: desk.refused(lease), stop=desk.stop
    )
    if _reason(ended) not in NOT_THE_DEVICE and not is_there(slot):
        why = f"{slot.device_id}, the device of {slot.name}, vanished"
        ended = Ended(None, Reason.INTERRUPTED, why, device_gone=True)
    accepted = _record(lease, ended, desk, str(log))
    desk.drop(lease)
    if ended.outcome is not None and not accepted:
        # The lease was lost at the last moment. The file stays: `repair` adopts it if the cell
        # still lacks an outcome.
        ended = Ended(None, Reason.LOST, "the lease was lost to another worker")
    if ended.outcome is not None or ended.device_gone:  # then it is a failure of the device's
        forget_outcome(attempts, cell.id, lease.token)
    if ended.outcome is not None:
        desk.forget_checkpoints([cell.id])
    desk.board.ended(slot, lease, ended)
    return ended


def _record(lease: Lease, ended: Ended, desk: Desk, log: str) -> bool:
    """Tell the store how the attempt ended; False when it says that the lease was lost."""
    if ended.outcome is not None:
        return desk.store.finish(lease, ended.outcome, log=log)
    if ended.reason is Reason.LOST:  # no longer this worker's to end
        return False
    if ended.disk_full:
        released = desk.store.release(lease, log=log)
        desk.give_up(DiskFull(f"{desk.folder} takes no more files; the cell is waiting again"))
        return released
    if ended.device_gone:  # a device takes none of the cell's attempts with it
        return desk.store.release(lease, log=log, reason=Reason.CUDA, detail=ended.detail)
    if ended.reason is Reason.INTERRUPTED:
        return desk.store.release(lease, log=log)
    return desk.store.fail(lease, ended.reason or Reason.BUG, ended.detail, log=log) is not None


def _reason(ended: Ended) -> Reason | None:
    return ended.reason if ended.outcome is None else ended.outcome.reason
