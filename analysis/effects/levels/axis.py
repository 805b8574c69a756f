"""Which factors have levels that are numbers, and on which scale these are taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.stats.arrays import Floats

FEWEST = 3
"""Levels of a numeric factor: of two the slope is their difference."""
LOG_RATIO = 4.0
"""Largest over smallest level from which a log scale is considered."""


@dataclass(frozen=True, eq=False)
class Axis:
    """The levels of a factor as numbers.

    Attributes:
        factor: its name.
        labels: its levels, in declared order.
        values: the number of each, shape (levels,).
        log: whether they are taken on a log scale.
        parameter: what the numbers are, where they are no labels but a parameter of each level.
    """

    factor: str
    labels: tuple[str, ...]
    values: Floats
    log: bool
    parameter: str = ""

    @property
    def scale(self) -> str:
        """Name of the scale: log or linear."""
        return "log" if self.log else "linear"

    @property
    def positions(self) -> Floats:
        """Levels on the scale, from -1 (the smallest) to 1 (the largest), shape (levels,)."""
        low, high = self._ends
        return np.asarray(2 * (self._scaled(self.values) - low) / (high - low) - 1)

    def value(self, position: Floats) -> Floats:
        """The numbers at positions, of any shape."""
        low, high = self._ends
        scaled = low + (np.asarray(position) + 1) / 2 * (high - low)
        return np.asarray(np.exp(scaled) if self.log else scaled)

    def position(self, value: float) -> float:
        """The position of a number, NaN of NaN."""
        low, high = self._ends
        return float(2 * (self._scaled(np.asarray(value)) - low) / (high - low) - 1)

    def _scaled(self, values: Floats) -> Floats:
        return np.asarray(np.log(values) if self.log else values)

    @property
    def _ends(self) -> tuple[float, float]:
        scaled = self._scaled(self.values)
        return float(scaled.min()), float(scaled.max())


def numeric_axes(
    factors: Mapping[str, Sequence[str]],
    declared: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Axis]:
    """The factors of three or more levels that are all numbers.

    A level is the number that its label is; or, where a specification declares levels that differ
    in one numeric parameter alone, that parameter. In a table that nobody declared, levels that
    only count up from 0 or 1 are names of things (folds, materials), not amounts.

    Args:
        factors: factor name to its levels.
        declared: factor to label to name and parameters, of a specification; None of a table.

    Returns:
        By factor, in the order of `factors`.
    """
    found = {}
    for factor, labels in factors.items():
        if len(labels) < FEWEST:
            continue
        parameter = ""
        values = _numbers(labels)
        if values is None and declared is not None:
            parameter, values = _one_parameter([declared.get(factor, {}).get(n) for n in labels])
        if values is None or (declared is None and _counts_up(values)):
            continue
        found[factor] = Axis(factor, tuple(labels), values, log_spaced(values), parameter)
    return found


def log_spaced(values: Floats) -> bool:
    """Whether numbers are spaced by ratio rather than by difference.

    All are positive, the largest is four times the smallest or more, and the widest gap between
    neighbours over the narrowest is less on the log scale than as they are.
    """
    ordered = np.sort(values)
    if ordered[0] <= 0 or ordered[-1] < LOG_RATIO * ordered[0]:
        return False
    return _unevenness(np.log(ordered)) < _unevenness(ordered)


def _unevenness(ordered: Floats) -> float:
    gaps = np.diff(ordered)
    return float(gaps.max() / gaps.min())


def _numbers(labels: Sequence[object]) -> Floats | None:
    """Distinct finite numbers, or None."""
    try:
        values = np.array([float(str(label)) for label in labels])
    except ValueError:
        return None
    with np.errstate(over="ignore"):  # 1e308 - -1e308
        usable = np.isfinite(values).all() and np.isfinite(np.ptp(values))
    tiny = np.abs(values).max() * 1e-12
    apart = usable and float(np.diff(np.sort(values)).min()) > tiny
    return values if apart or (usable and _ratios_apart(values)) else None


def _ratios_apart(values: Floats) -> bool:
    """Whether numbers of very different size are distinct: 1e-20, 1e-10 and 1."""
    return bool(values.min() > 0 and np.diff(np.log(np.sort(values))).min() > 1e-12)


def _counts_up(values: Floats) -> bool:
    """0, 1, 2... or 1, 2, 3..."""
    ordered = np.sort(values)
    return bool(ordered[0] in (0, 1) and (np.diff(ordered) == 1).all())


def _one_parameter(levels: Sequence[Any]) -> tuple[str, Floats | None]:
    """The one numeric parameter in which declared levels of one name differ."""
    if not all(isinstance(one, Mapping) for one in levels):
        return "", None
    if len({one.get("name") for one in levels}) > 1:
        return "", None
    parameters = [dict(one.get("parameters") or {}) for one in levels]
    keys = set(parameters[0])
    if any(set(one) != keys for one in parameters):
        return "", None
    differing = [key for key in sorted(keys) if len({repr(one[key]) for one in parameters}) > 1]
    if len(differing) != 1:
        return "", None
    values = [one[differing[0]] for one in parameters]
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in values):
        return "", None
    return differing[0], _numbers(values)
