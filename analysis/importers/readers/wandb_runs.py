"""Runs of Weights & Biases: a CSV export, or the folders that runs leave on disk, online or not.

A run on disk has its config and its summary as files once it was synced, and in any case a log of
records (`run-ID.wandb`), LevelDB's log format around W&B's own messages.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ablations.errors import InputError, did_you_mean
from analysis.importers.runs import FINISHED, Run, Runs, flat, library, numbers
from analysis.table.forms.numbers import quiet_numbers
from analysis.table.forms.text import read_text

HEADER, BLOCK = b":W&B", 32768
FULL, LAST = 1, 4
"""Kinds of a piece of a record in LevelDB's log: whole, first, middle, last."""
OF_EXPORTS = frozenset(
    ("Name", "ID", "State", "Notes", "User", "Tags", "Created", "Updated", "End Time", "Hostname",
     "Runtime", "GPU Count", "GPU Type", "Sweep", "Group", "Job Type", "Commit", "Github",
     "Description", "Agent", "Link", "Host")
)  # fmt: skip
"""Columns of an export that W&B writes of itself."""
STATES = {"finished": FINISHED, "running": "running", "pending": "waiting", "crashed": "failed",
          "failed": "failed", "killed": "killed", "preempted": "killed"}  # fmt: skip


def read(source: str | Path, project: str | None = None) -> Runs:
    """Read an export or the runs below a folder.

    Args:
        source: a CSV file, or a folder.
        project: its name, where the runs of a folder are of several.

    Raises:
        InputError: neither, no such project, or runs whose records need wandb to be read.
    """
    path = Path(source)
    if path.is_file() and path.suffix != ".wandb":
        return _export(path)
    if path.is_file():
        return _folder([path.parent], path.parent, f"file {str(source)!r}", project)
    where = f"folder {str(source)!r}"
    if not path.is_dir():
        raise InputError(f"{where} does not exist; expected a CSV export or the folder wandb")
    folders = {log.parent for log in path.rglob("run-*.wandb")}
    folders |= {config.parents[1] for config in path.rglob("files/config.yaml")}
    folders |= {path} if (path / "config.yaml").is_file() else set()  # as downloaded
    folders = {one.resolve() for one in folders}  # latest-run is a link to one of them
    if not folders:
        raise InputError(f"{where} has no runs of W&B: no run-ID.wandb and no files/config.yaml")
    return _folder(sorted(folders), path, where, project)


# --- a CSV export -----------------------------------------------------------------------------


def _export(path: Path) -> Runs:
    """A table of the web page: one row a run, config and summary side by side."""
    where = f"export {str(path)!r}"
    try:
        frame = read_text(path.read_bytes(), ["Name", "State"], where).frame
    except OSError as error:
        raise InputError(f"{where} cannot be read: {error.strerror}") from None
    frame.columns = [str(name).strip() for name in frame.columns]
    if "Name" not in frame.columns:
        raise InputError(f"{where} is no export of W&B: it has no column Name; any other table "
                         "goes with --table")  # fmt: skip
    columns = [name for name in frame.columns if name not in OF_EXPORTS]
    columns = [name for name in columns if not name.startswith("_")]
    as_number = {name: quiet_numbers(frame[name]) for name in columns}
    metrics = [name for name in columns if as_number[name].notna().any()]
    runs = []
    for row, cells in enumerate(frame.to_dict("records")):
        params = {name: text for name in columns if (text := _cell(cells[name]))}
        values = {name: float(as_number[name].iloc[row]) for name in metrics}
        values = {name: value for name, value in values.items() if not math.isnan(value)}
        state = _cell(cells.get("State")).lower()
        ended = STATES.get(state, state or FINISHED)
        others = {name: cells[name] for name in OF_EXPORTS & set(frame.columns)}
        runs.append(Run(_cell(cells["Name"]), params, values, ended, others))
    return Runs(where, path.name.partition(".")[0], "run", tuple(runs), told_apart=False)


def _cell(value: object) -> str:
    return "" if value is None or value != value else str(value).strip()


# --- folders of runs --------------------------------------------------------------------------


def _folder(folders: list[Path], root: Path, where: str, wanted: str | None) -> Runs:
    """The runs of one project, in the order in which they began."""
    found = sorted((_from_files(one) or _from_log(one) for one in folders), key=lambda one: one[:2])
    projects = list(dict.fromkeys(project for _, _, project, _ in found))
    if wanted is None and len(projects) > 1:
        raise InputError(f"{where} has runs of {len(projects)} projects, name one behind it: "
                         f"{', '.join(sorted(projects))}")  # fmt: skip
    if wanted is not None and wanted not in projects:
        raise InputError(f"{where} has no project {wanted!r}: {did_you_mean(wanted, projects)}")
    project = wanted or projects[0]
    runs = tuple(run for _, _, its, run in found if its == project)
    note = "of each metric W&B's summary counts, by default the last value"
    return Runs(where, project or root.resolve().name, "run", runs, notes=(note,))


Found = tuple[str, float, str, Run]
"""When a run began, as its folder is called and as its log says; its project; the run."""


def _second(folder: Path) -> str:
    """When a run began, as the name of its folder has it: run-20260131_235959-ID."""
    return folder.name.partition("run-")[2][:15]


def _from_files(folder: Path) -> Found | None:
    """The run whose config was written as a file; None without one."""
    files = folder / "files" if (folder / "files").is_dir() else folder
    config = files / "config.yaml"
    if not config.is_file():
        return None
    try:
        content = YAML(typ="safe").load(config.read_text(encoding="utf-8")) or {}
        summary_file = files / "wandb-summary.json"
        summary = json.loads(summary_file.read_text("utf-8")) if summary_file.is_file() else {}
    except (OSError, ValueError, YAMLError) as error:
        raise InputError(f"{str(files)!r} cannot be read: {' '.join(str(error).split())}") from None
    values = {
        name: entry["value"] if isinstance(entry, Mapping) and "value" in entry else entry
        for name, entry in content.items()
        if name not in ("_wandb", "wandb_version")
    }
    run = Run(folder.name, dict(flat(values)), _summary(summary))
    return _second(folder), 0.0, "", run


def _summary(summary: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a summary; where W&B was told to keep a best (`define_metric`), that too."""
    return numbers({name: x for name, x in flat(summary) if not name.startswith("_wandb")})


def _from_log(folder: Path) -> Found:
    """The run of a log of records, of which the end may be missing."""
    log = next(iter(sorted(folder.glob("run-*.wandb"))))
    messages = library("wandb.proto.wandb_internal_pb2", "wandb", f"records of W&B {str(log)!r}")
    config: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    history: dict[str, Any] = {}
    name, project, ended, began = folder.name, "", "running", 0.0
    for raw in _records(log):
        record = messages.Record.FromString(raw)
        kind = record.WhichOneof("record_type")
        if kind == "run":
            _update(config, record.run.config.update)
            project = project or record.run.project
            began = began or record.run.start_time.ToNanoseconds() / 1e9
            name = record.run.display_name or record.run.run_id or name
        elif kind == "config":
            _update(config, record.config.update)
        elif kind == "history":
            _update(history, record.history.item)
        elif kind == "summary":
            _update(summary, record.summary.update)
        elif kind == "exit":
            ended = FINISHED if record.exit.exit_code == 0 else "failed"
    config.pop("_wandb", None)
    run = Run(name, dict(flat(config)), _summary(history | summary), ended)
    return _second(folder), began, project, run


def _update(values: dict[str, Any], items: Any) -> None:
    """Set what a message's items set, nested keys as dotted names."""
    for item in items:
        key = ".".join(item.nested_key) if item.nested_key else item.key
        values[key] = json.loads(item.value_json)


def _records(log: Path) -> Iterator[bytes]:
    """The records of a log, up to where it ends or breaks off.

    A block of 32 KiB holds pieces, each behind a checksum, a length and a kind (LevelDB's
    doc/log_format.md); W&B puts seven bytes of its own in front of the first.
    """
    data = log.read_bytes()
    if data[: len(HEADER)] != HEADER:
        raise InputError(f"{str(log)!r} is no log of W&B: it does not begin as one")
    at, pieces = 7, b""
    while at + 7 <= len(data):
        if BLOCK - at % BLOCK < 7:  # too short for a piece: filled with zeros
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        if kind == 0 or at + 7 + length > len(data):
            return
        pieces += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (FULL, LAST):
            yield pieces
            pieces = b""
