"""Exact Cochran-Mantel-Haenszel test: does a level change convergence, all other factors equal?

Conditions on both margins of every stratum (a stratum is one combination of the other factors), so
its size holds at any number of runs and under any effect of the other factors. Two levels: the
test and conditional odds ratio of R's `mantelhaen.test(exact = TRUE)`. More levels: the exact
distribution of the generalised statistic where it can be enumerated, its chi-square limit
otherwise; `method` says which. Takes counts, not frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import chdtrc, gammaln, logsumexp

from analysis.stats.arrays import Floats

LARGEST_ENUMERATION = 20_000_000
"""Additions allowed for the exact distribution with three or more levels (about a second)."""

TILTS = (1.0, -1.0, 2.0, -2.0, 4.0, -4.0, 8.0, -8.0, 16.0, -16.0)
"""Log odds ratios at which tails are computed that underflow at even odds."""


@dataclass(frozen=True, slots=True)
class StratifiedTest:
    """A test of one factor on a yes/no outcome. `None`: not defined for these data."""

    levels: int
    informative_strata: int  # strata in which both outcomes and two levels occur
    statistic: float | None  # generalised CMH quadratic form, no continuity correction
    df: int  # rank of its covariance
    p: float | None  # by `method`; None when no stratum is informative
    p_asymptotic: float | None  # chi-square limit of the statistic
    method: str  # "exact" or "asymptotic"
    odds_ratio: float | None = None  # two levels: conditional maximum likelihood, 2nd over 1st
    odds_ratio_low: float | None = None
    odds_ratio_high: float | None = None


def _margins(successes: ArrayLike, runs: ArrayLike) -> tuple[Floats, Floats]:
    x, n = np.asarray(successes, float), np.asarray(runs, float)
    if x.shape != n.shape or x.ndim != 2 or x.shape[1] < 2:
        raise ValueError("successes and runs are strata x levels, of one shape, two levels or more")
    if np.any((x < 0) | (x > n)) or np.any(x != np.round(x)) or np.any(n != np.round(n)):
        raise ValueError("counts are whole numbers with 0 <= successes <= runs")
    total, hits = n.sum(1), x.sum(1)
    informative = (hits > 0) & (hits < total) & ((n > 0).sum(1) > 1)
    return x[informative], n[informative]


def _quadratic_form(n: Floats, hits: Floats) -> tuple[Floats, Floats, int]:
    """Expectation, pseudo-inverse covariance and its rank, of successes but the last level's."""
    total = n.sum(1)
    share = n / total[:, None]
    scale = hits * (total - hits) / (total - 1)
    covariance = np.einsum("s,si,sj->ij", -scale, share, share)
    covariance[np.diag_indices_from(covariance)] += (scale[:, None] * share).sum(0)
    expected = (hits[:, None] * share).sum(0)
    values, vectors = np.linalg.eigh(covariance[:-1, :-1])
    nonzero = values > 1e-10 * values[-1]
    inverse = (vectors[:, nonzero] / values[nonzero]) @ vectors[:, nonzero].T
    return expected[:-1], inverse, int(nonzero.sum())


def _log_choose(n: ArrayLike, k: ArrayLike) -> Floats:
    n, k = np.asarray(n, float), np.asarray(k, float)
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


def _two_level_distribution(n: Floats, hits: Floats) -> tuple[int, Floats]:
    """Smallest sum and log probabilities of the second level's successes summed over strata.

    Over a thousand strata the tails underflow, and an observed sum out there would have no
    probability at all: they are taken from distributions tilted towards them, and tilted back.
    """
    start, logs = _tilted_distribution(n, hits, 0.0)
    for tilt in TILTS:
        if np.isfinite(logs).all():  # every sum in the range is possible
            break
        logs = np.maximum(logs, _tilted_distribution(n, hits, tilt)[1])
    return start, logs - logsumexp(logs)


def _tilted_distribution(n: Floats, hits: Floats, tilt: float) -> tuple[int, Floats]:
    """The same up to a constant; at odds exp(tilt) it underflows elsewhere than at even odds."""
    start, whole = 0, _Density(np.ones(1), 0.0)
    # Thousands of strata of a few runs are of a few kinds, and a kind's power takes few products.
    kinds, times = np.unique(np.column_stack([n, hits]), axis=0, return_counts=True)
    for (n1, n2, m), repeated in zip(kinds, times.tolist(), strict=True):
        support = np.arange(max(0, m - n1), min(n2, m) + 1)
        start += int(support[0]) * repeated
        logs = _log_choose(n2, support) + _log_choose(n1, m - support) - _log_choose(n1 + n2, m)
        logs = logs + tilt * support
        top = float(logs.max())
        power = _Density(np.exp(logs - top), top)
        while repeated:
            if repeated % 2:
                whole = whole.plus(power)
            power = power.plus(power) if repeated > 1 else power
            repeated //= 2
    with np.errstate(divide="ignore"):
        logs = np.log(whole.values) + whole.log_scale
    return start, logs - tilt * (start + np.arange(len(logs)))


class _Density(NamedTuple):
    """Probabilities of consecutive sums, exp(log_scale) times these values."""

    values: Floats
    log_scale: float

    def plus(self, other: _Density) -> _Density:
        """Of the sum of two; a thousand strata underflow even its middle, so it is rescaled."""
        values = np.convolve(self.values, other.values)
        peak = float(values.max())
        return _Density(values / peak, self.log_scale + other.log_scale + float(np.log(peak)))


def _conditional_odds_ratio(
    values: Floats, logs: Floats, observed: float, level: float
) -> tuple[float, float, float]:
    """Conditional maximum-likelihood odds ratio and exact limits, 0 and inf at the ends."""
    finite = np.isfinite(logs)
    values, logs = values[finite], logs[finite]

    def tilted(log_ratio: float) -> Floats:
        shifted = logs + values * log_ratio
        density = np.exp(shifted - shifted.max())
        return np.asarray(density / density.sum())

    def root(gap: object) -> float:
        return float(np.exp(brentq(gap, -60, 60, xtol=1e-13)))

    tail = (1 - level) / 2
    lowest, highest = observed <= values[0], observed >= values[-1]
    estimate = 0.0 if lowest else np.inf if highest else None
    if estimate is None:
        estimate = root(lambda b: float(tilted(b) @ values) - observed)
    low = 0.0 if lowest else root(lambda b: float(tilted(b)[values >= observed].sum()) - tail)
    high = np.inf if highest else root(lambda b: float(tilted(b)[values <= observed].sum()) - tail)
    return estimate, low, high


def _exact_many_levels(
    n: Floats, hits: Floats, expected: Floats, inverse: Floats, statistic: float
) -> float | None:
    """P(statistic >= observed) over all tables with these margins; None where too many."""
    free = n.shape[1] - 1
    shape = tuple(int(np.minimum(n[:, j], hits).sum()) + 1 for j in range(free))
    tables = np.prod(np.minimum(n[:, :free], hits[:, None]) + 1, axis=1)
    if float(np.prod(np.asarray(shape, float))) * float(tables.sum()) > LARGEST_ENUMERATION:
        return None
    density = np.zeros(shape)
    density[(0,) * free] = 1.0
    for row, m in zip(n.astype(int), hits.astype(int), strict=True):
        total = _log_choose(row.sum(), m)
        following = np.zeros(shape)
        for table in product(*(range(min(c, m) + 1) for c in row[:-1])):
            last = m - sum(table)
            if not 0 <= last <= row[-1]:
                continue
            counts = np.array([*table, last])
            weight = float(np.exp(_log_choose(row, counts).sum() - total))
            target = tuple(slice(t, None) for t in table)
            source = tuple(slice(None, size - t) for t, size in zip(table, shape, strict=True))
            following[target] += weight * density[source]
        density = following
    grid = np.stack(np.meshgrid(*(np.arange(s) for s in shape), indexing="ij"), -1) - expected
    distance = np.einsum("...i,ij,...j->...", grid, inverse, grid)
    return float(min(1.0, density[distance >= statistic * (1 - 1e-9) - 1e-12].sum()))


def exact_test(successes: ArrayLike, runs: ArrayLike, level: float | None = 0.95) -> StratifiedTest:
    """Test that a factor's levels have the same share of successes within every stratum.

    Args:
        successes: Strata x levels, counts of the yes outcome.
        runs: Strata x levels, numbers of runs; zeros (a missing cell) are allowed.
        level: Confidence level of the odds ratio's interval (two levels only); None for no odds
            ratio, most of the work.

    Returns:
        With two levels p sums the probabilities of tables no likelier than the observed one
        (Agresti, Categorical Data Analysis, 6.3.5; R `mantelhaen.test`); with more levels it sums
        those whose generalised statistic (Landis, Heyman, Koch 1978) is at least as large.

    Raises:
        ValueError: The counts have the wrong shape or are impossible.
    """
    levels = np.asarray(runs).shape[-1]
    x, n = _margins(successes, runs)
    if not len(x):
        return StratifiedTest(levels, 0, None, 0, None, None, "exact")
    hits = x.sum(1)
    expected, inverse, df = _quadratic_form(n, hits)
    gap = x.sum(0)[:-1] - expected
    statistic = float(gap @ inverse @ gap)
    p_asymptotic = float(chdtrc(df, statistic))
    if levels > 2:
        p = _exact_many_levels(n, hits, expected, inverse, statistic)
        method = "asymptotic" if p is None else "exact"
        p = p_asymptotic if p is None else p
        return StratifiedTest(levels, len(x), statistic, df, p, p_asymptotic, method)
    start, logs = _two_level_distribution(n, hits)
    observed = float(x[:, 1].sum())
    at = int(observed) - start
    p = float(min(1.0, np.exp(logs[logs <= logs[at] + 1e-7]).sum()))
    if level is None:
        return StratifiedTest(2, len(x), statistic, df, p, p_asymptotic, "exact")
    values = start + np.arange(len(logs), dtype=float)
    ratio = _conditional_odds_ratio(values, logs, observed, level)
    return StratifiedTest(2, len(x), statistic, df, p, p_asymptotic, "exact", *ratio)
