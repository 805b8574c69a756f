"""The real store and the processes that use it, each call held against the model.

Three processes, two of them on one machine, each with a monotonic clock of its own, share a
database. They are objects of this one process: what the store asks the machine (who am I, does that
process live, what time is it, give me a token) is answered here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from optuna.storages._rdb.storage import _VersionManager

from runner.content.outcome_files import write_outcome
from runner.store import Lease, Store
from runner.store.cells import leasing, liveness, planning
from runner.store.columns import values
from runner.store.database import connections
from tests.store_contract.grids import register
from tests.store_model.model import File, Model, Steps
from tests.store_model.troubles import Commits, Died, Operation, Trouble
from tests.store_model.watching import Look

STUDIES = ("one-cpu-a1b2c3", "two-cpu-d4e5f6")
MACHINES = ("here", "here", "there")
DEVICES = ("cpu", "cpu", "GPU-5c1b")
CHUNK = 3
"""Cells planned in one transaction here, so that a design of eight takes several."""

DIED = object()
"""What a call returns whose process was killed in it."""

NEWEST = _VersionManager.get_head_version
HEADS: list[str] = []


def newest(manager: _VersionManager) -> str:
    """The version of the installed Optuna's tables: it reads 13 files each time to find it out."""
    if not HEADS:
        HEADS.append(NEWEST(manager))
    return HEADS[0]


@dataclass(eq=False)
class Process:
    """A coordinator that claims, beats, tells and reconciles."""

    machine: str
    device: str
    pid: int
    store: Store
    clock: list[float]  # its seconds, in a box that tests move
    leases: list[Lease] = field(default_factory=list)  # those it believes to hold
    looks: dict[str, list[Look]] = field(default_factory=lambda: {name: [] for name in STUDIES})

    @property
    def owner(self) -> str:
        """As the store names it."""
        return f"{self.machine} {self.pid} {self.pid}"


class World:
    """A database, the processes on it, and the model they are held against."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.model = Model(STUDIES)
        self.folder = folder
        self.database = store.database
        self.calendar = timedelta()
        self.outcomes = 0  # how many were made: no two are equal
        self.given: list[Lease] = []  # every lease there ever was
        self._commits = Commits(store.database)
        self._pids, self._tokens = count(1), count(1)
        self._at_work: list[Process] = []
        self.processes = [self._born(index) for index in range(len(MACHINES))]
        for name in STUDIES:
            register(self.processes[0].store, name)

    def _born(self, index: int) -> Process:
        clock = [1000.0]
        store = Store(self.database.address, clock=lambda: clock[0])
        store.database = self.database  # one engine for all: they take turns
        return Process(MACHINES[index], DEVICES[index], next(self._pids), store, clock)

    def close(self) -> None:
        """Take the watch off the database."""
        self._commits.close()

    def do(
        self,
        process: Process,
        real: Callable[[], Any],
        steps: Callable[[list[str]], Steps],
        trouble: Trouble | None = None,
        others: Callable[[], None] = lambda: None,
    ) -> Any:
        """Let a process call the store; what the store returns must be what the model says.

        Returns `DIED` where the process died in it.
        """
        drawn: list[str] = []
        operation = Operation(steps(drawn), drawn, trouble, others)
        self._commits.under_way.append(operation)
        self._at_work.append(process)
        try:
            got = real()
            operation.check(got)
            return got
        except Died:
            if process in self.processes:
                index = self.processes.index(process)
                self.processes[index] = self._born(index)
            return DIED
        finally:
            self._commits.under_way.pop()
            self._at_work.pop()

    def write_file(self, lease: Lease, outcome: Any) -> None:
        """A cell process leaves its outcome."""
        path = write_outcome(self.folder, lease.cell.id, lease.token, outcome)
        self.model.files[path.name] = File(lease.cell.id, lease.token, outcome)

    @contextmanager
    def answers(self) -> Iterator[None]:
        """For as long as this lasts the store asks this world instead of the machine."""
        now = SimpleNamespace(now=lambda zone: datetime.now(UTC) + self.calendar)
        time = SimpleNamespace(monotonic=connections.time.monotonic, sleep=self._sleep)
        with (
            patch.object(planning, "CHUNK", CHUNK),
            patch.object(values, "datetime", now),
            patch.object(connections, "time", time),
            patch.object(leasing, "secrets", SimpleNamespace(token_hex=self._draw)),
            patch.object(liveness, "machine", lambda: self._at_work[-1].machine),
            patch.object(liveness, "owner", lambda: self._at_work[-1].owner),
            patch.object(liveness, "_started", self._started),
            patch.object(_VersionManager, "get_head_version", newest),
        ):
            yield

    def _sleep(self, _seconds: float) -> None:
        self._commits.under_way[-1].wait()

    def _draw(self, _bytes: int) -> str:
        token = f"{next(self._tokens):032x}"
        self._commits.under_way[-1].drawn.append(token)
        return token

    def _started(self, pid: int) -> str | None:
        machine = self._at_work[-1].machine
        here = {one.pid for one in self.processes if one.machine == machine}
        return str(pid) if pid in here else None

    def is_dead(self, process: Process, owner: str) -> bool:
        """Whether a process knows that another is gone: one of its own machine."""
        machine = owner.partition(" ")[0]
        return machine == process.machine and owner not in {one.owner for one in self.processes}
