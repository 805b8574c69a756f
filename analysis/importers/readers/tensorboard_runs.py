"""Runs of TensorBoard's hparams: hyperparameters and the last value of every scalar."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ablations.errors import InputError
from analysis.importers.runs import FINISHED, Run, Runs, library

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
    read_of = {}
    for one in folders:
        accumulator = events.EventAccumulator(str(one), size_guidance=KEPT)
        accumulator.Reload()
        read_of[one] = (_session(accumulator, content), _scalars(accumulator))
    runs = []
    for one, ((params, ended), scalars) in read_of.items():
        if params is None:
            continue
        if one.parent in read_of and read_of[one.parent][0][0] is None:
            siblings = [o for o in read_of if o.parent == one.parent and read_of[o][0][0]]
            if len(siblings) == 1:  # otherwise nobody knows whose the curves are
                scalars = read_of[one.parent][1] | scalars
        runs.append(Run(str(one.relative_to(root)), params, scalars, ended))
    if not runs:
        raise InputError(
            f"{where} has scalars of {len(folders)} runs, but no hyperparameters: they are there "
            "where the runs called add_hparams"
        )
    note = "of each scalar the last value counts"
    return Runs(where, root.resolve().name, "run", tuple(runs), notes=(note,))


def _session(accumulator: Any, content: Any) -> tuple[dict[str, object] | None, str]:
    """The hyperparameters of a folder, None without any, and how its run ended."""
    try:
        tags = accumulator.PluginTagToContent(PLUGIN)
    except KeyError:
        return None, FINISHED
    params: dict[str, object] | None = None
    ended = FINISHED
    for blob in tags.values():
        data = content.HParamsPluginData.FromString(blob)
        if data.WhichOneof("data") == "session_start_info":
            hparams = data.session_start_info.hparams
            params = {name: _value(hparams[name]) for name in sorted(hparams)}
        elif data.WhichOneof("data") == "session_end_info":
            ended = STATUS.get(data.session_end_info.status, FINISHED)
    return params, ended


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
