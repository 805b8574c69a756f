"""A slot: a place where one cell trains at a time.

`work` is the whole life of a slot: claim a cell, train it in a cell process, hand the outcome to
the store, again until nothing is left. It is the same on this machine, on a cluster and on a host
that joined by hand. What all slots of one process share (the claims they hold, whether to stop) is
the `Desk`.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ablations.errors import InputError
from runner.cradle import Job
from runner.devices import Slot, is_there
from runner.outcome import Epoch, Reason
from runner.process import CellProcess, Ended
from runner.provenance import provenance
from runner.store import Claim, Store, StoreError, StudyInfo
from runner.store.outcomes import forget_outcome

LEASE_SECONDS = float(os.environ.get("ABLATIONS_LEASE_SECONDS", "60"))
"""A claim not beaten for this long is taken from its worker: it counts as lost."""

IDLE_SECONDS = 1.0
"""How often a slot looks again while only other workers still train cells."""


NOT_THE_DEVICE = {None, Reason.INTERRUPTED, Reason.LOST}
"""How an attempt may end without the question whether its device is still there."""


class Board(Protocol):
    """Whoever shows what the slots do (runner.live)."""

    def started(self, slot: Slot, claim: Claim) -> None:
        """A cell process got the claimed cell."""

    def epoch(self, slot: Slot, epoch: Epoch) -> None:
        """An epoch of the slot's cell ended."""

    def ended(self, slot: Slot, claim: Claim, ended: Ended) -> None:
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
        self._held: dict[str, Claim] = {}
        self._progress: dict[str, Epoch] = {}
        self._refused: set[str] = set()
        self._slots_of_device: Counter[str] = Counter()
        self._roomier: set[str] = set()  # devices that closed a slot for want of memory
        for name in ("attempts", "checkpoints"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def open_slot(self, slot: Slot) -> None:
        """Count the slot among those of its device."""
        with self._lock:
            self._slots_of_device[slot.device_id] += 1

    def retire_slot(self, slot: Slot) -> bool:
        """Close the slot unless it is its device's last; whether it was closed.

        After an out-of-memory: the next attempt finds one neighbour fewer on the device.
        """
        with self._lock:
            if self._slots_of_device[slot.device_id] <= 1:
                return False
            self._slots_of_device[slot.device_id] -= 1
            self._roomier.add(slot.device_id)
            return True

    def must_make_room(self, slot: Slot) -> bool:
        """Whether the slot's device still has all its slots, and more than one."""
        with self._lock:
            whole = slot.device_id not in self._roomier
            return whole and self._slots_of_device[slot.device_id] > 1

    def lose_slot(self, slot: Slot) -> None:
        """Close the slot, for its device vanished; the run ends when it was the last one."""
        with self._lock:
            self.vanished.add(f"{slot.name.partition('/')[0]} ({slot.device_id})")
            self._slots_of_device[slot.device_id] -= 1
            left = self._slots_of_device.total()
        if not left:
            gone = ", ".join(sorted(self.vanished))
            self.give_up(NoDeviceLeft(f"no device is left: {gone} vanished; the cells are waiting"))

    def hold(self, claim: Claim) -> None:
        """Begin to beat for the claim."""
        with self._lock:
            self._held[claim.token] = claim

    def progressed(self, claim: Claim, epoch: Epoch) -> None:
        """Remember the claim's newest epoch for the next beat."""
        with self._lock:
            self._progress[claim.token] = epoch

    def drop(self, claim: Claim) -> None:
        """Stop beating for the claim."""
        with self._lock:
            self._held.pop(claim.token, None)
            self._progress.pop(claim.token, None)
            self._refused.discard(claim.token)

    def refused(self, claim: Claim) -> bool:
        """Whether a beat for the claim was refused: another worker has the cell now."""
        with self._lock:
            return claim.token in self._refused

    def beat(self) -> None:
        """Renew all leases in one statement and note the ones that were lost."""
        with self._lock:
            claims = list(self._held.values())
            progress = dict(self._progress)
        if not claims:
            return
        refused = self.store.beat(claims, progress=progress)
        with self._lock:
            self._refused |= refused & self._held.keys()

    def begun_here(self) -> list[str]:
        """Cells with a checkpoint on this machine: here they need not start over."""
        return [path.stem for path in (self.folder / "checkpoints").glob("*.pt")]

    def repair(self) -> None:
        """Put right what crashes left: expired leases, outcome files nobody recorded."""
        self.store.reconcile(self.study, self.folder / "attempts")

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
    process: CellProcess | None = None
    trained = 0
    desk.open_slot(slot)
    try:
        while not desk.stop.is_set():
            claim = desk.store.claim(
                desk.study,
                desk.worker,
                lease_seconds=LEASE_SECONDS,
                slot=slot.name,
                device=slot.device_id,
                provenance=provenance(),
                prefer=desk.begun_here(),
            )
            if claim is None:
                if not desk.stay or not desk.store.open_cells(desk.study):
                    break
                desk.stop.wait(IDLE_SECONDS)
                continue
            if (
                claim.previous is Reason.OOM
                and desk.must_make_room(slot)
                and desk.retire_slot(slot)
            ):
                # It ran out elsewhere, and its one more attempt would find as many neighbours here.
                desk.store.release(claim, detail="given back: its device closes a slot for it")
                break
            if process is None or not process.reusable:
                process = CellProcess(slot)
            ended = _attempt(claim, slot, process, desk)
            trained += ended.outcome is not None
            if ended.device_gone:
                desk.lose_slot(slot)
                break
            if _reason(ended) is Reason.OOM and desk.retire_slot(slot):
                break
    except (StoreError, OSError, InputError) as error:
        desk.give_up(error)
    finally:
        if process is not None:
            process.close()
    return trained


def _attempt(claim: Claim, slot: Slot, process: CellProcess, desk: Desk) -> Ended:
    """One attempt at one cell, from claim to store."""
    cell = claim.cell
    attempts, checkpoints = desk.folder / "attempts", desk.folder / "checkpoints"
    checkpoint = checkpoints / f"{cell.id}.pt"
    log = attempts / f"{cell.id}-{claim.attempt}.log"
    job = Job(
        cell=cell.to_json(),
        token=claim.token,
        folder=str(attempts),
        log=str(log),
        device=slot.device,
        checkpoint=str(checkpoint),
    )

    def on_epoch(epoch: Epoch) -> None:
        desk.progressed(claim, epoch)
        desk.board.epoch(slot, epoch)

    desk.hold(claim)
    desk.board.started(slot, claim)
    try:
        ended = process.train(
            job, on_epoch=on_epoch, taken_away=lambda: desk.refused(claim), stop=desk.stop
        )
        if _reason(ended) not in NOT_THE_DEVICE and not is_there(slot):
            why = f"{slot.device_id}, the device of {slot.name}, vanished"
            ended = Ended(None, Reason.INTERRUPTED, why, device_gone=True)
        _record(claim, ended, desk, str(log))
    finally:
        desk.drop(claim)
    if ended.outcome is not None or ended.device_gone:  # then it is a failure of the device's
        forget_outcome(attempts, cell.id, claim.token)
    if ended.outcome is not None:
        for left in checkpoints.glob(f"{cell.id}.pt*"):  # also one a kill left half written
            left.unlink(missing_ok=True)
    desk.board.ended(slot, claim, ended)
    return ended


def _record(claim: Claim, ended: Ended, desk: Desk, log: str) -> None:
    """Tell the store how the attempt ended."""
    if ended.disk_full:
        desk.store.release(claim, log=log)
        desk.give_up(DiskFull(f"{desk.folder} takes no more files; the cell is waiting again"))
    elif ended.device_gone:  # a device takes none of the cell's attempts with it
        desk.store.release(claim, log=log, reason=Reason.CUDA, detail=ended.detail)
    elif ended.outcome is not None:
        desk.store.finish(claim, ended.outcome, log=log)
    elif ended.reason is Reason.INTERRUPTED:
        desk.store.release(claim, log=log)
    elif ended.reason is not Reason.LOST:  # a lost claim is no longer this worker's to end
        desk.store.fail(claim, ended.reason or Reason.BUG, ended.detail, log=log)


def _reason(ended: Ended) -> Reason | None:
    return ended.reason if ended.outcome is None else ended.outcome.reason
