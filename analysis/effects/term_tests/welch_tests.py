"""Tests of terms in which every cell has its own variance.

The Wald statistic of a term's contrasts is referred to Hotelling's T^2: their estimated covariance
counts as a Wishart matrix whose degrees of freedom agree in the variances of its entries (Zhang
2012; Tipton and Pustejovsky 2015). With one degree of freedom that is Welch's t, squared. Where the
cells are too few for the covariance of all contrasts, their squared length is compared with its
expectation instead (Brunner, Dette and Munk 1997).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import fdtrc

from analysis.model.cell_means import CellMeans
from analysis.model.margins import Margin
from analysis.model.terms import Term
from analysis.model.welch import ran_cells, welch
from analysis.table.tidy import Floats

ENOUGH = 2
"""Hotelling's T^2 wants this many degrees of freedom for each contrast were variances equal."""
COUNTED = 2.0
"""How often the largest part of the variance counts in the degrees of freedom of the length."""


def welch_test(margin: Margin) -> dict[str, float]:
    """Test one term by the cells' own variances.

    Returns:
        df (a fraction where the squared length is tested), F, df_error, p; NaN where a contrast is
        not estimable or has no variance. No degree of freedom left for the error gives p = 1.
    """
    nan = float("nan")
    cells = margin.cells
    weights, orders = margin.needed(margin.contrasts(), together=True)
    q = len(weights)
    lost = {"df": float(q), "F": nan, "df_error": nan, "p": nan}
    means, variance, freedom, single = ran_cells(cells)
    scale = np.sqrt(((weights**2) * variance).sum(axis=1))
    if not np.isfinite(scale).all() or not (scale > 0).any():
        return lost
    if q == 1:
        estimate, se, df = (float(part[0]) for part in welch(cells, weights, orders))
        return _f((estimate / se) ** 2, 1.0, df)
    alike = 1.0 / cells.counts.ravel()[~cells.empty.ravel()]
    if _singular(weights, alike):
        return lost
    expected = _wishart_df(weights, alike, freedom, single, cells.pure_df)
    if expected < ENOUGH * q:
        return _length(weights, means, variance, freedom, single, cells.pure_df)
    if not (scale > 0).all() or _singular(weights / scale[:, None], variance):
        return lost
    weights = weights / scale[:, None]
    values = weights @ means
    statistic = float(values @ np.linalg.solve((weights * variance) @ weights.T, values))
    df = _wishart_df(weights, variance, freedom, single, cells.pure_df)
    left = df - q + 1
    return _f(statistic * left / (q * df), float(q), left) if left > 0 else _f(0.0, float(q), 0.0)


def _singular(weights: Floats, variance: Floats) -> bool:
    return bool(np.linalg.cond((weights * variance) @ weights.T) > 1e12)


def welch_table(cells: CellMeans, terms: Sequence[Term], order: int) -> pd.DataFrame:
    """`welch_test` of every term: columns term, df, F, df_error, p."""
    rows = [{"term": term.name, **welch_test(Margin.of(cells, term, order))} for term in terms]
    return pd.DataFrame(rows, columns=["term", "df", "F", "df_error", "p"])


def _f(f: float, df: float, df_error: float) -> dict[str, float]:
    p = float(fdtrc(df, df_error, f)) if df_error > 0 else 1.0
    return {"df": df, "F": f, "df_error": df_error, "p": p}


def _wishart_df(
    weights: Floats, variance: Floats, freedom: Floats, single: NDArray[np.bool_], pure_df: int
) -> float:
    """Degrees of freedom of sum(w w' variance), standardised by itself, as a Wishart matrix.

    A Wishart matrix of q dimensions and mean I has entries whose variances sum to q (q + 1) / df;
    a component M of the sum with df of its own adds (tr(M)^2 + tr(M^2)) / df.
    """
    q = len(weights)
    inner = np.linalg.solve((weights * variance) @ weights.T, weights)
    leverage = variance * np.einsum("fj,fj->j", weights, inner)
    total = float((2 * leverage[~single] ** 2 / freedom[~single]).sum())
    if single.any():
        pooled = (inner[:, single] * variance[single]) @ weights[:, single].T
        total += float(np.trace(pooled) ** 2 + np.trace(pooled @ pooled)) / pure_df
    return q * (q + 1) / total


def _length(
    weights: Floats,
    means: Floats,
    variance: Floats,
    freedom: Floats,
    single: NDArray[np.bool_],
    pure_df: int,
) -> dict[str, float]:
    """The contrasts' squared length over its expectation, by Box's (1954) approximation.

    Where the noisiest cell is thought quieter than it is, both degrees of freedom come out too
    many, so its variance counts `COUNTED` times in them (decision 066).
    """
    values = weights @ means
    lengths = (weights**2).sum(axis=0)
    f = float(values @ values / (variance @ lengths))
    variance = variance.copy()
    variance[np.argmax(variance * lengths)] *= COUNTED
    parts = variance * lengths
    covariance = (weights * variance) @ weights.T
    below = float((parts[~single] ** 2 / freedom[~single]).sum())
    if single.any():
        below += float(parts[single].sum()) ** 2 / pure_df
    squared = float(parts.sum()) ** 2
    return _f(f, squared / float((covariance**2).sum()), squared / below)
