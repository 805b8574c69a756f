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
from optuna.distributions import BaseDistribution
from optuna.trial import TrialState
from sqlalchemy import Connection, bindparam, func, insert, select, update

from runner.machine.provenance import environment
from runner.optuna_mirror.attempts import (
    Attempt,
    attributes_at_end,
    attributes_at_start,
    curve_of_trials,
    trial_end,
    trial_parameters,
)
from runner.optuna_mirror.optuna_tables import (
    ATTRIBUTES,
    INTERMEDIATE,
    PARAMS,
    STUDIES,
    STUDY_USER_ATTRIBUTES,
    TRIALS,
    VALUES,
)
from runner.store.database.bulk import insert_rows, upsert
from runner.store.named import Names


def make_trials(
    connection: Connection,
    study_id: int,
    begun: Sequence[Attempt],
    choices: Mapping[str, BaseDistribution],
) -> dict[int, int]:
    """Make a running trial of each attempt; returns attempt id to trial id."""
    if not begun:
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
                "datetime_start": _naive_utc(attempt.started),
            }
            for place, attempt in enumerate(begun)
        ],
    )
    by_number = {one.number: int(one.trial_id) for one in made}
    trials = {attempt.id: by_number[first + place] for place, attempt in enumerate(begun)}
    texts = {
        name: optuna.distributions.distribution_to_json(choice) for name, choice in choices.items()
    }
    insert_rows(
        connection,
        PARAMS,
        [
            {
                "trial_id": trials[attempt.id],
                "param_name": name,
                "param_value": choices[name].to_internal_repr(label),  # Optuna keeps its index
                "distribution_json": texts[name],
            }
            for attempt in begun
            for name, label in trial_parameters(attempt).items()
        ],
    )
    _attach(connection, {trials[attempt.id]: attributes_at_start(attempt) for attempt in begun})
    _attach_environments(connection, study_id, begun)
    return trials


def _attach_environments(connection: Connection, study_id: int, begun: Sequence[Attempt]) -> None:
    """Give the study the versions and machines that its trials name."""
    environments = dict(environment(attempt.provenance) for attempt in begun)
    rows = [
        {"study_id": study_id, "key": f"environment {name}", "value_json": json.dumps(content)}
        for name, content in environments.items()
        if content
    ]
    if rows:
        insertion = upsert(connection, STUDY_USER_ATTRIBUTES).values(rows)
        connection.execute(insertion.on_conflict_do_nothing())


def end_trials(
    connection: Connection,
    ended: Sequence[Attempt],
    trials: Mapping[int, int],
    names: Names,
) -> tuple[set[int], set[int]]:
    """End the trials of attempts that have ended.

    Args:
        connection: A writing transaction.
        ended: The attempts.
        trials: Attempt id to trial id.
        names: Of the study's numbers; the curve of the first response is shown.

    Returns:
        Attempts whose trial somebody deleted, and those whose trial somebody ended; both are left.
    """
    if not ended:
        return set(), set()
    rows = connection.execute(
        select(TRIALS.c.trial_id, TRIALS.c.state)
        .where(TRIALS.c.trial_id.in_([trials[attempt.id] for attempt in ended]))
        .order_by(TRIALS.c.trial_id)
        .with_for_update()
    )
    states = {row.trial_id: TrialState[row.state] for row in rows}
    deleted = {attempt.id for attempt in ended if trials[attempt.id] not in states}
    finished = {
        attempt.id
        for attempt in ended
        if attempt.id not in deleted and states[trials[attempt.id]].is_finished()
    }
    open_ = [one for one in ended if one.id not in deleted and one.id not in finished]
    if not open_:
        return deleted, finished
    ends = {attempt.id: trial_end(attempt) for attempt in open_}
    connection.execute(
        update(TRIALS)
        .where(TRIALS.c.trial_id == bindparam("of"))
        .values(state=bindparam("ended"), datetime_complete=bindparam("at")),
        [
            {
                "of": trials[attempt.id],
                "ended": ends[attempt.id][0].name,
                # The end is the attempt's: its trial may only be told the next morning.
                "at": None if attempt.ended is None else _naive_utc(attempt.ended),
            }
            for attempt in open_
        ],
    )
    insert_rows(
        connection,
        VALUES,
        [
            {"trial_id": trials[attempt.id], "value": ends[attempt.id][1]}
            for attempt in open_
            if ends[attempt.id][1] is not None
        ],
        same=(("objective", 0), ("value_type", "FINITE")),
        keep=True,
    )
    _attach(connection, {trials[attempt.id]: attributes_at_end(attempt) for attempt in open_})
    points = curve_of_trials(connection, open_, names)
    insert_rows(
        connection,
        INTERMEDIATE,
        [
            {"trial_id": trials[attempt.id], "step": step, "intermediate_value": value}
            for attempt in open_
            for step, value in points[attempt.id].items()
        ],
        same=(("intermediate_value_type", "FINITE"),),
        keep=True,
    )
    return deleted, finished


def _attach(connection: Connection, attributes: Mapping[int, Mapping[str, Any]]) -> None:
    """Give trials user attributes they do not have yet: trial id to attributes."""
    insert_rows(
        connection,
        ATTRIBUTES,
        [
            {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)}
            for trial_id, of_trial in attributes.items()
            for key, value in of_trial.items()
        ],
        keep=True,
    )


def _naive_utc(moment: datetime) -> datetime:
    """A moment as Optuna stores it."""
    return moment.astimezone(UTC).replace(tzinfo=None)
