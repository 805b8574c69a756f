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
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from analysis.model.cell_means import CellMeans, Method
from analysis.model.grid import Grid
from analysis.outcomes.target_times import NEEDED, Times, read_times
from analysis.stats.arrays import Floats, Truths
from analysis.stats.estimates import Estimate
from analysis.stats.kaplan_meier import curve, log_rank, restricted_mean
from analysis.stats.multiplicity import holm
from analysis.table.records import records
from analysis.table.tidy import tidy
from runner.program.wording import counted

__all__ = ["NEEDED", "TimeToTarget"]


@dataclass(frozen=True, eq=False)
class TimeToTarget:
    """Tidy tables in epochs, each made when first asked for; NaN where a number does not exist.

    Attributes:
        times: Runs with a time.
        grid: Cell means of min(T, E).
        factors: Factor name to its declared levels.
        confidence: Of every interval.
        method: How errors are estimated; None: what the study's rule picks. Always Welch where a
            run is censored.
    """

    times: Times
    grid: Grid
    factors: Mapping[str, Sequence[str]]
    confidence: float = 0.95
    method: Method | None = None

    @staticmethod
    def of(
        frame: pd.DataFrame,
        factors: Mapping[str, Sequence[str]],
        replicate: str | None = "replicate",
        confidence: float = 0.95,
        method: Method | None = None,
    ) -> TimeToTarget:
        """Analyse the epochs until the target accuracy.

        Args:
            frame: One row per planned run, typed, with the columns `NEEDED`; `epochs_to_target` is
                missing where the target was never reached.
            factors: Factor name to its declared levels.
            replicate: Column of the replicate, or None.
            confidence: Of every interval.
            method: How errors are estimated.

        Raises:
            InputError: A column is missing, or no run has a time.
        """
        times = read_times(frame, factors)
        grid = Grid(_cell_means(frame, factors, replicate, times))
        return TimeToTarget(times, grid, factors, confidence, method)

    @property
    def budget(self) -> int:
        """E, the horizon of every restricted mean."""
        return self.times.budget

    @property
    def runs(self) -> int:
        """Runs with a time."""
        return len(self.times.time)

    @property
    def reached(self) -> int:
        """Those that reached the target."""
        return int(self.times.seen.sum())

    @property
    def censored(self) -> int:
        """Those stopped early for outside reasons before they could."""
        return int(self.times.early.sum())

    @cached_property
    def means(self) -> pd.DataFrame:
        """Restricted means by level.

        factor, level, mean, se, df, low, high, method, bound_low, bound_high (the mean if every
        censored run had reached the target at its next epoch, or never), median, reached (share of
        runs, by Kaplan-Meier at E).
        """
        return _means(self)

    @cached_property
    def differences(self) -> pd.DataFrame:
        """factor, level, reference, estimate (level - reference), se, df, low, high, p, p_holm
        (within the factor), method.
        """
        return _differences(self)

    @cached_property
    def tests(self) -> pd.DataFrame:
        """factor, chisq, df, p, p_holm: log-rank, stratified by all other factors."""
        return _tests(self.factors, self.times)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """Share of a level's runs that reached the target by each epoch.

        factor, level, epoch, reached, low, high, censored: 1 - Kaplan-Meier over the level's runs,
        log-log limits; censored counts runs stopped at that epoch.
        """
        return _curves(self.factors, self.times, self.confidence)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What the reader must know."""
        notes = []
        if self.censored:
            notes.append(
                f"{self.censored} runs were stopped by their time limit before the target: they "
                "are censored, and means of their cells are areas under Kaplan-Meier curves."
            )
        if self.bounded.any():
            count = int(self.bounded.sum())
            notes.append(
                f"In {counted(count, 'cell')} the last run was one of them: means that need "
                f"{'it' if count == 1 else 'them'} are given as bounds only."
            )
        if not self.reached:
            notes.append(f"No run reached the target within {self.budget} epochs.")
        return tuple(notes)

    def estimate(self, weights: Floats) -> Estimate:
        """A weighted sum of restricted means, by the study's rule; Welch's where a run is censored.

        `weights` have the shape of the grid.
        Replicates without a censored run are the fast ones, so no fair sample; cells that censoring
        emptied are bounded, not predicted.
        """
        one = self.judged.estimate(weights, self.confidence, self.only or self.method)
        why = "" if np.isfinite(one.estimate) else self.unknown(weights)
        return replace(one, rests_on=f"not estimable: {why}") if why else one

    @property
    def only(self) -> Method | None:
        """The one method that holds where a run is censored."""
        return "welch" if self.censored else None

    @cached_property
    def judged(self) -> Grid:
        """The grid that estimates come from: cells that censoring emptied are not predicted."""
        return replace(self.grid, order=0) if self.censored else self.grid

    @cached_property
    def bounded(self) -> Truths:
        """Cells whose last run was censored, so that their mean is known within bounds only."""
        stopped = np.zeros(self.grid.cells.counts.size, dtype=bool)
        stopped[self.times.cell[self.times.early]] = True
        return np.asarray(stopped.reshape(self.grid.cells.shape) & self.grid.cells.empty)

    def unknown(self, weights: Floats) -> str:
        """Why a sum that needs such a cell has no estimate, as a clause; "" where it needs none."""
        lost = np.flatnonzero((np.asarray(weights) != 0).ravel() & self.bounded.ravel())
        if not len(lost):
            return ""
        levels = self.grid.cells.cell_levels(int(lost[0]))
        cells = f"the cell {', '.join(f'{name} = {level}' for name, level in levels.items())}"
        if len(lost) > 1:
            cells += f" (and in {len(lost) - 1} more)"
        return (
            f"in {cells} the last run was stopped by its time limit before the target, so the mean "
            "epochs are known within bounds only"
        )

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
        area = restricted_mean(times.time[inside], times.seen[inside], times.budget)
        k = area.runs
        if not np.isfinite(area.mean):
            deviations[cell], variances[cell], counts[cell] = np.nan, np.nan, 0
            continue
        # Greenwood divides by k where a variance divides by k - 1: scaled, the two agree
        # without censoring, and small cells are not called more precise than they are.
        variances[cell] = area.se**2 * k * k / (k - 1) if k > 1 else np.nan
        deviations[cell], counts[cell] = area.mean - cells.shift, k
    shape = cells.shape
    return replace(
        cells,
        counts=counts.reshape(shape),
        deviations=deviations.reshape(shape),
        variances=variances.reshape(shape),
    )


def _means(of: TimeToTarget) -> pd.DataFrame:
    times, cells = of.times, of.grid.cells
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
                    **_numbers(of.estimate(weights), "mean"),
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


def _numbers(estimate: Estimate, name: str) -> dict[str, Any]:
    numbers = {key: getattr(estimate, key) for key in ("se", "df", "low", "high", "method")}
    return {name: estimate.estimate, **numbers}


def _differences(of: TimeToTarget) -> pd.DataFrame:
    cells = of.grid.cells
    parts = []
    for name, levels in cells.factors.items():
        rows = []
        for reference, level in combinations(levels, 2):
            one = of.estimate(cells.difference({name: level}, {name: reference}))
            keys = {"factor": name, "level": level, "reference": reference}
            rows.append({**keys, **_numbers(one, "estimate"), "p": one.p})
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
        test = log_rank(times.time, times.seen, codes[axis], strata)
        rows.append((name, test.chisq, test.df, test.p))
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
