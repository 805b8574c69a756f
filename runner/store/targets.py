"""Which target a study's runs are held against, and who reached it: derived when a study is read.

What a run learns does not depend on the target, so that no outcome is stored with it: another
`train.target` in the file, and the same curves are read anew. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    exists,
    func,
    literal,
    null,
    or_,
    select,
)

from runner.content.outcome import Target
from runner.content.own.response import declared
from runner.store.columns.states import State
from runner.store.database.tables import cells, epochs, points, responses, studies

FIELD = "train.target"
"""A factor of that name was possible once: then each run has the target of its level."""
SOURCE = func.coalesce(cells.c.adopted_from, cells.c.id)
"""The cell whose epochs are this one's."""


class Judged(NamedTuple):
    """Columns that say of a cell whether, and when, it got to the target."""

    reached: ColumnElement[Any]
    epoch: ColumnElement[Any]


def find_target(connection: Connection, study_id: int) -> Target | None:
    """The target of the specification, else one derived from the runs that are complete.

    Half way from chance (1/classes) to the best combination of levels, by the mean over its runs
    of the best validation accuracy; one that diverged before its first epoch counts as chance.

    Returns:
        None while no run is better than chance, or where targets are a factor of the study.
    """
    study = connection.execute(
        select(studies.c.spec, studies.c.factors).where(studies.c.id == study_id)
    ).first()
    if study is None or FIELD in dict(study.factors):
        return None
    if "trainer" in study.spec:
        return own_target(study.spec)
    given = (study.spec.get("train") or {}).get("target")
    if given is not None:
        return Target(float(given))
    chance = literal(1.0) / cells.c.classes
    rows = connection.execute(
        select(
            func.avg(func.coalesce(cells.c.best_validation_accuracy, chance)).label("best"),
            func.max(cells.c.classes).label("classes"),
        )
        .where(
            cells.c.study_id == study_id,
            cells.c.planned,
            cells.c.state == State.COMPLETE,
            cells.c.classes > 0,
        )
        .group_by(cells.c.labels)
    ).all()
    if not rows:
        return None
    best = max(rows, key=lambda row: float(row.best))
    return Target.between(1 / best.classes, float(best.best))


def has_own_trainer(connection: Connection, study_id: int) -> bool:
    """Whether the study's cells are a function or command of somebody's own."""
    spec = connection.scalar(select(studies.c.spec).where(studies.c.id == study_id))
    return spec is not None and "trainer" in spec


def own_target(spec: Mapping[str, Any]) -> Target | None:
    """The target of the first response of a trainer of one's own; None where the file has none."""
    name, about = next(iter(spec["responses"].items()))
    if (value := about.get("target")) is None:
        return None
    record = declared(name, about)
    return Target(
        float(value),
        response=name,
        lower=not record.higher_is_better,
        share=record.share,
    )


def _own_judged(target: Target) -> Judged:
    """Whether a point of the curve, or else the response at the end, was at the target."""

    def at_target(column: ColumnElement[Any]) -> ColumnElement[bool]:
        return column <= target.accuracy if target.lower else column >= target.accuracy

    first = (
        select(func.min(points.c.step))
        .where(
            points.c.cell_id == SOURCE,
            points.c.name == target.response,
            at_target(points.c.value),
        )
        .correlate(cells)
        .scalar_subquery()
    )
    ended = exists(
        select(literal(1))
        .where(
            responses.c.cell_id == SOURCE,
            responses.c.name == target.response,
            at_target(responses.c.value),
        )
        .correlate(cells)
    )
    return Judged(or_(first.is_not(None), ended), first)


def judged(connection: Connection, study_id: int) -> Judged:
    """The columns for cells of a study, by the target of now."""
    target = find_target(connection, study_id)
    if target is not None and target.response:
        return _own_judged(target)
    if target is None and has_own_trainer(connection, study_id):
        return Judged(null(), null())
    if target is None:  # each run as it was judged when it trained
        return Judged(cells.c.epochs_to_target.is_not(None), cells.c.epochs_to_target)
    reached = and_(
        cells.c.best_validation_accuracy.is_not(None),
        cells.c.best_validation_accuracy >= target.accuracy,
    )
    first = (
        select(func.min(epochs.c.epoch))
        .where(epochs.c.cell_id == SOURCE, epochs.c.validation_accuracy >= target.accuracy)
        .correlate(cells)
        .scalar_subquery()
    )
    return Judged(reached, case((reached, first)))
