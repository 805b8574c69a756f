"""Trials of an Optuna study, from its database, its journal file or memory. Nothing is written."""

from __future__ import annotations

import json
import math
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.errors import InputError, did_you_mean
from analysis.importers.roles import SEED
from analysis.importers.runs import FINISHED, Run, Runs, flat, numbers

if TYPE_CHECKING:
    import optuna

SQLITE = b"SQLite format 3\x00"
ENDED = {"COMPLETE": FINISHED, "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running",
         "WAITING": "waiting"}  # fmt: skip


def read(source: optuna.Study | str | Path, study: str | None = None) -> Runs:
    """Read every trial.

    Args:
        source: a study; or the URL of its database, or the path of an SQLite or journal file.
        study: its name, where there are several.

    Raises:
        InputError: no database of Optuna's, or no such study in it.
    """
    import optuna

    if isinstance(source, optuna.Study):
        return _runs(source, f"study {source.study_name!r}")
    if not isinstance(source, (str, Path)):
        raise InputError(f"{source!r} is no study of Optuna, no URL and no path")
    given = str(source)
    text = _shown(given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that journals and names of metrics are experimental
        storage = _storage(given, text)
        names = _asked(lambda: optuna.get_all_study_names(storage), text)
        if not names:
            raise InputError(f"{text!r} is a database of Optuna without a study")
        if study is None and len(names) > 1:
            raise InputError(f"{text!r} has {len(names)} studies, name one behind the URL: "
                             f"{', '.join(sorted(names))}")  # fmt: skip
        if study is not None and study not in names:
            raise InputError(f"{text!r} has no study {study!r}: {did_you_mean(study, names)}")
        loaded = optuna.load_study(study_name=study or names[0], storage=storage)
        return _runs(loaded, f"study {loaded.study_name!r} of {text!r}")


def _shown(given: str) -> str:
    """A URL without its password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(given).render_as_string(hide_password=True)
    except ArgumentError:  # a path
        return given


def _asked(ask: Callable[[], Any], text: str) -> Any:
    """What a database answers; InputError where it does not."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return ask()
    except ImportError as error:
        raise InputError(f"{text!r} cannot be read without its driver: {error}") from None
    except (SQLAlchemyError, RuntimeError, OSError, ValueError, KeyError) as error:
        why = " ".join(str(error).split("(Background")[0].split())
        raise InputError(f"{text!r} cannot be read as a database of Optuna: {why}") from None


def _storage(given: str, text: str) -> Any:
    """The storage behind a URL or a path, opened without making anything."""
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.engine import make_url

    path = Path(given)
    if "://" not in given:
        if path.is_dir():
            raise InputError(f"{text!r} is a folder; expected the URL or the file of a database of "
                             "Optuna: sqlite:///study.db")  # fmt: skip
        if not path.is_file():
            raise InputError(f"{text!r} is no file and no URL: expected sqlite:///study.db")
        with path.open("rb") as file:
            if file.read(len(SQLITE)) != SQLITE:
                return JournalStorage(_asked(lambda: _journal(path, JournalFileBackend), text))
        given = f"sqlite:///{path}"
    url = _asked(lambda: make_url(given), text)
    if url.get_backend_name() == "sqlite":
        file_path = Path(url.database or "")
        if not file_path.is_file():
            raise InputError(f"{text!r} does not exist: there is no file {str(file_path)!r}")
    engine = _asked(lambda: create_engine(url), text)
    try:
        tables = set(_asked(lambda: inspect(engine).get_table_names(), text))
    finally:
        engine.dispose()
    if not {"studies", "trials", "version_info"} <= tables:
        raise InputError(f"{text!r} is a database, but not one of Optuna: it has no studies")
    return _asked(lambda: RDBStorage(given, skip_table_creation=True), text)


def _journal(path: Path, backend: Any) -> Any:
    """The journal in a file; ValueError where its first line is none."""
    try:
        with path.open(encoding="utf-8") as file:
            first = json.loads(file.readline())
    except ValueError:  # binary, or no JSON
        first = None
    if not isinstance(first, dict) or "op_code" not in first:
        raise ValueError("it is neither an SQLite file nor a journal of Optuna")
    return backend(str(path))


def _runs(study: Any, where: str) -> Runs:
    names = list(study.metric_names or ())
    count = len(study.directions)
    if not names:
        names = ["value"] if count == 1 else [f"values_{k}" for k in range(count)]
    better = {
        name: direction.name == "MAXIMIZE"
        for name, direction in zip(names, study.directions, strict=True)
        if direction.name != "NOT_SET"
    }
    trials = study.get_trials(deepcopy=False)
    return Runs(
        where,
        study.study_name,
        "trial",
        tuple(_run(trial, names) for trial in trials),
        tuple(names),
        better,
        tuple(_sampled(trials)),
        _choices(trials),
    )


def _choices(trials: list[Any]) -> dict[str, tuple[str, ...]]:
    """Parameters that were chosen among texts, with these as the program lists them."""
    found: dict[str, tuple[str, ...]] = {}
    for trial in trials:
        for name, distribution in trial.distributions.items():
            choices = getattr(distribution, "choices", ())
            if choices and all(isinstance(choice, str) for choice in choices):
                found[name] = tuple(choices)
    return found


def _run(trial: Any, names: list[str]) -> Run:
    """A trial: its parameters, its values, and of its attributes those that are numbers."""
    attributes = dict(flat(trial.user_attrs))
    ended = ENDED[trial.state.name]
    metrics = numbers({name: x for name, x in attributes.items() if not SEED.search(name)})
    if ended == FINISHED:  # a pruned trial has the last value it reported
        metrics |= dict(zip(names, map(float, trial.values), strict=True))
    return Run(f"trial {trial.number}", dict(trial.params), metrics, ended, attributes)


def _sampled(trials: list[Any]) -> list[str]:
    """A note where a sampler chose how often to try what.

    Means of what was chosen by its earlier values are too low where high is sought (Nie et al.,
    Why adaptively collected data have negative bias, AISTATS 2018).
    """
    done = [trial for trial in trials if trial.state.name == "COMPLETE"]
    if not done or any("grid_id" in trial.system_attrs for trial in done):
        return []
    counts = Counter(repr(sorted(trial.params.items())) for trial in done)
    levels: dict[str, set[str]] = {}
    for trial in done:
        for name, value in trial.params.items():
            levels.setdefault(name, set()).add(repr(value))
    if len(counts) == math.prod(map(len, levels.values())) and len(set(counts.values())) == 1:
        return []  # every combination as often
    return [
        "trials were not spread evenly: if their sampler looked at earlier values (TPE does), "
        "what it gave up early looks worse than it is"
    ]
