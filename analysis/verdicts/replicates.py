"""How many replicates per cell a question takes, given what one run scatters.

Waves are whole: one more replicate is one more run of every cell. Promises plain power by the
noncentral t, for one contrast; planning a whole design is `power`.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ncfdtr, stdtrit

from analysis.model.cell_means import CellMeans
from analysis.stats.estimates import Estimate

MOST_REPLICATES = 1000
"""Beyond this a question is called undecidable rather than costed."""


def mean_runs(cells: CellMeans) -> float:
    """Mean runs of the cells that ran, which one more replicate adds one to; NaN of none."""
    counts = cells.counts[~cells.empty]
    return float(counts.mean()) if counts.size else float("nan")


def t_power(effect: float, se: float, df: float, alpha: float = 0.05) -> float:
    """Power of a two-sided t test: t squared is noncentral F with one degree of freedom."""
    critical = float(stdtrit(df, 1 - alpha / 2))
    shift = abs(effect) / se
    if shift > critical + 12:
        return 1.0  # and SciPy's noncentral distributions no longer converge
    return float(1 - ncfdtr(1, df, shift**2, critical**2))


def replicates_to_decide(
    estimate: Estimate, distance: float, now: float, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Smallest whole number of replicates at which the present estimate would be significant.

    The standard error shrinks with the root of the replicates, but for the part of the variance
    that no further run takes away (`Estimate.fixed`); degrees of freedom grow with them as
    the estimate's method lets them.

    Args:
        estimate: As it stands.
        distance: From the estimate to the border of the hypothesis, response units.
        now: Runs per cell now.
        alpha: Two-sided level, adjusted by the caller.
        power: Wanted probability of deciding.

    Returns:
        Replicates per cell, more than now; NaN beyond `MOST_REPLICATES` or without an error;
        infinity where further combinations may decide it and further runs of these will not.
    """
    if not (np.isfinite(estimate.se) and estimate.se > 0 and np.isfinite(distance)):
        return float("nan")
    never = float("inf") if estimate.fixed > 0 else float("nan")
    if not distance:
        return never

    def enough(k: int) -> bool:
        own = max(estimate.se**2 - estimate.fixed, 0.0)
        se = float(np.sqrt(own * now / k + estimate.fixed))
        return t_power(distance, se, degrees_of_freedom(estimate, now, k), alpha) >= power

    low, high = int(np.floor(now)) + 1, MOST_REPLICATES
    if not enough(high):
        return never
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return float(low)


def degrees_of_freedom(estimate: Estimate, now: float, k: int) -> float:
    """Degrees of freedom the estimate's method would have with k replicates per cell."""
    if 2 * estimate.fixed > estimate.se**2:
        return estimate.df  # of what departs from a model, which more runs do not tell
    if estimate.method == "blocked":
        return float(k - 1)
    if estimate.method in ("welch", "joined", "pooled") and now > 1:
        return estimate.df * (k - 1) / (now - 1)
    return estimate.df * k / now
