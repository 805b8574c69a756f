"""Many rows in one statement: what a curve of 30 epochs or a batch of trials costs is round trips.

PostgreSQL gets one array a column; SQLite, which has no round trips, the driver's own loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Float, Insert, TableClause, bindparam, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine


def upsert(connection: Connection, table: TableClause) -> postgresql.Insert | sqlite.Insert:
    """An INSERT of the connection's database that can say ON CONFLICT."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def insert_rows(
    connection: Connection,
    table: TableClause,
    rows: Sequence[Mapping[str, Any]],
    *,
    same: tuple[tuple[str, Any], ...] = (),
    keep: bool = False,
) -> None:
    """Insert rows that all have the same columns, as many as there are in one statement.

    Args:
        connection: A writing transaction.
        table: With the types of its columns.
        rows: Column to value.
        same: Columns, and their values, that are the same in all rows.
        keep: Leave rows as they are that are there already.
    """
    if not rows:
        return
    names = tuple(rows[0])
    if connection.dialect.name != "postgresql":
        insertion = sqlite.insert(table)
        statement = insertion.on_conflict_do_nothing() if keep else insertion
        connection.execute(statement, [{**row, **dict(same)} for row in rows])
        return
    columns = {
        name: _alike([row[name] for row in rows], _is_float(table.c[name].type)) for name in names
    }
    connection.execute(_from_arrays(table, names, same, keep), columns)


def _is_float(kind: TypeEngine[Any]) -> bool:
    return isinstance(getattr(kind, "impl", kind), Float)


def _alike(values: list[Any], floats: bool) -> list[Any]:
    """An array has one type: a 0 among accuracies is 0.0."""
    return [None if value is None else float(value) for value in values] if floats else values


@lru_cache(maxsize=64)
def _from_arrays(
    table: TableClause, names: tuple[str, ...], same: tuple[tuple[str, Any], ...], keep: bool
) -> Insert:
    arrays = [bindparam(name, type_=postgresql.ARRAY(table.c[name].type)) for name in names]
    unnested = func.unnest(*arrays).table_valued(*names).render_derived()
    fixed = [literal(value, table.c[name].type) for name, value in same]
    insertion = postgresql.insert(table).from_select(
        [*names, *(name for name, _ in same)], select(*unnested.c, *fixed)
    )
    return insertion.on_conflict_do_nothing() if keep else insertion
