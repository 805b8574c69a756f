"""The store: studies, their cells and everything that happens to them, in one SQL database.

`Store` holds the connections. What it does is in `cells/` and `read`, each a function
over a connection with the documentation of the method it is bound to here. Several processes on
several machines may use one store at once. Every method may be called from any thread, waits out an
outage of the database up to its patience, and then raises `StoreUnavailable`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ablations.errors import InputError
from runner.content.cell import Cell
from runner.content.outcome_files import outcome_files
from runner.store import curve_arrays, read, targets, traces
from runner.store.binding import of_lease, of_study, reads, writes
from runner.store.cells import adoption, endings, leasing, liveness, planning, recovery
from runner.store.cells.adoption import Kind
from runner.store.cells.leasing import Holder, Lease, new_token
from runner.store.cells.planning import Planned
from runner.store.cells.studies import (
    AnyStudy,
    StudyInfo,
    StudyKey,
    all_studies,
    find_study,
    load_study,
    name_of,
    register,
    study_names,
)
from runner.store.columns.states import State
from runner.store.copying import Copied, copy_study
from runner.store.database import tables
from runner.store.database.address import Address, resolve_address
from runner.store.database.connections import READ_PATIENCE, WRITE_PATIENCE, Database
from runner.store.database.preparing import prepare


@dataclass(frozen=True, slots=True)
class Repaired:
    """What `reconcile` found and put right."""

    adopted: tuple[str, ...] = ()  # cells whose outcome lay on disk
    lost: dict[str, State] | None = None  # cells taken from vanished workers, what they are now

    def __bool__(self) -> bool:
        return bool(self.adopted or self.lost)


def open_store(
    url: str | None = None,
    create: bool = False,
    *,
    write_patience: float = WRITE_PATIENCE,
    read_patience: float = READ_PATIENCE,
) -> Store:
    """Open the store.

    Args:
        url: SQLAlchemy URL or path of a SQLite file; None: `$ABLATIONS_STORAGE`, then
            `ablations.db` in `$ABLATIONS_RESULTS` or `results/`.
        create: Make it when it is not there, and refuse one that cannot be written.
        write_patience: Seconds a change waits for a database that is locked or away.
        read_patience: The same for reading.

    Raises:
        InputError: there is no store, or what is there is not one.
        StoreUnavailable: the server does not answer.
    """
    address = resolve_address(url)
    store = Store(address, write_patience=write_patience, read_patience=read_patience)
    try:
        prepare(store.database, create=create)
    except BaseException:
        store.close()
        raise
    return store


class Store:
    """One database of studies. Pickles without its password; opens anew after a fork."""

    def __init__(
        self,
        address: Address,
        *,
        write_patience: float = WRITE_PATIENCE,
        read_patience: float = READ_PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database = Database(
            address, write_patience=write_patience, read_patience=read_patience
        )
        self._clock = clock
        self._forget()

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, StudyKey] = {}
        self._watches: dict[int, liveness.Watch] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"database": self.database, "_clock": self._clock}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({str(self.address)!r})"

    @property
    def address(self) -> Address:
        """Where the store is; its text masks the password."""
        return self.database.address

    def close(self) -> None:
        """Close this process's connections."""
        self.database.close()

    def keep_aside(self) -> str:
        """After `StoreGone`: copy what the file held; says where it is, to end a sentence."""
        return self.database.keep_aside()

    # -- studies and their design ------------------------------------------------------------

    register = writes(register)
    studies = reads(all_studies)
    study_names = reads(study_names)
    load_study = reads(load_study)

    def find_study(self, prefix: str) -> StudyInfo:
        """The study of that name, or the only one whose name begins so; InputError otherwise.

        Another study that is damaged does not matter.
        """
        return self.load_study(find_study(self.study_names(), prefix, str(self.address)))

    def find_key(self, study: AnyStudy) -> StudyKey:
        """The study's number and name; InputError where there is none."""
        name = name_of(study)
        if name not in self._keys:
            number = self.database.read(
                lambda connection: connection.scalar(
                    select(tables.studies.c.id).where(tables.studies.c.name == name)
                )
            )
            if number is None:
                raise InputError(f"no study {name!r} in {self.address}")
            self._keys[name] = StudyKey(number, name)
        return self._keys[name]

    def plan(
        self, study: AnyStudy, design: Iterable[tuple[Cell, int]], *, kind: Kind | None = None
    ) -> Planned:
        """Bring the study's cells up to its design, a chunk a transaction.

        A waiting cell that another study has trained is completed by that outcome.

        Args:
            study: Whose design.
            design: Every cell with its place in the run order. Consumed once, not held in memory.
            kind: Take only outcomes of this kind of device; None: of any.
        """
        return planning.plan(self.database, self.find_key(study), design, kind)

    def adoptable(
        self, study: AnyStudy, design: Iterable[Cell], *, kind: Kind | None = None
    ) -> dict[str, int]:
        """What `plan` would take from other studies (name to cells); changes nothing.

        The study need not be registered.
        """
        return planning.adoptable(self.database, name_of(study), design, kind)

    def leaving(self, study: AnyStudy, design: Iterable[Cell]) -> int:
        """How many planned cells of the study the design no longer holds; changes nothing.

        The study need not be registered.
        """
        return planning.leaving(self.database, name_of(study), design)

    def taken_out(self, study: AnyStudy, design: Iterable[Cell]) -> int:
        """How many cells of a design that was planned are planned no more; changes nothing."""
        return planning.taken_out(self.database, name_of(study), design)

    adopted = of_study(reads(adoption.adopted))

    def copy(self, study: AnyStudy, target: Store) -> Copied:
        """Copy the study and those under its name into another store; see `copy_study`."""
        return copy_study(self.database, target.database, self.find_key(study).name)

    # -- the life of a cell --------------------------------------------------------------------

    def claim(
        self,
        study: AnyStudy,
        worker: str,
        *,
        lease_seconds: float,
        slot: str = "",
        device: str = "",
        provenance: Mapping[str, Any] | None = None,
        prefer: Collection[str] = (),
    ) -> Lease | None:
        """Claim the next waiting cell in run order; None when none is waiting.

        Args:
            study: Whose cells.
            worker: Name of the claiming process, for people.
            lease_seconds: The lease runs out when it is not renewed for so long.
            slot: Name of the slot.
            device: Name of the device.
            provenance: Commit, dirty flag, versions, ...: kept with the attempt.
            prefer: Cells to take first when they wait, e.g. those with a checkpoint here.
        """
        leases = self.claim_many(
            study,
            worker,
            1,
            lease_seconds=lease_seconds,
            slot=slot,
            device=device,
            provenance=provenance,
            prefer=prefer,
        )
        return leases[0] if leases else None

    def claim_many(
        self,
        study: AnyStudy,
        worker: str,
        limit: int,
        *,
        lease_seconds: float,
        slot: str = "",
        device: str = "",
        provenance: Mapping[str, Any] | None = None,
        prefer: Collection[str] = (),
    ) -> list[Lease]:
        """Claim up to `limit` cells in one transaction; see `claim`."""
        key = self.find_key(study)
        holder = Holder.here(worker, slot, device, provenance or {})
        tokens = [new_token() for _ in range(limit)]  # the same ones when an outage repeats it
        tries = count()
        return self.database.write(
            lambda connection: leasing.claim(
                connection, key, holder, tokens, lease_seconds, prefer, repeated=next(tries) > 0
            )
        )

    beat = writes(leasing.beat)
    finish = of_lease(writes(endings.finish))
    fail = of_lease(writes(endings.fail))
    release = of_lease(writes(endings.release))
    retry = of_study(writes(recovery.retry))

    def trainers(self, study: AnyStudy) -> dict[str, int]:
        """Workers that hold cells of the study, and how many; not those known to be gone."""
        running = self._running(self.find_key(study).id)
        return dict(Counter(one.worker for one in running if not liveness.is_gone(one.owner)))

    def reconcile(self, study: AnyStudy, folder: Path | None = None) -> Repaired:
        """Put right what crashes left: unreported outcome files, leases of vanished workers.

        To be called at start-up and every few seconds (at least four times a lease): leases are
        judged by what this process sees between its calls.

        Args:
            study: Whose cells.
            folder: Where this machine's outcome files lie; what they say is adopted first.
        """
        study_id = self.find_key(study).id
        adopted = self._adopt(study_id, folder) if folder is not None and folder.is_dir() else ()
        # With the right to write, though it only reads: while another program withholds it nobody
        # can beat, and a look that waits as they do takes none of them for dead.
        running = self._running(study_id, writes=True)
        with self._lock:
            watch = self._watches.setdefault(study_id, liveness.Watch(self._clock))
        expired = watch.expired((one.token, one.beats, one.lease_seconds) for one in running)
        # Far fewer owners than cells, and each is looked up in /proc.
        dead = {owner for owner in {one.owner for one in running} if liveness.is_gone(owner)}
        gone = [one for one in running if one.token in expired or one.owner in dead]
        if not gone:
            return Repaired(adopted, {})
        lost = self.database.write(lambda connection: recovery.lose(connection, gone, expired))
        return Repaired(adopted, lost)

    def _running(self, study_id: int, *, writes: bool = False) -> list[recovery.RunningCell]:
        turn = self.database.write if writes else self.database.read
        return turn(lambda connection: recovery.running_cells(connection, study_id))

    def _adopt(self, study_id: int, folder: Path) -> tuple[str, ...]:
        adopted = []
        for file in outcome_files(folder):
            change = partial(recovery.adopt_file, study_id=study_id, file=file)
            fate = self.database.write(change)
            if fate is recovery.Fate.ADOPTED:
                adopted.append(file.cell)
            elif fate is recovery.Fate.NEEDLESS:
                file.path.unlink(missing_ok=True)
        return tuple(adopted)

    # -- reading ---------------------------------------------------------------------------------

    status = of_study(reads(read.count_cells))
    open_cells = of_study(reads(read.open_cells))
    progress = of_study(reads(read.progress))
    complete_among = of_study(reads(read.complete_among))
    runs = of_study(reads(read.runs))
    judged_runs = of_study(reads(read.judged_runs))
    find_target = of_study(reads(targets.find_target))
    curves = of_study(reads(read.curves))
    evidence_of = of_study(reads(traces.evidence_of))
    traces = of_study(reads(traces.traces))
    own_curves = of_study(reads(read.own_curves))
    content = of_study(reads(leasing.content_of))
    curve_arrays = of_study(reads(curve_arrays.curve_arrays))
    attempts = of_study(reads(read.attempt_rows))
    running = of_study(reads(read.now_running))
    is_behind = of_study(reads(read.is_behind))
