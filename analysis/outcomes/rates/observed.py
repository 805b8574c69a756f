"""What counts of yes and no over the grid say without a model.

Rates with Wilson limits, the cells, levels that decide the outcome alone, and combinations of two
against the rest. Levels are compared in `compared`; Firth's model is in `outcomes.convergence`.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from analysis.stats.arrays import Floats
from analysis.stats.counts.combinations import level_pairs
from analysis.stats.counts.proportions import wilson
from analysis.stats.multiplicity import holm
from analysis.table.cells import Factors
from analysis.table.statuses import AS_SAID, Goal

MOST_NAMED = 12
"""Separated levels and pairs named one by one; the rest is counted."""


def over(grid: Floats, *axes: int) -> Floats:
    """Sum of counts in the shape of the grid over all axes but these."""
    return np.asarray(grid.sum(axis=tuple(k for k in range(grid.ndim) if k not in axes)))


def rates(hits: Floats, runs: Floats, factors: Factors, confidence: float) -> pd.DataFrame:
    """Share of successes per level with Wilson limits: factor, level, converged, runs, rate.

    Args:
        hits: successes, shape of the grid.
        runs: with an outcome, shape of the grid.
        factors: of the grid.
        confidence: of the limits.
    """
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


def cell_counts(hits: Floats, runs: Floats, planned: Floats, factors: Factors) -> pd.DataFrame:
    """Every cell of the declared grid: successes, runs with an outcome, lost runs; see `rates`."""
    return pd.DataFrame(
        {
            "converged": hits.ravel().astype(int),
            "runs": runs.ravel().astype(int),
            "lost": (planned - runs).ravel().astype(int),
        },
        index=pd.MultiIndex.from_product(list(factors.values()), names=list(factors)),
    )


def counted_as(key: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table with its count of successes called by the outcome's key.

    The last column of that name: a factor may be called so too.
    """
    names = [str(name) for name in table.columns]
    if "converged" in names and key != "converged":
        names[len(names) - 1 - names[::-1].index("converged")] = key
    return table.set_axis(names, axis=1)


def level_combinations(hits: Floats, runs: Floats, factors: Factors) -> pd.DataFrame:
    """Every combination of levels of two factors against all other runs; see `Convergence`."""
    names, levels = list(factors), list(factors.values())
    rows = [
        (
            *(names[one.axes[0]], levels[one.axes[0]][one.levels[0]]),
            *(names[one.axes[1]], levels[one.axes[1]][one.levels[1]]),
            *(one.hits, one.runs, one.hits_elsewhere, one.runs_elsewhere, one.p),
        )
        for one in level_pairs(hits, runs)
    ]
    labels = ["factor", "level", "other", "other_level", "converged", "runs"]
    labels += ["elsewhere_converged", "elsewhere_runs", "p"]
    table = pd.DataFrame(rows, columns=labels)
    return table.assign(p_holm=holm(table["p"].to_numpy(float)))


def separation(
    hits: Floats, runs: Floats, factors: Factors, goal: Goal = AS_SAID
) -> tuple[str, ...]:
    """Sentences on levels, then pairs of levels not already named, that decide the outcome.

    Counts as of `rates`, in the shape of the grid; `goal` says what a success is.
    """
    names, levels = list(factors), list(factors.values())
    decided: set[tuple[int, int]] = set()
    sentences: list[str] = []

    def sentence(x: float, n: float, where: str) -> str:
        if n == 1:
            return f"The one run with {where} {goal.did if x else goal.did_not}."
        every = "Both" if n == 2 else f"All {int(n)}"
        return f"{every if x else f'None of the {int(n)}'} runs with {where} {goal.did}."

    for a, name in enumerate(names):
        x, n = over(hits, a), over(runs, a)
        for i in np.flatnonzero((n > 0) & ((x == 0) | (x == n))):
            decided.add((a, int(i)))
            sentences.append(sentence(x[i], n[i], f"{name} = {levels[a][int(i)]}"))
    for a, b in combinations(range(len(names)), 2):
        x, n = over(hits, a, b), over(runs, a, b)
        for i, j in np.argwhere((n > 0) & ((x == 0) | (x == n))):
            if {(a, int(i)), (b, int(j))} & decided:
                continue
            where = f"{names[a]} = {levels[a][i]} and {names[b]} = {levels[b][j]}"
            sentences.append(sentence(x[i, j], n[i, j], where))
    if len(sentences) > MOST_NAMED:
        more = len(sentences) - MOST_NAMED
        sentences = [*sentences[:MOST_NAMED], f"So it is with {more} more pairs of levels."]
    return tuple(sentences)
