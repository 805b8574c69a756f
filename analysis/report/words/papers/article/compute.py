"""What the runs of a study took, by what its store kept of every attempt; NaN where it did not."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.report.words.papers.methods import places_of
from analysis.table.columns import as_numbers

if TYPE_CHECKING:
    from analysis.study import Study

ENDED_BADLY = ("failed", "lost", "released")
"""States of attempts without a result: the training failed, its worker vanished or was stopped."""


@dataclass(frozen=True, slots=True)
class Compute:
    """What the runs with a result took, and what was spent beside them.

    Attributes:
        runs: of which it is known how long they trained.
        median, longest, seconds: training time of one run, of the longest, of all, in seconds.
        cpu_seconds: processor time of all.
        memory: bytes at the peak of the run that took most.
        devices: what trained: "CPU cores (...)", "CUDA devices".
        machines: how many.
        adopted: runs that an earlier study had trained.
        wasted: attempts without a result.
        wasted_seconds: from their begin to their end, of those whose end is known.
    """

    runs: int
    median: float
    longest: float
    seconds: float
    cpu_seconds: float
    memory: float
    devices: tuple[str, ...]
    machines: int
    adopted: int
    wasted: int
    wasted_seconds: float


def compute(study: Study) -> Compute | None:
    """What the runs took; None of a table, which does not say where they were made."""
    attempts = study.attempt_rows
    if attempts is None or attempts.empty:
        return None
    ran = study.facts[study.runs[study.response].notna()]

    def numbers(column: str) -> pd.Series:
        return as_numbers(ran[column]).dropna() if column in ran else pd.Series(dtype=float)

    seconds, cpu, memory = map(numbers, ("seconds", "cpu_seconds", "peak_memory_bytes"))
    lost = attempts[attempts["state"].astype(str).isin(ENDED_BADLY)]
    return Compute(
        runs=len(seconds),
        median=float(seconds.median()),
        longest=float(seconds.max()),
        seconds=float(seconds.sum()) if len(seconds) else nan,
        cpu_seconds=float(cpu.sum()) if len(cpu) and len(cpu) == len(seconds) else nan,
        memory=float(memory.max()) if (memory > 0).any() else nan,
        devices=tuple(places_of(attempts)),
        machines=int(attempts["host"].nunique()) if "host" in attempts else 0,
        adopted=int(ran["adopted_from"].notna().sum()) if "adopted_from" in ran else 0,
        wasted=len(lost),
        wasted_seconds=_between(lost),
    )


def _between(attempts: pd.DataFrame) -> float:
    """Seconds from the begin to the end of attempts."""
    if not {"started", "ended"} <= set(attempts):
        return nan
    began, ended = (pd.to_datetime(attempts[name], utc=True) for name in ("started", "ended"))
    return float(np.nansum((ended - began).dt.total_seconds().to_numpy(float)))
