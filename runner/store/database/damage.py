"""Which row of the store is damaged: looked for once a value was met that the store never writes.

Reads only. Names what a person knows a row by: its study, its cell, the number of its attempt.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, select, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType

from runner.store.columns.checked import DamagedValue
from runner.store.database.outages import StoreDamaged
from runner.store.database.tables import (
    attempts,
    cells,
    contents,
    epochs,
    evidence,
    points,
    responses,
    specs,
    studies,
)

SHOWN = 40
"""Characters of a damaged value that are shown."""

NOT_WHOLE = ("no such table", "no such column", "Could not decode to UTF-8")
"""How SQLite begins to say that a table is not as it was made, or that a text is none."""
UNDEFINED = ("42P01", "42703")
"""PostgreSQL's SQLSTATEs for a table, and a column, that are not there."""

TABLES: dict[str, tuple[Table, dict[str, Column[Any]]]] = {
    studies.name: (studies, {}),
    specs.name: (specs, {"specification": specs.c.digest}),
    cells.name: (cells, {"cell": cells.c.cell}),
    contents.name: (contents, {"cell": contents.c.cell}),
    attempts.name: (attempts, {"attempt": attempts.c.number, "cell": cells.c.cell}),
    epochs.name: (epochs, {"epoch": epochs.c.epoch, "cell": cells.c.cell}),
    evidence.name: (evidence, {"cell": cells.c.cell}),
    responses.name: (responses, {"response": responses.c.name, "cell": cells.c.cell}),
    points.name: (points, {"step": points.c.step, "cell": cells.c.cell}),
}
"""Of each table, what a row is known by beside its study."""


def is_damage(error: Exception) -> bool:
    """Whether the database answered that a table or a text is not what it was made as."""
    if not isinstance(error, DBAPIError):
        return False
    if getattr(error.orig, "sqlstate", None) in UNDEFINED:
        return True
    return str(error.orig).startswith(NOT_WHOLE)


def damage_words(connection: Connection, met: DamagedValue, study: int | None) -> str:
    """The row that holds the value, what it holds and what was expected.

    Args:
        connection: A reading transaction.
        met: What could not be read.
        study: Number of the study that was read; None: any.
    """
    shown = repr(met.value)
    shown = shown if len(shown) <= SHOWN else f"{shown[: SHOWN - 1]}…"
    try:
        row = next(_rows(connection, met, study), f"table {met.table}")
    except DBAPIError:  # where one row is damaged the rest of the table may be torn
        row = f"table {met.table}"
    return f"{row}, {met.column} is {shown}; expected {met.expected}"


def _rows(connection: Connection, met: DamagedValue, study: int | None) -> Iterator[str]:
    """Rows with the damaged value; those of the study before those of others."""
    table, known_by = TABLES[met.table]
    names = [_raw(studies.c.name), *map(_raw, known_by.values())]
    statement = _with_study(table, select(_raw(table.c[met.column]), *names))
    if met.row is not None:
        statement = statement.where(table.c.id == met.row)
    within = [] if study is None else [statement.where(studies.c.id == study)]
    for one in (*within, statement):
        for value, name, *keys in connection.execute(one):
            if met.row is not None or value == met.value:
                row = " of ".join(f"{word} {key}" for word, key in zip(known_by, keys, strict=True))
                yield f"table {table.name}, {f'{row} of ' if row else ''}study {name}"


def _raw(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """What the driver gives, whatever it is."""
    return type_coerce(column, NullType())


def _with_study(table: Table, statement: Select[Any]) -> Select[Any]:
    """The statement over the table, its cells where it has some, and their studies."""
    if table is studies:
        return statement.select_from(studies)
    joined: Any = table
    if "cell_id" in table.c:
        joined = joined.outerjoin(cells, cells.c.id == table.c.cell_id)
    owner = table if "study_id" in table.c else cells
    return statement.select_from(joined.outerjoin(studies, studies.c.id == owner.c.study_id))


def damaged(where: object, words: str) -> StoreDamaged:
    """The one error for a store whose content is not what was written."""
    return StoreDamaged(f"the store {where} is damaged: {words}; restore it from a copy")
