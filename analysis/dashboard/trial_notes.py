"""A note and a picture for every ended trial, as attributes of its Optuna study.

Of the study, because a finished trial takes no further attributes. The picture is only announced:
the server draws it when somebody looks (`analysis.dashboard.pictures`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, cast, exists, func, literal, or_, select

from analysis.dashboard.draft import Draft
from analysis.dashboard.words import cell_note
from runner.content.outcome import Status, Target, told
from runner.doctor.cells.why import run_of, why
from runner.optuna_mirror.optuna_tables import STUDY_ATTRIBUTES, set_study_attributes
from runner.store.columns.states import AttemptState
from runner.store.database.tables import attempts, cells, epochs, points, studies
from runner.store.named import responses_of
from runner.store.targets import find_target, judged
from runner.store.traces import Trace, traces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

PICTURE = "dashboard:artifacts:{trial}:{token}"
"""Study attribute under which the dashboard looks for pictures of a finished trial."""
FACTS = ("test_accuracy", "best_validation_accuracy", "epochs_run", "epochs_budget", "classes",
         "seconds", "notes")  # fmt: skip
"""What a note says of the cell that the attempt finished."""


def annotate(
    connection: Connection, study_id: int, name: str, factors: Sequence[str], limit: int
) -> int:
    """Give trials without a note one, oldest first, and announce the pictures of their curves.

    Args:
        connection: in a transaction that may write.
        study_id: Optuna's number of the study.
        name: of the study.
        factors: names of the factors, in order.
        limit: at most so many trials.

    Returns:
        How many trials were annotated.
    """
    number = connection.scalar(select(studies.c.id).where(studies.c.name == name)) or 0
    target, (got_there, epoch) = find_target(connection, number), judged(connection, number)
    rows = connection.execute(_ended(study_id, name, got_there, epoch).limit(limit)).all()
    own = responses_of(connection, [row.cell_number for row in rows])
    # Of a trainer of one's own nothing is kept that these causes are told from.
    left = {} if own else traces(connection, number, [row.cell for row in rows])
    attributes: dict[str, Any] = {}
    for row in rows:
        run = _run(row, target, own.get(row.cell_number, {}))
        run["why"] = _why(run, target, left.get(row.cell))
        note = cell_note(run, list(factors))
        if row.state == AttemptState.COMPLETE and row.drawn:
            about = {
                "artifact_id": row.token,
                "filename": f"curve-{row.cell}.png",
                "mimetype": "image/png",
                "encoding": None,
            }
            attributes[PICTURE.format(trial=row.trial_id, token=row.token)] = json.dumps(about)
            # The page shows artifacts as small tiles; in the note the picture can be read.
            note += f"\n\n![learning curve](/artifacts/{study_id}/{row.trial_id}/{row.token})"
        draft = Draft(study_id)
        draft.note(note, row.trial_id)
        attributes |= draft.attributes
    set_study_attributes(connection, study_id, attributes)
    return len(rows)


def _why(run: Mapping[str, Any], target: Target | None, left: Trace | None) -> tuple[str, ...]:
    """Sentences on why it did not converge; () where it did or nothing was kept of it."""
    if left is None or run["epochs_run"] is None:
        return ()
    found = why(run_of(run, target, left.curve, left.evidence))
    if found is None or found.healthy:
        return ()
    return found.sentences or ("Why it did not converge is not known.",)


def noted(connection: Connection, study_id: int) -> int:
    """How many trials have a note."""
    notes = STUDY_ATTRIBUTES.c.key.like("dashboard:%:note_ver")
    return int(
        connection.scalar(
            select(func.count()).where(STUDY_ATTRIBUTES.c.study_id == study_id, notes)
        )
        or 0
    )


def _ended(study_id: int, name: str, got_there: Any, epoch: Any) -> Any:
    """Ended attempts whose trial was told and has no note yet, oldest first.

    `got_there` and `epoch` are the columns that say whether and when the target was reached.
    """
    key = literal("dashboard:") + cast(attempts.c.trial_id, String) + literal(":note_ver")
    known = exists().where(STUDY_ATTRIBUTES.c.study_id == study_id, STUDY_ATTRIBUTES.c.key == key)
    return (
        select(
            attempts.c.trial_id,
            attempts.c.token,
            attempts.c.state,
            attempts.c.status,
            attempts.c.reason,
            attempts.c.detail,
            cells.c.cell,
            cells.c.labels,
            cells.c.replicate,
            *(cells.c[fact].label(f"cell_{fact}") for fact in FACTS),
            epoch.label("target_epoch"),
            got_there.label("got_there"),
            cells.c.id.label("cell_number"),
            or_(
                exists().where(epochs.c.cell_id == cells.c.id),
                exists().where(points.c.cell_id == cells.c.id),
            ).label("drawn"),
        )
        .join(cells, cells.c.id == attempts.c.cell_id)
        .join(studies, studies.c.id == attempts.c.study_id)
        .where(
            studies.c.name == name,
            attempts.c.mirrored,
            attempts.c.trial_id.is_not(None),
            attempts.c.state.in_((AttemptState.COMPLETE, AttemptState.FAILED)),
            ~known,
        )
        .order_by(attempts.c.id)
    )


def _run(row: Any, target: Target | None, own: Mapping[str, float]) -> dict[str, Any]:
    """The attempt as `cell_note` reads it; the cell's outcome only where it is the attempt's."""
    finished = row.state == AttemptState.COMPLETE
    facts = {fact: getattr(row, f"cell_{fact}") if finished else None for fact in FACTS}
    status = Status(row.status or Status.FAILED)
    if target is not None and finished:
        status = told(status, bool(row.got_there))
    return {
        **row.labels,
        "replicate": row.replicate,
        "status": status.value,
        "target": target,
        "epochs_to_target": row.target_epoch if finished else None,
        "reason": row.reason,
        "detail": row.detail,
        "responses": own if finished else {},
        **facts,
    }
