"""What was tried: every trial of a group with its score, and the best of them, as plain values.

A trial's score is the mean over its runs of what is made best; a run that diverged counts as the
worst value there is, as it does in the grid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, isfinite
from typing import Any

from runner.content.outcome import Status
from runner.content.own.response import Primary, primary_of
from runner.store import State
from runner.tuning.groups import Values


@dataclass(frozen=True, slots=True)
class Trial:
    """Values that were tried.

    Attributes:
        values: one for each parameter.
        scores: of its runs that ended, in the response's own unit; None where a run has none.
        diverged: how many of them diverged.
        failed: runs that the machine or the code failed.
        open: runs that have not ended.
        seconds: that its runs took.
    """

    values: Values
    scores: tuple[float, ...]
    diverged: int
    failed: int
    open: int
    seconds: float

    @property
    def mean(self) -> float | None:
        """Over its runs; None before all have ended, and where some failed."""
        if self.open or self.failed or not self.scores:
            return None
        return fsum(self.scores) / len(self.scores)


def read_trials(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], spec: Mapping[str, Any]
) -> list[Trial]:
    """The trials of a study, in the order in which they stand in it.

    Args:
        rows: its runs (`Store.runs`).
        names: of the parameters.
        spec: its stored specification.
    """
    primary = primary_of(spec)
    runs: dict[Values, list[Mapping[str, Any]]] = {}
    for row in rows:
        runs.setdefault(tuple(float(row[f"factor:{name}"]) for name in names), []).append(row)
    finite = [one for one in (_number(row, primary, spec) for row in rows) if one is not None]
    worst = (max if primary.lower else min)(finite, default=None)
    return [_trial(values, found, primary, spec, worst) for values, found in runs.items()]


def _trial(
    values: Values,
    rows: Sequence[Mapping[str, Any]],
    primary: Primary,
    spec: Mapping[str, Any],
    worst: float | None,
) -> Trial:
    ended = [row for row in rows if row["state"] == State.COMPLETE]
    scores = []
    for row in ended:
        score = _number(row, primary, spec)
        if row["status"] == Status.DIVERGED and score is None:
            score = worst
        if score is not None:
            scores.append(score)
    return Trial(
        values,
        tuple(scores),
        diverged=sum(row["status"] == Status.DIVERGED for row in ended),
        failed=sum(row["state"] == State.FAILED for row in rows) + len(ended) - len(scores),
        open=sum(row["state"] in (State.WAITING, State.RUNNING) for row in rows),
        seconds=fsum(row["seconds"] or 0.0 for row in rows),
    )


def _number(row: Mapping[str, Any], primary: Primary, spec: Mapping[str, Any]) -> float | None:
    """What a run counts as; None where it has not ended with a number."""
    if row["state"] != State.COMPLETE:
        return None
    if row["status"] == Status.DIVERGED:
        if "trainer" in spec:
            return primary.if_diverged
        return 1 / row["classes"] if row.get("classes") else None
    value = (row["responses"] if "trainer" in spec else row).get(primary.name)
    return float(value) if value is not None and isfinite(value) else None


def best_of(trials: Sequence[Trial], *, lower: bool) -> Trial | None:
    """The trial with the best mean; None where none has one."""
    ended = [one for one in trials if one.mean is not None]
    sign = -1.0 if lower else 1.0
    return max(ended, key=lambda one: sign * (one.mean or 0.0), default=None)
