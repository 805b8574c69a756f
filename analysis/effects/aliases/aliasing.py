"""What the cells that ran can tell apart: aliases and correlations of terms, by name.

Names the numbers of `runner.design.search.quality` for the cells that have a result, which is not
always the design that was planned. Knows no outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.model.cell_means import CellMeans
from analysis.model.terms import Term
from analysis.table.records import plain, records
from runner.design.search import quality

MOST_RUNS = 600
"""Rows up to which word lengths are computed (their cost grows with the square) and cells count
by their runs; beyond, each cell counts once."""
MOST_ALIAS_RUNS = 800
MOST_ALIAS_FACTORS = 6
"""Where aliases of up to four factors are searched; beyond, pairs only or none."""
LEAST_CORRELATION = 0.1
"""Canonical correlation from which a partial alias is listed."""


@dataclass(frozen=True)
class Aliasing:
    """How the terms up to an order are mixed in the cells that ran.

    Attributes:
        complete: Whether every cell of the grid ran equally often: then nothing is mixed.
        correlations: Square frame, index and columns name terms; largest canonical correlation.
        sets: Terms that cannot be told apart.
        partial: term, other, correlation: terms mixed in part, the worst first.
        measures: runs, word_lengths, resolution, generalized_resolution and D-efficiencies of the
            cells that ran; empty where there are too many.
    """

    complete: bool
    correlations: pd.DataFrame
    sets: tuple[tuple[str, ...], ...]
    partial: pd.DataFrame
    measures: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; the correlations as term, other, correlation."""
        return {
            "complete": self.complete,
            "sets": [" = ".join(one) for one in self.sets],
            "partial": records(self.partial),
            "measures": plain(self.measures),
        }


def aliasing(cells: CellMeans, order: int = 2) -> Aliasing:
    """Describe the cells that have a result.

    Args:
        cells: The grid.
        order: Highest order of the terms that are compared.
    """
    counts = cells.counts.ravel()
    ran = np.flatnonzero(counts)
    codes = np.array(np.unravel_index(ran, cells.shape)).T
    balanced = bool((counts[ran] == counts[ran[0]]).all())
    # Equal repetition changes no correlation, so balanced cells need one row each; in a large
    # study a few unequal cells change none that matters.
    once = balanced or int(counts.sum()) > MOST_RUNS
    runs = codes if once else np.repeat(codes, counts[ran], axis=0)
    levels = list(cells.shape)
    order = min(order, len(levels))

    mixed = quality.correlations(runs, levels, order)
    names = [_term_name(cells, term) for term in mixed.terms]
    partial = [
        (_term_name(cells, a), _term_name(cells, b), r) for a, b, r in mixed.partial_aliases()
    ]
    return Aliasing(
        complete=balanced and len(ran) == len(counts),
        correlations=pd.DataFrame(mixed.matrix, index=names, columns=names),
        sets=tuple(tuple(_term_name(cells, term) for term in one) for one in mixed.alias_sets()),
        partial=pd.DataFrame(partial, columns=["term", "other", "correlation"]),
        measures=quality.summary(runs, levels) if len(runs) <= MOST_RUNS else {},
    )


@dataclass(frozen=True)
class Aliases:
    """What the cells that ran mix up, term by term.

    Attributes:
        whole: term to every term of which it shares a contrast completely. Not transitive: of
            three levels A may share one with B:C and another with B:D.
        partial: mains and pairs to those they share a contrast with in part, and how strongly
            (largest canonical correlation, from `LEAST_CORRELATION`).
    """

    whole: dict[str, list[str]]
    partial: dict[str, dict[str, float]]


def find_aliases(cells: CellMeans) -> Aliases | None:
    """Aliases in the cells that ran; nothing for a complete grid, None for a large design."""
    if not cells.empty.any():
        return Aliases({}, {})
    if cells.n > MOST_ALIAS_RUNS:
        return None
    runs = np.array(np.unravel_index(cells.ran, cells.shape)).T
    order = 4 if len(cells.names) <= MOST_ALIAS_FACTORS else 2
    matrix, named = quality.correlations(runs, list(cells.shape), min(order, len(cells.names)))
    names = [_term_name(cells, term) for term in named]
    whole: dict[str, list[str]] = {}
    partial: dict[str, dict[str, float]] = {}
    for i, name in enumerate(names):
        others = [j for j in range(len(names)) if j != i]
        same = [names[j] for j in others if matrix[i, j] > 1 - 1e-7]
        if same:
            whole[name] = same
        if len(named[i]) > 2:
            continue
        part = {
            names[j]: round(float(matrix[i, j]), 6)
            for j in others
            if len(named[j]) <= 2 and LEAST_CORRELATION <= matrix[i, j] <= 1 - 1e-7
        }
        if part:
            partial[name] = part
    return Aliases(whole, partial)


def _term_name(cells: CellMeans, axes: Sequence[int]) -> str:
    return Term(tuple(cells.names[axis] for axis in axes)).name
