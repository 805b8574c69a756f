"""The study as an Optuna study: one trial an attempt, for optuna-dashboard and Optuna's own tools.

Level-triggered and idempotent: `sync` compares attempts with trials and writes the difference, in
short transactions that also mark the attempts, so that a crash or a second coordinator neither
loses nor doubles a trial. Claims never wait for it. Factors and the replicate are categorical
parameters over level labels, the test accuracy is the value, the validation curve thinned to 20
points the intermediate values, everything else user attributes. Trials of others are left alone.

The study is made by Optuna's storage, bound to this store's transaction; its trials are written as
rows, a batch at a time (decision 031).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import scoped_session, sessionmaker

from ablations.errors import InputError
from runner.optuna_mirror.attempts import REPLICATE, Attempt, open_attempts, trial_parameters
from runner.optuna_mirror.optuna_tables import (
    open_storage,
    stored_choices,
    widen,
)
from runner.optuna_mirror.writes import end_trials, make_trials
from runner.store.cells.studies import StudyInfo
from runner.store.columns.states import AttemptState
from runner.store.database.locks import postgresql_lock
from runner.store.database.outages import StoreError, StoreUnavailable
from runner.store.database.tables import attempts, studies
from runner.store.named import Names
from runner.store.read import is_behind
from runner.store.store import Store

BATCH = 100
"""Attempts of one transaction: so few that claims get their turn on SQLite."""

log = logging.getLogger(__name__)


class PlannedOnly(optuna.samplers.BaseSampler):
    """Refuses to invent trials: which cells exist is the design's to say."""

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Refuse."""
        self._refuse()

    def sample_relative(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        search_space: dict[str, BaseDistribution],
    ) -> dict[str, Any]:
        """Refuse."""
        self._refuse()

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Refuse."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise RuntimeError("this study mirrors a grid, which alone plans its trials")


class Mirror:
    """Keeps one study's trials like its attempts. For one coordinator's threads to share."""

    def __init__(self, store: Store, study: StudyInfo) -> None:
        self._database = store.database
        self._info = study
        self._lock = threading.Lock()
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # the run's output is not Optuna's
        self._storage = open_storage(self._database)
        self._optuna_id = 0  # of the study, in Optuna's tables
        self._study_id = 0  # in the store's
        self._given_up = False
        self._names = Names.of(study.spec)
        self._ranges = _ranges_of(study.spec)

    def __enter__(self) -> Mirror:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of Optuna's storage; the store stays open."""
        self._storage.engine.dispose()

    def sync(self, *, wait: bool = True) -> int:
        """Bring the trials up to the attempts; returns how many trials were made or told.

        Args:
            wait: False leaves the work to another coordinator that is at it (PostgreSQL; on
                SQLite all of them are on this machine, and take turns).

        Raises:
            StoreUnavailable: the database did not answer within the store's patience.
        """
        with self._lock:
            written = 0
            if not self._database.read(self._is_behind):
                return 0  # a run that trains long cells asks often, and must not lock for it
            began = time.monotonic()
            pause = 0.05
            while True:
                try:
                    batch, more = self._database.write(partial(self._batch, wait=wait))
                except optuna.exceptions.StorageInternalError as error:
                    # Optuna wraps what the database said; the transaction is undone as a whole.
                    if isinstance(error.__cause__, DBAPIError):
                        self._database.raise_final(error.__cause__)
                    if time.monotonic() - began > self._database.write_patience:
                        raise StoreUnavailable(
                            f"the store {self._database.address} takes no trials: {error}"
                        ) from error
                    time.sleep(pause)
                    pause = min(2 * pause, 2.0)
                    continue
                written += batch
                if not more:
                    return written

    def keep(self, *, wait: bool = True) -> None:
        """`sync`, which must not end a run: trials are a copy for others to look at.

        What they did to it, or a later Optuna that keeps it otherwise, is a warning, once.

        Raises:
            StoreError: the store itself is lost.
        """
        if self._given_up:
            return
        try:
            self.sync(wait=wait)
        except StoreError:
            raise
        except InputError as error:
            self._give_up(str(error))
        except Exception as error:
            self._give_up(f"{type(error).__name__}: {error}")

    def _give_up(self, why: str) -> None:
        self._given_up = True
        log.warning("the trials in Optuna are no longer kept up to date: %s", why)

    def _is_behind(self, connection: Connection) -> bool:
        if not self._study_id:
            self._study_id = connection.execute(
                select(studies.c.id).where(studies.c.name == self._info.name)
            ).scalar_one()
        return is_behind(connection, self._study_id)

    def _batch(self, connection: Connection, *, wait: bool) -> tuple[int, bool]:
        """Mirror up to `BATCH` attempts; returns how many, and whether any may be left."""
        if not postgresql_lock(connection, wait=wait):
            return 0, False
        # Optuna's sessions join this transaction: their commits become savepoints.
        session = sessionmaker(bind=connection, join_transaction_mode="create_savepoint")
        self._storage.scoped_session = scoped_session(session)
        try:
            self._find_study(connection)
        finally:
            self._storage.scoped_session.remove()
        batch = open_attempts(connection, self._study_id, BATCH, self._names)
        begun = [attempt for attempt in batch if attempt.trial_id is None]
        ended = [attempt for attempt in batch if attempt.state != AttemptState.RUNNING]
        trials = {one.id: one.trial_id for one in batch if one.trial_id is not None}
        choices = self._choices(connection, begun)
        trials |= make_trials(connection, self._optuna_id, begun, choices)
        deleted, finished = end_trials(connection, ended, trials, self._names)
        for attempt in finished:
            log.warning("trial %s of %s was ended by hand", trials[attempt], self._info.name)
        if batch:
            connection.execute(
                update(attempts)
                .where(attempts.c.id == bindparam("of"))
                .values(trial_id=bindparam("trial"), mirrored=bindparam("done")),
                [
                    {
                        "of": one.id,
                        # What was deleted by hand is made again in the next pass.
                        "trial": None if one.id in deleted else trials[one.id],
                        "done": one.state != AttemptState.RUNNING and one.id not in deleted,
                    }
                    for one in batch
                ],
            )
        return len(batch), len(batch) == BATCH

    def _find_study(self, connection: Connection) -> None:
        """The study's numbers; a study deleted in the dashboard is made again, with its trials."""
        name = self._info.name
        try:
            self._optuna_id = self._storage.get_study_id_from_name(name)
        except KeyError:
            lower = self._names.primary.lower
            better = StudyDirection.MINIMIZE if lower else StudyDirection.MAXIMIZE
            self._optuna_id = self._storage.create_new_study([better], name)
            attributes = {"profile": self._info.profile, "claims": self._info.claims}
            for key, value in attributes.items():
                self._storage.set_study_user_attr(self._optuna_id, key, value)
            connection.execute(
                update(attempts)
                .where(attempts.c.study_id == self._study_id)
                .values(trial_id=None, mirrored=False)
            )

    def _choices(
        self, connection: Connection, begun: Sequence[Attempt]
    ) -> dict[str, BaseDistribution]:
        """Every parameter's choices: those its trials have already, new labels appended.

        Optuna freezes a parameter's choices per study and stores a trial's choice by its index.
        Appending keeps every index: the stored distributions are rewritten to the longer list.
        What is tuned has the range that its values are from instead.
        """
        if not begun:
            return {}
        wanted = {**self._info.factors, REPLICATE: _replicates(self._info.replicates)}
        for attempt in begun:  # may hold labels the specification no longer declares
            for name, label in trial_parameters(attempt).items():
                wanted[name] = [*wanted.get(name, []), label]
        distributions: dict[str, BaseDistribution] = {}
        for name, labels in wanted.items():
            if name in self._ranges:
                distributions[name] = self._ranges[name]
                continue
            stored = stored_choices(connection, self._optuna_id, name)
            choices = tuple(dict.fromkeys((*(stored or ()), *labels)))
            distributions[name] = wider = CategoricalDistribution(choices)
            if stored is not None and choices != stored:
                widen(connection, self._optuna_id, name, wider)
        return distributions


def _ranges_of(spec: Mapping[str, Any]) -> dict[str, BaseDistribution]:
    """Of a study of trials that tune: its parameters as the numbers that they are."""
    return {
        one["name"]: FloatDistribution(one["low"], one["high"], log=one["log"])
        for one in spec.get("tuning", {}).get("ranges", ())
    }


def _replicates(n: int) -> list[str]:
    return [str(replicate) for replicate in range(n)]


def optuna_storage(store: Store) -> optuna.storages.BaseStorage:
    """The store as Optuna's storage, with Optuna's cache in front.

    The dashboard's own command line goes without the cache and reads every trial at each refresh.
    """
    try:
        from runner.optuna_mirror.reads import RowStorage
    except ImportError as error:  # it needs private parts of Optuna
        log.warning("large studies are read slowly from this Optuna: %s", error)
        return optuna.storages.get_storage(open_storage(store.database))
    return optuna.storages.get_storage(open_storage(store.database, RowStorage))


def artifact_store(results: Path) -> optuna.artifacts.FileSystemArtifactStore:
    """Where files shown in the dashboard lie: `artifacts` under the results folder, made here."""
    folder = results / "artifacts"
    folder.mkdir(parents=True, exist_ok=True)
    return optuna.artifacts.FileSystemArtifactStore(str(folder))


def load_study(store: Store, study: StudyInfo) -> optuna.Study:
    """The mirrored study for Optuna's own functions (`trials_dataframe`, importances, plots)."""
    return optuna.load_study(
        study_name=study.name,
        storage=optuna_storage(store),
        sampler=PlannedOnly(),
        pruner=optuna.pruners.NopPruner(),
    )
