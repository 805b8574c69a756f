"""What is done to a cell without its worker: lost leases, outcomes found on disk, `retry`.

All SQL for it, each function one transaction's worth on a connection the caller opened. Decides
nothing about who is alive: that is `liveness`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum, auto
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from runner.content.outcome import Reason, Status
from runner.content.outcome_files import OutcomeFile
from runner.store.cells.endings import (
    LockedCell,
    complete,
    end_attempt,
    finish,
    give_back,
    release,
)
from runner.store.cells.leasing import new_token
from runner.store.columns.states import AttemptState, State
from runner.store.database.tables import IS_RUNNING, attempts, cells


class RunningCell(NamedTuple):
    """A cell that trains: its lease as it was last renewed, and who holds it."""

    cell: str
    token: str
    beats: int
    lease_seconds: float
    owner: str  # the holder's process: `liveness.owner`
    worker: str


def running_cells(connection: Connection, study_id: int) -> list[RunningCell]:
    """Every running cell of a study."""
    rows = connection.execute(
        select(
            cells.c.cell,
            cells.c.token,
            cells.c.beats,
            cells.c.lease_seconds,
            attempts.c.owner,
            attempts.c.worker,
        )
        .join(attempts, attempts.c.token == cells.c.token)
        .where(cells.c.study_id == study_id, IS_RUNNING)
        .order_by(cells.c.id)
    )
    return [RunningCell(*row) for row in rows]


def lose(
    connection: Connection, gone: Iterable[RunningCell], expired: Collection[str]
) -> dict[str, State]:
    """Take cells from workers that vanished; returns what each cell is now.

    A cell that has beaten since its row was read is kept. A lease in `expired` counts towards
    giving the cell up, which may be what takes its machines down. Of the others the process alone
    is gone from a machine that lives: whoever ended it decides whether to start again, and the cell
    is charged nothing.
    """
    lost: dict[str, State] = {}
    for one in gone:
        # Token and beats as they were seen: whoever has beaten or ended since then is alive. A row
        # that is locked is being beaten or ended at this moment.
        row = connection.execute(
            select(cells.c.id, cells.c.round)
            .where(
                cells.c.token == one.token,
                cells.c.state == State.RUNNING,
                cells.c.beats == one.beats,
            )
            .with_for_update(skip_locked=True)
        ).first()
        if row is None:
            continue
        cell, detail = LockedCell(*row), f"worker {one.worker} vanished"
        if one.token in expired:
            lost[one.cell] = give_back(
                connection, cell, one.token, AttemptState.LOST, Reason.LOST, detail, True, None
            )
        else:
            release(connection, one.token, reason=Reason.LOST, detail=detail)
            lost[one.cell] = State.WAITING
    return lost


class Fate(Enum):
    """What becomes of an outcome file that a pass finds on disk."""

    ADOPTED = auto()  # the store holds it now
    NEEDLESS = auto()  # it says nothing that the store lacks: the file can go
    LEFT = auto()  # of a cell that another attempt trains by now, or that is not planned here


def adopt_file(connection: Connection, study_id: int, file: OutcomeFile) -> Fate:
    """Record an outcome found on disk whose attempt could not report it itself.

    Taken when the attempt was the cell's last and no outcome is known; when the attempt had been
    given up meanwhile, the outcome is recorded as an attempt of its own. One that was stopped at
    its time limit stays timed out.
    """
    token, outcome = file.token, file.outcome
    row = connection.execute(
        select(*(cells.c[name] for name in ("id", "state", "claims", "round", "token")))
        .where(cells.c.study_id == study_id, cells.c.cell == file.cell)
        .with_for_update()
    ).first()
    if row is None:
        return Fate.LEFT
    failed = outcome.status in (Status.FAILED, Status.TIMEOUT)
    if row.state == State.COMPLETE or (failed and row.state != State.RUNNING):
        return Fate.NEEDLESS
    if row.token != token:
        return Fate.NEEDLESS if failed else Fate.LEFT
    if row.state == State.RUNNING:
        finish(connection, token, outcome)
        return Fate.ADOPTED
    last = connection.execute(select(attempts).where(attempts.c.token == token)).one()._asdict()
    if last["reason"] == Reason.TIMEOUT:
        return Fate.NEEDLESS
    # The attempt was given up, and counted so, before its outcome was found: history is not
    # rewritten, the outcome becomes an attempt of its own with that one's provenance.
    fresh = new_token()
    again = {
        **last,
        "number": row.claims + 1,
        "round": row.round,
        "token": fresh,
        "trial_id": None,
        "mirrored": False,
    }
    del again["id"]
    connection.execute(insert(attempts).values(again))
    connection.execute(update(cells).where(cells.c.id == row.id).values(claims=cells.c.claims + 1))
    complete(connection, (cells.c.id == row.id,), fresh, outcome)
    end_attempt(connection, fresh, AttemptState.COMPLETE, outcome, None)
    return Fate.ADOPTED


def retry(
    connection: Connection,
    study_id: int,
    reasons: Collection[Reason] | None = None,
) -> int:
    """Send failed cells back to wait, with a fresh count of attempts; returns how many.

    All of them, or those that failed for `reasons`.
    """
    where = [cells.c.study_id == study_id, cells.c.state == State.FAILED, cells.c.planned]
    if reasons is not None:
        where.append(cells.c.reason.in_([reason.value for reason in reasons]))
    done = connection.execute(
        update(cells)
        .where(*where)
        .values(state=State.WAITING, status=None, round=cells.c.round + 1)
    )
    return done.rowcount
