"""An attempt as Optuna sees it: plain values for a trial's fields. Writes nothing.

Missing values are left out, because Optuna would keep them as attributes that say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from optuna.trial import TrialState
from sqlalchemy import Connection, case, func, select

from runner.content.outcome import Status
from runner.machine.provenance import environment
from runner.store.cells.adoption import origin, origin_study
from runner.store.columns.states import AttemptState
from runner.store.database.tables import attempts, cells
from runner.store.named import Names, responses_of
from runner.store.read import TO_MIRROR

REPLICATE = "replicate"
"""The parameter beside the factors."""

POINTS = 20
"""Intermediate values a trial gets: the dashboard reads all of them again at every refresh."""

END_STATES = {
    AttemptState.COMPLETE: TrialState.COMPLETE,
    AttemptState.FAILED: TrialState.FAIL,
    AttemptState.LOST: TrialState.FAIL,
    AttemptState.RELEASED: TrialState.FAIL,
}

OF_OUTCOME = (
    "best_validation_accuracy",
    "final_validation_accuracy",
    "test_loss",
    "epochs_to_target",
    "epochs_run",
    "diverged_epoch",
    "parameters",
    "peak_memory_bytes",
)
"""Of a cell's outcome, what its trial's attributes say."""


class Attempt(NamedTuple):
    """A row of `attempts`, with what its trial says of the cell."""

    id: int
    cell_id: int
    number: int
    state: AttemptState
    status: str | None
    reason: str | None
    detail: str | None
    worker: str
    slot: str
    host: str
    device: str
    started: datetime
    ended: datetime | None
    seconds: float | None
    provenance: dict[str, Any]
    trial_id: int | None
    cell: str
    labels: dict[str, str]
    replicate: int
    value: float | None  # of the first response
    adopted_from: int | None
    origin: str | None  # name of the study whose cell that is
    outcome: Mapping[str, Any]  # OF_OUTCOME


OF_CELL = ("cell", "labels", "replicate", "value", "adopted_from")
OF_ATTEMPT = Attempt._fields[: Attempt._fields.index(OF_CELL[0])]


def open_attempts(connection: Connection, study_id: int, limit: int, names: Names) -> list[Attempt]:
    """Attempts without a trial, and ended ones whose trial does not know it, oldest first.

    Args:
        connection: a transaction.
        study_id: the store's number of the study.
        limit: at most so many.
        names: of the study's numbers; the first response is the trials' value.
    """
    primary = names.primary
    value = names.response(primary.name)
    if primary.if_diverged is not None:
        diverged = cells.c.status == Status.DIVERGED
        value = func.coalesce(value, case((diverged, primary.if_diverged)))
    columns = [value if name == "value" else cells.c[name] for name in OF_CELL]
    rows = connection.execute(
        select(
            *(attempts.c[name] for name in OF_ATTEMPT),
            *columns,
            origin_study.c.name,
            *(cells.c[name] for name in OF_OUTCOME),
        )
        .join(cells, cells.c.id == attempts.c.cell_id)
        .outerjoin(origin, origin.c.id == cells.c.adopted_from)
        .outerjoin(origin_study, origin_study.c.id == origin.c.study_id)
        .where(attempts.c.study_id == study_id, *TO_MIRROR)
        .order_by(attempts.c.id)
        .limit(limit)
    )
    n = len(OF_ATTEMPT) + len(OF_CELL) + 1
    found = [Attempt._make((*row[:n], dict(zip(OF_OUTCOME, row[n:], strict=True)))) for row in rows]
    if not names.own:
        return found
    ended = responses_of(connection, [one.adopted_from or one.cell_id for one in found])
    return [one._replace(outcome=ended.get(one.adopted_from or one.cell_id, {})) for one in found]


def trial_parameters(attempt: Attempt) -> dict[str, str]:
    """The labels of the varied factors, and the replicate."""
    return {**attempt.labels, REPLICATE: str(attempt.replicate)}


def trial_end(attempt: Attempt) -> tuple[TrialState, float | None]:
    """How the attempt's trial ends, and with which value. A complete one needs a finite value."""
    state = END_STATES[attempt.state]
    if state is not TrialState.COMPLETE:
        return state, None
    if attempt.value is None or not math.isfinite(attempt.value):
        return TrialState.FAIL, None
    return state, attempt.value


def attributes_at_start(attempt: Attempt) -> dict[str, Any]:
    """Attributes known when the attempt began.

    `environment` names an attribute of the study, which holds versions, system and processor once
    for all trials that share them: the dashboard reads every trial.
    """
    name, content = environment(attempt.provenance)
    return _present(
        {
            "cell": attempt.cell,
            "attempt": attempt.number,
            "worker": attempt.worker,
            "slot": attempt.slot,
            "host": attempt.host,
            "device": attempt.device,
            "commit": attempt.provenance.get("commit"),
            "dirty": attempt.provenance.get("dirty"),
            "spec": attempt.provenance.get("spec"),
            "environment": name if content else None,
            "adopted_from": attempt.origin,
        }
    )


def attributes_at_end(attempt: Attempt) -> dict[str, Any]:
    """Attributes known when it ended."""
    attributes = {
        "status": attempt.status,
        "reason": attempt.reason,
        "detail": None if attempt.detail is None else attempt.detail[:500],
        "seconds": attempt.seconds,
    }
    if attempt.state == AttemptState.COMPLETE:
        attributes |= attempt.outcome
    return _present(attributes)


def _present(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in attributes.items() if value not in (None, "")}


def curve_of_trials(
    connection: Connection, ended: Sequence[Attempt], names: Names
) -> dict[int, dict[int, float]]:
    """Attempt id to the curve of the first response, of complete attempts; `POINTS` at most.

    The first and the last step are among them.
    """
    cell_of = {
        attempt.id: attempt.adopted_from or attempt.cell_id
        for attempt in ended
        if attempt.state == AttemptState.COMPLETE
    }
    points: dict[int, list[tuple[int, float]]] = {cell: [] for cell in cell_of.values()}
    curve = names.curve(names.primary.curve)
    of, at, _ = curve.selected_columns
    wanted = curve.where(of.in_(list(points))).order_by(of, at)
    for cell, step, value in connection.execute(wanted):
        points[cell].append((step, value))
    return {
        attempt.id: dict(_thinned(points.get(cell_of.get(attempt.id, 0), []))) for attempt in ended
    }


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    if len(points) <= POINTS:
        return points
    last = len(points) - 1
    return [points[round(i * last / (POINTS - 1))] for i in range(POINTS)]
