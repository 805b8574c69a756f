"""An attempt as Optuna sees it: plain values for a trial's fields. Writes nothing.

Missing values are left out, because Optuna would keep them as attributes that say nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from optuna.trial import TrialState
from sqlalchemy import Connection, select

from runner.content.provenance import environment
from runner.store.cells.adoption import origin, origin_study
from runner.store.cells.leasing import AttemptState
from runner.store.database.tables import attempts, cells, epochs
from runner.store.read import TO_MIRROR

REPLICATE = "replicate"
"""The parameter beside the factors."""

POINTS = 20
"""Intermediate values a trial gets: the dashboard reads all of them again at every refresh."""

ENDS = {
    AttemptState.COMPLETE: TrialState.COMPLETE,
    AttemptState.FAILED: TrialState.FAIL,
    AttemptState.LOST: TrialState.FAIL,
    AttemptState.RELEASED: TrialState.FAIL,
}

# Attributes of a trial that tell the outcome; those known at the claim are in `born`.
TOLD = (
    "best_validation_accuracy",
    "final_validation_accuracy",
    "test_loss",
    "epochs_to_target",
    "epochs_run",
    "diverged_epoch",
    "parameters",
    "peak_memory_bytes",
)


def open_attempts(connection: Connection, study_id: int, limit: int) -> Sequence[Any]:
    """Attempts without a trial, and ended ones whose trial does not know it, oldest first."""
    return connection.execute(
        select(
            attempts,
            cells.c.cell,
            cells.c.labels,
            cells.c.replicate,
            cells.c.test_accuracy,
            cells.c.adopted_from,
            origin_study.c.name.label("origin"),
            *(cells.c[name] for name in TOLD),
        )
        .join(cells, cells.c.id == attempts.c.cell_id)
        .outerjoin(origin, origin.c.id == cells.c.adopted_from)
        .outerjoin(origin_study, origin_study.c.id == origin.c.study_id)
        .where(attempts.c.study_id == study_id, *TO_MIRROR)
        .order_by(attempts.c.id)
        .limit(limit)
    ).all()


def parameters(row: Any) -> dict[str, str]:
    """The labels of the varied factors, and the replicate."""
    return {**row.labels, REPLICATE: str(row.replicate)}


def end(row: Any) -> tuple[TrialState, float | None]:
    """How the attempt's trial ends. A complete trial needs a finite value."""
    state = ENDS[row.state]
    if state is not TrialState.COMPLETE:
        return state, None
    if row.test_accuracy is None or not math.isfinite(row.test_accuracy):
        return TrialState.FAIL, None
    return state, row.test_accuracy


def born(row: Any) -> dict[str, Any]:
    """Attributes known when the attempt began.

    `environment` names an attribute of the study, which holds versions, system and processor once
    for all trials that share them: the dashboard reads every trial.
    """
    name, found = environment(row.provenance)
    said = {
        "cell": row.cell,
        "attempt": row.number,
        "worker": row.worker,
        "slot": row.slot,
        "host": row.host,
        "device": row.device,
        "commit": row.provenance.get("commit"),
        "dirty": row.provenance.get("dirty"),
        "spec": row.provenance.get("spec"),
        "environment": name if found else None,
        "adopted_from": row.origin,
    }
    return {key: value for key, value in said.items() if value not in (None, "")}


def told(row: Any) -> dict[str, Any]:
    """Attributes known when it ended."""
    said = {
        "status": row.status,
        "reason": row.reason,
        "detail": None if row.detail is None else row.detail[:500],
        "seconds": row.seconds,
    }
    if row.state == AttemptState.COMPLETE:
        said |= {name: getattr(row, name) for name in TOLD}
    return {key: value for key, value in said.items() if value not in (None, "")}


def curves(connection: Connection, rows: Sequence[Any]) -> dict[int, dict[int, float]]:
    """Attempt id to validation accuracy by epoch, of complete attempts; `POINTS` at most.

    The first and the last epoch are among them.
    """
    cell_of = {
        row.id: row.adopted_from or row.cell_id
        for row in rows
        if row.state == AttemptState.COMPLETE
    }
    points: dict[int, list[tuple[int, float]]] = {cell: [] for cell in cell_of.values()}
    for one in connection.execute(
        select(epochs.c.cell_id, epochs.c.epoch, epochs.c.validation_accuracy)
        .where(epochs.c.cell_id.in_(list(points)), epochs.c.validation_accuracy.is_not(None))
        .order_by(epochs.c.cell_id, epochs.c.epoch)
    ):
        points[one.cell_id].append((one.epoch, one.validation_accuracy))
    return {row.id: dict(_thinned(points.get(cell_of.get(row.id, 0), []))) for row in rows}


def _thinned(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    if len(points) <= POINTS:
        return points
    last = len(points) - 1
    return [points[round(i * last / (POINTS - 1))] for i in range(POINTS)]
