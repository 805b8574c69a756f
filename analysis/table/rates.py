"""Counts of a yes/no outcome over the grid, and what they say without a model.

Rates with Wilson limits, differences with Newcombe's, the cells, and the levels that decide the
outcome alone. Tests and models are in `convergence`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ablations.errors import InputError, did_you_mean
from analysis.stats.counts.proportions import newcombe, wilson

Array = NDArray[np.float64]
Factors = Mapping[str, Sequence[str]]

MOST_NAMED = 12
"""Separated levels and pairs named one by one; the rest is counted."""


def grid_index(frame: pd.DataFrame, factors: Factors) -> NDArray[np.intp]:
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


def counts(frame: pd.DataFrame, factors: Factors, column: str) -> tuple[Array, Array, Array]:
    """Converged, with an outcome, and planned runs over the declared grid."""
    if column not in frame.columns:
        hint = did_you_mean(column, [str(name) for name in frame.columns])
        raise InputError(f"the frame has no column {column!r}; {hint}")
    values = pd.to_numeric(frame[column], errors="coerce").astype(float).to_numpy()
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


def over(grid: Array, *axes: int) -> Array:
    """Sum over all axes but these."""
    return np.asarray(grid.sum(axis=tuple(k for k in range(grid.ndim) if k not in axes)))


def rates(hits: Array, runs: Array, factors: Factors, confidence: float) -> pd.DataFrame:
    """Share of successes per level with Wilson limits: factor, level, converged, runs, rate."""
    rows = []
    for axis, (name, levels) in enumerate(factors.items()):
        x, n = over(hits, axis), over(runs, axis)
        share, low, high = wilson(x, n, confidence)
        rows += [
            (name, level, int(x[i]), int(n[i]), share[i], low[i], high[i])
            for i, level in enumerate(levels)
        ]
    return pd.DataFrame(
        rows, columns=["factor", "level", "converged", "runs", "rate", "low", "high"]
    )


def differences(hits: Array, runs: Array, factors: Factors, confidence: float) -> pd.DataFrame:
    """Newcombe interval of every two levels of a factor, level minus reference."""
    rows = []
    for axis, (name, levels) in enumerate(factors.items()):
        x, n = over(hits, axis), over(runs, axis)
        for j, i in combinations(range(len(levels)), 2):
            got = newcombe(x[i], n[i], x[j], n[j], confidence)
            rows.append((name, levels[i], levels[j], *(float(value) for value in got)))
    return pd.DataFrame(rows, columns=["factor", "level", "reference", "estimate", "low", "high"])


def cells(hits: Array, runs: Array, planned: Array, factors: Factors) -> pd.DataFrame:
    """Every cell of the declared grid: successes, runs with an outcome, lost runs."""
    codes = np.indices(runs.shape).reshape(runs.ndim, -1)
    table = pd.DataFrame(
        {
            name: pd.Categorical(
                np.asarray(levels, object)[codes[axis]], categories=list(levels), ordered=True
            )
            for axis, (name, levels) in enumerate(factors.items())
        }
    )
    table["converged"] = hits.ravel().astype(int)
    table["runs"] = runs.ravel().astype(int)
    table["lost"] = (planned - runs).ravel().astype(int)
    return table


def separation(hits: Array, runs: Array, factors: Factors) -> tuple[str, ...]:
    """Sentences on levels, then pairs of levels not already named, that decide the outcome."""
    names, levels = list(factors), list(factors.values())
    decided: set[tuple[int, int]] = set()
    found: list[str] = []

    def sentence(x: float, n: float, where: str) -> str:
        if n == 1:
            return f"The one run with {where} {'converged' if x else 'did not converge'}."
        return f"{'All' if x else 'None of the'} {int(n)} runs with {where} converged."

    for a, name in enumerate(names):
        x, n = over(hits, a), over(runs, a)
        for i in np.flatnonzero((n > 0) & ((x == 0) | (x == n))):
            decided.add((a, int(i)))
            found.append(sentence(x[i], n[i], f"{name} = {levels[a][int(i)]}"))
    for a, b in combinations(range(len(names)), 2):
        x, n = over(hits, a, b), over(runs, a, b)
        for i, j in np.argwhere((n > 0) & ((x == 0) | (x == n))):
            if {(a, int(i)), (b, int(j))} & decided:
                continue
            where = f"{names[a]} = {levels[a][i]} and {names[b]} = {levels[b][j]}"
            found.append(sentence(x[i, j], n[i, j], where))
    if len(found) > MOST_NAMED:
        more = len(found) - MOST_NAMED
        found = [*found[:MOST_NAMED], f"So it is with {more} more pairs of levels."]
    return tuple(found)
