"""A number with its interval, and the one way from a standard error to limits and p: Student's t.

The degrees of freedom of a variance that is a sum of estimated parts are Satterthwaite's (1946,
Biometrics Bulletin 2): (sum of parts)^2 / sum(part^2 / its degrees of freedom).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtr, stdtrit

from analysis.stats.arrays import Floats, Truths

NAN = float("nan")
SURE = 4.0
"""Degrees of freedom over replicates from which the larger of two errors is its own judge."""
INTERVAL = ("estimate", "se", "df", "low", "high", "p")
"""The numbers of an estimate, in the order in which tables show them."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval; NaN where it cannot be estimated.

    Attributes:
        estimate: in units of the response.
        se: standard error.
        df: degrees of freedom of the t reference.
        low: lower end of the interval at `confidence`.
        high: upper end.
        p: two-sided p of estimate = 0.
        method: welch, pooled, blocked, joined, or the name of a fit.
        replicates: complete replicates of the cells it needs (blocked only).
        rests_on: "cell means", or the model that predicts its empty cells.
        fixed: variance within se^2 that further runs of the same combinations would leave.
    """

    estimate: float
    se: float
    df: float
    low: float
    high: float
    p: float
    method: str
    confidence: float = 0.95
    replicates: int | None = None
    rests_on: str = "cell means"
    fixed: float = 0.0

    def below(self, value: float) -> float:
        """One-sided p of the true number lying at or above a value, by Student's t."""
        return float(stdtr(self.df, (self.estimate - value) / self.se))


def t_limits(
    estimate: Floats, se: Floats, df: Floats, confidence: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """Student-t limits and two-sided p-values.

    A standard error of exactly 0 comes from cells that never varied: it earns no interval of width
    0, nor does one without degrees of freedom.

    Args:
        estimate: of any shape.
        se: standard errors, same shape.
        df: degrees of freedom, same shape.
        confidence: of the intervals.

    Returns:
        low, high and p of that shape, NaN where there is no interval.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        known = np.isfinite(estimate) & np.isfinite(se) & (se > 0) & np.isfinite(df) & (df > 0)
        safe = np.where(known, df, 1.0)
        half = np.where(known, stdtrit(safe, 0.5 + confidence / 2) * se, np.nan)
        p = np.where(known, 2 * stdtr(safe, -np.abs(estimate / np.where(known, se, 1.0))), np.nan)
    return estimate - half, estimate + half, p


def t_interval(
    estimate: float,
    se: float,
    df: float,
    method: str,
    confidence: float = 0.95,
    replicates: int | None = None,
    rests_on: str = "cell means",
) -> Estimate:
    """One estimate with its `t_limits`."""
    known = np.asarray(float(estimate)), np.asarray(float(se)), np.asarray(float(df))
    low, high, p = (float(end) for end in t_limits(*known, confidence))
    return Estimate(estimate, se, df, low, high, p, method, confidence, replicates, rests_on)


def no_estimate(
    method: str,
    confidence: float = 0.95,
    replicates: int | None = None,
    rests_on: str = "cell means",
) -> Estimate:
    """NaN throughout."""
    return Estimate(NAN, NAN, NAN, NAN, NAN, NAN, method, confidence, replicates, rests_on)


def wider(one: Estimate, two: Estimate) -> Estimate:
    """Of two estimates of the same number that with the wider interval, with the larger p of both.

    Where one of them has no interval the other stands; without any, the first.
    """
    widths = one.high - one.low, two.high - two.low
    chosen = two if np.isfinite(widths[1]) and not widths[0] >= widths[1] else one
    return replace(chosen, p=float(np.fmax(one.p, two.p)))


def joined_error(
    own: tuple[Floats, Floats], whole: tuple[Floats, Floats]
) -> tuple[Floats, Floats, Truths]:
    """Standard error and degrees of freedom of two parts of noise: own, and shared by replicates.

    The variance is that of the runs' own noise plus what replicates show beyond it, where they do:
    the larger of the two estimates. From `SURE` degrees of freedom over replicates it has its own.
    Below, chance makes that choice too often, so that they are Satterthwaite's with the variance of
    both estimates in the denominator, at least the fewer of the two: they come near to those over
    replicates as soon as these have a say. Where one estimate is missing the other stands. Errs at
    most 5.4 % at 5 %, whatever part is shared, where the own noise is well known (decision 082).

    Args:
        own: error and degrees of freedom by the runs' own noise (Welch), each of one shape.
        whole: the same over replicates, three or more: with two, one degree of freedom says too
            little for it (decision 082).

    Returns:
        Error, degrees of freedom, and where the error is that over replicates.
    """
    (se, df), (other, other_df) = own, whole
    with np.errstate(invalid="ignore", divide="ignore"):
        over = other > se
        variance = np.where(over, other, se) ** 2
        below = se**4 / df + other**4 / other_df
        both = np.fmax(satterthwaite(variance, below), np.fmin(df, other_df))
        both = np.where(other_df < SURE, both, np.where(over, other_df, df))
    known, also = (np.isfinite(one) & (one > 0) & np.isfinite(n) for one, n in (own, whole))
    over = also & (over | ~known)
    df = np.where(known & also, both, np.where(over, other_df, df))
    return np.where(over, other, se), df, over


def joined(own: Estimate, whole: Estimate) -> Estimate:
    """Of two estimates of the same number the one by `joined_error`."""
    pairs = [(np.asarray(one.se), np.asarray(one.df)) for one in (own, whole)]
    se, df, over = joined_error(pairs[0], pairs[1])
    one = whole if over else own
    both = np.isfinite(own.se) and np.isfinite(whole.se)
    both_named = t_interval(
        one.estimate, float(se), float(df), "joined" if both else one.method, one.confidence,
        one.replicates, one.rests_on,
    )  # fmt: skip
    return replace(both_named, fixed=one.fixed)


def satterthwaite(total: Floats, below: Floats) -> Floats:
    """Degrees of freedom of a variance that is a sum of parts.

    Args:
        total: the variance.
        below: sum of (part^2 / degrees of freedom of the part), same shape.

    Returns:
        NaN where no part has degrees of freedom.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(below > 0, total**2 / below, np.nan))


def welch_difference(one: Estimate, two: Estimate, confidence: float, method: str) -> Estimate:
    """Difference of two independent estimates (Welch 1938)."""
    # A study whose cells ran once has 0 degrees of freedom, hence no interval.
    parts = [np.float64(each.se) ** 2 for each in (one, two)]
    with np.errstate(invalid="ignore", divide="ignore"):
        below = sum(
            part**2 / np.float64(each.df) for part, each in zip(parts, (one, two), strict=True)
        )
    variance = np.asarray(sum(parts))
    df = float(satterthwaite(variance, np.asarray(below)))
    gap = one.estimate - two.estimate
    return t_interval(gap, float(np.sqrt(variance)), df, method, confidence)


@dataclass(frozen=True, eq=False)
class MeanParts:
    """Independent means with a variance each: what Welch's interval is made of.

    Attributes:
        means: shape (cells,), minus any shift.
        variances: of the means.
        freedom: of each variance, NaN where `single`.
        single: cells that ran once; they share one pooled variance.
        pooled_df: of that variance; 0 where there is none.
    """

    means: Floats
    variances: Floats
    freedom: Floats
    single: Truths
    pooled_df: int

    def components(self, weights: Floats) -> tuple[Floats, Floats]:
        """Parts of the variance of weighted sums, and the degrees of freedom of each.

        Cells that ran once are one component together, not many: they share their variance.

        Args:
            weights: shape (functions, cells).

        Returns:
            Shapes (functions, components) and (components,).
        """
        if not self.single.any():
            return weights**2 * self.variances, self.freedom
        of_single = weights if self.single.all() else weights[:, self.single]
        together = of_single**2 @ self.variances[self.single]
        several = ~self.single
        parts = weights[:, several] ** 2 * self.variances[several]
        freedom = np.append(self.freedom[several], self.pooled_df or np.nan)
        return np.column_stack([parts, together]), freedom
