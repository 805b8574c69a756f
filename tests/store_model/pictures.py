"""All that the store holds, and all that the model says it should, in one form."""

from __future__ import annotations

from collections import Counter
from typing import Any

from optuna.trial import TrialState
from sqlalchemy import Connection, func, select

from runner.optuna_mirror.mirror import load_study
from runner.store import Store, StudyInfo
from runner.store.database.connections import Database
from runner.store.database.tables import attempts, cells, epochs, studies
from tests.store_model.model import Model, Row

Picture = dict[tuple[str, str], tuple[Any, ...]]
"""Study and cell to all that is known of it."""

origin_cell, origin_study = cells.alias(), studies.alias()


def stored(database: Database) -> tuple[Picture, Picture, Counter[Any]]:
    """Cells, attempts and the number of epochs of each cell, as the database holds them."""
    return database.read(_read)


def _read(connection: Connection) -> tuple[Picture, Picture, Counter[Any]]:
    names = [
        "run_order",
        "planned",
        "state",
        "status",
        "reason",
        "round",
        "claims",
        "beats",
        "lease_seconds",
        "token",
    ]
    rows = connection.execute(
        select(
            *(studies.c.name, cells.c.id, cells.c.cell, *(cells.c[name] for name in names)),
            *(cells.c.progress_epoch, cells.c.progress_accuracy, cells.c.test_accuracy),
            origin_study.c.name.label("origin"),
        )
        .join(studies, studies.c.id == cells.c.study_id)
        .outerjoin(origin_cell, origin_cell.c.id == cells.c.adopted_from)
        .outerjoin(origin_study, origin_study.c.id == origin_cell.c.study_id)
    ).all()
    names_of = {row.id: (row.name, row.cell) for row in rows}
    tokens = {f"adopted-{row.id}": f"adopted {row.name} {row.cell}" for row in rows}
    known = {
        names_of[row.id]: (*row[3:-5], tokens.get(row.token, row.token), *row[-4:]) for row in rows
    }
    names = ["number", "round", "state", "status", "reason", "owner", "device", "token"]
    tries: Picture = {}
    order = select(attempts.c.cell_id, *(attempts.c[name] for name in names))
    for row in connection.execute(order.order_by(attempts.c.cell_id, attempts.c.number)):
        one = (*row[1:-1], tokens.get(row.token, row.token))
        tries[names_of[row.cell_id]] = (*tries.get(names_of[row.cell_id], ()), one)
    counted = select(epochs.c.cell_id, func.count()).group_by(epochs.c.cell_id)
    lengths = Counter({names_of[cell]: n for cell, n in connection.execute(counted)})
    return known, tries, lengths


def modelled(model: Model) -> tuple[Picture, Picture, Counter[Any]]:
    """The same, as it should be."""
    rows = {
        (name, row.cell.id): row for name, all_ in model.studies.items() for row in all_.values()
    }
    tries: Picture = {
        place: tuple(
            (t.number, t.round, t.state, t.status, t.reason, t.owner, t.device, t.token)
            for t in row.tries
        )
        for place, row in rows.items()
        if row.tries
    }
    lengths = Counter(
        {
            place: len(row.outcome.curve)
            for place, row in rows.items()
            if row.outcome is not None and row.origin is None
        }
    )
    return {place: _cell(row) for place, row in rows.items()}, tries, lengths


def _cell(row: Row) -> tuple[Any, ...]:
    accuracy = row.outcome.test_accuracy if row.outcome else None
    told = (row.order, row.planned, row.state, row.status, row.reason, row.round, len(row.tries))
    lease = (row.beats, row.lease_seconds, row.token, *row.progress)
    return (*told, *lease, accuracy, row.origin)


def trials(store: Store, study: StudyInfo) -> Counter[Any]:
    """Cell, attempt, state and value of each trial that Optuna reads."""
    return Counter(
        (one.user_attrs["cell"], one.user_attrs["attempt"], one.state, one.value)
        for one in load_study(store, study).trials
    )


ENDS = {"complete": TrialState.COMPLETE, "running": TrialState.RUNNING}


def expected_trials(model: Model, study: str) -> Counter[Any]:
    """The same, as it should be."""
    return Counter(
        (
            row.cell.id,
            one.number,
            ENDS.get(one.state, TrialState.FAIL),
            row.outcome.test_accuracy if row.outcome and one.state == "complete" else None,
        )
        for row in model.studies[study].values()
        for one in row.tries
    )
