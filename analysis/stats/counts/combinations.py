"""Whether runs of one combination of two levels succeed where all others do not, or the reverse.

Every pair of levels of two factors against all other runs: Fisher's exact test. Under the null that
nothing matters each p value holds whatever the grid; who looks at all of them adjusts for that.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np

from analysis.stats.arrays import Floats
from analysis.stats.counts.cmh import exact_test


class Combination(NamedTuple):
    """Level `levels[k]` of axis `axes[k]`, for both, against all other runs."""

    axes: tuple[int, int]
    levels: tuple[int, int]
    hits: int
    runs: int
    hits_elsewhere: int
    runs_elsewhere: int
    p: float  # Fisher's exact, two-sided


def level_pairs(hits: Floats, runs: Floats) -> list[Combination]:
    """All combinations of levels of two factors that ran, in the order of the grid.

    Args:
        hits: successes, shape of the grid.
        runs: with an outcome, shape of the grid.
    """
    total_hits, total = int(hits.sum()), int(runs.sum())
    found = []
    for a, b in combinations(range(runs.ndim), 2):
        others = tuple(axis for axis in range(runs.ndim) if axis not in (a, b))
        x, n = hits.sum(axis=others), runs.sum(axis=others)
        for i, j in np.argwhere((n > 0) & (n < total)):
            inside, size = int(x[i, j]), int(n[i, j])
            elsewhere, rest = total_hits - inside, total - size
            # With one stratum the exact test is Fisher's; SciPy's takes a quarter second to import.
            p = exact_test([[inside, elsewhere]], [[size, rest]], level=None).p
            p = 1.0 if p is None else p  # all runs succeed, or none
            levels = (int(i), int(j))
            found.append(Combination((a, b), levels, inside, size, elsewhere, rest, p))
    return found
