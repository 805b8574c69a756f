"""The runs of a study in a store as a tidy frame: one row a planned run.

Of the shipped trainer (`from_runs`), or with the named responses of somebody's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ablations.errors import InputError
from analysis.table.columns import as_numbers, as_yes_or_no, labels_of
from analysis.table.statuses import CONVERGES, MISSING_STATUSES, NOT_RUN, standard
from runner.content.outcome import Target
from runner.content.own.response import value_if_diverged
from runner.content.response import LEARNED

NUMBERS = (
    "test_accuracy", "test_loss", "epochs_to_target", "epochs_budget", "seconds", "n_test",
    "classes",
)  # fmt: skip

SHIPPED = (
    "test_accuracy", "test_loss", "test_correct", "n_test", "classes", "best_validation_accuracy",
    "final_validation_accuracy", "epochs_to_target", "restricted_epochs", "epochs_run",
    "epochs_budget", "diverged_epoch", "parameters", "train_images", "better_than_guessing",
)  # fmt: skip
"""Columns that only the shipped trainer fills."""


def from_attempts(attempts: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The rows of `Store.attempts(study)`, one an attempt, with seconds as numbers."""
    frame = pd.DataFrame(list(attempts))
    if "seconds" in frame:
        frame["seconds"] = as_numbers(frame["seconds"])
    return frame


def from_runs(
    runs: Iterable[Mapping[str, Any]], factors: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Turn the rows of `runner.store` into the tidy frame of a study.

    Args:
        runs: `Store.runs(study)`: one mapping per planned cell, factors as "factor:NAME".
        factors: declared labels per factor, in order.

    Returns:
        One row per planned run: factor columns by name (ordered Categoricals), `replicate`,
        `status` (not_run where there is no outcome yet), the outcome columns. A failed or
        timed-out run has no accuracy; a diverged one has chance (1/classes).
    """
    frame = pd.DataFrame(list(runs))
    if frame.empty:
        raise InputError("the study has no planned runs")
    frame = frame.drop(columns="responses", errors="ignore")  # of trainers of one's own
    frame = frame.rename(columns={f"factor:{name}": name for name in factors})
    for name, labels in factors.items():
        frame[name] = pd.Categorical(labels_of(frame[name]), categories=list(labels), ordered=True)
    frame["status"] = frame["status"].fillna(NOT_RUN).astype(str)
    for column in NUMBERS:
        if column in frame:
            numbers = as_numbers(frame[column])
            frame[column] = numbers.where(np.isfinite(numbers))  # no training writes infinity
    words = standard(frame)
    frame["status"] = frame["status"] if words is None else words
    lost = frame["status"].isin(MISSING_STATUSES)
    for column in ("test_accuracy", "test_loss"):
        if column in frame:
            frame.loc[lost, column] = np.nan
    if "epochs_to_target" in frame:
        # A run stopped by its time limit may have reached the target before: that stays known.
        frame.loc[lost & (frame["status"] != "timeout"), "epochs_to_target"] = np.nan
    frame["converged"] = frame["status"].map(CONVERGES).astype(float)
    if LEARNED.column in frame:
        frame[LEARNED.column] = as_yes_or_no(frame[LEARNED.column])
    if {"epochs_to_target", "epochs_budget"} <= set(frame.columns):
        budget = frame["epochs_budget"]
        reached = frame["epochs_to_target"].fillna(budget).clip(upper=budget)
        frame["restricted_epochs"] = reached.where(~lost)
    return frame


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
