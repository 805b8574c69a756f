"""Jobs of a Hydra sweep: what each was told to override, and the numbers it wrote to its folder."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ablations.errors import InputError
from analysis.importers.runs import Run, Runs, flat, numbers

TOLD = Path(".hydra/overrides.yaml")
RESULTS = (".json", ".jsonl", ".ndjson", ".csv")
LARGEST = 64 * 2**20
"""Bytes of a file that may hold results; a larger one is data."""


def read(folder: str | Path) -> Runs:
    """Read every job below a folder: `multirun/DATE/TIME`, one above it, or `outputs`.

    A parameter is what any job overrode; where another did not, its value is that of its config.

    Raises:
        InputError: no such folder, no job in it, or a file of Hydra's that is damaged.
    """
    root = Path(folder)
    where = f"folder {str(folder)!r}"
    if not root.is_dir():
        raise InputError(f"{where} does not exist; expected a folder of Hydra's: multirun/DATE/TIME"
                         if not root.exists() else f"{str(folder)!r} is no folder; expected "
                         "multirun/DATE/TIME")  # fmt: skip
    jobs = sorted((told.parents[1] for told in root.rglob(str(TOLD))), key=_order)
    if not jobs:
        raise InputError(f"{where} has no job of Hydra's: no {TOLD} is in it or below")
    told = [dict(_override(line) for line in _list(job / TOLD)) for job in jobs]
    names = list(dict.fromkeys(name for one in told for name in one))
    runs, files = [], set[str]()
    for job, overrides in zip(jobs, told, strict=True):
        config = dict(flat(_mapping(job / ".hydra/config.yaml")))
        choices = _choices(job / ".hydra/hydra.yaml") if names else {}
        params = {
            name: config.get(name, choices.get(name, overrides.get(name))) for name in names
            if name in config or name in choices or name in overrides
        }  # fmt: skip
        metrics, read = _metrics(job, jobs)
        files |= read
        runs.append(Run(str(job.relative_to(root)), params, metrics))
    note = f"results are those in {', '.join(sorted(files))}" if files else ""
    last = any(not name.endswith(".json") for name in files)
    note += ", of several rows the last number of each" if last else ""
    return Runs(where, root.resolve().name, "job", tuple(runs), notes=(note,) if note else ())


def _order(job: Path) -> tuple[str, tuple[int, str]]:
    """Jobs as they were numbered."""
    name = job.name
    return str(job.parent), (int(name) if name.isdigit() else -1, name)


def _override(line: object) -> tuple[str, object]:
    """An override as its name and value: "+model.depth=3" is (model.depth, 3)."""
    name, _, text = str(line).partition("=")
    name = name.lstrip("+~").partition("@")[0]
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    return name, text


def _yaml(path: Path) -> Any:
    try:
        return YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise InputError(f"{str(path)!r} cannot be read: {' '.join(str(error).split())}") from None


def _list(path: Path) -> list[object]:
    content = _yaml(path) or []
    if not isinstance(content, list):
        raise InputError(f"{str(path)!r} is no list of overrides")
    return content


def _mapping(path: Path) -> Mapping[str, Any]:
    content = _yaml(path)
    return content if isinstance(content, Mapping) else {}


def _choices(path: Path) -> Mapping[str, Any]:
    """Which file of each config group was chosen; Hydra keeps it since 1.1."""
    node: Any = _mapping(path)
    for key in ("hydra", "runtime", "choices"):
        node = node.get(key) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}


def _metrics(job: Path, jobs: Iterable[Path]) -> tuple[dict[str, float], set[str]]:
    """The numbers of a job's files, and those files; of one name in two files both, by file."""
    inner = {other for other in jobs if other != job and job in other.parents}
    found: dict[str, dict[str, float]] = {}
    for path in sorted(job.rglob("*")):
        if path.suffix not in RESULTS or ".hydra" in path.parts or inner & set(path.parents):
            continue
        if path.stat().st_size <= LARGEST and (there := _numbers_in(path)):
            found[path.relative_to(job).as_posix()] = there
    metrics: dict[str, float] = {}
    for file, there in found.items():
        for name, value in there.items():
            twice = any(name in other for one, other in found.items() if one != file)
            metrics[f"{Path(file).with_suffix('').as_posix()}/{name}" if twice else name] = value
    return metrics, set(found)


def _numbers_in(path: Path) -> dict[str, float]:
    """The numbers of a file, the last of each name; none where it is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".csv":
            rows: list[Any] = list(csv.DictReader(text.splitlines()))
        elif path.suffix == ".json":
            content = json.loads(text)
            rows = content if isinstance(content, list) else [content]
        else:
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except (OSError, ValueError, csv.Error):
        return {}
    last: dict[str, float] = {}
    for row in rows:
        if isinstance(row, Mapping):
            values = {name: _number(value) for name, value in flat(row)}
            last |= numbers(values)
    return last


def _number(value: object) -> object:
    """A text of a CSV file as its number; nothing where it is none."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return math.nan if value.strip().lower() == "nan" else None
