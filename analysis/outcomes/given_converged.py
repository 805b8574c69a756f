"""Accuracy of the runs that converged, compared only where both levels have such runs.

Converging means reaching the target. Conditioning on it compares survivors: a level that converges
only in easy cells looks better than it is. So a pair of levels is compared over the combinations of
the other factors in which both have a converged run (the common support), each with equal weight;
its size is reported, and bounds say what the difference over the whole grid could be. NaN where the
support is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from ablations.errors import InputError
from analysis.model.cell_means import CellMeans
from analysis.model.grid import Grid
from analysis.stats.arrays import Floats
from analysis.stats.estimates import Estimate, joined, satterthwaite, t_interval, wider
from analysis.stats.multiplicity import holm
from analysis.table.cells import grid_index, level_columns
from analysis.table.columns import as_numbers, facts
from analysis.table.records import records
from analysis.table.statuses import AS_SAID, Goal
from analysis.table.tidy import Table


@dataclass(frozen=True)
class GivenConverged:
    """Tidy tables; NaN where a number does not exist. Accuracies in the response's unit.

    Attributes:
        runs: Converged runs with an accuracy.
        chance: Accuracy of guessing, the lower end of the bounds; NaN if unknown.
        means: factor, level, mean, se, df, low, high, method, support, strata: over the strata in
            which every level of the factor has a converged run.
        differences: factor, level, reference, estimate (level - reference), se, df, low, high, p,
            p_holm (within the factor), method, support, strata, bound_low, bound_high: over the
            strata in which these two have one. Bounds put unseen cells at chance or at the best
            cell of the grid, whichever is worse or better for the level.
        notes: What the reader must know.
    """

    runs: int
    chance: float
    means: pd.DataFrame
    differences: pd.DataFrame
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: tables as records, null where a number does not exist."""
        return {
            "runs": self.runs,
            "chance": self.chance if np.isfinite(self.chance) else None,
            "means": records(self.means),
            "differences": records(self.differences),
            "notes": list(self.notes),
        }


def given_converged(
    frame: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    response: str = "test_accuracy",
    converged: str = "converged",
    replicate: str | None = "replicate",
    chance: float | None = None,
    confidence: float = 0.95,
    goal: Goal = AS_SAID,
) -> GivenConverged:
    """Compare levels by the accuracy of their converged runs.

    Args:
        frame: One row per planned run.
        factors: Factor name to its declared levels.
        response: Column of the accuracy.
        converged: Column of 1, 0 or nothing.
        replicate: Column of the replicate, or None.
        chance: Accuracy of guessing; by default 1 / `classes` where the frame has that column.
        confidence: Of every interval.
        goal: What a run that converged did, in words.

    Raises:
        InputError: A column is missing, or no run converged.
    """
    for column in (response, converged):
        if column not in frame.columns:
            raise InputError(f"the frame has no column {column!r}, which accuracy given "
                             "convergence needs")  # fmt: skip
    survived = frame[converged].to_numpy(float) == 1
    values = np.where(survived, frame[response].to_numpy(float), np.nan)
    if not np.isfinite(values).any():
        raise InputError(f"no run {goal.did}, so there is no accuracy given that it did")
    grid = Grid(_cell_means(frame, factors, response, replicate, values))
    cells = grid.cells
    floor = _chance(facts(frame, factors)) if chance is None else chance
    notes = []
    empty = int(cells.empty.sum())
    if empty:
        notes.append(
            f"{empty} of {cells.counts.size} cells have no run that {goal.did}; a pair of levels "
            "is compared where both have one, and the bounds cover the rest."
        )
    means, differences = _means(grid, confidence), _differences(grid, floor, confidence)
    for row in differences.itertuples():
        if row.support == 0:
            notes.append(
                f"{row.factor}: {row.level} and {row.reference} never both {goal.did} under the "
                "same levels of the other factors, so they cannot be compared given that they did."
            )
    return GivenConverged(cells.n, floor, means, differences, tuple(notes))


def _cell_means(
    frame: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    response: str,
    replicate: str | None,
    values: Floats,
) -> CellMeans:
    """The grid of converged runs; unlike a checked table, one in which a level may be empty."""
    columns: dict[str, Any] = dict(level_columns(grid_index(frame, factors), factors))
    if replicate is not None:
        columns[replicate] = pd.Categorical(frame[replicate].astype(str))
    if "n_test" in frame.columns:
        columns["n_test"] = frame["n_test"].to_numpy()
    columns[response] = values
    shift = float(np.nanmedian(values))
    declared = {name: tuple(levels) for name, levels in factors.items()}
    return CellMeans.of(
        Table(pd.DataFrame(columns), declared, response, replicate, shift, values - shift)
    )


def _chance(frame: pd.DataFrame) -> float:
    if "classes" not in frame.columns:
        return float("nan")
    classes = as_numbers(frame["classes"])
    several = classes[classes >= 2]  # a foreign table may say 0
    return float(1 / several.iloc[0]) if len(several) else float("nan")


def _support(cells: CellMeans, axis: int, levels: Sequence[int]) -> Any:
    """Strata (shape of the grid without the axis) in which all these levels have a run."""
    return ~np.take(cells.empty, levels, axis=axis).any(axis=axis)


def _estimate(
    grid: Grid, axis: int, plus: int, minus: int | None, support: Any, confidence: float
) -> Estimate:
    """Mean over the support of a level, or of its difference to another.

    Convergence leaves one or two runs in many cells, too few for a variance each: Welch's interval
    of cell means rejected 8.4 % of true nulls at 5 %. So the variance is one per stratum, pooled
    over the factor's levels, with Satterthwaite's degrees of freedom over strata (4.8 %). It
    assumes that the factor compared does not change the noise; other factors may.
    """
    cells = grid.cells
    weights = np.zeros(cells.shape)
    along = np.moveaxis(weights, axis, 0)  # a view: writing to it writes the weights
    share = support / max(int(support.sum()), 1)
    along[plus] += share
    if minus is not None:
        along[minus] -= share
    over = grid.estimate(weights, confidence, "blocked")
    known = over.method == "blocked" and np.isfinite(over.se)
    if known and grid.rule.primary == "blocked":
        return over
    value = cells.contrast(weights, "welch", confidence).estimate
    counts = np.moveaxis(cells.counts, axis, 0)
    own = np.moveaxis(np.nan_to_num(cells.variances), axis, 0)
    freedom = np.maximum(counts - 1, 0)
    squares, df = (own * freedom).sum(axis=0), freedom.sum(axis=0)
    # A stratum of single runs says nothing about its noise; it is taken for the noisiest of the
    # grid, as the pooled variance rejected up to 14 % where two such strata were in the support.
    noisiest = float(np.max(squares[df > 0] / df[df > 0])) if (df > 0).any() else float("nan")
    squares, df = squares[support], df[support]
    sides = [plus] if minus is None else [plus, minus]
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = sum(share**2 / counts[side] for side in sides)[support]
        parts = np.where(df > 0, squares / df, noisiest) * unit
        denominator = float(np.where(df > 0, parts**2 / df, 0.0).sum())
    single = float(parts[df == 0].sum())
    if single > 0:
        denominator += single**2 / cells.pure_df
    variance = np.asarray(parts.sum() if len(parts) else np.nan)
    df = float(satterthwaite(variance, np.asarray(denominator)))
    name = "one variance per stratum"
    own_noise = t_interval(value, float(np.sqrt(variance)), df, name, confidence)
    if known and grid.rule.primary == "joined":
        return joined(own_noise, over)
    return wider(own_noise, over) if known and grid.rule.primary == "wider" else own_noise


def _numbers(estimate: Estimate, name: str) -> dict[str, Any]:
    keys = ("se", "df", "low", "high", "method")
    return {name: estimate.estimate, **{key: getattr(estimate, key) for key in keys}}


def _means(grid: Grid, confidence: float) -> pd.DataFrame:
    cells = grid.cells
    rows = []
    for axis, (name, levels) in enumerate(cells.factors.items()):
        support = _support(cells, axis, range(len(levels)))
        for i, level in enumerate(levels):
            one = _estimate(grid, axis, i, None, support, confidence)
            size = {"support": int(support.sum()), "strata": int(support.size)}
            rows.append({"factor": name, "level": level, **_numbers(one, "mean"), **size})
    return pd.DataFrame(rows)


def _differences(grid: Grid, chance: float, confidence: float) -> pd.DataFrame:
    cells = grid.cells
    best = float(np.nanmax(cells.means))
    lowest = np.where(cells.empty, chance, cells.means)
    highest = np.where(cells.empty, best, cells.means)
    parts = []
    for axis, (name, levels) in enumerate(cells.factors.items()):
        low, high = np.moveaxis(lowest, axis, 0), np.moveaxis(highest, axis, 0)
        rows = []
        for j, i in combinations(range(len(levels)), 2):
            support = _support(cells, axis, [i, j])
            one = _estimate(grid, axis, i, j, support, confidence)
            rows.append(
                {
                    "factor": name,
                    "level": levels[i],
                    "reference": levels[j],
                    **_numbers(one, "estimate"),
                    "p": one.p,
                    "support": int(support.sum()),
                    "strata": int(support.size),
                    "bound_low": float((low[i] - high[j]).mean()),
                    "bound_high": float((high[i] - low[j]).mean()),
                }
            )
        part = pd.DataFrame(rows)
        part["p_holm"] = holm(part["p"].to_numpy(float))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
