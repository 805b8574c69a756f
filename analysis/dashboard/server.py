"""optuna-dashboard on a store: cached, with pictures drawn when looked at, quick on large studies.

It says of importance what the report says.

application(store, Path("results"))  # a WSGI application
"""

from __future__ import annotations

import copy
import importlib
import logging
import re
import threading
from typing import TYPE_CHECKING, Any

from optuna.exceptions import OptunaError
from optuna_dashboard import wsgi
from sqlalchemy.exc import SQLAlchemyError

from analysis.dashboard.importance import SHARES
from analysis.dashboard.pictures import Pictures
from runner.optuna_mirror.mirror import artifact_store, optuna_storage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from optuna.distributions import BaseDistribution
    from optuna.storages import BaseStorage
    from optuna.study._frozen import FrozenStudy
    from optuna.trial import FrozenTrial

    from runner.store import Store

    Serialize = Callable[[int, FrozenTrial, Mapping[str, Any]], dict[str, Any]]

log = logging.getLogger(__name__)

OF_A_TRIAL = re.compile(r"dashboard:(?:artifacts:)?(\d+):")
"""Attributes of a study that are about one trial: its note, its pictures."""

SLOW = "pages of large studies may be slow"
PED_ANOVA = "the panel Hyperparameter Importance is Optuna's PED-ANOVA, no share of the variance,"
"""What it costs where this optuna-dashboard lacks a function that is wrapped."""

MOST_DISTRIBUTIONS = 1000
CURVES = 300
"""Learning curves a study's page gets at most, besides those of running cells: a browser takes two
minutes to draw 10,000 of them, and nobody tells 300 apart."""
MOST_LINES = 3000
"""Trials above which the page has no plot of learning curves: the dashboard makes a line of every
trial, with a curve or without, 10,000 of which take a browser 18 s."""


def application(store: Store, results: Path) -> Any:
    """The dashboard as a WSGI application.

    Args:
        store: whose studies are shown.
        results: folder that keeps what people upload.
    """
    _make_quick()
    # Cached: the plain command line re-reads every trial at each refresh.
    storage = optuna_storage(store)
    threading.Thread(target=_read_ahead, args=(storage,), daemon=True).start()
    return wsgi(storage, Pictures(store, artifact_store(results)))


def _read_ahead(storage: BaseStorage) -> None:
    """Read the newest study's trials before anybody asks: of 10,000 it takes seconds."""
    try:
        studies = storage.get_all_studies()
        if studies:
            storage.get_all_trials(studies[-1]._study_id, deepcopy=False)
    except (OptunaError, SQLAlchemyError, KeyError) as error:
        log.info("nothing read ahead: %s", error)


def _make_quick() -> None:
    """Replace what is slow, in a random order or at odds with the report, by what calls it.

    A trial's note and pictures are looked up instead of searched for: for every trial it goes
    through all attributes of the study, 600 million comparisons for 10,000 trials (decision 063).
    A page of many trials holds the curves of some (decision 064). Panels come in their order.
    Importances are the report's shares of the variance (decision 104).
    """
    _wrap("_serializer", "serialize_frozen_trial", LookUp)
    _wrap("_serializer", "serialize_distribution", Once)
    _wrap("_app", "serialize_study_detail", FewCurves)
    _wrap("_custom_plot_data", "list_graph_object_ids", InOrder)
    _wrap("_app", "get_param_importance_from_trials_cache", Shares, PED_ANOVA)


def _wrap(module: str, function: str, wrapper: type, without: str = SLOW) -> None:
    """Wrap a private function of optuna-dashboard, once; a version without it stays as it is."""
    try:
        part = importlib.import_module(f"optuna_dashboard.{module}")
        own = getattr(part, function)
    except (ImportError, AttributeError) as error:
        log.warning("%s in this optuna-dashboard: %s", without, error)
        return
    if not isinstance(own, wrapper):
        setattr(part, function, wrapper(own))


class InOrder:
    """Lists what another function lists, sorted."""

    def __init__(self, names: Callable[[Mapping[str, Any]], list[str]]) -> None:
        self._names = names

    def __call__(self, attributes: Mapping[str, Any]) -> list[str]:
        """The names in the order of the alphabet."""
        return sorted(self._names(attributes))


class Shares:
    """Importances of a study's parameters: their shares of the variance, where its page has them.

    Of a study that this program has not published, such as a person's own, they are Optuna's.
    """

    def __init__(self, importances: Callable[..., list[dict[str, Any]]]) -> None:
        self._importances = importances

    def __call__(
        self,
        cache: Any,
        storage: BaseStorage,
        study_id: int,
        objective_id: int,
        trials: list[FrozenTrial],
    ) -> list[dict[str, Any]]:
        """Name, importance and kind of distribution of each parameter, largest first."""
        shares = storage.get_study_system_attrs(study_id).get(SHARES)
        if shares is None:
            return self._importances(cache, storage, study_id, objective_id, trials)
        kinds: dict[str, str] = {}
        for trial in trials:
            if kinds.keys() >= shares.keys():
                break
            kinds |= {name: type(one).__name__ for name, one in trial.distributions.items()}
        return [
            {"name": name, "importance": share, "distribution": kinds[name]}
            for name, share in sorted(shares.items(), key=lambda one: -one[1])
            if name in kinds
        ]


class LookUp:
    """Serialises a trial, given only those attributes of the study that are about this trial."""

    def __init__(self, serialize: Serialize) -> None:
        self._serialize = serialize
        self._last: tuple[Mapping[str, Any], dict[str, dict[str, Any]]] = ({}, {})

    def __call__(
        self, study_id: int, trial: FrozenTrial, attributes: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The trial as JSON."""
        known, index = self._last  # one assignment: answers are made in several threads
        if known is not attributes:
            index = _by_trial(attributes)
            self._last = (attributes, index)
        return self._serialize(study_id, trial, index.get(str(trial._trial_id), {}))


class FewCurves:
    """Serialises a study, evenly chosen trials with their curves and the others without."""

    def __init__(self, serialize: Callable[..., dict[str, Any]]) -> None:
        self._serialize = serialize

    def __call__(
        self,
        study: FrozenStudy,
        best: list[FrozenTrial],
        trials: Sequence[FrozenTrial],
        *others: Any,
        **named: Any,
    ) -> dict[str, Any]:
        """The study as JSON; `trials` are its last, in the order of their numbers."""
        every = -(-(trials[-1].number + 1) // CURVES) if trials else 1
        shown = [
            trial
            if trial.number % every == 0 or not trial.state.is_finished()
            else _without_curve(trial)
            for trial in trials
        ]
        page = self._serialize(study, best, shown, *others, **named)
        if trials and trials[-1].number >= MOST_LINES:
            page["has_intermediate_values"] = False
        return page


class Once:
    """Serialises a distribution once: all trials of a study have the same few objects."""

    def __init__(self, serialize: Callable[[BaseDistribution], dict[str, Any]]) -> None:
        self._serialize = serialize
        self._known: dict[int, tuple[BaseDistribution, dict[str, Any]]] = {}

    def __call__(self, distribution: BaseDistribution) -> dict[str, Any]:
        """The distribution as JSON, to be read only."""
        known = self._known.get(id(distribution))  # kept, so that no other gets its id
        if known is None:
            if len(self._known) >= MOST_DISTRIBUTIONS:
                self._known.clear()
            known = distribution, self._serialize(distribution)
            self._known[id(distribution)] = known
        return known[1]


def _without_curve(trial: FrozenTrial) -> FrozenTrial:
    bare = copy.copy(trial)
    bare.intermediate_values = {}
    return bare


def _by_trial(attributes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Trial to those attributes of its study that are about it."""
    index: dict[str, dict[str, Any]] = {}
    for key, value in attributes.items():
        named = OF_A_TRIAL.match(key)
        if named:
            index.setdefault(named.group(1), {})[key] = value
    return index
