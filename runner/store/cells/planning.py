"""What a study is to the store: its row, and the planning of its cells.

`register` and `plan` may be called again and by several launchers at once: the same specification
leaves the same rows. A cell that a changed specification no longer holds is kept, out of the
design, and comes back when it is planned again. Longer than 300 lines because what a plan adds,
keeps and takes out is one transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Update, bindparam, inspect, select, update

from ablations.errors import InputError, did_you_mean
from runner.content.cell import Cell, Level
from runner.store.cells.adoption import Kind, Trained, adopt, trained_elsewhere
from runner.store.cells.leasing import State
from runner.store.database.bulk import upsert
from runner.store.database.connections import Database
from runner.store.database.locks import postgresql_lock
from runner.store.database.tables import cells, contents, specs, studies
from runner.store.database.values import now

CHUNK = 2000
"""Cells planned in one transaction: short enough that slots can claim in between."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class StudyInfo:
    """A registered study, as plain values."""

    name: str
    profile: str
    created: datetime  # aware, UTC
    factors: dict[str, list[str]]  # factor -> labels of its levels, both as declared
    levels: dict[str, dict[str, dict[str, Any]]]  # factor -> label -> {"name", "parameters"}
    replicates: int
    claims: list[str]
    spec: dict[str, Any]  # the resolved specification

    @property
    def spec_digest(self) -> str:
        """What attempts and reports name the specification by."""
        return spec_digest(self.spec)

    @property
    def data(self) -> dict[str, Any]:
        """The specification's data section."""
        return dict(self.spec.get("data", {}))

    @property
    def model(self) -> dict[str, Any]:
        """The specification's model section."""
        return dict(self.spec.get("model", {}))

    @property
    def train(self) -> dict[str, Any]:
        """The specification's train section."""
        return dict(self.spec.get("train", {}))


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


def spec_digest(spec: Mapping[str, Any]) -> str:
    """16 hexadecimal digits of SHA-256 of a resolved specification, as JSON holds it."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def register(
    connection: Connection,
    *,
    name: str,
    profile: str,
    spec: Mapping[str, Any],
    factors: Mapping[str, Sequence[Level]],
    replicates: int,
    claims: Sequence[str],
) -> None:
    """Insert the study, or bring its row up to the specification as it is now.

    What the specification was before is kept beside it: attempts name the one they followed.
    """
    said = {
        "profile": profile,
        "replicates": replicates,
        "factors": [[factor, [one.label for one in levels]] for factor, levels in factors.items()],
        "levels": {
            factor: {
                one.label: {"name": one.name, "parameters": dict(one.parameters)} for one in levels
            }
            for factor, levels in factors.items()
        },
        "claims": list(claims),
        "spec": dict(spec),
    }
    statement = upsert(connection, studies).values(name=name, created=now(connection), **said)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=said))
    _make_specs(connection)
    version = {
        "study_id": select(studies.c.id).where(studies.c.name == name).scalar_subquery(),
        "digest": spec_digest(spec),
        "created": now(connection),
        "spec": dict(spec),
    }
    connection.execute(upsert(connection, specs).values(**version).on_conflict_do_nothing())


def _make_specs(connection: Connection) -> None:
    """Make the table of specifications where it is missing; safe for several launchers at once."""
    if inspect(connection).has_table(specs.name):
        return
    postgresql_lock(connection)
    specs.create(connection, checkfirst=True)


def spec_versions(connection: Connection, name: str) -> dict[str, dict[str, Any]]:
    """Every specification the study was registered with, by digest, oldest first."""
    if not inspect(connection).has_table(specs.name):
        return {}
    rows = connection.execute(
        select(specs.c.digest, specs.c.spec)
        .join(studies, studies.c.id == specs.c.study_id)
        .where(studies.c.name == name)
        .order_by(specs.c.created, specs.c.digest)
    )
    return {row.digest: row.spec for row in rows}


def all_studies(connection: Connection) -> list[StudyInfo]:
    """Every study, oldest first."""
    return [
        StudyInfo(
            name=row.name,
            profile=row.profile,
            created=row.created,
            factors={factor: list(labels) for factor, labels in row.factors},
            levels=row.levels,
            replicates=row.replicates,
            claims=row.claims,
            spec=row.spec,
        )
        for row in connection.execute(select(studies).order_by(studies.c.id))
    ]


def find(known: Sequence[StudyInfo], prefix: str, where: str) -> StudyInfo:
    """The study of that name, or the only one whose name begins so.

    Raises:
        InputError: none, or several.
    """
    exact = [study for study in known if study.name == prefix]
    found = exact or [study for study in known if study.name.startswith(prefix)]
    if len(found) == 1:
        return found[0]
    names = [study.name for study in found or known]
    if not known:
        raise InputError(f"the store {where} holds no study yet")
    if not found:
        raise InputError(f"no study {prefix!r} in {where}; {did_you_mean(prefix, names)}")
    raise InputError(f"{prefix!r} is the beginning of several studies: {', '.join(names)}")


def plan(
    database: Database,
    study_id: int,
    name: str,
    design: Iterable[tuple[Cell, int]],
    kind: Kind | None = None,
) -> Planned:
    """Bring the study's cells up to its design, a chunk a transaction.

    Args:
        database: Where.
        study_id: Whose.
        name: Its name.
        design: Every cell with its place in the run order. Consumed once, not held in memory.
        kind: Outcomes of other studies are taken from this kind of device; None: from any.
    """
    known = database.read(lambda connection: _known(connection, study_id))
    trained = database.read(lambda connection: trained_elsewhere(connection, name, kind))
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
                _update(connection, study_id, changed)
            inserted = _insert(connection, study_id, fresh) if fresh else 0
            return inserted, adopt(connection, study_id, wanted) if wanted else Counter()

        if fresh or changed or wanted:
            inserted, taken = database.write(write)
            new += inserted
            adopted += taken
    gone = [cell for cell, one in known.items() if one.place[1] and cell not in seen]
    for part in _chunks(gone, CHUNK):
        retire = (
            update(cells)
            .where(cells.c.study_id == study_id, cells.c.cell.in_(part))
            .values(planned=False)
        )
        database.write(partial(_execute, statement=retire))
    return Planned(new=new, known=len(seen) - new, retired=len(gone), adopted=dict(adopted))


def adoptable(
    database: Database, name: str, design: Iterable[Cell], kind: Kind | None = None
) -> dict[str, int]:
    """What `plan` would adopt, changing nothing: other study to how many of its outcomes.

    The study `name` need not exist yet.
    """

    def look(connection: Connection) -> tuple[dict[str, Known], dict[str, Trained]]:
        trained = trained_elsewhere(connection, name, kind)
        study_id = connection.scalar(select(studies.c.id).where(studies.c.name == name))
        known = {} if study_id is None or not trained else _known(connection, study_id)
        return known, trained

    known, trained = database.read(look)
    if not trained:
        return {}
    wanted = {cell.id for cell in design if _is_wanted(cell, known, trained)}
    return dict(Counter(trained[cell].study for cell in sorted(wanted)))


def leaving(database: Database, name: str, design: Iterable[Cell]) -> int:
    """How many planned cells of the study `name` the design no longer holds; changes nothing."""

    def look(connection: Connection) -> set[str]:
        return set(
            connection.scalars(
                select(cells.c.cell)
                .join(studies, studies.c.id == cells.c.study_id)
                .where(studies.c.name == name, cells.c.planned)
            )
        )

    planned = database.read(look)
    return len(planned - {cell.id for cell in design}) if planned else 0


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
