"""Adjusted p-values: Holm over a family, Tukey and Games-Howell within a factor.

NaN stays NaN and still counts towards the family: a contrast that could not be estimated was
planned, so leaving it out would make the others look better.
"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtr, stdtrit

from analysis.stats.arrays import Floats
from analysis.stats.distributions.studentized_range import range_quantile, range_sf

FEWEST_DF = 8
"""Degrees of freedom from which pairs are compared by Games-Howell."""


def holm(p: Floats, weights: Floats | None = None) -> Floats:
    """Holm's step-down adjustment (Holm 1979) of p values of shape (tests,).

    Args:
        p: p-values of one family, NaN where a test could not be made.
        weights: shares of the level that the tests may spend, positive, same shape; by default
            equal ones (Holm 1979, section 4).

    Returns:
        Adjusted p-values in the same order, at most 1, NaN where p is.
    """
    p = np.asarray(p, dtype=np.float64)
    w = np.ones(len(p)) if weights is None else np.asarray(weights, dtype=np.float64)
    adjusted = np.full(len(p), np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    ranked = tested[np.argsort(p[tested] / w[tested], kind="stable")]
    left = w.sum() - np.concatenate([[0.0], np.cumsum(w[ranked])[:-1]])[: len(ranked)]
    steps = p[ranked] / w[ranked] * left
    adjusted[ranked] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def tukey_p(t: float, means: int, df: float) -> float:
    """Probability that the range of `means` t-scaled means exceeds |t| (Tukey 1953).

    Args:
        t: difference over its standard error.
        means: number of means compared, two or more.
        df: degrees of freedom of the error.
    """
    if not (np.isfinite(t) and np.isfinite(df) and df > 0):
        return float("nan")
    if means == 2:  # the range of two is a two-sided t test, exact into the far tail
        return float(2 * stdtr(df, -abs(t)))
    # Bonferroni bounds the p-value from above, and is what it tends to in the far tail.
    bound = means * (means - 1) * float(stdtr(df, -abs(t)))
    return bound if bound < 1e-13 else min(range_sf(abs(t) * 2**0.5, means, df), bound)


def games_howell_p(t: float, means: int, df: float) -> float:
    """`tukey_p` of a Welch t with its own degrees of freedom (Games and Howell 1976).

    Below `FEWEST_DF` Šidák's bound on the Welch t instead (Tamhane 1977): there the variances are
    known too badly for one range distribution to hold for all pairs, and Games-Howell errs in 6.6 %
    of studies where 5 % are promised (`tests.benchmarks.coverage`, runs lost out of three).
    """
    if means > 2 and 0 < df < FEWEST_DF and np.isfinite(t):
        pairs = means * (means - 1) // 2
        with np.errstate(divide="ignore"):  # p = 1
            return float(-np.expm1(pairs * np.log1p(-2 * stdtr(df, -abs(t)))))
    return tukey_p(t, means, df)


def tukey_quantile(means: int, df: float, confidence: float = 0.95) -> float:
    """Critical |t| of simultaneous intervals for all pairs of `means` means."""
    if means == 2:
        return float(stdtrit(df, 0.5 + confidence / 2))
    return range_quantile(confidence, means, df) / 2**0.5
