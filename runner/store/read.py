"""Reading a study: one row a run, curves, attempts, counts, as plain values.

What the analysis and the commands see, a short query a question. Changes nothing, needs neither
Optuna nor torch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, column, func, inspect, or_, select, table, text

from runner.content.outcome import Status, Target, told
from runner.store.cells.adoption import origin, origin_study
from runner.store.columns.checked import DamagedValue
from runner.store.columns.states import AttemptState, State
from runner.store.database.tables import (
    IS_RUNNING,
    IS_WAITING,
    OUTCOME_FLOATS,
    OUTCOME_INTEGERS,
    attempts,
    cells,
    epochs,
    points,
    responses,
    studies,
)
from runner.store.named import SOURCE, names_of
from runner.store.targets import find_target, judged

OPTUNAS = table("studies", column("study_id"), column("study_name"))
"""Optuna's own studies, in the same database once one is mirrored."""
LEARNED = {Status.LEARNED: True, Status.STALLED: False, Status.DIVERGED: False}
"""Whether a training that came to an end was better than guessing."""
_LAST = ("worker", "slot", "host", "device", "started", "ended")
_OF_ATTEMPT = (
    *("state", "status", "reason", "detail"),
    *("worker", "slot", "device", "host", "pid", "started", "ended", "seconds", "log"),
)


@dataclass(frozen=True, slots=True)
class Counts:
    """How far a study is: planned cells by state, status, reason and replicate."""

    planned: int = 0
    states: dict[str, int] = field(default_factory=dict)  # every State, 0 included
    statuses: dict[str, int] = field(default_factory=dict)  # of complete and failed cells
    reasons: dict[str, int] = field(default_factory=dict)  # of failed cells
    replicates: dict[int, dict[str, int]] = field(default_factory=dict)  # replicate -> states
    retired: int = 0  # cells the specification no longer holds

    @property
    def waiting(self) -> int:
        """Cells to be claimed."""
        return self.states.get(State.WAITING, 0)

    @property
    def running(self) -> int:
        """Cells held by workers."""
        return self.states.get(State.RUNNING, 0)

    @property
    def complete(self) -> int:
        """Cells with an outcome."""
        return self.states.get(State.COMPLETE, 0)

    @property
    def failed(self) -> int:
        """Cells given up."""
        return self.states.get(State.FAILED, 0)


def count_cells(connection: Connection, study_id: int) -> Counts:
    """Counts of planned cells by state, status (as people read it), reason and replicate."""
    by = (cells.c.planned, cells.c.replicate, cells.c.state, cells.c.status, cells.c.reason)
    got_there = judged(connection, study_id).reached.label("got_there")
    rows = connection.execute(
        select(*by, got_there, func.count().label("n"))
        .where(cells.c.study_id == study_id)
        .group_by(*by, "got_there")  # by its name: its value is bound once
    )
    states: Counter[str] = Counter({state.value: 0 for state in State})
    statuses: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    replicates: dict[int, dict[str, int]] = {}
    retired = 0
    for row in rows:
        if not row.planned:
            retired += row.n
            continue
        states[row.state] += row.n
        wave = replicates.setdefault(row.replicate, {state.value: 0 for state in State})
        wave[row.state] += row.n
        if row.status is not None:
            statuses[told(Status(row.status), _truth(row.got_there)).value] += row.n
        if row.state == State.FAILED:
            reasons[row.reason] += row.n
    return Counts(
        planned=sum(states.values()),
        states=dict(states),
        statuses=dict(statuses),
        reasons=dict(reasons),
        replicates=dict(sorted(replicates.items())),
        retired=retired,
    )


class Progress(NamedTuple):
    """Where a cell stands, and what it cost."""

    state: State
    seconds: float | None  # of its training, where it has an outcome


def progress(connection: Connection, study_id: int) -> dict[str, Progress]:
    """Every planned cell by its id: how it stands, how long it trained."""
    rows = connection.execute(
        select(cells.c.cell, cells.c.state, cells.c.seconds).where(
            cells.c.study_id == study_id, cells.c.planned
        )
    )
    return {row.cell: Progress(State(row.state), row.seconds) for row in rows}


def open_cells(connection: Connection, study_id: int) -> int:
    """How many planned cells still wait or run.

    Cheap at any size: both are counted by their index.
    """
    return sum(
        connection.scalar(
            select(func.count()).where(cells.c.study_id == study_id, state, cells.c.planned)
        )
        or 0
        for state in (IS_WAITING, IS_RUNNING)
    )


TO_MIRROR = (
    text("NOT attempts.mirrored"),  # as the partial index says it
    or_(attempts.c.trial_id.is_(None), attempts.c.state != AttemptState.RUNNING),
)
"""Attempts without a trial, and ended ones whose trial does not know it."""


def is_behind(connection: Connection, study_id: int) -> bool:
    """Whether Optuna lacks the study, a trial of an attempt, or how one ended.

    Somebody may have deleted the study in the dashboard.
    """
    one = select(attempts.c.id).where(attempts.c.study_id == study_id, *TO_MIRROR).limit(1)
    return connection.scalar(one) is not None or not _is_mirrored(connection, study_id)


def _is_mirrored(connection: Connection, study_id: int) -> bool:
    """Whether Optuna has a study of that name."""
    if not inspect(connection).has_table(OPTUNAS.name):
        return False
    name = select(studies.c.name).where(studies.c.id == study_id).scalar_subquery()
    return (
        connection.scalar(select(OPTUNAS.c.study_id).where(OPTUNAS.c.study_name == name))
        is not None
    )


def complete_among(connection: Connection, study_id: int, cell_ids: Collection[str]) -> set[str]:
    """Those of these cell ids that are complete."""
    rows = connection.scalars(
        select(cells.c.cell).where(
            cells.c.study_id == study_id,
            cells.c.cell.in_(cell_ids),
            cells.c.state == State.COMPLETE,
        )
    )
    return set(rows)


def runs(
    connection: Connection,
    study_id: int,
    *,
    state: State | None = None,
    beginning: str = "",
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """One row a planned cell, in run order; factors as `factor:NAME` columns.

    `status` and `epochs_to_target` are told for the target of the specification as it is now;
    `better_than_guessing` does not depend on it. `None` where a quantity does not exist.

    Args:
        connection: A reading transaction.
        study_id: Whose cells.
        state: Only cells that stand so.
        beginning: Only cells whose id begins so.
        limit: Only the first so many.
    """
    made = attempts.alias("made")
    tried = (
        select(func.count())
        .where(
            made.c.cell_id == cells.c.id,
            made.c.state.not_in((AttemptState.RELEASED, AttemptState.LOST)),
        )
        .correlate(cells)
        .scalar_subquery()
    )
    got_there, epoch = judged(connection, study_id)
    declared = connection.scalar(select(studies.c.factors).where(studies.c.id == study_id)) or []
    rows = connection.execute(
        select(
            cells,
            got_there.label("got_there"),
            epoch.label("target_epoch"),
            *(attempts.c[name] for name in _LAST),
            tried.label("tried"),
            origin_study.c.name.label("origin"),
        )
        .select_from(
            cells.outerjoin(attempts, attempts.c.token == cells.c.token)
            .outerjoin(origin, origin.c.id == cells.c.adopted_from)
            .outerjoin(origin_study, origin_study.c.id == origin.c.study_id)
        )
        .where(
            cells.c.study_id == study_id,
            cells.c.planned,
            *(() if state is None else (cells.c.state == state,)),
            *((cells.c.cell.startswith(beginning, autoescape=True),) if beginning else ()),
        )
        .order_by(cells.c.run_order, cells.c.id)
        .limit(limit)
    )
    found = [row._asdict() for row in rows]
    own = _own_responses(connection, study_id)
    return [_run(row, [factor for factor, _ in declared], own.get(row["id"], {})) for row in found]


def _own_responses(connection: Connection, study_id: int) -> dict[int, dict[str, float]]:
    """Cell's row to what a trainer of one's own ended with; nothing of the shipped one."""
    if not names_of(connection, study_id).own:
        return {}
    found: dict[int, dict[str, float]] = {}
    for row in connection.execute(
        select(responses.c.cell_id, responses.c.name, responses.c.value)
        .join(cells, cells.c.id == responses.c.cell_id)
        .where(cells.c.study_id == study_id, cells.c.planned)
        .order_by(responses.c.cell_id)
    ):
        found.setdefault(row.cell_id, {})[row.name] = row.value
    return found


def own_curves(
    connection: Connection, study_id: int, cell: str | None = None
) -> list[dict[str, Any]]:
    """The curves that a trainer of one's own reported, in long form: cell, name, step, value.

    Of all planned cells, or of one when its id is given.
    """
    if not names_of(connection, study_id).own:
        return []
    rows = connection.execute(
        select(cells.c.cell, points.c.name, points.c.step, points.c.value)
        .join(points, points.c.cell_id == cells.c.id)
        .where(
            cells.c.study_id == study_id,
            cells.c.planned,
            *(() if cell is None else (cells.c.cell == cell,)),
        )
        .order_by(cells.c.run_order, cells.c.id, points.c.name, points.c.step)
    )
    return [row._asdict() for row in rows]


def judged_runs(
    connection: Connection, study_id: int
) -> tuple[list[dict[str, Any]], Target | None]:
    """All runs, and the target that their statuses are told for, of one moment."""
    return runs(connection, study_id), find_target(connection, study_id)


def _run(row: dict[str, Any], factors: Collection[str], own: Mapping[str, float]) -> dict[str, Any]:
    _check(row, factors)
    failed = row["state"] == State.FAILED
    begun = row["state"] != State.WAITING
    status = None if row["status"] is None else Status(row["status"])
    return {
        "cell": row["cell"],
        **{f"factor:{factor}": label for factor, label in row["labels"].items()},
        "replicate": row["replicate"],
        "state": row["state"],
        "status": None if status is None else told(status, _truth(row["got_there"])).value,
        "better_than_guessing": None if status is None else LEARNED.get(status),
        "reason": row["reason"] if failed else None,
        "detail": row["detail"] if begun and row["state"] != State.RUNNING else None,
        **{name: row[name] for name in (*OUTCOME_FLOATS, *OUTCOME_INTEGERS)},
        "epochs_to_target": row["target_epoch"],
        "attempts": row["tried"],
        **{name: row[name] if begun else None for name in _LAST},
        "adopted_from": row["origin"],
        "run_order": row["run_order"],
        "notes": row["notes"] or [],
        "responses": dict(own),
    }


def _truth(value: Any) -> bool | None:
    """What a database says of a condition: SQLite has numbers for it."""
    return None if value is None else bool(value)


def _check(row: Mapping[str, Any], factors: Collection[str]) -> None:
    """Refuse a cell whose columns do not go together."""
    if lacking := [factor for factor in factors if factor not in row["labels"]]:
        raise DamagedValue(
            cells.name, "labels", row["labels"], f"a level of {lacking[0]}", row["id"]
        )
    if row["state"] == State.COMPLETE and row["status"] is None:
        raise DamagedValue(cells.name, "status", None, "how its training ended", row["id"])


def curves(connection: Connection, study_id: int, cell: str | None = None) -> dict[str, list[Any]]:
    """Learning curves as columns of equal length: `cell`, then the fields of `Epoch`.

    Of all planned cells, or of one when its id is given. Columns and not rows, because a large
    study has millions of epochs.
    """
    columns = [column for column in epochs.c if column.name != "cell_id"]
    rows = connection.execute(
        select(cells.c.cell, *columns)
        .join(epochs, epochs.c.cell_id == SOURCE)
        .where(
            cells.c.study_id == study_id,
            cells.c.planned,
            *(() if cell is None else (cells.c.cell == cell,)),
        )
        .order_by(cells.c.run_order, cells.c.id, epochs.c.epoch)
    )
    names = ["cell", *(column.name for column in columns)]
    table: dict[str, list[Any]] = {name: [] for name in names}
    lists = [table[name] for name in names]
    for row in rows:
        for values, value in zip(lists, row, strict=True):
            values.append(value)
    return table


def attempt_rows(
    connection: Connection, study_id: int, cell: str | None = None
) -> list[dict[str, Any]]:
    """Every attempt with its provenance, oldest first; of one cell when its id is given."""
    statement = (
        select(attempts, cells.c.cell)
        .join(cells, cells.c.id == attempts.c.cell_id)
        .where(attempts.c.study_id == study_id)
        .order_by(attempts.c.id)
    )
    if cell is not None:
        statement = statement.where(cells.c.cell == cell)
    return [_attempt(row._asdict()) for row in connection.execute(statement)]


def _attempt(row: dict[str, Any]) -> dict[str, Any]:
    provenance = dict(row["provenance"])
    return {
        "cell": row["cell"],
        "attempt": row["number"],
        **{name: row[name] for name in _OF_ATTEMPT},
        "commit": provenance.get("commit"),
        "dirty": provenance.get("dirty"),
        "versions": provenance.get("versions", {}),
        "provenance": provenance,
    }


def now_running(connection: Connection, study_id: int) -> list[dict[str, Any]]:
    """The cells that train now, with epoch and accuracy as last beaten."""
    rows = connection.execute(
        select(
            cells.c.cell,
            cells.c.labels,
            cells.c.replicate,
            cells.c.progress_epoch.label("epoch"),
            cells.c.progress_accuracy.label("accuracy"),
            attempts.c.number.label("attempt"),
            *(attempts.c[name] for name in _LAST if name != "ended"),
        )
        .join(attempts, attempts.c.token == cells.c.token)
        .where(cells.c.study_id == study_id, IS_RUNNING)
        .order_by(cells.c.run_order)
    )
    return [row._asdict() for row in rows]
