"""Runs of TensorBoard's hparams: hyperparameters and the last value of every scalar."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ablations.errors import InputError
from analysis.importers.runs import FINISHED, Run, Runs, library
from runner.program.wording import counted

EVENTS = "tfevents"
PLUGIN = "hparams"
STATUS = {2: "failed", 3: "running"}
"""Of `tensorboard.plugins.hparams.api.Status`; success and unknown have what they have."""
KEPT = {"compressedHistograms": 1, "images": 1, "audio": 1, "scalars": 1, "histograms": 1,
        "tensors": 1}  # fmt: skip
"""Events of each name held in memory: the last."""


def read(folder: str | Path) -> Runs:
    """Read every run below a folder of event files.

    `add_hparams` of PyTorch makes a folder below the one that the curves are in: the run's scalars
    are those of both.

    Raises:
        InputError: no such folder, no event files, no hyperparameters, or no tensorboard.
    """
    root = Path(folder)
    where = f"folder {str(folder)!r}"
    if not root.is_dir():
        raise InputError(f"{where} does not exist; expected a folder of TensorBoard's event files")
    folders = sorted(
        Path(base) for base, _, files in os.walk(root) if any(EVENTS in name for name in files)
    )
    if not folders:
        raise InputError(f"{where} has no event files of TensorBoard (events.out.tfevents...)")
    events = library(
        "tensorboard.backend.event_processing.event_accumulator", "tensorboard", "event files"
    )
    content = library("tensorboard.plugins.hparams.plugin_data_pb2", "tensorboard", "event files")
    found = [_folder(one, events, content) for one in folders]
    found.sort(key=lambda one: (one.began, one.path))
    by_path = {one.path: one for one in found}
    runs = []
    for one in found:
        if one.params is None:
            continue
        scalars = one.scalars
        above = by_path.get(one.path.parent)
        if above is not None and above.params is None:
            beside = [o for o in found if o.path.parent == above.path and o.params is not None]
            if len(beside) == 1:  # otherwise nobody knows whose the curves are
                scalars = above.scalars | scalars
        runs.append(Run(str(one.path.relative_to(root)), one.params, scalars, one.ended))
    if not runs:
        raise InputError(
            f"{where} has event files in {counted(len(found), 'folder')}, but no hyperparameters: "
            "they are there where runs called add_hparams"
        )
    asked = dict.fromkeys(name for one in found for name in one.asked)
    note = "of each scalar the last value counts"
    return Runs(where, root.resolve().name, "run", tuple(runs), tuple(asked), notes=(note,))


@dataclass(frozen=True)
class Folder:
    """The event files of one folder.

    Attributes:
        path: of the folder.
        began: time of the first event, in seconds.
        params: hyperparameters, None where there are none.
        ended: how the run did.
        asked: metrics that were named with the hyperparameters.
        scalars: the last value of each.
    """

    path: Path
    began: float
    params: dict[str, object] | None
    ended: str
    asked: tuple[str, ...]
    scalars: dict[str, float]


def _folder(path: Path, events: Any, content: Any) -> Folder:
    accumulator = events.EventAccumulator(str(path), size_guidance=KEPT)
    accumulator.Reload()
    try:
        tags = accumulator.PluginTagToContent(PLUGIN)
        began = float(accumulator.FirstEventTimestamp())
    except KeyError:  # no hyperparameters
        tags, began = {}, 0.0
    params: dict[str, object] | None = None
    ended, asked = FINISHED, tuple[str, ...]()
    for blob in tags.values():
        data = content.HParamsPluginData.FromString(blob)
        kind = data.WhichOneof("data")
        if kind == "session_start_info":
            hparams = data.session_start_info.hparams
            params = {name: _value(hparams[name]) for name in sorted(hparams)}
        elif kind == "session_end_info":
            ended = STATUS.get(data.session_end_info.status, FINISHED)
        elif kind == "experiment":
            asked = tuple(info.name.tag for info in data.experiment.metric_infos)
    return Folder(path, began, params, ended, asked, _scalars(accumulator))


def _value(value: Any) -> object:
    """A hyperparameter; numbers are floats there, yes and no are 1 and 0."""
    kind = value.WhichOneof("kind")
    return None if kind in (None, "null_value") else getattr(value, kind)


def _scalars(accumulator: Any) -> dict[str, float]:
    """The last value of each scalar, written as numbers (PyTorch) or as tensors (TensorFlow)."""
    tags = accumulator.Tags()
    last = {tag: _short(accumulator.Scalars(tag)[-1].value) for tag in tags["scalars"]}
    for tag in tags["tensors"]:
        if accumulator.SummaryMetadata(tag).plugin_data.plugin_name == "scalars":
            from tensorboard.util.tensor_util import make_ndarray

            array = make_ndarray(accumulator.Tensors(tag)[-1].tensor_proto)
            if array.size == 1:
                last[tag] = _short(float(array.reshape(()).item()))
    return last


def _short(value: float) -> float:
    """The shortest number that a 32-bit float holds as this one: 0.3, not 0.30000001192."""
    return float(str(np.float32(value)))
