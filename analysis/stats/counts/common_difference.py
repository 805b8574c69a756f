"""One difference of shares over many strata, with limits that agree with the exact test.

Two levels ran a few times each in every combination of the other factors (a stratum). Pooled, their
difference carries the scatter between strata into its interval, and the exact test of Cochran,
Mantel and Haenszel does not: one could call a difference clear beside an interval that holds zero.
Here both look within strata. The estimate is Mantel and Haenszel's, its interval the stratified
score interval of Miettinen and Nurminen, whose statistic at no difference is that of the test
(decision 109).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from analysis.stats.arrays import Floats
from analysis.stats.counts.cmh import exact_test

OPEN = float(np.nextafter(0.0, 1.0))
"""Next to zero: the end of an interval that goes up to zero and does not hold it."""

MOST = 1e9
"""Stands for an infinite statistic."""


@dataclass(frozen=True, eq=False)
class CommonDifference:
    """Share of the first level minus share of the second, within strata.

    Attributes:
        estimate: Mantel and Haenszel's, the mean of the strata's differences by n1 n2 / (n1 + n2);
            with as many runs of both levels everywhere, the difference of the pooled shares.
        p: exact two-sided p of no difference; 1 where no stratum says anything.
    """

    estimate: float
    p: float
    _successes: Floats
    _runs: Floats

    @staticmethod
    def of(successes: ArrayLike, runs: ArrayLike) -> CommonDifference:
        """Count two levels over strata.

        Args:
            successes: strata x 2.
            runs: strata x 2; strata that lack a level say nothing and are left out.

        Raises:
            ValueError: The counts have the wrong shape or are impossible, or the levels never met.
        """
        x, n = np.asarray(successes, float), np.asarray(runs, float)
        p = exact_test(x, n, level=None).p
        both = (n > 0).all(axis=1)
        if n.shape[1] != 2 or not both.any():
            raise ValueError("a common difference is of two levels that met in a stratum")
        x, n = x[both], n[both]
        weights = _weights(n)
        estimate = float(weights @ (x[:, 0] / n[:, 0] - x[:, 1] / n[:, 1]))
        return CommonDifference(estimate, 1.0 if p is None else p, x, n)

    def limits(self, level: float = 0.95) -> tuple[float, float]:
        """Two-sided limits; they hold zero just where the exact p is above 1 - level."""
        tail = (1 - level) / 2
        z = float(ndtri(1 - tail))
        low, high = self._end(-1.0, z), self._end(1.0, z)
        if self.p > round(1 - level, 12):  # 0.05, not 0.05 and a rounding error
            return min(low, 0.0), max(high, 0.0)
        return (max(low, OPEN), high) if self.estimate > 0 else (low, min(high, -OPEN))

    def below(self, value: float) -> float:
        """One-sided p of the true difference lying at or above a value, as the limits have it."""
        tail = float(ndtr(-abs(self._z(value))))
        half = self.p / 2
        if value == 0:
            tail = half
        elif 0 < value < self.estimate or self.estimate < value < 0:
            tail = max(tail, half)  # what is nearer than zero is not further off
        elif value * self.estimate < 0:
            tail = min(tail, half)  # nor is what lies beyond zero nearer
        return tail if value >= self.estimate else 1 - tail

    def _z(self, value: float) -> float:
        """Score statistic of a true difference of this value (Miettinen and Nurminen 1985)."""
        gap = self.estimate - value
        possible = abs(value) <= 1
        error = np.sqrt(_variance(self._successes, self._runs, value)) if possible else 0.0
        if gap == 0 or error > 0:
            return float(gap / error) if gap else 0.0
        return float(np.copysign(MOST, gap))  # nothing scatters: no other difference is possible

    def _end(self, side: float, z: float) -> float:
        if self.estimate == side:
            return side

        def gap(value: float) -> float:
            return abs(self._z(value)) - z

        return float(brentq(gap, self.estimate, side, xtol=1e-12))


def _weights(n: Floats) -> Floats:
    weights = n[:, 0] * n[:, 1] / n.sum(axis=1)
    return np.asarray(weights / weights.sum())


def _variance(x: Floats, n: Floats, value: float) -> float:
    """Of the estimate where every stratum's difference is `value`, shares as likely as can be."""
    second = _likeliest(x, n, value)
    first = np.clip(second + value, 0, 1)
    total = n.sum(axis=1)
    parts = (first * (1 - first) / n[:, 0] + second * (1 - second) / n[:, 1]) * total / (total - 1)
    return float(_weights(n) ** 2 @ parts)


def _likeliest(x: Floats, n: Floats, value: float) -> Floats:
    """Share of the second level in each stratum, the first's being `value` above it.

    The root of the cubic of Miettinen and Nurminen (1985, Statistics in Medicine 4:213).
    """
    (n1, n2), hits, (x2, total) = n.T, x.sum(axis=1), (x[:, 1], n.sum(axis=1))
    b = ((n1 + 2 * n2) * value - total - hits) / (3 * total)
    c = ((n2 * value - total - 2 * x2) * value + hits) / (3 * total)
    d = x2 * value * (1 - value) / (2 * total)
    q = b**3 - 1.5 * b * c + d
    radius = np.copysign(np.sqrt(np.maximum(b**2 - c, 0)), q)
    ratio = np.divide(q, radius**3, out=np.zeros_like(q), where=radius != 0)
    angle = (np.pi + np.arccos(np.clip(ratio, -1, 1))) / 3
    root = 2 * radius * np.cos(angle) - b
    return np.asarray(np.clip(root, max(0.0, -value), min(1.0, 1 - value)))
