"""How a worker ends its lease: with an outcome, with a reason, or by giving the cell back.

All SQL for it, each function one transaction's worth on a connection the caller opened. Each may be
repeated: a word that was accepted once and whose acknowledgement was lost is accepted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, inspect, select, update

from runner.content.outcome import Epoch, Outcome, Reason, Status
from runner.store.cells.policy import is_retried
from runner.store.columns.states import AttemptState, State
from runner.store.columns.values import clean, now, number
from runner.store.database.bulk import insert_rows, upsert
from runner.store.database.locks import postgresql_lock
from runner.store.database.tables import (
    OUTCOME_FLOATS,
    OUTCOME_INTEGERS,
    attempts,
    cells,
    epochs,
    evidence,
    points,
    responses,
)

MEASURED = tuple(one.name for one in fields(Epoch) if one.name != "epoch")
"""What an epoch's row holds beside its number."""


class LockedCell(NamedTuple):
    """A cell's row that nobody else changes before the transaction ends."""

    id: int
    round: int


def lock_cell(connection: Connection, token: str) -> LockedCell | None:
    """The running cell of a token; None when the cell moved on."""
    row = connection.execute(
        select(cells.c.id, cells.c.round)
        .where(cells.c.token == token, cells.c.state == State.RUNNING)
        .with_for_update()
    ).first()
    return None if row is None else LockedCell(*row)


def finish(connection: Connection, token: str, outcome: Outcome, *, log: str | None = None) -> bool:
    """Record how the training ended; False when refused, because the lease was lost.

    What failed or timed out is tried again where the policy says so, as by `fail`.
    """
    if outcome.status in (Status.FAILED, Status.TIMEOUT):
        reason = Reason.TIMEOUT if outcome.status is Status.TIMEOUT else Reason.BUG
        reason, detail = outcome.reason or reason, outcome.detail or ""
        return fail(connection, token, reason, detail, log=log) is not None
    # The token in the UPDATE's own condition is the fence: looked up beforehand, the cell could be
    # taken away between look and write.
    running = (cells.c.token == token, cells.c.state == State.RUNNING)
    if not complete(connection, running, token, outcome):
        # Accepted already, and only the acknowledgement was lost?
        return _attempt_state(connection, token) == AttemptState.COMPLETE
    end_attempt(connection, token, AttemptState.COMPLETE, outcome, log)
    return True


def _attempt_state(connection: Connection, token: str) -> str | None:
    return connection.scalar(select(attempts.c.state).where(attempts.c.token == token))


def complete(
    connection: Connection,
    which: Sequence[ColumnElement[bool]],
    token: str,
    outcome: Outcome,
) -> bool:
    """Write an outcome and its curve into the cell that fits `which`, if there is one.

    `token` becomes the attempt it came from. A complete cell is never completed again, so that its
    curve is the first.
    """
    cell_id = connection.scalar(
        update(cells)
        .where(*which)
        .values(
            state=State.COMPLETE,
            token=token,
            status=outcome.status,
            reason=None if outcome.reason is None else outcome.reason.value,
            detail=clean(outcome.detail),
            notes=list(outcome.notes),
            **{name: number(getattr(outcome, name)) for name in OUTCOME_FLOATS},
            **{name: getattr(outcome, name) for name in OUTCOME_INTEGERS}
            # 0 of a trainer of one's own, whose epochs only it knows.
            | {"epochs_budget": outcome.epochs_budget or None},
        )
        .returning(cells.c.id)
    )
    if cell_id is None:
        return False
    insert_rows(
        connection,
        epochs,
        [
            {"cell_id": cell_id, "epoch": one.epoch}
            | {name: number(getattr(one, name)) for name in MEASURED}
            for one in outcome.curve
        ],
    )
    insert_rows(
        connection,
        responses,
        [
            {"cell_id": cell_id, "name": name, "value": value}
            for name, value in outcome.responses.items()
        ],
    )
    insert_rows(
        connection,
        points,
        [
            {"cell_id": cell_id, "name": name, "step": one.step, "value": value}
            for one in {point.step: point for point in outcome.points}.values()
            for name, value in one.values.items()
        ],
    )
    if outcome.evidence:
        _make_evidence(connection)
        row = {"cell_id": cell_id, "evidence": dict(outcome.evidence)}
        connection.execute(upsert(connection, evidence).values(**row).on_conflict_do_nothing())
    return True


def _make_evidence(connection: Connection) -> None:
    """Make the table of evidence where it is missing; safe for several workers at once."""
    if inspect(connection).has_table(evidence.name):
        return
    postgresql_lock(connection)
    evidence.create(connection, checkfirst=True)


def end_attempt(
    connection: Connection,
    token: str,
    state: AttemptState,
    outcome: Outcome,
    log: str | None,
) -> None:
    """Write into the attempt how it ended."""
    connection.execute(
        update(attempts)
        .where(attempts.c.token == token)
        .values(
            state=state,
            status=outcome.status,
            reason=None if outcome.reason is None else outcome.reason.value,
            detail=clean(outcome.detail),
            seconds=number(outcome.seconds),
            ended=now(connection),
            log=attempts.c.log if log is None else log,
        )
    )


def fail(
    connection: Connection,
    token: str,
    reason: Reason,
    detail: str,
    *,
    retry: bool = True,
    log: str | None = None,
) -> State | None:
    """End the attempt without an outcome.

    Args:
        connection: A writing transaction.
        token: The lease's.
        reason: Why.
        detail: One line for a person.
        retry: False gives the cell up whatever the policy says.
        log: File that holds what the cell printed.

    Returns:
        `State.WAITING` when the policy tries the cell again, `State.FAILED` when it is given up,
        None when refused, because the lease was lost.
    """
    cell = lock_cell(connection, token)
    if cell is None:
        ended = connection.execute(
            select(attempts.c.state, cells.c.state.label("cell_state"), cells.c.token)
            .join(cells, cells.c.id == attempts.c.cell_id)
            .where(attempts.c.token == token)
        ).first()
        if ended is None or ended.state != AttemptState.FAILED:
            return None
        # Only the acknowledgement was lost; others may have claimed the cell since then.
        given_up = ended.token == token and ended.cell_state == State.FAILED
        return State.FAILED if given_up else State.WAITING
    return give_back(connection, cell, token, AttemptState.FAILED, reason, detail, retry, log)


def give_back(
    connection: Connection,
    cell: LockedCell,
    token: str,
    ended_as: AttemptState,
    reason: Reason,
    detail: str,
    retry: bool,
    log: str | None,
) -> State:
    """End an attempt without an outcome; the policy says whether its cell waits again."""
    status = Status.TIMEOUT if reason is Reason.TIMEOUT else Status.FAILED
    # The attempt first: the count below includes it. The cell is locked, so that two endings of
    # its attempts cannot each count without the other.
    end_attempt(connection, token, ended_as, Outcome(status, reason=reason, detail=detail), log)
    ended = connection.scalar(
        select(func.count())
        .select_from(attempts)
        .where(
            attempts.c.cell_id == cell.id,
            attempts.c.round == cell.round,
            attempts.c.reason == reason,
            attempts.c.state.in_((AttemptState.FAILED, AttemptState.LOST)),
        )
    )
    again = retry and is_retried(reason, ended or 0)
    state = State.WAITING if again else State.FAILED
    connection.execute(
        update(cells)
        .where(cells.c.id == cell.id)
        .values(
            state=state,
            status=None if again else status,
            reason=reason,  # kept while it waits: the next claim is told
            detail=clean(detail),
        )
    )
    return state


def release(
    connection: Connection,
    token: str,
    *,
    log: str | None = None,
    reason: Reason = Reason.INTERRUPTED,
    detail: str = "given back unfinished",
) -> bool:
    """Put back a cell that is not to blame; its attempt is not counted. False when refused."""
    cell = lock_cell(connection, token)
    if cell is None:
        return _attempt_state(connection, token) == AttemptState.RELEASED
    outcome = Outcome(Status.FAILED, reason=reason, detail=detail)
    end_attempt(connection, token, AttemptState.RELEASED, outcome, log)
    connection.execute(update(cells).where(cells.c.id == cell.id).values(state=State.WAITING))
    return True
