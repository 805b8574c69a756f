"""A study taken from one store into another: to go on elsewhere, or to keep with what is published.

Rows are copied as they are, but for what belongs to the store they lie in: numbers of rows are
drawn anew, leases and the Optuna mirror stay behind. A cell that is being trained there waits here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Table, insert, inspect, or_, select, update

from ablations.errors import InputError
from runner.store.cells.leasing import new_token
from runner.store.columns.states import AttemptState, State
from runner.store.database.bulk import insert_rows
from runner.store.database.connections import Database
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

CHUNK = 500
"""Cells that are read in one transaction, with all that belongs to them."""

OF_A_CELL = (epochs, responses, points, evidence)
"""What lies beside a cell's row, by its number."""

MADE_LATE = (specs, evidence)
"""Tables that the first row makes, so that a store may be without."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: names of studies, cells, and how many of those are complete."""

    studies: tuple[str, ...]
    cells: int
    complete: int


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Some cells of a study with everything that belongs to them."""

    cells: list[Row]
    contents: list[Row]
    attempts: list[Row]
    beside: dict[str, list[Row]]  # table of OF_A_CELL to its rows, under their cell's own number


def copy_study(source: Database, target: Database, name: str) -> Copied:
    """Copy a study, and those under its name (`NAME/tune/...`, `NAME/given`), in one transaction.

    The source may be in use: each cell is copied as it stood at one moment.

    Raises:
        InputError: the target has a study of one of these names.
    """
    rows = source.read(lambda connection: _studies(connection, name))
    late = source.read(lambda connection: set(inspect(connection).get_table_names()))

    def write(connection: Connection) -> Copied:
        names = [row["name"] for row, _ in rows]
        taken = connection.scalars(select(studies.c.name).where(studies.c.name.in_(names))).all()
        if taken:
            raise InputError(f"the other store has a study {sorted(taken)[0]!r} already")
        for table in MADE_LATE:
            if table.name in late:
                table.create(connection, checkfirst=True)
        numbers: dict[int, int] = {}  # of a cell there to here
        adopted: dict[int, int] = {}  # of a cell there to that of its origin there
        complete = 0
        for row, versions in rows:
            values = {key: value for key, value in row.items() if key != "id"}
            made = insert(studies).values(**values).returning(studies.c.id)
            study = connection.execute(made).scalar_one()
            insert_rows(connection, specs, versions, same=(("study_id", study),))
            for chunk in _chunks(source, row["id"]):
                complete += sum(one["state"] == State.COMPLETE for one in chunk.cells)
                adopted |= {
                    one["id"]: one["adopted_from"] for one in chunk.cells if one["adopted_from"]
                }
                numbers |= _insert(connection, study, chunk)
        _join_origins(connection, source, numbers, adopted)
        return Copied(tuple(names), len(numbers), complete)

    return target.write(write)


def _studies(connection: Connection, name: str) -> list[tuple[Row, list[Row]]]:
    """The rows of the study and of those under it, each with its specifications."""
    mine = or_(studies.c.name == name, studies.c.name.startswith(f"{name}/", autoescape=True))
    has_specs = inspect(connection).has_table(specs.name)
    found = []
    for row in _rows(connection, select(studies).where(mine).order_by(studies.c.id)):
        versions = select(specs).where(specs.c.study_id == row["id"])
        kept = _rows(connection, versions) if has_specs else []
        for one in kept:
            del one["study_id"]
        found.append((row, kept))
    return found


def _chunks(source: Database, study: int) -> Iterator[_Chunk]:
    """The study's cells in the order of their numbers, each chunk as it stands at one moment."""
    last = 0
    while True:
        chunk = source.read(partial(_chunk, study=study, after=last))
        if not chunk.cells:
            return
        yield chunk
        last = chunk.cells[-1]["id"]


def _chunk(connection: Connection, study: int, after: int) -> _Chunk:
    some = _rows(
        connection,
        select(cells)
        .where(cells.c.study_id == study, cells.c.id > after)
        .order_by(cells.c.id)
        .limit(CHUNK),
    )
    ids = [one["id"] for one in some]
    named = [one["cell"] for one in some]
    ended = attempts.c.state != AttemptState.RUNNING
    return _Chunk(
        cells=some,
        contents=_rows(
            connection,
            select(contents).where(contents.c.study_id == study, contents.c.cell.in_(named)),
        ),
        attempts=_rows(connection, select(attempts).where(attempts.c.cell_id.in_(ids), ended)),
        beside=_beside(connection, ids),
    )


def _beside(connection: Connection, ids: Sequence[int]) -> dict[str, list[Row]]:
    there = set(inspect(connection).get_table_names())
    return {
        table.name: _rows(connection, select(table).where(table.c.cell_id.in_(ids)))
        for table in OF_A_CELL
        if table.name in there
    }


def _rows(connection: Connection, statement: Any) -> list[Row]:
    return [dict(row) for row in connection.execute(statement).mappings()]


def _insert(connection: Connection, study: int, chunk: _Chunk) -> dict[int, int]:
    """Insert a chunk; returns its cells' numbers there to those here."""
    # "adopted-7" is unique in the store where it was made, others are wherever they are.
    tokens = {
        one["token"]: new_token() if one["token"].startswith("adopted-") else one["token"]
        for one in chunk.cells
        if one["state"] == State.COMPLETE and one["token"]
    }
    # Not `insert_rows`: lists such as notes are no element of an array of PostgreSQL.
    connection.execute(insert(cells), [_cell(one, study, tokens) for one in chunk.cells])
    named = {one["cell"]: one["id"] for one in chunk.cells}
    here = connection.execute(
        select(cells.c.id, cells.c.cell).where(
            cells.c.study_id == study, cells.c.cell.in_(list(named))
        )
    )
    numbers = {named[row.cell]: row.id for row in here}
    insert_rows(connection, contents, [one | {"study_id": study} for one in chunk.contents])
    insert_rows(
        connection,
        attempts,
        [
            {key: value for key, value in one.items() if key != "id"}
            | {
                "study_id": study,
                "cell_id": numbers[one["cell_id"]],
                "token": tokens.get(one["token"], one["token"]),
                "trial_id": None,
                "mirrored": False,
            }
            for one in chunk.attempts
        ],
    )
    _insert_beside(connection, chunk.beside, numbers)
    return numbers


def _cell(row: Row, study: int, tokens: Mapping[str, str]) -> Row:
    """A cell's row as it goes in: nobody holds it here."""
    kept = {key: value for key, value in row.items() if key != "id"}
    waits = row["state"] == State.RUNNING
    return kept | {
        "study_id": study,
        "state": State.WAITING if waits else row["state"],
        "token": tokens.get(row["token"]),
        "lease_seconds": None,
        "adopted_from": None,
        **({"progress_epoch": None, "progress_accuracy": None} if waits else {}),
    }


def _insert_beside(
    connection: Connection, beside: Mapping[str, list[Row]], numbers: Mapping[int, int]
) -> None:
    tables: dict[str, Table] = {table.name: table for table in OF_A_CELL}
    for name, rows in beside.items():
        moved = [row | {"cell_id": numbers[row["cell_id"]]} for row in rows]
        insert_rows(connection, tables[name], moved)


def _join_origins(
    connection: Connection,
    source: Database,
    numbers: Mapping[int, int],
    adopted: Mapping[int, int],
) -> None:
    """Point adopted cells to their origin where that came along; else give them its curves."""
    for cell, origin in adopted.items():
        if origin in numbers:
            connection.execute(
                update(cells)
                .where(cells.c.id == numbers[cell])
                .values(adopted_from=numbers[origin])
            )
        else:
            there = source.read(partial(_beside, ids=[origin]))
            _insert_beside(connection, there, {origin: numbers[cell]})
