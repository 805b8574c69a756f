"""What the runs of a combination were given beyond its levels: parameters, tuned values, sizes.

Read from what the store says of the study; a table says nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.table.columns import as_numbers
from runner.spec.tune import Group

if TYPE_CHECKING:
    from analysis.study import Study

SIZES = {
    "parameters": "weights of the network",
    "epochs_budget": "epochs planned",
    "train_images": "training images",
    "classes": "classes",
}
"""Columns that say how large a training was, with their names."""

Parameters = dict[str, dict[str, dict[str, Any]]]
"""Factor to level to its parameters."""


def parameters_of(study: Study) -> Parameters:
    """The parameters of every level that has some; a level that is a value has none beside it."""
    found: Parameters = {}
    for factor, levels in dict(study.info.get("levels") or {}).items():
        if "." in factor:
            continue
        for label, one in dict(levels).items():
            if parameters := dict(dict(one).get("parameters") or {}):
                found.setdefault(factor, {})[label] = parameters
    return found


def tuned(study: Study) -> list[tuple[Group, dict[str, float]]]:
    """What tuning found before the grid: the levels that values belong to, and the values."""
    return [(one.group, dict(one.values)) for one in study.searched]


def settings_of(study: Study, levels: Mapping[str, str]) -> dict[str, Any]:
    """Every setting of a combination by its name, such as `optimizer.lr`."""
    found = {
        f"{factor}.{name}": value
        for factor, of_level in parameters_of(study).items()
        for name, value in of_level.get(levels.get(factor, ""), {}).items()
    }
    for group, values in tuned(study):
        if all(levels.get(factor) == label for factor, label in group):
            found |= values
    return found


def sizes_of(study: Study) -> dict[str, np.ndarray]:
    """The sizes that are not the same in all runs, a number a run, by name."""
    found = {}
    for column, name in SIZES.items():
        if column not in study.facts:
            continue
        values = as_numbers(study.facts[column]).to_numpy(float)
        if len(np.unique(values[np.isfinite(values)])) > 1:
            found[name] = values
    return found
