"""Runs that were lost, by level: a study may only be read as planned if they fell at random.

A run is lost where it failed or passed its time limit, waiting where it has not run; a diverged run
is neither, it is a result. A run that ended without a response is lost to it, whatever its status.
Promises an exact test per factor (permutation of the lost runs over all finished ones) and a plain
sentence where a level loses more than chance explains. Repairs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ablations.errors import InputError
from analysis.number_words import p_phrase
from analysis.stats.counts.cmh import exact_test
from analysis.stats.counts.proportions import wilson
from analysis.stats.multiplicity import holm
from analysis.table.cells import grid_index
from analysis.table.columns import facts
from analysis.table.records import plain, records
from analysis.table.statuses import FINISHED, SAME_STATUS
from runner.content.response import response_of

LOST = ("failed", "timeout", "no_response")
WAITING = "not_run"
MOST_CELLS_NAMED = 20


@dataclass(frozen=True)
class Missing:
    """What is not there, and whether that looks like chance.

    Attributes:
        planned, finished, lost, waiting: Runs; finished + lost + waiting = planned.
        by_level: factor, level, planned, finished, failed, timeout, no_response (ended, but without
            a number), waiting, share_lost (of the runs that ended), low, high (Wilson).
        tests: factor, p, p_holm, method: exact test that lost runs fall on levels by chance.
        reasons: reason, runs: why runs were lost, where the frame has a `reason`.
        empty_cells: Levels of cells in which no run finished and none waits, at most
            `MOST_CELLS_NAMED` of them; `empty` counts all.
        at_random: False where a test rejects at 5 % after Holm; None where nothing was lost.
        warnings: Sentences for the top of a report; empty when all is well.
    """

    planned: int
    finished: int
    lost: int
    waiting: int
    by_level: pd.DataFrame
    tests: pd.DataFrame
    reasons: pd.DataFrame
    empty: int
    empty_cells: tuple[dict[str, str], ...]
    at_random: bool | None
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: tables as records, null where a number does not exist."""
        counts = ("planned", "finished", "lost", "waiting", "empty", "at_random")
        return {
            **{name: plain(getattr(self, name)) for name in counts},
            "by_level": records(self.by_level),
            "tests": records(self.tests),
            "reasons": records(self.reasons),
            "empty_cells": [dict(cell) for cell in self.empty_cells],
            "warnings": list(self.warnings),
        }


def missing(
    frame: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    response: str = "test_accuracy",
    confidence: float = 0.95,
) -> Missing:
    """Count what is missing and test whether it fell at random.

    Args:
        frame: One row per planned run, typed, with a `status`; without one, a run is lost (as
            "failed") where its response is missing.
        factors: Factor name to its declared levels.
        response: Column of the outcome. A run that ended without one is lost to it, unless the
            outcome is one that only some runs have (`Response.some`).
        confidence: Of the intervals; 1 - confidence is the level of the warning.

    Raises:
        InputError: Neither a status nor the response is there.
    """
    about = facts(frame, factors)
    status = _status(about, response)
    index = grid_index(frame, factors)
    codes = np.unravel_index(index, [len(levels) for levels in factors.values()])
    lost, waiting = np.isin(status, LOST), status == WAITING
    ended = ~waiting
    by_level = _by_level(factors, codes, status, confidence)
    tests = _tests(factors, codes, lost, ended)
    empty = _empty_cells(factors, index, lost, ended, waiting)
    significant = tests[tests["p_holm"] <= 1 - confidence]
    warnings = [_warning(row, by_level) for row in significant.itertuples()]
    silent = status == "no_response"
    if silent.any():
        gone = int(silent.sum())
        runs = "run ended without" if gone == 1 else "runs ended without"
        warnings.append(f"{gone} {runs} {response}: what is said of it rests on the others, which "
                        "are no random sample.")  # fmt: skip
    if len(empty):
        shown = "; ".join(", ".join(f"{k} = {v}" for k, v in cell.items()) for cell in empty[:3])
        more = f"; and {len(empty) - 3} more" if len(empty) > 3 else ""
        cells = "1 cell has" if len(empty) == 1 else f"{len(empty)} cells have"
        what = "are not estimable"
        if len(factors) > 2:
            what = ("are not estimable, or are marked as assuming that three or more factors do "
                    "not interact")  # fmt: skip
        warnings.append(f"{cells} no run that finished ({shown}{more}): effects that need such a "
                        f"cell {what}.")  # fmt: skip
    return Missing(
        planned=len(frame),
        finished=int((ended & ~lost).sum()),
        lost=int(lost.sum()),
        waiting=int(waiting.sum()),
        by_level=by_level,
        tests=tests,
        reasons=_reasons(about, lost),
        empty=len(empty),
        empty_cells=tuple(empty[:MOST_CELLS_NAMED]),
        at_random=None if not lost.any() else not len(significant),
        warnings=tuple(warnings),
    )


def _status(frame: pd.DataFrame, response: str) -> np.ndarray[Any, Any]:
    if "status" in frame.columns:
        status = frame["status"].astype(str).replace(SAME_STATUS)
        if response in frame.columns and not response_of(response).some:
            lacks = frame[response].isna()
            status = status.mask(status.isin(FINISHED) & lacks, "no_response")
        return status.to_numpy(object)
    if response not in frame.columns:
        raise InputError(f"the frame has neither a column 'status' nor {response!r}")
    return np.where(frame[response].notna(), "finished", "failed").astype(object)


def _by_level(
    factors: Mapping[str, Sequence[str]],
    codes: tuple[Any, ...],
    status: np.ndarray[Any, Any],
    confidence: float,
) -> pd.DataFrame:
    rows = []
    for code, (name, levels) in zip(codes, factors.items(), strict=True):
        for i, level in enumerate(levels):
            own = status[code == i]
            counted = {word: int((own == word).sum()) for word in LOST}
            gone, waiting = sum(counted.values()), int((own == WAITING).sum())
            ended = len(own) - waiting
            share, low, high = (float(v) for v in wilson(gone, ended, confidence))
            rows.append(
                {
                    "factor": name,
                    "level": level,
                    "planned": len(own),
                    "finished": ended - gone,
                    **counted,
                    "waiting": waiting,
                    "share_lost": share,
                    "low": low,
                    "high": high,
                }
            )
    return pd.DataFrame(rows)


def _tests(
    factors: Mapping[str, Sequence[str]], codes: tuple[Any, ...], lost: Any, ended: Any
) -> pd.DataFrame:
    rows = []
    for code, (name, levels) in zip(codes, factors.items(), strict=True):
        hits = np.bincount(code[lost & ended], minlength=len(levels))
        runs = np.bincount(code[ended], minlength=len(levels))
        test = exact_test(hits[None, :], runs[None, :])
        rows.append((name, np.nan if test.p is None else test.p, test.method))
    table = pd.DataFrame(rows, columns=["factor", "p", "method"])
    table.insert(2, "p_holm", holm(table["p"].to_numpy(float)))
    return table


def _empty_cells(
    factors: Mapping[str, Sequence[str]], index: Any, lost: Any, ended: Any, waiting: Any
) -> list[dict[str, str]]:
    """Planned cells in which nothing finished although nothing waits."""
    shape = [len(levels) for levels in factors.values()]
    size = int(np.prod(shape))
    tried = np.bincount(index[ended], minlength=size) > 0
    finished = np.bincount(index[ended & ~lost], minlength=size) > 0
    pending = np.bincount(index[waiting], minlength=size) > 0
    empty = np.flatnonzero(tried & ~finished & ~pending)
    where = np.array(np.unravel_index(empty, shape)).T
    return [
        {name: levels[int(i)] for (name, levels), i in zip(factors.items(), cell, strict=True)}
        for cell in where
    ]


def _reasons(frame: pd.DataFrame, lost: Any) -> pd.DataFrame:
    if "reason" not in frame.columns or not lost.any():
        return pd.DataFrame({"reason": pd.Series(dtype=object), "runs": pd.Series(dtype=int)})
    given = frame.loc[lost, "reason"]
    named = given.where(given.notna(), "unknown").astype(str)
    counted = named.value_counts(sort=False).sort_index()
    return pd.DataFrame({"reason": counted.index.astype(object), "runs": counted.to_numpy()})


def _warning(row: Any, by_level: pd.DataFrame) -> str:
    own = by_level[by_level["factor"] == row.factor]
    worst = own.loc[own["share_lost"].idxmax()]
    gone = int(worst[list(LOST)].sum())
    ended = gone + int(worst["finished"])
    return (
        f"Runs are not missing at random: {gone} of {ended} runs with {row.factor} = "
        f"{worst['level']} were lost ({p_phrase(row.p_holm)} over all factors, exact test). What "
        "is said about that level rests on the runs that were left."
    )
