"""Claims about convergence: the difference of two shares of runs, and how sure it is.

The difference and its interval are Newcombe's, over the combinations of the other factors in which
both levels ran; whether there is a difference at all is the exact Cochran-Mantel-Haenszel test,
stratified by those combinations. Accuracy and epochs are means of cells and need nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from analysis.stats.arrays import Floats
from analysis.stats.counts.cmh import exact_test
from analysis.stats.counts.proportions import newcombe
from analysis.stats.estimates import NAN, Estimate, no_estimate
from runner.spec.claims import Claim

Z95 = 1.959963984540054
MANY = 1e9
"""Degrees of freedom that stand for a normal limit."""


@dataclass(frozen=True, eq=False)
class RateDifference:
    """A difference of two shares.

    Attributes:
        estimate: with Newcombe's interval; se from its width, method "newcombe".
        below: one-sided p of the true difference lying at or above a value.
        p: exact two-sided p of no difference; NaN where no stratum says anything.
        replicates: mean runs per cell compared.
        counts: converged and counted runs of the left level, then of the right one.
        problem: why there is nothing to compare, or "".
    """

    estimate: Estimate
    below: Callable[[float], float]
    p: float
    replicates: float
    counts: tuple[int, int, int, int] = (0, 0, 0, 0)
    problem: str = ""


def rate_difference(
    hits: Floats,
    runs: Floats,
    claim: Claim,
    factors: Mapping[str, Sequence[str]],
    confidence: float,
) -> RateDifference:
    """Left minus right of the claim, within its conditions.

    Args:
        hits: converged runs, shape of the grid.
        runs: runs with an outcome, shape of the grid.
        claim: on convergence.
        factors: declared levels in the order of the grid's axes.
        confidence: of the interval.
    """
    names = list(factors)
    axis = names.index(claim.factor)
    sides = [list(factors[claim.factor]).index(level) for level in (claim.left, claim.right)]
    given = claim.given(factors)
    chosen = [
        np.array(sides)
        if k == axis
        else np.array([list(factors[name]).index(one) for one in given.get(name, factors[name])])
        for k, name in enumerate(names)
    ]
    x, n = (np.moveaxis(grid[np.ix_(*chosen)], axis, -1).reshape(-1, 2) for grid in (hits, runs))
    both = (n > 0).all(axis=1)
    x, n = x[both], n[both]
    if not len(n):
        lacks = "no combination of the other factors ran at both levels"
        nothing = no_estimate("newcombe", confidence)
        return RateDifference(nothing, lambda _: NAN, NAN, NAN, problem=lacks)
    a, b = x.sum(axis=0)
    m, k = n.sum(axis=0)

    def limits(level: float) -> tuple[float, float]:
        interval = newcombe(a, m, b, k, level)
        return float(interval.low), float(interval.high)

    value = float(a / m - b / k)
    low, high = limits(confidence)
    exact = exact_test(x, n).p
    p = float("nan") if exact is None else float(exact)
    ends = limits(0.95)
    se = (ends[1] - ends[0]) / (2 * Z95)
    estimate = Estimate(value, se, MANY, low, high, p, "newcombe", confidence)
    counts = (int(a), int(m), int(b), int(k))
    replicates = float(n.mean())
    return RateDifference(
        estimate, lambda border: _tail(limits, value, border), p, replicates, counts
    )


def _tail(limits: Callable[[float], tuple[float, float]], value: float, border: float) -> float:
    """One-sided p of a true difference at or above the border, by inverting the interval."""
    side = 1 if border > value else 0
    sign = 1.0 if side else -1.0

    def gap(level: float) -> float:
        return sign * (limits(level)[side] - border)

    least, most = 1e-9, 1 - 1e-12
    if gap(least) >= 0:  # the border is the estimate, up to rounding
        return 0.5
    level = most if gap(most) < 0 else float(brentq(gap, least, most, xtol=1e-13))
    outside = (1 - level) / 2
    return outside if side else 1 - outside
