"""Kaplan-Meier curves, restricted means with Greenwood errors, stratified log-rank test.

Arrays in, arrays and numbers out. Promises the variance of the restricted mean itself (integrated
Greenwood), not the variance of min(T, tau) that some libraries return under that name. Knows no
factors: `time_to_target` does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtri

from analysis.stats.arrays import Floats


@dataclass(frozen=True, eq=False)
class Curve:
    """Survival after each distinct event time; before the first it is 1.

    Attributes:
        times: Distinct event times, increasing.
        survival: S(t) just after each.
        se: Greenwood standard error of S(t); 0 would be a lie at S = 0, there it is NaN.
        low, high: Limits on the log(-log S) scale, NaN where S is 0 or 1.
        at_risk, events: Per event time.
        censored: Times at which runs left without an event.
        last: The longest time of any run; beyond it the curve is unknown unless S is 0.
    """

    times: Floats
    survival: Floats
    se: Floats
    low: Floats
    high: Floats
    at_risk: Floats
    events: Floats
    censored: Floats
    last: float

    def at(self, time: ArrayLike) -> Floats:
        """S(time), continuous from the right, shape as `time`; NaN beyond the last run unless 0."""
        t = np.asarray(time, float)
        steps = np.concatenate([[1.0], self.survival])
        value = steps[np.searchsorted(self.times, t, side="right")]
        return np.asarray(np.where((t > self.last) & (steps[-1] > 0), np.nan, value))

    @property
    def median(self) -> float:
        """First time at which S is at most one half; NaN if it never gets there."""
        below = np.flatnonzero(self.survival <= 0.5 + 1e-12)
        return float(self.times[below[0]]) if len(below) else np.nan


@dataclass(frozen=True, slots=True)
class RestrictedMean:
    """Mean of min(T, limit) and its standard error; NaN where the curve stops before the limit."""

    mean: float
    se: float
    runs: int


def curve(times: ArrayLike, events: ArrayLike, confidence: float = 0.95) -> Curve:
    """Kaplan-Meier estimate (Kaplan and Meier 1958).

    Args:
        times: Time of the event or of censoring, per run.
        events: 1 or True where the event was seen, 0 or False where the run was censored.
        confidence: Of the pointwise limits.

    Raises:
        ValueError: No runs, unequal lengths, or a time that is not a number.
    """
    t, seen = np.asarray(times, float), np.asarray(events).astype(bool)
    if not len(t) or t.shape != seen.shape or not np.isfinite(t).all():
        raise ValueError("times and events are equally many, at least one, and finite")
    distinct, index = np.unique(t[seen], return_inverse=True)
    d = np.bincount(index, minlength=len(distinct)).astype(float)
    at_risk = len(t) - np.searchsorted(np.sort(t), distinct, side="left").astype(float)
    survival = np.cumprod(1 - d / at_risk)
    # Where everyone at risk has the event S is 0 and the sum infinite: no standard error there.
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(d / (at_risk * (at_risk - d)))
        se = np.where(survival > 0, survival * np.sqrt(greenwood), np.nan)
        width = float(ndtri((1 + confidence) / 2)) * np.sqrt(greenwood) / np.abs(np.log(survival))
        low, high = survival ** np.exp(width), survival ** np.exp(-width)
    gone = ~(survival > 0)
    low, high = np.where(gone, np.nan, low), np.where(gone, np.nan, high)
    return Curve(distinct, survival, se, low, high, at_risk, d, np.sort(t[~seen]), float(t.max()))


def restricted_mean(times: ArrayLike, events: ArrayLike, limit: float) -> RestrictedMean:
    """Area under the Kaplan-Meier curve up to `limit`, with Greenwood's standard error.

    The variance is the sum over event times of [area from t to limit]^2 d / (n (n - d)) (Klein and
    Moeschberger, 2nd ed., 4.5.1), as in R's survRM2.

    Args:
        times: As for `curve`.
        events: As for `curve`.
        limit: The horizon, such as the epoch budget.
    """
    km = curve(times, events)
    n = len(np.asarray(times, float))
    if km.last < limit and not (len(km.survival) and km.survival[-1] == 0):
        return RestrictedMean(np.nan, np.nan, n)
    before = km.times < limit
    knots = np.concatenate([[0.0], km.times[before], [limit]])
    heights = np.concatenate([[1.0], km.survival[before]])
    areas = np.diff(knots) * heights
    remaining = np.cumsum(areas[::-1])[::-1][1:]  # from each event time to the limit
    d, at_risk = km.events[before], km.at_risk[before]
    left = at_risk - d
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(left > 0, remaining**2 * d / (at_risk * left), 0.0)
    return RestrictedMean(float(areas.sum()), float(np.sqrt(parts.sum())), n)


@dataclass(frozen=True, slots=True)
class LogRank:
    """Log-rank test; NaN where no stratum can tell the groups apart."""

    chisq: float
    df: int
    p: float


def log_rank(
    times: ArrayLike, events: ArrayLike, groups: ArrayLike, strata: ArrayLike | None = None
) -> LogRank:
    """Stratified log-rank test that groups have one survival curve within each stratum.

    Args:
        times: As for `curve`.
        events: As for `curve`.
        groups: Group codes 0..g-1.
        strata: Stratum per run; one stratum if left out.
    """
    t, seen = np.asarray(times, float), np.asarray(events).astype(bool)
    group = np.asarray(groups, int)
    stratum = np.zeros(len(t), int) if strata is None else np.unique(strata, return_inverse=True)[1]
    size, strata_count = int(group.max()) + 1, int(stratum.max()) + 1
    # Rank of each time within its stratum: the table of (stratum, rank, group) stays small.
    order = np.lexsort((t, stratum))
    fresh = np.ones(len(t), bool)
    fresh[1:] = (np.diff(stratum[order]) != 0) | (np.diff(t[order]) != 0)
    place = np.cumsum(fresh) - 1
    begins = np.searchsorted(stratum[order], np.arange(strata_count))
    rank = np.empty(len(t), int)
    rank[order] = place - place[begins][stratum[order]]
    shape = (strata_count, int(rank.max()) + 1, size)
    index = np.ravel_multi_index((stratum, rank, group), shape)
    total = int(np.prod(shape))
    leaving = np.bincount(index, minlength=total).reshape(shape)
    failed = np.bincount(index[seen], minlength=total).reshape(shape).reshape(-1, size)
    at_risk = leaving[:, ::-1].cumsum(axis=1)[:, ::-1].reshape(-1, size)
    moments = failed.sum(axis=1) > 0
    failed, at_risk = failed[moments].astype(float), at_risk[moments].astype(float)
    n, d = at_risk.sum(axis=1), failed.sum(axis=1)
    share = at_risk / n[:, None]
    gap = (failed - d[:, None] * share).sum(axis=0)
    scale = d * (n - d) / np.maximum(n - 1, 1)
    covariance = np.diag((scale[:, None] * share).sum(axis=0)) - (share * scale[:, None]).T @ share
    df = int(np.linalg.matrix_rank(covariance, tol=1e-9 * max(float(n.sum()), 1), hermitian=True))
    if df == 0:
        return LogRank(np.nan, 0, np.nan)
    chisq = float(gap @ np.linalg.pinv(covariance, hermitian=True) @ gap)
    return LogRank(chisq, df, float(chdtrc(df, chisq)))
