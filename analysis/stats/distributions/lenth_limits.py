"""Critical values of |effect| / PSE by simulation: what Lenth's t with m / 3 degrees approximates.

The t approximation is conservative for one effect (m = 7: 3.76 where 2.30 holds 5 %) and liberal or
conservative for all together. As Ye and Hamada (2000) do, effects of pure noise are simulated for
the number of contrasts; a seed makes the values those of every machine.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import ndtr, ndtri

from analysis.stats.arrays import Codes, Floats

MOST_SIMULATED = 1000
"""Effects above which the pseudo standard error is as good as known."""
VALUES = 4_000_000
"""Normal numbers drawn at most; a fifth of a second."""
FEWEST_DRAWS, MOST_DRAWS = 2_000, 100_000


@lru_cache(maxsize=256)
def lenth_limits(m: int, confidence: float = 0.95) -> tuple[float, float]:
    """Critical |effect| / PSE of one effect and of the largest of m, where all are noise.

    Args:
        m: number of effects, three or more.
        confidence: of each limit.

    Returns:
        The limits behind ME and SME: the share `confidence` of all noise lies below the first, of
        all largest effects below the second. Simulation error at 95 %: under 1 %.
    """
    if m > MOST_SIMULATED:
        return _of_many(m, confidence)
    ratio = _of_noise(m)
    one, largest = np.quantile(ratio, confidence), np.quantile(ratio.max(axis=1), confidence)
    return float(one), float(largest)


def lenth_p(ratio: Floats, m: int) -> Floats:
    """Shares of effects of pure noise that are as large: p of |effect| / PSE, of any shape.

    Args:
        ratio: |effect| / PSE, NaN where there is none.
        m: number of effects, at most `MOST_SIMULATED`.

    Returns:
        p of the same shape, never 0: one more than there are is counted. Simulation error at .05:
        under 1 % of it, at .001 under 5 %.
    """
    ranked = _ranked_noise(m)
    at_least = len(ranked) - np.searchsorted(ranked, ratio, side="left")
    return np.where(np.isfinite(ratio), (at_least + 1) / (len(ranked) + 1), np.nan)


@lru_cache(maxsize=8)
def _ranked_noise(m: int) -> Floats:
    return np.sort(_of_noise(m), axis=None)


def _of_noise(m: int) -> Floats:
    """Ratios of m effects of noise in each draw, shape (draws, m)."""
    draws = int(np.clip(VALUES // m, FEWEST_DRAWS, MOST_DRAWS))
    rng = np.random.default_rng([1989, m])  # the year of the method; any constant would do
    return ratios(np.abs(rng.standard_normal((draws, m))))


def ratios(size: Floats) -> Floats:
    """|effect| over the pseudo standard error of its row; shape (draws, effects)."""
    ranked = np.sort(size, axis=1)
    s0 = 1.5 * _median(ranked, np.full(len(ranked), ranked.shape[1]))
    small = (ranked < 2.5 * s0[:, None]).sum(axis=1)
    pse = 1.5 * _median(ranked, small)
    return np.asarray(ranked / pse[:, None])


def _median(ranked: Floats, small: Codes) -> Floats:
    """Median of the first `kept` of each sorted row."""
    rows = np.arange(len(ranked))
    return np.asarray((ranked[rows, (small - 1) // 2] + ranked[rows, small // 2]) / 2)


def _of_many(m: int, confidence: float) -> tuple[float, float]:
    """The limit of many effects: PSE is a constant multiple of sigma, effects are normal."""
    s0 = 1.5 * float(ndtri(0.75))
    inside = 2 * float(ndtr(2.5 * s0)) - 1
    pse = 1.5 * float(ndtri(0.5 + inside / 4))
    each = (1 + confidence ** (1 / m)) / 2
    return float(ndtri(0.5 + confidence / 2)) / pse, float(ndtri(each)) / pse
