"""Optuna's storage that reads many trials, and many attributes of a study, at once.

Optuna makes an ORM object of every parameter, attribute and intermediate value, 417,000 of them for
10,000 trials of 20 values; as rows they take a fraction of its 12 CPU seconds (decision 064).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Container, Sequence
from functools import lru_cache
from typing import Any

from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import ColumnElement, Connection, Row, String, TableClause, select, type_coerce

from runner.optuna_mirror.optuna_tables import (
    ATTRIBUTES,
    INTERMEDIATE,
    PARAMS,
    STUDIES,
    SYSTEM_ATTRIBUTES,
    TRIALS,
    VALUES,
)

AT_ONCE = 500
"""Trials of one statement: as parameters, few enough for every database."""
NOT_FINITE = {"INF_POS": float("inf"), "INF_NEG": float("-inf"), "NAN": float("nan")}


class RowStorage(RDBStorage):
    """Optuna's storage, its bulk reading of trials and studies replaced; all else is Optuna's own.

    A later Optuna that reads trials by another function is slower again, not wrong.
    """

    def get_all_studies(self) -> list[FrozenStudy]:
        """All studies in the order of their ids; a study has two attributes or more a trial."""
        with self.engine.connect() as connection:
            directions = _by_study(connection, models.StudyDirectionModel, "objective", "direction")
            user, system = (
                _by_study(connection, model, "key", "value_json")
                for model in (models.StudyUserAttributeModel, models.StudySystemAttributeModel)
            )
            known = select(STUDIES.c.study_id, STUDIES.c.study_name).order_by(STUDIES.c.study_id)
            return [
                FrozenStudy(
                    study_name=row.study_name,
                    direction=None,
                    directions=[direction for _, direction in sorted(directions[row.study_id])],
                    user_attrs={key: json.loads(text) for key, text in user[row.study_id]},
                    system_attrs={key: json.loads(text) for key, text in system[row.study_id]},
                    study_id=row.study_id,
                )
                for row in connection.execute(known).all()
            ]

    def _get_trials(
        self,
        study_id: int,
        states: Container[TrialState] | None,
        included_trial_ids: set[int],
        trial_id_greater_than: int,
    ) -> list[FrozenTrial]:
        """The study's trials after one, and some before it, in the order of their ids.

        Raises:
            KeyError: there is no such study.
        """
        first = min([*included_trial_ids, trial_id_greater_than + 1])
        with self.engine.connect() as connection:
            known = select(STUDIES.c.study_id).where(STUDIES.c.study_id == study_id)
            if connection.scalar(known) is None:
                raise KeyError(f"there is no study {study_id}")
            # First the trials: what a finished one holds was written with its state or before.
            wanted = [
                row
                for row in connection.execute(
                    select(TRIALS)
                    .where(TRIALS.c.study_id == study_id, TRIALS.c.trial_id >= first)
                    .order_by(TRIALS.c.trial_id)
                )
                if row.trial_id > trial_id_greater_than or row.trial_id in included_trial_ids
                if states is None or TrialState[row.state] in states
            ]
            return [
                trial
                for start in range(0, len(wanted), AT_ONCE)
                for trial in _frozen(connection, wanted[start : start + AT_ONCE])
            ]


def _by_study(connection: Connection, model: Any, *columns: str) -> dict[int, list[Any]]:
    """Study to its rows of one of Optuna's tables."""
    by_study: dict[int, list[Any]] = defaultdict(list)
    wanted = select(model.study_id, *(getattr(model, name) for name in columns))
    for study, *row in connection.execute(wanted).all():
        by_study[study].append(row)
    return by_study


def _frozen(connection: Connection, rows: Sequence[Row[Any]]) -> list[FrozenTrial]:
    """The trials with all that other tables hold of them."""
    of = [row.trial_id for row in rows]

    def by_trial(table: TableClause, by: str, *columns: ColumnElement[Any]) -> dict[int, list[Any]]:
        """Trial to its rows of the table."""
        rows_of: dict[int, list[Any]] = defaultdict(list)
        query = select(table.c.trial_id, *columns).where(table.c.trial_id.in_(of))
        for trial, *row in connection.execute(query.order_by(table.c[by])).all():
            rows_of[trial].append(row)
        return rows_of

    values = by_trial(VALUES, "objective", VALUES.c.value, _name(VALUES.c.value_type))
    parameters = by_trial(
        PARAMS, "param_id", PARAMS.c.param_name, PARAMS.c.param_value, PARAMS.c.distribution_json
    )
    user = by_trial(ATTRIBUTES, "key", ATTRIBUTES.c.key, ATTRIBUTES.c.value_json)
    system = by_trial(
        SYSTEM_ATTRIBUTES, "key", SYSTEM_ATTRIBUTES.c.key, SYSTEM_ATTRIBUTES.c.value_json
    )
    curves = by_trial(
        INTERMEDIATE,
        "step",
        INTERMEDIATE.c.step,
        INTERMEDIATE.c.intermediate_value,
        _name(INTERMEDIATE.c.intermediate_value_type),
    )
    return [
        FrozenTrial(
            number=row.number,
            state=TrialState[row.state],
            value=None,
            values=[NOT_FINITE.get(kind, value) for value, kind in values[row.trial_id]] or None,
            datetime_start=row.datetime_start,
            datetime_complete=row.datetime_complete,
            params={
                name: _distribution(text).to_external_repr(value)
                for name, value, text in parameters[row.trial_id]
            },
            distributions={name: _distribution(text) for name, _, text in parameters[row.trial_id]},
            user_attrs={key: json.loads(text) for key, text in user[row.trial_id]},
            system_attrs={key: json.loads(text) for key, text in system[row.trial_id]},
            intermediate_values={
                step: NOT_FINITE.get(kind, value) for step, value, kind in curves[row.trial_id]
            },
            trial_id=row.trial_id,
        )
        for row in rows
    ]


def _name(kind: ColumnElement[Any]) -> ColumnElement[str]:
    """An enumeration's value as text, which needs no look-up a row."""
    return type_coerce(kind, String)


@lru_cache(maxsize=256)
def _distribution(text: str) -> BaseDistribution:
    """A study has a handful, written out in every trial."""
    return json_to_distribution(text)
