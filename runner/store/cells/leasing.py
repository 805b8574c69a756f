"""Claiming cells, and keeping the leases on them alive.

All SQL for it, each function one transaction's worth on a connection the caller opened. A claim is
one conditional UPDATE: exactly one claimer gets a cell, and with it a lease. Every later word about
the cell names the lease's token; when the cell has moved on, the word is refused.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from ablations.errors import InputError
from runner.content.cell import Cell
from runner.content.outcome import Advance, Reason
from runner.store.cells import liveness
from runner.store.cells.studies import StudyKey
from runner.store.columns.checked import UNREADABLE, DamagedValue
from runner.store.columns.states import AttemptState, State
from runner.store.columns.values import now, number
from runner.store.database.tables import IS_WAITING, attempts, cells, contents

LARGEST_STEP = 2**31 - 1
"""That the column of the progress takes; iterations of one's own may be more."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who claims: the process's name and what its attempts say of where they came from."""

    name: str
    slot: str
    device: str
    host: str
    pid: int
    owner: str  # runner.store.cells.liveness.owner()
    provenance: Mapping[str, Any]  # commit, dirty, versions, ...

    @staticmethod
    def here(name: str, slot: str, device: str, provenance: Mapping[str, Any]) -> Holder:
        """This process."""
        host, pid = socket.gethostname(), os.getpid()
        return Holder(name, slot, device, host, pid, liveness.owner(), provenance)


@dataclass(frozen=True, slots=True)
class Lease:
    """What a worker holds on a cell for as long as it beats."""

    study: str
    cell: Cell
    attempt: int  # its number within the cell: 1, 2, ...
    token: str  # fence: every word about this cell carries it
    seconds: float  # lost when it was not renewed for so long
    previous: Reason | None = None  # why the attempt before did not end with an outcome


class _Taken(NamedTuple):
    """The row of a cell that became a worker's."""

    id: int
    cell: str
    run_order: int
    claims: int
    round: int
    token: str
    reason: str | None


_TAKEN = tuple(cells.c[name] for name in _Taken._fields)


def new_token() -> str:
    """A fence nobody can guess or draw twice."""
    return secrets.token_hex(16)


def claim(
    connection: Connection,
    study: StudyKey,
    holder: Holder,
    tokens: Sequence[str],
    lease_seconds: float,
    prefer: Collection[str] = (),
    *,
    repeated: bool = False,
) -> list[Lease]:
    """Claim up to `len(tokens)` waiting cells in run order, those in `prefer` first.

    `repeated` says that a transaction with these tokens was tried before.

    Raises:
        InputError: the study was planned by a program whose cells have other identities.
    """
    taken: list[_Taken] = []
    if repeated and _is_made(connection, tokens):
        # Only the acknowledgement was lost. What others have taken away since then stays theirs,
        # also when that is all of it: the tokens are used up.
        ours = select(*_TAKEN).where(cells.c.token.in_(tokens), cells.c.state == State.RUNNING)
        taken = [_Taken(*row) for row in connection.execute(ours)]
    else:
        if prefer:
            taken = _take(connection, study.id, tokens, lease_seconds, prefer)
        if len(taken) < len(tokens):
            taken += _take(connection, study.id, tokens[len(taken) :], lease_seconds, None)
        if taken:
            connection.execute(
                insert(attempts).values(started=now(connection)),
                [
                    {
                        "study_id": study.id,
                        "cell_id": row.id,
                        "number": row.claims,
                        "round": row.round,
                        "token": row.token,
                        "state": AttemptState.RUNNING,
                        "worker": holder.name,
                        "slot": holder.slot,
                        "device": holder.device,
                        "host": holder.host,
                        "pid": holder.pid,
                        "owner": holder.owner,
                        "provenance": dict(holder.provenance),
                        "mirrored": False,
                    }
                    for row in taken
                ],
            )
    rows = connection.execute(
        select(contents.c.cell, contents.c.content).where(
            contents.c.study_id == study.id, contents.c.cell.in_([row.cell for row in taken])
        )
    )
    content = {row.cell: row.content for row in rows}
    return [
        Lease(
            study=study.name,
            cell=_checked(_planned(row, content.get(row.cell)), row.cell),
            attempt=row.claims,
            token=row.token,
            seconds=lease_seconds,
            previous=None if row.reason is None else Reason(row.reason),
        )
        for row in sorted(taken, key=lambda row: row.run_order)
    ]


def _is_made(connection: Connection, tokens: Sequence[str]) -> bool:
    """Whether a claim with these tokens was committed."""
    one = select(attempts.c.id).where(attempts.c.token.in_(tokens)).limit(1)
    return connection.scalar(one) is not None


def _take(
    connection: Connection,
    study_id: int,
    tokens: Sequence[str],
    lease_seconds: float,
    among: Collection[str] | None,
) -> list[_Taken]:
    """The one statement that makes waiting cells this worker's."""
    # A statement a cell and not one for all: each cell gets a token of its own.
    taken: list[_Taken] = []
    for token in tokens:
        first = (
            select(cells.c.id)
            .where(cells.c.study_id == study_id, IS_WAITING)
            .order_by(cells.c.run_order, cells.c.id)
            .limit(1)
            # Claimers that come at once each lock another row, instead of queueing for the first.
            # SQLite has one writer and needs no such clause.
            .with_for_update(skip_locked=True)
        )
        if among is not None:
            first = first.where(cells.c.cell.in_(among))
        # A CTE, because PostgreSQL may run a plain subquery with LIMIT more than once, and then
        # updates more rows than the limit.
        chosen = first.cte("chosen")
        row = connection.execute(
            update(cells)
            .where(cells.c.id == chosen.c.id)
            .values(
                state=State.RUNNING,
                token=token,
                claims=cells.c.claims + 1,
                beats=0,
                lease_seconds=lease_seconds,
                progress_epoch=None,
                progress_accuracy=None,
            )
            .returning(*_TAKEN)
        ).first()
        if row is None:
            break
        taken.append(_Taken(*row))
    return taken


def _planned(row: _Taken, content: str | None) -> Cell:
    """The cell of a row, made of its content."""
    if content is None:
        expected = f"its content in table {contents.name}"
        raise DamagedValue(cells.name, "cell", row.cell, expected, row.id)
    try:
        return Cell.from_json(content)
    except UNREADABLE:
        raise DamagedValue(contents.name, "content", content, "what the cell is made of") from None


def content_of(connection: Connection, study_id: int, cell: str) -> Cell:
    """What a cell of the study is; InputError where it has none of that id."""
    row = connection.execute(
        select(*_TAKEN, contents.c.content)
        .join(
            contents,
            and_(contents.c.study_id == cells.c.study_id, contents.c.cell == cells.c.cell),
            isouter=True,
        )
        .where(cells.c.study_id == study_id, cells.c.cell == cell)
    ).first()
    if row is None:
        raise InputError(f"the study has no cell {cell}")
    return _checked(_planned(_Taken(*row[:-1]), row.content), cell)


def _checked(cell: Cell, planned: str) -> Cell:
    if cell.id != planned:
        raise InputError(
            f"cell {planned} was planned by another version of the training code (here it is "
            f"{cell.id}): use the version that planned the study, or plan it again"
        )
    return cell


def beat(
    connection: Connection,
    leases: Collection[Lease],
    *,
    progress: Mapping[str, Advance] | None = None,
    lease_seconds: float | None = None,
) -> set[str]:
    """Renew all these leases in one transaction.

    Args:
        connection: A writing transaction.
        leases: What the worker holds.
        progress: Token to the newest epoch, for whoever watches the run.
        lease_seconds: New length of the leases; None leaves it as it was.

    Returns:
        Tokens that are refused: their cells were taken away, their work is in vain.
    """
    tokens = [lease.token for lease in leases]
    progress = progress or {}
    length = {} if lease_seconds is None else {"lease_seconds": lease_seconds}
    # Locked in one order everywhere, so that two transactions cannot wait for each other.
    alive = list(
        connection.scalars(
            select(cells.c.token)
            .where(cells.c.token.in_(tokens), cells.c.state == State.RUNNING)
            .order_by(cells.c.id)
            .with_for_update()
        )
    )
    # One statement for all that only beat, one with a list of values for those with news: most
    # beats of a run of long cells bring none.
    still = [token for token in alive if token not in progress]
    if still:
        connection.execute(
            update(cells).where(cells.c.token.in_(still)).values(beats=cells.c.beats + 1, **length)
        )
    moved = [token for token in alive if token in progress]
    if moved:
        connection.execute(
            update(cells)
            .where(cells.c.token == bindparam("of"))
            .values(
                beats=cells.c.beats + 1,
                progress_epoch=bindparam("epoch"),
                progress_accuracy=bindparam("accuracy"),
                **length,
            ),
            [
                {
                    "of": token,
                    "epoch": min(max(progress[token].step, 0), LARGEST_STEP),
                    "accuracy": number(progress[token].headline),
                }
                for token in moved
            ],
        )
    return set(tokens) - set(alive)
