"""Which target a study's runs are held against, and who reached it: derived when a study is read.

What a run learns does not depend on the target, so that no outcome is stored with it: another
`train.target` in the file, and the same curves are read anew. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, case, func, literal, null, or_, select

from runner.content.outcome import Target
from runner.content.own.response import declared
from runner.store.columns.states import State
from runner.store.database.tables import cells, studies
from runner.store.named import SOURCE, Names, names_of

FIELD = "train.target"
"""A factor of that name was possible once: then each run has the target of its level."""


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


def judged(connection: Connection, study_id: int) -> Judged:
    """The columns for cells of a study, by the target of now.

    A run got there when a point of the curve that the target speaks of did, or what it ended with:
    of the shipped classifier the validation accuracy, and the best of it.
    """
    target = find_target(connection, study_id)
    names = names_of(connection, study_id)
    if target is None:
        if names.own:
            return Judged(null(), null())
        at_training = names.response("epochs_to_target")  # each run as it was judged then
        return Judged(at_training.is_not(None), at_training)
    first = _first_at(target, names, target.response or "validation_accuracy")
    ended = _at(target, names.response(target.response or "best_validation_accuracy"))
    if names.own:
        return Judged(or_(first.is_not(None), func.coalesce(ended, False)), first)
    reached = func.coalesce(ended, False)
    return Judged(reached, case((reached, first)))


def _at(target: Target, value: ColumnElement[Any]) -> ColumnElement[bool]:
    return value <= target.accuracy if target.lower else value >= target.accuracy


def _first_at(target: Target, names: Names, curve: str) -> ColumnElement[Any]:
    """The first step at which a curve was at the target."""
    found = names.curve(curve)
    step, value = found.selected_columns.step, found.selected_columns.value
    of = found.selected_columns.cell_id
    return (
        found.with_only_columns(func.min(step))
        .where(of == SOURCE, _at(target, value))
        .correlate(cells)
        .scalar_subquery()
    )
