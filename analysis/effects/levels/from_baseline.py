"""The table that reviewers know: each change of one factor of a baseline, from its own runs.

Out of a factorial it comes for free, and beside each change stands what the whole grid says of it:
the difference of the same two levels averaged over all other factors, from all runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from ablations.errors import InputError, did_you_mean
from analysis.model.cell_means import CellMeans
from analysis.model.grid import Grid
from analysis.stats.arrays import Floats
from analysis.stats.estimates import Estimate
from runner.spec.claims import same_label

INTERVAL = ("estimate", "se", "df", "low", "high", "p")
COLUMNS = (
    "factor", "level", "mean", "mean_low", "mean_high", "runs", *INTERVAL, "method",
    "grid_estimate", "grid_low", "grid_high", "grid_runs",
)  # fmt: skip


def baseline_of(
    factors: Mapping[str, Sequence[str]], named: Mapping[str, object]
) -> dict[str, str]:
    """The level of every factor at the baseline.

    Args:
        factors: factor name to its levels.
        named: factor to its level, text or number; a factor left out is at its first level.

    Raises:
        InputError: an unknown factor or level.
    """
    for name in named:
        if name not in factors:
            raise InputError(f"the baseline names the factor {name!r}: "
                             f"{did_you_mean(name, factors)}")  # fmt: skip
    words = {None: "null", True: "true", False: "false"}
    found = {}
    for factor, levels in factors.items():
        given = named.get(factor, levels[0])
        plain = given is None or isinstance(given, bool)
        text = words[given] if plain and str(given) not in levels else str(given)  # type: ignore[index]  # one of them
        label = same_label(text, levels)
        if label not in levels:
            raise InputError(f"the baseline's {factor!r} has no level {text!r}: "
                             f"{did_you_mean(text, levels)}")  # fmt: skip
        found[factor] = label
    return found


def from_baseline(
    grid: Grid,
    baseline: Mapping[str, str],
    differences: pd.DataFrame,
    confidence: float,
    *,
    pooled: bool = False,
) -> pd.DataFrame:
    """Each change of one factor of the baseline, beside the same change in the whole grid.

    Args:
        grid: the cell means.
        baseline: factor to level, all factors.
        differences: columns factor, first, second, estimate, low, high of every two levels.
        confidence: of the intervals.
        pooled: take one variance within all combinations, in place of the study's rule.

    Returns:
        Columns `COLUMNS`. The first row is the baseline, its factor "" and its level "baseline".
        mean, limits and runs are of the one combination; estimate, se, df, low, high, p and method
        of its difference to the baseline, from the runs of these two alone; grid_ the difference of
        the two levels over the whole grid, and the runs that have the level. NaN where a
        combination did not run.

    Raises:
        InputError: the baseline did not run.
    """
    cells = grid.cells
    lost = [f"{name} = {level}" for name, level in baseline.items()
            if level not in cells.factors.get(name, ())]  # fmt: skip
    where = None if lost else _place(cells, baseline)
    if where is None or not cells.counts[where]:
        text = ", ".join(lost or (f"{name} = {level}" for name, level in baseline.items()))
        raise InputError(f"the baseline ({text}) has no result, so nothing can be told from it")
    own = {"factor": "", "level": "baseline", **_mean(grid, where, confidence, pooled=pooled)}
    rows = [{**dict.fromkeys(COLUMNS, np.nan), **own, "method": ""}]
    for factor, level in _changes(cells, baseline):
        changed = _place(cells, {**baseline, factor: level})
        weights = _weights(cells, changed) - _weights(cells, where)
        one = _estimate(grid, weights, confidence, pooled=pooled)
        rows.append({
            "factor": factor, "level": level,
            **_mean(grid, changed, confidence, pooled=pooled),
            **({name: getattr(one, name) for name in INTERVAL} if cells.counts[changed] else
               dict.fromkeys(INTERVAL, np.nan)),
            "method": one.method if cells.counts[changed] else "",
            **_in_grid(differences, factor, level, baseline[factor]),
            "grid_runs": int(cells.counts.take(cells.factors[factor].index(level),
                                               list(cells.factors).index(factor)).sum()),
        })  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _changes(cells: CellMeans, baseline: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for factor, levels in cells.factors.items():
        yield from ((factor, level) for level in levels if level != baseline[factor])


def _place(cells: CellMeans, levels: Mapping[str, str]) -> tuple[int, ...]:
    return tuple(labels.index(levels[name]) for name, labels in cells.factors.items())


def _weights(cells: CellMeans, place: tuple[int, ...]) -> Floats:
    weights = np.zeros(cells.shape)
    weights[place] = 1.0
    return weights


def _estimate(grid: Grid, weights: Floats, confidence: float, *, pooled: bool) -> Estimate:
    if pooled:
        return grid.cells.contrast(weights, "pooled", confidence)
    return grid.estimate(weights, confidence)


def _mean(
    grid: Grid, place: tuple[int, ...], confidence: float, *, pooled: bool
) -> dict[str, object]:
    """Mean, limits and runs of one combination."""
    runs = int(grid.cells.counts[place])
    if not runs:
        return {"mean": np.nan, "mean_low": np.nan, "mean_high": np.nan, "runs": 0}
    one = _estimate(grid, _weights(grid.cells, place), confidence, pooled=pooled)
    return {"mean": one.estimate, "mean_low": one.low, "mean_high": one.high, "runs": runs}


def _in_grid(differences: pd.DataFrame, factor: str, level: str, base: str) -> dict[str, float]:
    """The difference level minus base over the whole grid."""
    own = differences[differences["factor"] == factor]
    for first, second, sign in ((level, base, 1.0), (base, level, -1.0)):
        chosen = own[(own["first"] == first) & (own["second"] == second)]
        if len(chosen):
            one = chosen.iloc[0]
            ends = sorted((sign * float(one["low"]), sign * float(one["high"])))
            return {"grid_estimate": sign * float(one["estimate"]),
                    "grid_low": ends[0], "grid_high": ends[1]}  # fmt: skip
    return dict.fromkeys(("grid_estimate", "grid_low", "grid_high"), float("nan"))
