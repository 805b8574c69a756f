"""Taking the outcome of a cell that another study of the store has trained already.

A cell is its content, and the store may hold one content in several studies. The adopting study
gets a complete cell and a copy of the attempt that trained it, with its provenance; the curve is
not copied but read where it lies (`cells.adopted_from`). When a content may be taken although its
hash says neither device nor plugin code: docs/decisions/034.

All SQL for it, each function one transaction's worth on a connection the caller opened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, String, bindparam, cast, func, insert, literal, select, update

from runner.store.columns.states import State
from runner.store.database.tables import OUTCOME_FLOATS, OUTCOME_INTEGERS, attempts, cells, studies

Kind = Literal["cpu", "cuda"]

CPU = "cpu"
"""What attempts name the CPU; every other device is a CUDA device, by its uuid."""

COPIED = ("status", "reason", "detail", "notes", *OUTCOME_FLOATS, *OUTCOME_INTEGERS)

origin = cells.alias("origin")
origin_study = studies.alias("origin_study")
"""Where an adopted cell was trained: for outer joins by `cells.adopted_from`."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A complete cell of another study."""

    id: int  # in the table of cells
    study: str


def trained_elsewhere(
    connection: Connection, study: str, kind: Kind | None = None
) -> dict[str, Trained]:
    """Cell id to where it was trained first, of every cell complete in another study.

    Args:
        connection: A reading transaction.
        study: The study that plans.
        kind: Only what was trained on this kind of device; None: on any.
    """
    rows = connection.execute(select(studies.c.id, studies.c.name).where(studies.c.name != study))
    others = {row.id: row.name for row in rows}
    if not others:
        return {}
    statement = (
        select(cells.c.cell, cells.c.id, cells.c.study_id)
        .where(
            cells.c.study_id.in_(list(others)),
            cells.c.state == State.COMPLETE,
            cells.c.adopted_from.is_(None),
        )
        .order_by(cells.c.id.desc())
    )
    if kind is not None:
        on_cpu = attempts.c.device == CPU
        statement = statement.join(attempts, attempts.c.token == cells.c.token).where(
            on_cpu if kind == "cpu" else ~on_cpu
        )
    return {
        row.cell: Trained(row.id, others[row.study_id]) for row in connection.execute(statement)
    }


def adopt(connection: Connection, study_id: int, wanted: Mapping[str, Trained]) -> Counter[str]:
    """Complete those of the wanted cells that wait in this study; counts them by origin."""
    waiting = connection.execute(
        select(cells.c.id, cells.c.cell)
        .where(
            cells.c.study_id == study_id,
            cells.c.cell.in_(list(wanted)),
            cells.c.state == State.WAITING,
        )
        .order_by(cells.c.id)  # locked in one order, so that two launchers do not deadlock
        .with_for_update()
    ).all()
    if not waiting:
        return Counter()
    ids = [row.id for row in waiting]
    # First where each comes from, then all outcomes in one statement that joins along it.
    connection.execute(
        update(cells).where(cells.c.id == bindparam("of")).values(adopted_from=bindparam("there")),
        [{"of": row.id, "there": wanted[row.cell].id} for row in waiting],
    )
    connection.execute(
        update(cells)
        .where(cells.c.id.in_(ids), origin.c.id == cells.c.adopted_from)
        .values(
            state=State.COMPLETE,
            token=literal("adopted-") + cast(cells.c.id, String),  # tokens are unique in the table
            claims=cells.c.claims + 1,
            **{name: origin.c[name] for name in COPIED},
        )
    )
    _copy_attempts(connection, ids)
    return Counter(wanted[row.cell].study for row in waiting)


def _copy_attempts(connection: Connection, ids: Collection[int]) -> None:
    """Give adopted cells the attempt that trained them, to be mirrored as a trial of their own."""
    own = {
        "study_id": cells.c.study_id,
        "cell_id": cells.c.id,
        "number": cells.c.claims,
        "round": cells.c.round,
        "token": cells.c.token,
        "trial_id": literal(None, attempts.c.trial_id.type),
        "mirrored": literal(False),
    }
    copied = [column for column in attempts.c if column.name not in (*own, "id")]
    connection.execute(
        insert(attempts).from_select(
            [*own, *(column.name for column in copied)],
            select(*own.values(), *copied)
            .select_from(cells)
            .join(origin, origin.c.id == cells.c.adopted_from)
            .join(attempts, attempts.c.token == origin.c.token)
            .where(cells.c.id.in_(ids)),
        )
    )


def adopted(connection: Connection, study_id: int) -> dict[str, int]:
    """Other studies to how many of this one's planned cells were trained there."""
    rows = connection.execute(
        select(origin_study.c.name, func.count().label("n"))
        .select_from(cells)
        .join(origin, origin.c.id == cells.c.adopted_from)
        .join(origin_study, origin_study.c.id == origin.c.study_id)
        .where(cells.c.study_id == study_id, cells.c.planned, cells.c.adopted_from.is_not(None))
        .group_by(origin_study.c.name)
        .order_by(origin_study.c.name)
    )
    return {row.name: row.n for row in rows}
