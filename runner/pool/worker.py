"""A worker: one process that works on a study, with what its slots share.

It holds their leases and beats for all of them at once, keeps what they know of each device, and
says when they are to stop.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from runner.content.outcome import Advance
from runner.machine.device import Slot
from runner.machine.provenance import provenance
from runner.pool.alike import Alike, FirstCells
from runner.pool.budget import Budget
from runner.pool.process.launch import Ended
from runner.pool.sharing import SharedDevice
from runner.program.exits import MachineError
from runner.store import Lease, Store, StudyInfo

if TYPE_CHECKING:
    from runner.training.parts.kept import Which

LEASE_SECONDS = float(os.environ.get("ABLATIONS_LEASE_SECONDS", "60"))
"""A lease not renewed for this long is taken from its worker: it counts as lost."""

log = logging.getLogger(__name__)


class Listener(Protocol):
    """Whoever shows what the slots do (runner.commands.running.screen)."""

    def started(self, slot: Slot, lease: Lease) -> None:
        """A cell process got the claimed cell."""

    def epoch(self, slot: Slot, epoch: Advance) -> None:
        """An epoch of the slot's cell ended."""

    def ended(self, slot: Slot, lease: Lease, ended: Ended) -> None:
        """The slot's attempt ended and the store knows it."""


@dataclass
class Worker:
    """One process that works on a study. Every method may be called from any thread."""

    store: Store
    study: StudyInfo
    folder: Path  # results/STUDY of this machine
    name: str  # for people: "host:4711"
    listener: Listener
    stay: bool = True  # wait for the cells of other workers, in case one is lost
    budget: Budget | None = None  # of time: then it says which cell is next, and when there is none
    first: FirstCells | None = None  # None: cells are claimed whatever fails
    stop: threading.Event = field(default_factory=threading.Event)
    trouble: Exception | None = None  # why no further cell can be trained here
    vanished: set[str] = field(default_factory=set)  # devices, as a person knows them

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._leases: dict[str, Lease] = {}
        self._progress: dict[str, Advance] = {}
        self._refused: set[str] = set()
        self._devices: dict[str, SharedDevice] = {}  # by uuid
        self._provenance = {**provenance(), "spec": self.study.spec_digest}
        self._plugins = set(self.study.spec.get("plugins", ()))  # that this session has named
        for name in ("attempts", "checkpoints"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def device_of(self, slot: Slot) -> SharedDevice:
        """The slot's device as its slots share it."""
        with self._lock:
            return self._devices.setdefault(slot.device_id, SharedDevice())

    def lose_slot(self, slot: Slot) -> None:
        """Close the slot, for its device vanished; the run ends when it was the last one."""
        self.device_of(slot).close_slot()
        with self._lock:
            self.vanished.add(f"{slot.name.partition('/')[0]} ({slot.device_id})")
            left = any(device.slots for device in self._devices.values())
        if not left:
            gone = ", ".join(sorted(self.vanished))
            self.give_up(NoDeviceLeft(f"no device is left: {gone} vanished; the cells are waiting"))

    def claim(self, slot: Slot) -> Lease | None:
        """Claim the next waiting cell and begin to beat for it.

        None when none is waiting, when the budget has no room for another, or when the first ones
        all failed alike.
        """
        if self.alike is not None:
            return None
        prefer = self._begun_here()
        if self.budget is not None:
            if (chosen := self.budget.next_cell(prefer)) is None:
                return None
            prefer = [chosen] if chosen else []
        lease = self.store.claim(
            self.study,
            self.name,
            lease_seconds=LEASE_SECONDS,
            slot=slot.name,
            device=slot.device_id,
            provenance=self._provenance,
            prefer=prefer,
        )
        if lease is not None:
            if self.budget is not None:
                self.budget.began(lease.cell.id)
            self._name_plugins(lease.cell.plugins)
            with self._lock:
                self._leases[lease.token] = lease
        return lease

    def _name_plugins(self, plugins: Iterable[str]) -> None:
        """Say which code is about to run that the study did not name when the session began."""
        with self._lock:
            unnamed = sorted(set(plugins) - self._plugins)
            self._plugins |= set(plugins)
        if unnamed:
            log.warning("its cells run further plugins: %s", ", ".join(unnamed))

    @property
    def which_weights(self) -> Which | None:
        """Which weights its cells leave behind, as the study's specification says now."""
        named = self.study.spec.get("run", {}).get("keep_weights", "none")
        return named if named in ("final", "best") else None

    @property
    def alike(self) -> Alike | None:
        """What all of the first cells failed of; None where they did not."""
        return None if self.first is None else self.first.found

    def failed(self) -> None:
        """A cell failed here: look whether that is what all of the first ones do."""
        if self.first is not None:
            self.first.look()

    def is_over(self) -> bool:
        """Whether there is nothing to wait for once no cell could be claimed."""
        if self.alike is not None:
            return True
        if self.budget is not None and self.budget.is_over():
            return True
        if self.stay:
            return not self.store.open_cells(self.study)
        return not self.store.status(self.study).waiting  # another's lock may have hidden some

    def stop_of(self, lease: Lease) -> StopOf:
        """What says whether the attempt is to end unfinished."""
        return StopOf(self, lease.cell.id)

    def progressed(self, lease: Lease, epoch: Advance) -> None:
        """Remember the newest epoch of the lease's cell for the next beat."""
        with self._lock:
            self._progress[lease.token] = epoch

    def drop(self, lease: Lease) -> None:
        """Stop beating for the lease."""
        with self._lock:
            self._leases.pop(lease.token, None)
            self._progress.pop(lease.token, None)
            self._refused.discard(lease.token)

    def refused(self, lease: Lease) -> bool:
        """Whether a beat for the lease was refused: another worker has the cell now."""
        with self._lock:
            return lease.token in self._refused

    def beat(self) -> None:
        """Renew all leases in one statement and note the ones that were lost."""
        with self._lock:
            leases = list(self._leases.values())
            progress = dict(self._progress)
        if not leases:
            return
        refused = self.store.beat(leases, progress=progress)
        with self._lock:
            self._refused |= refused & self._leases.keys()

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


@dataclass(frozen=True, slots=True)
class StopOf:
    """Whether one attempt is to end: because the worker stops, or its own time is up."""

    worker: Worker
    cell: str

    def is_set(self) -> bool:
        """Whether it is."""
        budget = self.worker.budget
        return self.worker.stop.is_set() or (budget is not None and budget.is_up(self.cell))


class DiskFull(MachineError):
    """An outcome could not be written; the cell is waiting again."""


class NoDeviceLeft(MachineError):
    """Every device vanished while cells trained; those are waiting again."""
