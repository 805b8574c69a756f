"""Tests of terms in which every cell has its own variance.

The Wald statistic of a term's contrasts is referred to Hotelling's T^2: their estimated covariance
counts as a Wishart matrix whose degrees of freedom agree in the variances of its entries (Zhang
2012; Tipton and Pustejovsky 2015). With one degree of freedom that is Welch's t, squared. Where the
cells are too few for the covariance of all contrasts, or some of these never varied, their squared
length is compared with its expectation instead (Brunner, Dette and Munk 1997).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import fdtrc

from analysis.model.margins import Margin, Together
from analysis.stats.arrays import Floats
from analysis.stats.estimates import MeanParts

ENOUGH = 2
"""Hotelling's T^2 wants this many degrees of freedom for each contrast were variances equal."""
COUNTED = 2.0
"""How often the largest part of the variance counts in the degrees of freedom of the length."""


def welch_test(margin: Margin) -> dict[str, float]:
    """Test one term by the cells' own variances.

    Returns:
        df (a fraction where the squared length is tested), F, df_error, p; NaN where a contrast is
        not estimable or none has a variance. No degree of freedom left for the error gives p = 1.
    """
    nan = float("nan")
    parts = margin.cells.parts
    contrasts = margin.contrasts()
    needed = margin.needed(contrasts, together=True)
    weights, q = needed[0], len(contrasts)
    lost = {"df": float(q), "F": nan, "df_error": nan, "p": nan}
    scale = np.sqrt(((weights**2) * parts.variances).sum(axis=1))
    if not np.isfinite(scale).all() or not (scale > 0).any():
        return lost
    if q == 1:
        numbers = margin.combine(contrasts, "welch", needed)
        estimate, se, df = (float(part[0]) for part in numbers)
        return _f((estimate / se) ** 2, 1.0, df)
    unseen = margin.unseen_together(contrasts, needed)
    # Were all runs equally noisy, a mean's variance would be one over its runs.
    alike = 1.0 / margin.cells.counts.ravel()[margin.cells.ran]
    if _singular(weights, alike):
        return lost
    if _wishart_df(weights, replace(parts, variances=alike)) < ENOUGH * q:
        return _length_test(weights, parts, unseen)
    if not (scale > 0).all() or _singular(weights / scale[:, None], parts.variances):
        return _length_test(weights, parts, unseen)  # it needs no contrast to vary, only some
    weights = weights / scale[:, None]
    unseen = replace(unseen, covariance=unseen.covariance / np.outer(scale, scale))
    values = weights @ parts.means
    covariance = (weights * parts.variances) @ weights.T + unseen.covariance
    statistic = float(values @ np.linalg.solve(covariance, values))
    df = _wishart_df(weights, parts, unseen)
    left = df - q + 1
    return _f(statistic * left / (q * df), float(q), left) if left > 0 else _f(0.0, float(q), 0.0)


def _singular(weights: Floats, variance: Floats) -> bool:
    return bool(np.linalg.cond((weights * variance) @ weights.T) > 1e12)


def _f(f: float, df: float, df_error: float) -> dict[str, float]:
    p = float(fdtrc(df, df_error, f)) if df_error > 0 else 1.0
    return {"df": df, "F": f, "df_error": df_error, "p": p}


def _wishart_df(weights: Floats, parts: MeanParts, unseen: Together | None = None) -> float:
    """Degrees of freedom of sum(w w' variance), standardised by itself, as a Wishart matrix.

    A Wishart matrix of q dimensions and mean I has entries whose variances sum to q (q + 1) / df;
    a component M of the sum with df of its own adds (tr(M)^2 + tr(M^2)) / df.

    Args:
        weights: of the contrasts, shape (q, cells).
        parts: of the cells that ran.
        unseen: what departures from a model add, a component of full rank.
    """
    q, variance, single = len(weights), parts.variances, parts.single
    whole = (weights * variance) @ weights.T
    if unseen is not None:
        whole = whole + unseen.covariance
    inner = np.linalg.solve(whole, weights)
    # A cell's own component has rank one, so that tr(M)^2 = tr(M^2) = its leverage, squared.
    leverage = variance * np.einsum("fj,fj->j", weights, inner)
    total = float((2 * leverage[~single] ** 2 / parts.freedom[~single]).sum())
    if single.any():  # one pooled variance, so one component of full rank
        pooled = (inner[:, single] * variance[single]) @ weights[:, single].T
        total += float(np.trace(pooled) ** 2 + np.trace(pooled @ pooled)) / parts.pooled_df
    if unseen is not None:
        added = np.linalg.solve(whole, unseen.covariance)
        total += float(np.trace(added) ** 2 + np.trace(added @ added)) / unseen.freedom
    return q * (q + 1) / total


def _length_test(weights: Floats, parts: MeanParts, unseen: Together) -> dict[str, float]:
    """The contrasts' squared length over its expectation, by Box's (1954) approximation.

    Where the noisiest cell is thought quieter than it is, both degrees of freedom come out too
    many, so its variance counts `COUNTED` times in them (decision 066).

    Args:
        weights: of the contrasts, shape (q, cells).
        parts: of the cells that ran.
        unseen: what departures from a model add.
    """
    values = weights @ parts.means
    lengths = (weights**2).sum(axis=0)
    f = float(values @ values / (parts.variances @ lengths + unseen.trace))
    variance = parts.variances.copy()
    variance[np.argmax(variance * lengths)] *= COUNTED
    expected = variance * lengths
    covariance = (weights * variance) @ weights.T + unseen.covariance
    single = parts.single
    below = float((expected[~single] ** 2 / parts.freedom[~single]).sum())
    if single.any():
        below += float(expected[single].sum()) ** 2 / parts.pooled_df
    below += unseen.trace**2 / unseen.freedom
    squared = (float(expected.sum()) + unseen.trace) ** 2
    return _f(f, squared / float((covariance**2).sum()), squared / below)
