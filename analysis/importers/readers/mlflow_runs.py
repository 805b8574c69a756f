"""Runs of an MLflow experiment: a folder of files (`mlruns`), a database or a server.

MLflow itself refuses folders by now (3.17 does), so these are read here; anything else is read by
its client.
"""

from __future__ import annotations

import math
import os
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ablations.errors import InputError, did_you_mean
from analysis.importers.runs import FINISHED, Run, Runs, library

DATABASE = "mlflow.db"
STATUSES = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")
"""In the order of their numbers in files, from 1."""
ENDED = {"RUNNING": "running", "SCHEDULED": "waiting", "FINISHED": FINISHED, "FAILED": "failed",
         "KILLED": "killed"}  # fmt: skip
PARENT = "mlflow.parentRunId"
Found = tuple[str, Run, Mapping[str, str]]
"""A run with its experiment and its tags."""
PAGE = 1000


def read(source: str | Path, experiment: str | None = None) -> Runs:
    """Read every run of an experiment that was not deleted.

    Args:
        source: `mlruns`, the folder that it or `mlflow.db` is in, or a tracking URI.
        experiment: its name, where several have runs.

    Raises:
        InputError: nothing of MLflow's there, or no such experiment.
    """
    text = str(source)
    path = Path(unquote(urlparse(text).path)) if text.startswith("file:") else Path(text)
    if "://" in text and not text.startswith("file:"):
        return _of(_client_runs(text, text), f"{text!r}", experiment)
    where = f"folder {str(path)!r}"
    if path.is_file():
        return _of(_client_runs(f"sqlite:///{path}", text), f"{text!r}", experiment)
    if not path.is_dir():
        raise InputError(f"{where} does not exist; expected mlruns, the folder it is in, or a "
                         "tracking URI: sqlite:///mlflow.db")  # fmt: skip
    for folder in (path, path / "mlruns"):
        if any(folder.glob("*/*/params")) or any(folder.glob("*/*/metrics")):
            return _of(_file_runs(folder), where, experiment)
        if (folder / DATABASE).is_file():
            uri = f"sqlite:///{folder / DATABASE}"
            return _of(_client_runs(uri, uri), f"{uri!r}", experiment)
    raise InputError(f"{where} has no runs of MLflow: neither experiments with runs nor {DATABASE}")


def _of(found: Iterator[Found], where: str, wanted: str | None) -> Runs:
    """The runs of one experiment; one that only holds others (a sweep's parent) is none."""
    by_name: dict[str, list[tuple[Run, Mapping[str, str]]]] = {}
    for name, run, tags in found:
        by_name.setdefault(name, []).append((run, tags))
    if wanted is None and len(by_name) > 1:
        raise InputError(f"{where} has runs of {len(by_name)} experiments, name one behind it: "
                         f"{', '.join(sorted(by_name))}")  # fmt: skip
    if not by_name:
        raise InputError(f"{where} has no runs")
    if wanted is not None and wanted not in by_name:
        raise InputError(f"{where} has no experiment {wanted!r} with runs: "
                         f"{did_you_mean(wanted, by_name)}")  # fmt: skip
    name = wanted or next(iter(by_name))
    parents = {tags[PARENT] for _, tags in by_name[name] if PARENT in tags}
    runs = tuple(run for run, tags in by_name[name] if tags.get("run_id") not in parents)
    note = "of each metric the last value counts"
    return Runs(f"experiment {name!r} of {where}", name, "run", runs, notes=(note,))


def _others(tags: Mapping[str, str]) -> dict[str, object]:
    return {name: text for name, text in tags.items() if not name.startswith("mlflow.")}


# --- a database or a server -------------------------------------------------------------------


def _client_runs(uri: str, text: str) -> Iterator[Found]:
    """Experiment, run and tags of each, by MLflow's client."""
    if uri.startswith("sqlite:"):
        _check_sqlite(uri, text)
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # its import complains where git is not
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # 7 are minutes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own use of SQLAlchemy
        mlflow = library("mlflow", "mlflow-skinny", f"{text!r}")
        try:
            client = mlflow.MlflowClient(tracking_uri=uri)
            pages = [
                (experiment.name, page)
                for experiment in client.search_experiments()
                for page in _pages(client, experiment.experiment_id)
            ]
        except mlflow.exceptions.MlflowException as error:
            why = " ".join(str(error).split())
            raise InputError(f"{text!r} cannot be read by MLflow: {why}") from None
    for experiment, page in pages:
        for run in page:
            info, data = run.info, run.data
            one = Run(
                info.run_name or info.run_id,
                dict(data.params),
                {name: float(value) for name, value in data.metrics.items()},
                ENDED.get(info.status, info.status.lower()),
                _others(data.tags),
            )
            yield experiment, one, {**data.tags, "run_id": info.run_id}


def _pages(client: Any, experiment: str) -> Iterator[Any]:
    """The runs of an experiment, the first first, a page at a time."""
    token: str | None = None
    while True:
        page = client.search_runs(
            [experiment],
            max_results=PAGE,
            page_token=token,
            order_by=["attributes.start_time ASC"],
        )
        yield page
        if not (token := page.token):
            return


def _check_sqlite(uri: str, text: str) -> None:
    """Refuse what is no database of MLflow's, in which its client would make one."""
    path = Path(uri.removeprefix("sqlite:///"))
    if not path.is_file():
        raise InputError(f"{text!r} does not exist: there is no file {str(path)!r}")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        try:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = {name for (name,) in rows}
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise InputError(f"{text!r} is no database of MLflow: {error}") from None
    if not {"experiments", "runs", "latest_metrics"} <= tables:
        raise InputError(f"{text!r} is a database, but not one of MLflow: it has no runs")


# --- a folder of files ------------------------------------------------------------------------


def _file_runs(folder: Path) -> Iterator[Found]:
    """Experiment, run and tags of each: a file a parameter, a metric, a tag."""
    for experiment in sorted(folder.iterdir()):
        about = _yaml(experiment / "meta.yaml")
        if about.get("lifecycle_stage") != "active" or experiment.name.startswith("."):
            continue
        there = [(_yaml(meta), meta.parent) for meta in sorted(experiment.glob("*/meta.yaml"))]
        there.sort(key=lambda one: (int(one[0].get("start_time") or 0), one[1].name))
        for meta, run in there:
            if meta.get("lifecycle_stage") != "active":
                continue
            tags = dict(_texts(run / "tags"))
            one = Run(
                str(meta.get("run_name") or tags.get("mlflow.runName") or run.name),
                dict(_texts(run / "params")),
                {name: _last(text) for name, text in _texts(run / "metrics")},
                _ended(meta.get("status")), _others(tags),
            )  # fmt: skip
            yield str(about.get("name")), one, {**tags, "run_id": run.name}


def _yaml(path: Path) -> Mapping[str, Any]:
    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise InputError(f"{str(path)!r} cannot be read: {' '.join(str(error).split())}") from None
    return content if isinstance(content, Mapping) else {}


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Names (which may have slashes) and contents of the files of a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")


def _last(text: str) -> float:
    """The value of the last step of a metric: a line is time, value, step."""
    best, value = (-math.inf, -math.inf), math.nan
    for line in text.splitlines():
        parts = line.split()
        try:
            when = (float(parts[2]) if len(parts) > 2 else 0.0, float(parts[0]))
            number = float(parts[1])
        except (IndexError, ValueError):
            continue
        if when >= best:
            best, value = when, number
    return value


def _ended(status: object) -> str:
    if isinstance(status, int) and 1 <= status <= len(STATUSES):
        return ENDED[STATUSES[status - 1]]
    return ENDED.get(str(status), FINISHED)
