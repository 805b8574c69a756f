"""What the cells that ran can tell apart: aliases and correlations of terms, by name.

Names the numbers of `runner.design.search.quality` for the cells that have a result, which is not
always the design that was planned. Knows no outcome.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.model.cell_means import CellMeans
from analysis.table.records import plain, records
from runner.design.search import quality

MOST_RUNS = 600
"""Rows up to which word lengths are computed (their cost grows with the square) and cells count
by their runs; beyond, each cell counts once."""


@dataclass(frozen=True)
class Aliasing:
    """How the terms up to an order are mixed in the cells that ran.

    Attributes:
        complete: Whether every cell of the grid ran equally often: then nothing is mixed.
        correlations: Square frame, index and columns name terms; largest canonical correlation.
        sets: Terms that cannot be told apart, "A = B:C".
        partial: term, other, correlation: terms mixed in part, the worst first.
        measures: runs, word_lengths, resolution, generalized_resolution and D-efficiencies of the
            cells that ran; empty where there are too many.
    """

    complete: bool
    correlations: pd.DataFrame
    sets: tuple[str, ...]
    partial: pd.DataFrame
    measures: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; the correlations as term, other, correlation."""
        return {
            "complete": self.complete,
            "sets": list(self.sets),
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

    def name(term: tuple[int, ...]) -> str:
        return ":".join(cells.names[k] for k in term)

    matrix, named = quality.correlations(runs, levels, order)
    names = [name(term) for term in named]
    sets = quality.alias_sets(runs, levels, order)
    partial = [(name(a), name(b), r) for a, b, r in quality.partial_aliases(runs, levels, order)]
    return Aliasing(
        complete=balanced and len(ran) == len(counts),
        correlations=pd.DataFrame(matrix, index=names, columns=names),
        sets=tuple(" = ".join(name(term) for term in one) for one in sets),
        partial=pd.DataFrame(partial, columns=["term", "other", "correlation"]),
        measures=quality.summary(runs, levels) if len(runs) <= MOST_RUNS else {},
    )
