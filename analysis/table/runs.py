"""The runs of a study in a store as a tidy frame: one row a planned run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ablations.errors import InputError
from analysis.table.columns import as_numbers, as_yes_or_no, labels_of
from analysis.table.statuses import CONVERGES, MISSING_STATUSES, NOT_RUN, standard
from runner.content.response import LEARNED

NUMBERS = (
    "test_accuracy", "test_loss", "epochs_to_target", "epochs_budget", "seconds", "n_test",
    "classes",
)  # fmt: skip


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
