"""The store: studies, their cells and everything that happens to them, in one SQL database.

`Store` holds the connections; what it does is in `study`, `claims`, `recovery` and `read`: this
file is long because it is their one public face, not because it does much itself. Several processes
on several machines may use one store at once. Every method may be called from any thread, waits
out an outage of the database up to its patience, and then raises `StoreUnavailable`.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ablations.errors import InputError
from runner.content.cell import Cell, Level
from runner.content.outcome import Epoch, Outcome, Reason
from runner.content.outcome_files import finished
from runner.store import read
from runner.store.cells import adoption, endings, leasing, liveness, planning, recovery
from runner.store.cells.adoption import Kind
from runner.store.cells.leasing import Lease, State, Worker, new_token
from runner.store.cells.planning import Planned, StudyInfo
from runner.store.database.address import Address, resolve_address
from runner.store.database.connections import READ_PATIENCE, WRITE_PATIENCE, Database
from runner.store.database.schema import prepare
from runner.store.database.tables import studies

if TYPE_CHECKING:
    import numpy as np


Study = str | StudyInfo
"""A study's full name, or what `register` or `find_study` returned."""


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
            `results/ablations.db`.
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
        self._ids: dict[str, int] = {}
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

    # -- studies and their design ------------------------------------------------------------

    def register(
        self,
        *,
        name: str,
        profile: str,
        spec: Mapping[str, Any],
        factors: Mapping[str, Sequence[Level]],
        replicates: int,
        claims: Sequence[str] = (),
    ) -> StudyInfo:
        """Make the study, or bring it up to the specification as it is now.

        Args:
            name: Full name of the study.
            profile: Profile it is run with.
            spec: The resolved specification as JSON values; kept as it is.
            factors: Varied factors with their levels, both in the order of the specification.
            replicates: How many.
            claims: Planned comparisons, as written.
        """
        self.database.write(
            lambda connection: planning.register(
                connection,
                name=name,
                profile=profile,
                spec=spec,
                factors=factors,
                replicates=replicates,
                claims=claims,
            )
        )
        return self.find_study(name)

    def plan(
        self, study_: Study, design: Iterable[tuple[Cell, int]], *, kind: Kind | None = None
    ) -> Planned:
        """Bring the study's cells up to its design: (cell, place in the run order) of each.

        A waiting cell that another study has trained is completed by that outcome.

        Args:
            study_: Whose design.
            design: Its cells.
            kind: Take only outcomes of this kind of device; None: of any.
        """
        return planning.plan(self.database, self._id(study_), _name(study_), design, kind)

    def adoptable(
        self, study_: Study, design: Iterable[Cell], *, kind: Kind | None = None
    ) -> dict[str, int]:
        """What `plan` would take from other studies (name to cells); changes nothing.

        The study need not be registered.
        """
        return planning.adoptable(self.database, _name(study_), design, kind)

    def adopted(self, study_: Study) -> dict[str, int]:
        """Other studies to how many of this one's planned cells were trained there."""
        study_id = self._id(study_)
        return self.database.read(lambda connection: adoption.adopted(connection, study_id))

    def studies(self) -> list[StudyInfo]:
        """Every study, oldest first."""
        return self.database.read(planning.all_studies)

    def find_study(self, prefix: str) -> StudyInfo:
        """The study of that name, or the only one whose name begins so; InputError otherwise."""
        return planning.find(self.studies(), prefix, str(self.address))

    # -- the life of a cell --------------------------------------------------------------------

    def claim(
        self,
        study_: Study,
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
            study_: Whose cells.
            worker: Name of the claiming process, for people.
            lease_seconds: The lease runs out when it is not renewed for so long.
            slot: Name of the slot.
            device: Name of the device.
            provenance: Commit, dirty flag, versions, ...: kept with the attempt.
            prefer: Cells to take first when they wait, e.g. those with a checkpoint here.
        """
        found = self.claim_many(
            study_,
            worker,
            1,
            lease_seconds=lease_seconds,
            slot=slot,
            device=device,
            provenance=provenance,
            prefer=prefer,
        )
        return found[0] if found else None

    def claim_many(
        self,
        study_: Study,
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
        who = Worker(
            name=worker,
            slot=slot,
            device=device,
            host=socket.gethostname(),
            pid=os.getpid(),
            owner=liveness.owner(),
            provenance=provenance or {},
        )
        of = (self._id(study_), _name(study_))
        tokens = [new_token() for _ in range(limit)]  # the same ones when an outage repeats it
        tries = count()
        return self.database.write(
            lambda connection: leasing.claim(
                connection, of, who, tokens, lease_seconds, prefer, repeated=next(tries) > 0
            )
        )

    def beat(
        self,
        held: Iterable[Lease],
        *,
        progress: Mapping[str, Epoch] | None = None,
        lease_seconds: float | None = None,
    ) -> set[str]:
        """Renew the leases of all `held` in one transaction.

        Args:
            held: The leases.
            progress: Token to the newest epoch, for whoever watches the run.
            lease_seconds: New length of the leases; None leaves it as it was claimed.

        Returns:
            Tokens that are refused: their cells were taken away, their work is in vain.
        """
        tokens = [lease.token for lease in held]
        if not tokens:
            return set()
        return self.database.write(
            lambda connection: leasing.beat(connection, tokens, progress or {}, lease_seconds)
        )

    def finish(self, lease: Lease, outcome: Outcome, *, log: str | None = None) -> bool:
        """Record how the training ended; False when refused, because the lease was lost.

        An outcome that failed or timed out is handed to `fail`.
        """
        if outcome.status in (outcome.status.FAILED, outcome.status.TIMEOUT):
            timed_out = outcome.status is outcome.status.TIMEOUT
            reason = outcome.reason or (Reason.TIMEOUT if timed_out else Reason.BUG)
            return self.fail(lease, reason, outcome.detail or "", log=log) is not None
        return self.database.write(
            lambda connection: endings.finish(connection, lease.token, outcome, log)
        )

    def fail(
        self,
        lease: Lease,
        reason: Reason,
        detail: str,
        *,
        retry: bool = True,
        log: str | None = None,
    ) -> State | None:
        """End the attempt without an outcome.

        Returns:
            `State.WAITING` when the policy tries the cell again, `State.FAILED` when it is given
            up (always with `retry=False`), None when refused, because the lease was lost.
        """
        return self.database.write(
            lambda connection: endings.fail(
                connection, lease.token, reason, detail, retry=retry, log=log
            )
        )

    def release(
        self,
        lease: Lease,
        *,
        log: str | None = None,
        reason: Reason = Reason.INTERRUPTED,
        detail: str = "given back unfinished",
    ) -> bool:
        """Put back a cell that is not to blame; its attempt is not counted. False when refused."""
        return self.database.write(
            lambda connection: endings.release(
                connection, lease.token, log, reason=reason, detail=detail
            )
        )

    def reconcile(self, study_: Study, folder: Path | None = None) -> Repaired:
        """Put right what crashes left: unreported outcome files, leases of vanished workers.

        To be called at start-up and every few seconds (at least four times a lease): leases are
        judged by what this process sees between its calls.

        Args:
            study_: Whose cells.
            folder: Where this machine's outcome files lie; what they say is adopted first.
        """
        adopted = self._adopt(study_, folder) if folder is not None and folder.is_dir() else ()
        study_id = self._id(study_)
        # With the right to write, though it only reads: while another program withholds it nobody
        # can beat, and a look that waits as they do takes none of them for dead.
        held = self.database.write(lambda connection: recovery.running(connection, study_id))
        with self._lock:
            watch = self._watches.setdefault(study_id, liveness.Watch(self._clock))
        expired = watch.expired((row.token, row.beats, row.lease_seconds) for row in held)
        owners = {row.owner for row in held}  # far fewer than cells, and each is looked up in /proc
        dead = {owner for owner in owners if liveness.is_gone(owner)}
        gone = [row for row in held if row.token in expired or row.owner in dead]
        if not gone:
            return Repaired(adopted, {})
        lost = self.database.write(lambda connection: recovery.lose(connection, gone, expired))
        return Repaired(adopted, lost)

    def _adopt(self, study_: Study, folder: Path) -> tuple[str, ...]:
        study_id = self._id(study_)
        adopted = []
        for found in finished(folder):
            one = partial(
                recovery.adopt,
                study_id=study_id,
                cell=found.cell,
                token=found.token,
                outcome=found.outcome,
            )
            became = self.database.write(one)
            if became is recovery.Found.ADOPTED:
                adopted.append(found.cell)
            elif became is recovery.Found.NEEDLESS:
                found.path.unlink(missing_ok=True)
        return tuple(adopted)

    def retry(
        self,
        study_: Study,
        reasons: Collection[Reason] | None = None,
        *,
        cells: Collection[str] | None = None,
    ) -> int:
        """Send failed cells back to wait: all, or those of these reasons or these cell ids."""
        study_id = self._id(study_)
        return self.database.write(
            lambda connection: recovery.retry(connection, study_id, reasons, cells)
        )

    # -- reading ---------------------------------------------------------------------------------

    def status(self, study_: Study) -> read.Counts:
        """Counts of planned cells by state, status, reason and replicate."""
        study_id = self._id(study_)
        return self.database.read(lambda connection: read.counts(connection, study_id))

    def open_cells(self, study_: Study) -> int:
        """How many planned cells still wait or run."""
        study_id = self._id(study_)
        return self.database.read(lambda connection: read.open_cells(connection, study_id))

    def complete_among(self, study_: Study, cells_: Collection[str]) -> set[str]:
        """Those of these cell ids that are complete."""
        study_id = self._id(study_)
        return self.database.read(
            lambda connection: read.complete_among(connection, study_id, cells_)
        )

    def runs(
        self,
        study_: Study,
        *,
        state: State | None = None,
        beginning: str = "",
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """One row a planned cell, in run order; factors as `factor:NAME` columns.

        Args:
            study_: Whose cells.
            state: Only cells that stand so.
            beginning: Only cells whose id begins so.
            limit: Only the first so many.
        """
        study_id = self._id(study_)
        return self.database.read(
            lambda connection: read.runs(connection, study_id, state, beginning, limit)
        )

    def curves(self, study_: Study, cell: str | None = None) -> dict[str, list[Any]]:
        """Learning curves as columns of equal length: `cell`, then the fields of `Epoch`.

        Of all planned cells, or of one when its id is given.
        """
        study_id = self._id(study_)
        return self.database.read(lambda connection: read.curves(connection, study_id, cell))

    def curve_arrays(self, study_: Study) -> dict[str, np.ndarray]:
        """`curves` as NumPy arrays, NaN for what is missing: for a million epochs."""
        from runner.store.curve_arrays import curve_arrays

        study_id = self._id(study_)
        return self.database.read(lambda connection: curve_arrays(connection, study_id))

    def attempts(self, study_: Study, cell: str | None = None) -> list[dict[str, Any]]:
        """Every attempt with its provenance, oldest first; of one cell when its id is given."""
        study_id = self._id(study_)
        return self.database.read(lambda connection: read.attempt_rows(connection, study_id, cell))

    def running(self, study_: Study) -> list[dict[str, Any]]:
        """The cells that train now, with epoch and accuracy as last beaten."""
        study_id = self._id(study_)
        return self.database.read(lambda connection: read.now_running(connection, study_id))

    def ranked(self, study_: Study, n: int = 3, *, best: bool = True) -> list[dict[str, Any]]:
        """The `n` complete cells with the highest (or lowest) test accuracy."""
        study_id = self._id(study_)
        return self.database.read(
            lambda connection: read.ranked(connection, study_id, n, best=best)
        )

    def is_behind(self, study_: Study) -> bool:
        """Whether attempts have no Optuna trial yet, or one that was not told their end."""
        study_id = self._id(study_)
        return self.database.read(lambda connection: read.is_behind(connection, study_id))

    def _id(self, study_: Study) -> int:
        name = _name(study_)
        if name not in self._ids:
            found = self.database.read(
                lambda connection: connection.scalar(
                    select(studies.c.id).where(studies.c.name == name)
                )
            )
            if found is None:
                raise InputError(f"no study {name!r} in {self.address}")
            self._ids[name] = found
        return self._ids[name]


def _name(study_: Study) -> str:
    return study_ if isinstance(study_, str) else study_.name
