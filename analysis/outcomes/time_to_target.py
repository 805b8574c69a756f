"""How fast a level reaches the target: restricted mean epochs, curves, log-rank tests.

The outcome is min(T, E): epochs until the target accuracy, or the whole budget E where it was never
reached, also where training diverged (to count a crash as censoring would call it good luck). Then
everything is a contrast of cell means. A run stopped early for outside reasons (its time limit) is
censored: its cell's mean is then the area under its Kaplan-Meier curve, or NaN with bounds where
the cell's last run is the censored one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from analysis.model.cell_means import CellMeans, Estimate, Method
from analysis.model.interval_rule import by_rule
from analysis.outcomes.target_times import NEEDED, Times, read_times
from analysis.stats.kaplan_meier import curve, log_rank, restricted_mean
from analysis.stats.multiplicity import holm
from analysis.table.records import records
from analysis.table.tidy import Floats, tidy

__all__ = ["NEEDED", "TimeToTarget", "time_to_target"]


@dataclass(frozen=True)
class TimeToTarget:
    """Tidy tables; NaN where a number does not exist. Times in epochs.

    Attributes:
        budget: E, the horizon of every restricted mean.
        runs, reached, censored: Runs with a time, those that reached the target, those stopped
            early for outside reasons before they could.
        means: factor, level, mean, se, df, low, high, method, bound_low, bound_high (the mean if
            every censored run had reached the target at its next epoch, or never), median, reached
            (share of runs, by Kaplan-Meier at E).
        differences: factor, level, reference, estimate (level - reference), se, df, low, high, p,
            p_holm (within the factor), method.
        tests: factor, chisq, df, p, p_holm: log-rank, stratified by all other factors.
        curves: factor, level, epoch, reached, low, high, censored: share of the level's runs that
            reached the target by that epoch (1 - Kaplan-Meier over the level's runs, log-log
            limits); censored counts runs stopped at that epoch.
        notes: What the reader must know.
    """

    budget: int
    runs: int
    reached: int
    censored: int
    means: pd.DataFrame
    differences: pd.DataFrame
    tests: pd.DataFrame
    curves: pd.DataFrame
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; the curves are left out (a table of their own, and long)."""
        return {
            "budget": self.budget,
            "runs": self.runs,
            "reached": self.reached,
            "censored": self.censored,
            "means": records(self.means),
            "differences": records(self.differences),
            "tests": records(self.tests),
            "notes": list(self.notes),
        }


def time_to_target(
    frame: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    replicate: str | None = "replicate",
    confidence: float = 0.95,
    method: Method | None = None,
) -> TimeToTarget:
    """Analyse the epochs until the target accuracy.

    Args:
        frame: One row per planned run with the columns `NEEDED`; `epochs_to_target` is missing
            where the target was never reached.
        factors: Factor name to its declared levels.
        replicate: Column of the replicate, or None.
        confidence: Of every interval.
        method: How errors are estimated; by default what the study's rule picks. Always Welch
            where a run is censored.

    Raises:
        InputError: A column is missing, or no run has a time.
    """
    times = read_times(frame, factors)
    cells = _cell_means(frame, factors, replicate, times)
    notes = []
    if times.early.any():
        notes.append(
            f"{int(times.early.sum())} runs were stopped by their time limit before the target: "
            "they are censored, and means of their cells are areas under Kaplan-Meier curves."
        )
    if not times.seen.any():
        notes.append(f"No run reached the target within {times.budget} epochs.")
    return TimeToTarget(
        budget=times.budget,
        runs=len(times.time),
        reached=int(times.seen.sum()),
        censored=int(times.early.sum()),
        means=_means(cells, times, method, confidence),
        differences=_differences(cells, times, method, confidence),
        tests=_tests(factors, times),
        curves=_curves(factors, times, confidence),
        notes=tuple(notes),
    )


def restricted_cells(
    frame: pd.DataFrame, factors: Mapping[str, Sequence[str]], replicate: str | None
) -> tuple[CellMeans, bool]:
    """Cell means of min(T, E), and whether a run is censored.

    Raises:
        InputError: A column is missing, or no run has a time.
    """
    times = read_times(frame, factors)
    return _cell_means(frame, factors, replicate, times), bool(times.early.any())


def _cell_means(
    frame: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    replicate: str | None,
    times: Times,
) -> CellMeans:
    """Cell means of min(T, E), with Kaplan-Meier's in the cells that hold a censored run."""
    restricted = np.full(len(frame), np.nan)
    restricted[times.rows] = np.where(times.early, np.nan, times.time)
    # Text columns of the same name must not be read for a floor of shares.
    table = tidy(
        frame.drop(columns=["n_test"], errors="ignore").assign(restricted_epochs=restricted),
        list(factors),
        "restricted_epochs",
        replicate,
        levels=factors,
    )
    cells = CellMeans.of(table)
    if not times.early.any():
        return cells
    deviations, variances = cells.deviations.ravel().copy(), cells.variances.ravel().copy()
    counts = cells.counts.ravel().copy()
    for cell in np.unique(times.cell[times.early]):
        inside = times.cell == cell
        got = restricted_mean(times.time[inside], times.seen[inside], times.budget)
        k = got.runs
        if not np.isfinite(got.mean):
            deviations[cell], variances[cell], counts[cell] = np.nan, np.nan, 0
            continue
        # Greenwood divides by k where a variance divides by k - 1: scaled, the two agree
        # without censoring, and small cells are not called more precise than they are.
        variances[cell] = got.se**2 * k * k / (k - 1) if k > 1 else np.nan
        deviations[cell], counts[cell] = got.mean - cells.shift, k
    shape = cells.shape
    return replace(
        cells,
        counts=counts.reshape(shape),
        deviations=deviations.reshape(shape),
        variances=variances.reshape(shape),
    )


def _means(
    cells: CellMeans, times: Times, method: Method | None, confidence: float
) -> pd.DataFrame:
    codes = np.unravel_index(times.cell, cells.shape)
    low = _bound(cells, times, np.where(times.early, times.time + 1, times.time))
    high = _bound(cells, times, np.where(times.early, float(times.budget), times.time))
    rows = []
    for axis, (name, levels) in enumerate(cells.factors.items()):
        for i, level in enumerate(levels):
            weights = cells.marginal({name: level})
            inside = codes[axis] == i
            own = curve(times.time[inside], times.seen[inside]) if inside.any() else None
            rows.append(
                {
                    "factor": name,
                    "level": level,
                    **_numbers(_estimate(cells, times, weights, confidence, method), "mean"),
                    "bound_low": float((weights.ravel() * low).sum()),
                    "bound_high": float((weights.ravel() * high).sum()),
                    "median": own.median if own else np.nan,
                    "reached": 1 - float(own.at(times.budget)) if own else np.nan,
                }
            )
    return pd.DataFrame(rows)


def _bound(cells: CellMeans, times: Times, time: Floats) -> Floats:
    """Cell means with every censored run set to one value; NaN where no run has a time."""
    size = int(np.prod(cells.shape))
    with np.errstate(invalid="ignore"):
        return np.asarray(
            np.bincount(times.cell, time, size) / np.bincount(times.cell, minlength=size)
        )


def _estimate(
    cells: CellMeans, times: Times, weights: Floats, confidence: float, method: Method | None
) -> Estimate:
    """By the study's rule; Welch's where a run is censored.

    Replicates without a censored run are the fast ones, so no fair sample; cells that censoring
    emptied are bounded, not predicted.
    """
    if times.early.any():
        return by_rule(cells, weights, confidence, "welch", order=0)
    return by_rule(cells, weights, confidence, method)


def _numbers(estimate: Estimate, name: str) -> dict[str, Any]:
    numbers = {key: getattr(estimate, key) for key in ("se", "df", "low", "high", "method")}
    return {name: estimate.estimate, **numbers}


def _differences(
    cells: CellMeans, times: Times, method: Method | None, confidence: float
) -> pd.DataFrame:
    parts = []
    for name, levels in cells.factors.items():
        rows = []
        for reference, level in combinations(levels, 2):
            weights = cells.difference({name: level}, {name: reference})
            got = _estimate(cells, times, weights, confidence, method)
            rows.append(
                {
                    "factor": name,
                    "level": level,
                    "reference": reference,
                    **_numbers(got, "estimate"),
                    "p": got.p,
                }
            )
        part = pd.DataFrame(rows)
        part["p_holm"] = holm(part["p"].to_numpy(float))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _tests(factors: Mapping[str, Sequence[str]], times: Times) -> pd.DataFrame:
    shape = tuple(len(levels) for levels in factors.values())
    codes = np.array(np.unravel_index(times.cell, shape))
    rows = []
    for axis, name in enumerate(factors):
        strata = np.zeros(len(times.cell), np.intp)
        for other in range(len(shape)):
            if other != axis:
                strata = strata * shape[other] + codes[other]
        got = log_rank(times.time, times.seen, codes[axis], strata)
        rows.append((name, got.chisq, got.df, got.p))
    table = pd.DataFrame(rows, columns=["factor", "chisq", "df", "p"])
    table["p_holm"] = holm(table["p"].to_numpy(float))
    return table


def _curves(factors: Mapping[str, Sequence[str]], times: Times, confidence: float) -> pd.DataFrame:
    shape = tuple(len(levels) for levels in factors.values())
    codes = np.unravel_index(times.cell, shape)
    epochs = np.arange(times.budget + 1)
    parts = []
    for axis, (name, levels) in enumerate(factors.items()):
        for i, level in enumerate(levels):
            inside = codes[axis] == i
            if not inside.any():
                continue
            own = curve(times.time[inside], times.seen[inside], confidence)
            step = np.searchsorted(own.times, epochs, side="right")
            survival = own.at(epochs)
            known = np.isfinite(survival)
            stopped = times.time[inside & times.early]
            part = pd.DataFrame({"factor": name, "level": level, "epoch": epochs})
            part["reached"] = 1 - survival
            part["low"] = np.where(known, 1 - np.concatenate([[np.nan], own.high])[step], np.nan)
            part["high"] = np.where(known, 1 - np.concatenate([[np.nan], own.low])[step], np.nan)
            part["censored"] = np.array([int((stopped == epoch).sum()) for epoch in epochs])
            parts.append(part)
    return pd.concat(parts, ignore_index=True)
