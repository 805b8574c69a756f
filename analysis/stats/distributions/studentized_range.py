"""The studentized range distribution, for Tukey and Games-Howell.

SciPy's takes 5-30 ms a tail and loses those below 1e-14; these sums take under a millisecond up to
ten means and keep relative accuracy there (see docs/decisions/057). Both integrands are analytic
and decay on both sides, so fixed rules converge exponentially.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammainccinv, gammaincinv, gammaln, log_ndtr

from analysis.stats.arrays import Floats

_SCALES = 160
"""Nodes over the logarithm of the estimated standard deviation (trapezoid rule)."""
_MANY = 10
"""Means above which the integrand over z is so sharp that it takes more nodes."""
_REACH = 8.5
"""Standard deviations beyond which the normal density counts as zero."""


def range_sf(q: float, means: int, df: float) -> float:
    """P(Q > q) of the range of `means` standard normal means over an estimated sigma.

    Args:
        q: studentized range, 0 or more.
        means: two or more.
        df: degrees of freedom of sigma.
    """
    if q <= 0:
        return 1.0
    s, density = _scale_nodes(df)
    return min(float(density @ _normal_range_sf(q * s, means)), 1.0)


@lru_cache(maxsize=512)
def range_quantile(probability: float, means: int, df: float) -> float:
    """The q with P(Q <= q) = probability."""
    tail = 1.0 - probability
    top = 8.0
    while range_sf(top, means, df) > tail:
        top *= 2
    root: Any = brentq(lambda q: range_sf(q, means, df) - tail, 1e-8, top, xtol=1e-11)
    return float(root)


@lru_cache(maxsize=512)
def _scale_nodes(df: float) -> tuple[Floats, Floats]:
    """Nodes s of sqrt(chi2_df / df) and the probability each stands for."""
    low = max(float(gammaincinv(df / 2, 1e-17)) * 2 / df, 1e-34)
    high = float(gammainccinv(df / 2, 1e-17)) * 2 / df
    u = np.linspace(np.log(low), np.log(high), _SCALES) / 2
    s = np.exp(u)
    half = df / 2
    log_density = half * np.log(half) - gammaln(half) + np.log(2.0) + df * u - half * s**2
    return s, np.exp(log_density) * (u[1] - u[0])


def _normal_range_sf(w: Floats, means: int) -> Floats:
    """P(range of standard normals > w), without the cancellation of 1 - P.

    The integrand is phi(z) (Phi(z)^(m-1) - (Phi(z) - Phi(z - w))^(m-1)), times m.
    """
    w = w[:, None]
    half = _REACH + w / 4
    heights, weights = _height_nodes(72 if means <= _MANY else 200)
    z = w / 4 + half * heights
    below = log_ndtr(z)
    ratio = np.exp(np.minimum(log_ndtr(z - w) - below, 0.0))
    with np.errstate(divide="ignore"):
        left = -np.expm1((means - 1) * np.log1p(-ratio))
    inside = np.exp(-0.5 * z**2 + (means - 1) * below) * left
    total = (inside * half) @ weights * (means / np.sqrt(2 * np.pi))
    return np.asarray(np.minimum(total, 1.0))


@lru_cache(maxsize=2)
def _height_nodes(count: int) -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return np.asarray(nodes), np.asarray(weights)
