"""Intervals for shares of runs: Wilson for one, Newcombe for the difference of two.

Promises intervals inside [0, 1] (or [-1, 1]) that stay honest at 0 of n and n of n, and `nan` where
no run was counted. Does not model other factors: pooled over a level, the binomial variance is an
upper bound when cells differ (Hoeffding 1956), so these intervals err on the wide side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from analysis.stats.arrays import Floats


class Interval(NamedTuple):
    """Point estimate and confidence limits, elementwise."""

    estimate: Floats
    low: Floats
    high: Floats


def wilson(successes: ArrayLike, runs: ArrayLike, level: float = 0.95) -> Interval:
    """Wilson score interval of a share (Wilson 1927).

    Args:
        successes: Counts, any shape.
        runs: Numbers of runs, broadcast against `successes`; 0 gives `nan`.
        level: Two-sided confidence level.

    Raises:
        ValueError: A count is negative or above its number of runs.
    """
    x, n = np.broadcast_arrays(np.asarray(successes, float), np.asarray(runs, float))
    if np.any((x < 0) | (x > n)):
        raise ValueError("a count of successes lies outside 0..runs")
    z2 = float(ndtri((1 + level) / 2)) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        share = x / n
        centre = (x + z2 / 2) / (n + z2)
        half = np.sqrt(z2 * (x * (n - x) / n + z2 / 4)) / (n + z2)
    # At the ends the formula is exact only up to rounding; a limit of -1e-17 reads as a bug.
    low = np.where(x == 0, np.where(n > 0, 0.0, np.nan), centre - half)
    high = np.where(x == n, np.where(n > 0, 1.0, np.nan), centre + half)
    return Interval(share, low, high)


def newcombe(
    successes: ArrayLike,
    runs: ArrayLike,
    reference_successes: ArrayLike,
    reference_runs: ArrayLike,
    level: float = 0.95,
) -> Interval:
    """Hybrid score interval of share minus reference share (Newcombe 1998, method 10).

    Args:
        successes: Counts of the first group, any shape.
        runs: Runs of the first group.
        reference_successes: Counts of the group that is subtracted.
        reference_runs: Runs of the group that is subtracted.
        level: Two-sided confidence level.
    """
    p1, low1, high1 = wilson(successes, runs, level)
    p2, low2, high2 = wilson(reference_successes, reference_runs, level)
    difference = p1 - p2
    return Interval(
        difference,
        difference - np.sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2),
        difference + np.sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2),
    )
