"""Tails of F where a probability underflows: logarithms of p, and the |t| that has the same p."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, betaln


def equivalent_t(f: float, df: float, df_error: float, df_shown: float) -> float:
    """|t| on `df_shown` degrees of freedom with the p value of F(df, df_error) = f."""
    if f <= 0:
        return 0.0
    if df == 1 and df_error == df_shown:
        return float(np.sqrt(f))
    wanted = log_p(f, df, df_error)
    upper = float(np.sqrt(f * df)) + 1.0
    while log_p(upper * upper, 1.0, df_shown) > wanted:
        upper *= 2
    return float(brentq(lambda t: log_p(t * t, 1.0, df_shown) - wanted, 0.0, upper, xtol=1e-10))


def log_p(f: float, df: float, df_error: float) -> float:
    """Natural logarithm of P(F(df, df_error) > f), finite where the probability underflows.

    The regularised incomplete beta function I_x(df_error / 2, df / 2) at
    x = df_error / (df_error + df f), by its continued fraction (DLMF 8.17.22) where that converges
    fast, which is where the probability is small.
    """
    a, b = df_error / 2, df / 2
    x = df_error / (df_error + df * f)
    if x >= 1:
        return 0.0
    if x >= (a + 1) / (a + b + 2):
        return float(np.log(betainc(a, b, x)))
    fraction = _continued_fraction(a, b, x)
    return float(a * np.log(x) + b * np.log1p(-x) - np.log(a) - betaln(a, b) + np.log(fraction))


def _continued_fraction(a: float, b: float, x: float, steps: int = 10_000) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    tiny = 1e-300
    value, c, d = 1.0, 1.0, 0.0
    for step in range(steps):
        if step == 0:
            term = 1.0
        elif step % 2:
            m = (step - 1) // 2
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            m = step // 2
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 + term * d
        d = 1.0 / (d if abs(d) > tiny else tiny)
        c = 1.0 + term / (c if abs(c) > tiny else tiny)
        change = c * d
        value *= change
        if abs(change - 1.0) < 1e-15:
            break
    return value - 1.0
