"""Runs by cell of the grid: where each belongs, and what the runs of a combination add up to.

Counting only; means are plain means over the replicates of a combination that have an outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ablations.errors import InputError, did_you_mean
from analysis.stats.arrays import Codes, Floats
from analysis.table.columns import as_numbers, facts
from analysis.table.statuses import CONVERGES, MISSING_STATUSES

Factors = Mapping[str, Sequence[str]]
ENDED = ("converged", "short", "stalled", "diverged")
"""Columns of `cell_table` that count runs by how they ended."""


def grid_index(frame: pd.DataFrame, factors: Factors) -> Codes:
    """Flat (C-order) cell of every row in the declared grid.

    Raises:
        InputError: A label that was not declared.
    """
    shape = tuple(len(levels) for levels in factors.values())
    codes = [
        pd.Index(list(levels), dtype=object).get_indexer(
            pd.Index(frame[name].astype(str).astype(object))
        )
        for name, levels in factors.items()
    ]
    for (name, levels), code in zip(factors.items(), codes, strict=True):
        if (code < 0).any():
            label = str(frame[name].iloc[int(np.flatnonzero(code < 0)[0])])
            hint = did_you_mean(label, levels)
            raise InputError(f"factor {name!r} has no level {label!r}; {hint}")
    return np.asarray(np.ravel_multi_index(codes, shape), np.intp)


def level_columns(cells: Codes, factors: Factors) -> dict[str, Any]:
    """Flat cells of the declared grid, shape (rows,), as one ordered column of levels a factor."""
    where = np.unravel_index(cells, [len(levels) for levels in factors.values()])
    return {
        name: pd.Categorical.from_codes(codes, categories=pd.Index(list(levels)), ordered=True)
        for (name, levels), codes in zip(factors.items(), where, strict=True)
    }


def yes_counts(frame: pd.DataFrame, factors: Factors, column: str) -> tuple[Floats, Floats, Floats]:
    """Converged, with an outcome, and planned runs over the declared grid."""
    if column not in frame.columns:
        hint = did_you_mean(column, [str(name) for name in frame.columns])
        raise InputError(f"the frame has no column {column!r}; {hint}")
    values = as_numbers(frame[column]).to_numpy()
    given = np.isfinite(values)
    odd = frame[column].notna().to_numpy() & ~given | given & ~np.isin(values, (0.0, 1.0))
    if odd.any():
        first = frame[column].iloc[int(np.flatnonzero(odd)[0])]
        raise InputError(f"column {column!r} has {first!r}; expected 1 (yes), 0 (no) or nothing")
    if not given.any():
        raise InputError(f"column {column!r} has no outcome yet: no run can be analysed")
    shape = tuple(len(levels) for levels in factors.values())
    index = grid_index(frame, factors)
    size = int(np.prod(shape))
    hits = np.bincount(index[given], values[given], size).reshape(shape).astype(np.float64)
    runs = np.bincount(index[given], minlength=size).reshape(shape).astype(np.float64)
    planned = np.bincount(index, minlength=size).reshape(shape).astype(np.float64)
    return hits, runs, planned


def cell_table(runs: pd.DataFrame, factors: Factors, response: str) -> pd.DataFrame:
    """One row a planned combination of levels, in declared order.

    Args:
        runs: one row a run, typed, factor columns as ordered Categoricals; `status` where there is
            one.
        factors: factor name to its levels.
        response: the outcome that is averaged.

    Returns:
        Indexed by the levels, one index level a factor (so that a factor may be called like any
        number): cell (the levels as one name), mean, deviation (NaN below two runs), runs (with an
        outcome), converged (by the table's own word for it), short, stalled, diverged, missing.
    """
    names = list(factors)
    value = runs[response]
    present = value.notna()
    about = facts(runs, factors)
    status = about.get("status")
    if status is not None:
        present = ~status.isin(MISSING_STATUSES)
    counted = pd.DataFrame({"value": value, "runs": present.astype(int)})
    for word in ENDED[1:]:
        counted[word] = 0 if status is None else (status == word).astype(int)
    if "converged" in about:
        counted["converged"] = (about["converged"] == 1).astype(int)
    else:
        counted["converged"] = 0 if status is None else (status.map(CONVERGES) == 1).astype(int)
    counted["missing"] = (~present).astype(int)
    grouped = counted.groupby([runs[name] for name in names], observed=True, sort=True)
    table = grouped[["runs", *ENDED, "missing"]].sum()
    table.insert(0, "deviation", grouped["value"].std(ddof=1))
    table.insert(0, "mean", grouped["value"].mean())
    levels = [table.index.get_level_values(axis).astype(str) for axis in range(len(names))]
    table.insert(0, "cell", [", ".join(row) for row in zip(*levels, strict=True)])
    return table


def with_levels(table: pd.DataFrame) -> pd.DataFrame:
    """A table indexed by levels with them as columns in front, for a file.

    A factor called like a number of the table gives two columns of one name.
    """
    levels = [
        pd.Series(table.index.get_level_values(axis), name=name)
        for axis, name in enumerate(table.index.names)
    ]
    return pd.concat([*levels, table.reset_index(drop=True)], axis=1)


def cell_names(frame: pd.DataFrame, factors: Sequence[str]) -> list[str]:
    """The levels of every row as one name: "strong, cosine, he"."""
    levels = [frame[name].astype(str).tolist() for name in factors]
    return [", ".join(row) for row in zip(*levels, strict=True)]


def residual_table(runs: pd.DataFrame, factors: Factors, response: str) -> pd.DataFrame:
    """One row a run with an outcome: fitted (mean of its cell), residual, replicate, run_order."""
    there = runs[runs[response].notna()]
    value = there[response]
    fitted = value.groupby([there[name] for name in factors], observed=True).transform("mean")
    about = facts(there, factors)
    order = about.get("run_order", pd.Series(range(len(there)), there.index))
    replicate = about.get("replicate", pd.Series(0, there.index))
    return pd.DataFrame(
        {
            "fitted": fitted,
            "residual": value - fitted,
            "replicate": replicate.astype(str),
            "run_order": order,
        }
    ).reset_index(drop=True)
