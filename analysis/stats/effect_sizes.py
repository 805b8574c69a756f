"""Partial effect sizes of an F test, with noncentral-F intervals.

The convention of R's effectsize: partial eta squared is bounded by ncp / (ncp + df_error) at the
noncentralities that put the observed F at the two tails (Steiger 2004).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from scipy.optimize import brentq
from scipy.special import fdtr, ncfdtr


def partial_eta2(f: float, df: float, df_error: float) -> float:
    """Share of the term's and error's sum of squares that is the term's."""
    return f * df / (f * df + df_error)


def partial_omega2(f: float, df: float, n: int) -> float:
    """Less biased share: df (F - 1) / (df (F - 1) + n); negative below F = 1 (not truncated).

    Args:
        f: the F ratio.
        df: degrees of freedom of the term.
        n: runs.
    """
    return df * (f - 1) / (df * (f - 1) + n)


@lru_cache(maxsize=4096)
def partial_eta2_interval(
    f: float, df: float, df_error: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Two-sided interval of partial eta squared by inverting the noncentral F distribution."""
    tail = (1 - confidence) / 2
    low = _noncentrality(f, df, df_error, 1 - tail)
    high = _noncentrality(f, df, df_error, tail)
    return low / (low + df_error), high / (high + df_error)


def noncentral_f_cdf(f: float, df: float, df_error: float, ncp: float) -> float:
    """P(F <= f), and 0 where SciPy has NaN: there less than 1e-138 is left (decision 057)."""
    probability = float(ncfdtr(df, df_error, ncp, f))
    return 0.0 if math.isnan(probability) else probability


def _noncentrality(f: float, df: float, df_error: float, probability: float) -> float:
    """Noncentrality at which P(F <= f) is `probability`; 0 where even the central F is below."""
    if float(fdtr(df, df_error, f)) <= probability:
        return 0.0

    def excess(ncp: float) -> float:
        return noncentral_f_cdf(f, df, df_error, ncp) - probability

    top = max(4.0 * f * df, 10.0)
    while excess(top) > 0:
        top *= 2
    root: Any = brentq(excess, 0.0, top, xtol=1e-10, rtol=1e-13)
    return float(root)
