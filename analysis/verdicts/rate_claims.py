"""Claims about convergence: the difference of two shares of runs, and how sure it is.

The difference, its interval and whether there is one are told within the combinations of the other
factors in which both levels ran (`analysis.stats.counts.common_difference`), or in a fraction,
where they seldom did, by a model of the shares (`analysis.outcomes.rates.modelled`), so that a
verdict and the interval beside it cannot contradict each other. Accuracy and epochs are means of
cells and need nothing here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.model.contrast_text import claim_weights
from analysis.outcomes.rates.compared import Compared
from analysis.stats.arrays import Floats
from analysis.stats.counts.common_difference import CommonDifference
from analysis.stats.estimates import NAN, Estimate, no_estimate
from runner.spec.claims import Claim

Z95 = 1.959963984540054
MANY = 1e9
"""Degrees of freedom that stand for a normal limit."""


@dataclass(frozen=True, eq=False)
class RateDifference:
    """A difference of two shares.

    Attributes:
        estimate: with its score interval and the exact p of no difference; se from the width of
            the interval, method "score"; or of a model of the shares, method `SHARES`.
        below: one-sided p of the true difference lying at or above a value.
        replicates: mean runs per cell compared.
        counts: converged and counted runs of the left level, then of the right one.
        problem: why there is nothing to compare, or "".
    """

    estimate: Estimate
    below: Callable[[float], float]
    replicates: float
    counts: tuple[int, int, int, int] = (0, 0, 0, 0)
    problem: str = ""


def rate_difference(compared: Compared, claim: Claim, confidence: float) -> RateDifference:
    """Left minus right of the claim, within its conditions.

    By the model of the shares where that speaks for the claim's factor.

    Args:
        compared: the counts over the grid.
        claim: on convergence.
        confidence: of the interval.
    """
    factors = compared.factors
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
    grids = compared.hits, compared.runs
    x, n = (np.moveaxis(grid[np.ix_(*chosen)], axis, -1).reshape(-1, 2) for grid in grids)
    model = compared.models.get(claim.factor)
    if model is not None:
        estimate = model.difference(claim_weights(model.completion.cells, claim), confidence)
        if np.isfinite(estimate.se):
            counts = _counts(x, n)
            return RateDifference(estimate, estimate.below, float(n[n > 0].mean()), counts)
    both = (n > 0).all(axis=1)
    x, n = x[both], n[both]
    if not len(n):
        lacks = "no combination of the other factors ran at both levels"
        nothing = no_estimate("score", confidence)
        return RateDifference(nothing, lambda _: NAN, NAN, problem=lacks)
    common = CommonDifference.of(x, n)
    low, high = common.limits(confidence)
    ends = common.limits(0.95)
    se = (ends[1] - ends[0]) / (2 * Z95)
    estimate = Estimate(common.estimate, se, MANY, low, high, common.p, "score", confidence)
    return RateDifference(estimate, common.below, float(n.mean()), _counts(x, n))


def _counts(x: Floats, n: Floats) -> tuple[int, int, int, int]:
    (a, b), (m, k) = x.sum(axis=0), n.sum(axis=0)
    return int(a), int(m), int(b), int(k)
