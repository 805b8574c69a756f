"""The runs of a study whose trainer is somebody's own: named responses and curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.table.runs import from_runs
from analysis.table.statuses import MISSING_STATUSES
from runner.content.outcome import Target
from runner.content.own.response import value_if_diverged

SHIPPED = (
    "test_accuracy", "test_loss", "test_correct", "n_test", "classes", "best_validation_accuracy",
    "final_validation_accuracy", "epochs_to_target", "restricted_epochs", "epochs_run",
    "epochs_budget", "diverged_epoch", "parameters", "train_images", "better_than_guessing",
    "responses",
)  # fmt: skip
"""Columns that only the shipped trainer fills."""


def from_own_runs(
    runs: Iterable[Mapping[str, Any]],
    factors: Mapping[str, Sequence[str]],
    declared: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    """The tidy frame of a study: `from_runs`, with a column a response.

    Args:
        runs: `Store.runs(study)`, with `responses` by name.
        factors: declared labels per factor, in order.
        declared: of each response what the file says; a run that diverged without a number counts
            as its `worst`, else `chance`, else as missing.
    """
    rows = list(runs)
    frame = from_runs(rows, factors)
    frame = frame.drop(columns=[name for name in SHIPPED if name in frame and name not in factors])
    if not frame["status"].isin(("reached", "short")).any() and "converged" not in factors:
        frame = frame.drop(columns="converged")
    lost = frame["status"].isin(MISSING_STATUSES)
    names = list(dict.fromkeys([*declared, *(name for row in rows for name in row["responses"])]))
    taken = {*factors, "replicate", "cell", "status"}
    for name in names:
        if name in taken:  # what was returned besides the declared ones has no claim to a name
            continue
        values = pd.Series(
            [row["responses"].get(name, np.nan) for row in rows], index=frame.index, dtype=float
        )
        fill = value_if_diverged(declared.get(name, {}))
        if fill is not None:
            values = values.where(~((frame["status"] == "diverged") & values.isna()), fill)
        frame[name] = values.mask(lost)
    return frame


def wide_curves(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Curves in long form (cell, name, step, value) as columns cell, epoch and one a name."""
    long = pd.DataFrame(list(rows), columns=["cell", "name", "step", "value"])
    order = list(dict.fromkeys(long["cell"]))
    wide = long.pivot_table(index=["cell", "step"], columns="name", values="value", sort=False)
    wide = wide.reset_index().rename(columns={"step": "epoch"})
    wide.columns.name = None
    wide["cell"] = pd.Categorical(wide["cell"], categories=order, ordered=True)
    wide = wide.sort_values(["cell", "epoch"], kind="stable").reset_index(drop=True)
    wide["cell"] = wide["cell"].astype(str)
    return wide


def with_times(frame: pd.DataFrame, curves: pd.DataFrame, target: Target) -> pd.DataFrame:
    """The frame with the step at which each run reached the target, and the budget of all.

    A run that never did counts with the budget, the last step that any run reported.
    """
    if curves.empty or target.response not in curves:
        return frame
    values = curves[target.response]
    hit = values <= target.accuracy if target.lower else values >= target.accuracy
    first = curves[hit].groupby("cell")["epoch"].min()
    reached = frame["cell"].map(first)
    reached = reached.where(frame["status"] == "reached").astype(float)
    budget = float(curves["epoch"].max())
    ran = ~frame["status"].isin(MISSING_STATUSES)
    return frame.assign(
        epochs_to_target=reached,
        epochs_budget=np.where(ran, budget, np.nan),
        epochs_run=frame["cell"].map(curves.groupby("cell")["epoch"].max()).astype(float),
        restricted_epochs=reached.fillna(budget).where(ran),
    )
