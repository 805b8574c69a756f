"""Bringing a study's cells up to its design.

`plan` may be called again and by several launchers at once: the same design leaves the same rows. A
cell that a changed specification no longer holds is kept, out of the design, and comes back when it
is planned again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Update, bindparam, select, update

from runner.content.cell import Cell
from runner.store.cells.adoption import Kind, Trained, adopt, trained_elsewhere
from runner.store.cells.studies import StudyKey
from runner.store.columns.states import State
from runner.store.database.bulk import upsert
from runner.store.database.connections import Database
from runner.store.database.tables import cells, contents, studies

CHUNK = 2000
"""Cells planned in one transaction: short enough that slots can claim in between."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning changed."""

    new: int  # cells the store did not know
    known: int  # cells it knew, brought back ones included
    retired: int  # cells taken out of the design, outcomes kept
    adopted: Mapping[str, int] = field(default_factory=dict)  # other study -> its outcomes taken


@dataclass(frozen=True, slots=True)
class Known:
    """A cell as the store knows it before planning."""

    place: tuple[int, bool, dict[str, str]]  # run order, whether planned, labels
    waits: bool


def plan(
    database: Database, study: StudyKey, design: Iterable[tuple[Cell, int]], kind: Kind | None
) -> Planned:
    """Bring the study's cells up to its design, a chunk a transaction; see `Store.plan`."""
    # What is there is read once, before the chunks: what another launcher inserts meanwhile is
    # passed over by the database (ON CONFLICT), and what it plans is the same.
    known = database.read(lambda connection: _known(connection, study.id))
    trained = database.read(lambda connection: trained_elsewhere(connection, study.name, kind))
    seen: set[str] = set()
    new = 0
    adopted: Counter[str] = Counter()
    for chunk in _chunks(design, CHUNK):
        fresh, changed = [], []
        wanted: dict[str, Trained] = {}
        for cell, order in chunk:
            if cell.id in seen:
                continue
            seen.add(cell.id)
            row = {
                "cell": cell.id,
                "replicate": cell.replicate,
                "run_order": order,
                "planned": True,
                "labels": cell.labels,
            }
            if cell.id not in known:
                fresh.append(row | {"content": cell.to_json()})
            elif known[cell.id].place != (order, True, cell.labels):
                changed.append(row | {"content": cell.to_json()})
            if _is_wanted(cell, known, trained):
                wanted[cell.id] = trained[cell.id]

        def write(
            connection: Connection,
            fresh: list[dict[str, Any]] = fresh,
            changed: list[dict[str, Any]] = changed,
            wanted: dict[str, Trained] = wanted,
        ) -> tuple[int, Counter[str]]:
            if changed:
                _update(connection, study.id, changed)
            inserted = _insert(connection, study.id, fresh) if fresh else 0
            return inserted, adopt(connection, study.id, wanted) if wanted else Counter()

        if fresh or changed or wanted:
            inserted, taken = database.write(write)
            new += inserted
            adopted += taken
    # Sorted: whichever launcher a crash stops, and on whichever database, the same part is done.
    gone = sorted(cell for cell, one in known.items() if one.place[1] and cell not in seen)
    for part in _chunks(gone, CHUNK):
        retire = (
            update(cells)
            .where(cells.c.study_id == study.id, cells.c.cell.in_(part))
            .values(planned=False)
        )
        database.write(partial(_execute, statement=retire))
    return Planned(new=new, known=len(seen) - new, retired=len(gone), adopted=dict(adopted))


def adoptable(
    database: Database, name: str, design: Iterable[Cell], kind: Kind | None
) -> dict[str, int]:
    """What `plan` would take from other studies; see `Store.adoptable`."""

    def look(connection: Connection) -> tuple[dict[str, Known], dict[str, Trained]]:
        trained = trained_elsewhere(connection, name, kind)
        study_id = connection.scalar(select(studies.c.id).where(studies.c.name == name))
        known = {} if study_id is None or not trained else _known(connection, study_id)
        return known, trained

    known, trained = database.read(look)
    if not trained:
        return {}
    # Hashing the design may take longer than a transaction should.
    wanted = {cell.id for cell in design if _is_wanted(cell, known, trained)}
    return dict(Counter(trained[cell].study for cell in sorted(wanted)))


def leaving(database: Database, name: str, design: Iterable[Cell]) -> int:
    """How many planned cells the design no longer holds; see `Store.leaving`."""
    planned = _planned(database, name)
    return len(planned - {cell.id for cell in design}) if planned else 0


def taken_out(database: Database, name: str, design: Iterable[Cell]) -> int:
    """How many cells of the design are not planned; see `Store.taken_out`."""
    return len({cell.id for cell in design} - _planned(database, name))


def _planned(database: Database, name: str) -> set[str]:
    """The planned cells of the study of that name; none where there is no such study."""

    def look(connection: Connection) -> set[str]:
        return set(
            connection.scalars(
                select(cells.c.cell)
                .join(studies, studies.c.id == cells.c.study_id)
                .where(studies.c.name == name, cells.c.planned)
            )
        )

    return database.read(look)


def _is_wanted(cell: Cell, known: Mapping[str, Known], trained: Mapping[str, Trained]) -> bool:
    """Whether another study's outcome is this cell's, and none is known or in the making here."""
    if cell.id not in trained or not cell.is_built_in:
        return False
    return cell.id not in known or known[cell.id].waits


def _execute(connection: Connection, statement: Update) -> None:
    connection.execute(statement)


def _known(connection: Connection, study_id: int) -> dict[str, Known]:
    rows = connection.execute(
        select(
            cells.c.cell, cells.c.run_order, cells.c.planned, cells.c.labels, cells.c.state
        ).where(cells.c.study_id == study_id)
    )
    return {
        row.cell: Known((row.run_order, row.planned, row.labels), row.state == State.WAITING)
        for row in rows
    }


def _insert(connection: Connection, study_id: int, rows: list[dict[str, Any]]) -> int:
    """Insert cells another launcher has not inserted meanwhile; returns how many."""
    connection.execute(
        upsert(connection, contents).on_conflict_do_nothing(),
        [{"study_id": study_id, "cell": row["cell"], "content": row["content"]} for row in rows],
    )
    new = {"study_id": study_id, "state": State.WAITING, "claims": 0, "round": 0, "beats": 0}
    inserted = connection.scalars(
        upsert(connection, cells).on_conflict_do_nothing().returning(cells.c.id),
        [new | {key: row[key] for key in row if key != "content"} for row in rows],
    )
    return len(inserted.all())


def _update(connection: Connection, study_id: int, rows: list[dict[str, Any]]) -> None:
    """Give known cells their new place, their new labels, or their place in the design back."""
    connection.execute(
        update(cells)
        .where(cells.c.study_id == study_id, cells.c.cell == bindparam("of"))
        .values(
            run_order=bindparam("order"),
            planned=True,
            labels=bindparam("names", type_=cells.c.labels.type),
        ),
        [{"of": row["cell"], "order": row["run_order"], "names": row["labels"]} for row in rows],
    )
    connection.execute(
        update(contents)
        .where(contents.c.study_id == study_id, contents.c.cell == bindparam("of"))
        .values(content=bindparam("text")),
        [{"of": row["cell"], "text": row["content"]} for row in rows],
    )


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
