"""Tests of terms over replicates: what holds when the cells of a replicate share a shock.

Within each replicate a term's contrasts have one value each; F compares their mean square with how
much they vary from replicate to replicate (the term beside its interaction with replicates). With
one degree of freedom it is the t over replicates, squared. Unequal variances and correlations of
the contrasts are paid for in degrees of freedom (Box 1954; Greenhouse and Geisser 1959). Lost runs
are fitted by `over_replicates`, empty cells by `completion`.
"""

from __future__ import annotations

import numpy as np
from scipy.special import fdtrc

from analysis.model.margins import Margin, Together
from analysis.stats.arrays import Floats


def replicate_test(margin: Margin) -> dict[str, float]:
    """Test one term over the replicates.

    Returns:
        df and df_error (both times Greenhouse and Geisser's epsilon, so not whole numbers), F, p;
        NaN with fewer than two replicates, or where nothing varies between them.
    """
    nan = float("nan")
    contrasts = margin.contrasts()
    q = len(contrasts)
    complete = margin.replicates
    k = len(complete)
    lost = {"df": float(q), "F": nan, "df_error": nan, "p": nan}
    if k < 2:
        return lost
    if not np.isfinite(complete).all():
        return _incomplete(margin, contrasts, lost)
    values = complete @ contrasts.T
    mean = values.mean(axis=0)
    left = values - mean
    inner = left @ left.T / (k - 1)  # has the traces of the contrasts' covariance and its square
    dust = (np.abs(complete).max() * 8 * np.finfo(float).eps) ** 2
    return _test(float(k * mean @ mean), inner, k - 1.0, dust, lost)


def _incomplete(margin: Margin, contrasts: Floats, lost: dict[str, float]) -> dict[str, float]:
    """The same where runs are lost: contrasts and scores of `analysis.stats.over_replicates`."""
    needed = margin.needed(contrasts, together=True)
    weights = needed[0]
    if not np.isfinite(weights).all():
        return lost
    fitted = margin.cells.over_replicates
    mean, se, df = fitted.estimate(weights)
    if not np.isfinite(se).all():
        return lost
    _, scores = fitted.sums(weights)
    freedom = float((se**2 @ df) / (se**2).sum()) if (se > 0).any() else 0.0
    dust = (np.abs(fitted.values).max() * 8 * np.finfo(float).eps) ** 2
    unseen = margin.unseen_together(contrasts, needed)
    return _test(float(mean @ mean), scores.T @ scores, freedom, dust, lost, unseen)


def _test(
    size: float,
    inner: Floats,
    freedom: float,
    dust: float,
    lost: dict[str, float],
    unseen: Together | None = None,
) -> dict[str, float]:
    """F of the contrasts' squared length, given a matrix with the traces of their covariance.

    `unseen` is what departures from a model add to it.
    """
    q = lost["df"]
    trace = float(np.trace(inner))
    if trace <= dust * q:
        return lost
    epsilon = 1.0 if q == 1 else trace**2 / (q * float((inner**2).sum()))
    df = min(epsilon, 1.0) * q
    df_error = df * freedom
    if unseen is not None and unseen.trace > 0:
        below = trace**2 / df_error + unseen.trace**2 / unseen.freedom
        trace += unseen.trace
        df_error = trace**2 / below
    f = size / trace
    return {"df": df, "F": f, "df_error": df_error, "p": float(fdtrc(df, df_error, f))}
