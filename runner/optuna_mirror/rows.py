"""Trials as rows of Optuna's tables: made, numbered and ended many at a time.

Optuna's own functions take 23 statements to make a trial and 13 to end one; a thousand slots kept a
processor core busy with them (decision 031). Numbers are given as Optuna gives them, under the same
lock on the study's row, so that its functions may make trials beside these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState
from sqlalchemy import Connection, bindparam, func, insert, select, update

from runner.content.provenance import environment
from runner.optuna_mirror.tables import (
    ATTRIBUTES,
    INTERMEDIATE,
    PARAMS,
    STUDIES,
    STUDY_USER_ATTRIBUTES,
    TRIALS,
    VALUES,
)
from runner.optuna_mirror.trials import born, curves, end, parameters, told
from runner.store.database.bulk import insert_rows, upsert


def make(
    connection: Connection,
    study_id: int,
    rows: Sequence[Any],
    choices: Mapping[str, CategoricalDistribution],
) -> dict[int, int]:
    """Make a running trial of each attempt; returns attempt id to trial id."""
    if not rows:
        return {}
    connection.execute(
        select(STUDIES.c.study_id).where(STUDIES.c.study_id == study_id).with_for_update()
    )
    count = select(func.count()).select_from(TRIALS).where(TRIALS.c.study_id == study_id)
    first = connection.scalar(count) or 0
    made = connection.execute(
        insert(TRIALS).returning(TRIALS.c.number, TRIALS.c.trial_id),
        [
            {
                "number": first + place,
                "study_id": study_id,
                "state": TrialState.RUNNING.name,
                "datetime_start": _naive_utc(row.started),
            }
            for place, row in enumerate(rows)
        ],
    )
    by_number = {one.number: int(one.trial_id) for one in made}
    trials = {row.id: by_number[first + place] for place, row in enumerate(rows)}
    texts = {
        name: optuna.distributions.distribution_to_json(choice) for name, choice in choices.items()
    }
    insert_rows(
        connection,
        PARAMS,
        [
            {
                "trial_id": trials[row.id],
                "param_name": name,
                "param_value": choices[name].to_internal_repr(label),  # Optuna keeps its index
                "distribution_json": texts[name],
            }
            for row in rows
            for name, label in parameters(row).items()
        ],
    )
    _attach(connection, {trials[row.id]: born(row) for row in rows})
    _tell_environments(connection, study_id, rows)
    return trials


def _tell_environments(connection: Connection, study_id: int, rows: Sequence[Any]) -> None:
    """Give the study the versions and machines that its trials name."""
    found = dict(environment(row.provenance) for row in rows)
    said = [
        {"study_id": study_id, "key": f"environment {name}", "value_json": json.dumps(one)}
        for name, one in found.items()
        if one
    ]
    if said:
        insertion = upsert(connection, STUDY_USER_ATTRIBUTES).values(said)
        connection.execute(insertion.on_conflict_do_nothing())


def tell(
    connection: Connection, rows: Sequence[Any], trials: Mapping[int, int]
) -> tuple[set[int], set[int]]:
    """End the trials of attempts that have ended.

    Args:
        connection: A writing transaction.
        rows: Ended attempts.
        trials: Attempt id to trial id.

    Returns:
        Attempts whose trial somebody deleted, and those whose trial somebody ended; both are left.
    """
    if not rows:
        return set(), set()
    found = connection.execute(
        select(TRIALS.c.trial_id, TRIALS.c.state)
        .where(TRIALS.c.trial_id.in_([trials[row.id] for row in rows]))
        .order_by(TRIALS.c.trial_id)
        .with_for_update()
    )
    states = {one.trial_id: TrialState[one.state] for one in found}
    deleted = {row.id for row in rows if trials[row.id] not in states}
    finished = {
        row.id for row in rows if row.id not in deleted and states[trials[row.id]].is_finished()
    }
    open_ = [row for row in rows if row.id not in deleted and row.id not in finished]
    if not open_:
        return deleted, finished
    ends = {row.id: end(row) for row in open_}
    connection.execute(
        update(TRIALS)
        .where(TRIALS.c.trial_id == bindparam("of"))
        .values(state=bindparam("ended"), datetime_complete=bindparam("at")),
        [
            # The end is the attempt's: its trial may only be told the next morning.
            {"of": trials[row.id], "ended": ends[row.id][0].name, "at": _naive_utc(row.ended)}
            for row in open_
        ],
    )
    insert_rows(
        connection,
        VALUES,
        [
            {"trial_id": trials[row.id], "value": ends[row.id][1]}
            for row in open_
            if ends[row.id][1] is not None
        ],
        same=(("objective", 0), ("value_type", "FINITE")),
        keep=True,
    )
    _attach(connection, {trials[row.id]: told(row) for row in open_})
    points = curves(connection, open_)
    insert_rows(
        connection,
        INTERMEDIATE,
        [
            {"trial_id": trials[row.id], "step": step, "intermediate_value": value}
            for row in open_
            for step, value in points[row.id].items()
        ],
        same=(("intermediate_value_type", "FINITE"),),
        keep=True,
    )
    return deleted, finished


def _attach(connection: Connection, said: Mapping[int, Mapping[str, Any]]) -> None:
    """Give trials user attributes they do not have yet."""
    insert_rows(
        connection,
        ATTRIBUTES,
        [
            {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)}
            for trial_id, attributes in said.items()
            for key, value in attributes.items()
        ],
        keep=True,
    )


def _naive_utc(moment: datetime) -> datetime:
    """A moment as Optuna stores it."""
    return moment.astimezone(UTC).replace(tzinfo=None)
