"""The level at which each look may decide, so that all looks together err in 5 % at most.

A study that is looked at after every wave and stopped once something is decided has several chances
to be wrong. The error that it may make is spent along the way (Lan and DeMets, Biometrika 1983):
after a share t of the runs that it may have at most, alpha * t**3 of it (Kim and DeMets 1987), so
that early looks, of few runs, decide only what is plain and the last keeps most of the level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from analysis.stats.arrays import Floats
from runner.spec.adaptive import Adaptive

POWER = 3.0
"""Exponent of the spending function, chosen by simulation among 1.5, 2 and 3 (decision 087)."""
POINTS = 801
"""Of the grid on which the density of the score is carried from look to look."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a study whose replicates come in waves.

    Attributes:
        number, of: which, of how many there may be.
        level: p (of the family) up to which it may decide; 0 where it may not.
        last: the level of the last look.
    """

    number: int
    of: int
    level: float
    last: float


def look_at(rule: Adaptive, combinations: int, runs: int) -> Look:
    """The look at a study that has so many runs, all of them ended.

    Args:
        rule: of the study.
        combinations: that it runs.
        runs: planned in it; between two looks, those of the earlier one count.
    """
    looks, tested = rule.looks(combinations), rule.tested(combinations)
    number = max(sum(one <= runs for one in looks), 1)
    levels = nominal_levels([one / looks[-1] for one in tested])
    level = dict(zip(tested, levels, strict=True)).get(looks[number - 1], 0.0)
    return Look(number, len(looks), level, levels[-1])


def nominal_levels(fractions: Sequence[float], alpha: float = 0.05) -> tuple[float, ...]:
    """Two-sided p up to which each look decides.

    The score of a contrast grows like Brownian motion with the information; what has not crossed
    an earlier border is carried on by numerical integration (Armitage, McPherson and Rowe 1969).

    Args:
        fractions: information at each look over the most there may be, rising, the last at most 1.
        alpha: of all looks together, two-sided.

    Returns:
        A level a look, the same number as fractions.
    """
    return _levels(tuple(float(one) for one in fractions), alpha)


@lru_cache(maxsize=64)
def _levels(fractions: tuple[float, ...], alpha: float) -> tuple[float, ...]:
    levels: list[float] = []
    spent, before = 0.0, 0.0
    at: Floats = np.zeros(1)
    mass: Floats = np.ones(1)  # probability of each point, not yet decided
    for t in fractions:
        share = alpha * min(t, 1.0) ** POWER - spent
        spent += share
        step = float(np.sqrt(t - before))
        border = _border(at, mass, step, float(np.sqrt(t)), share)
        levels.append(float(2 * ndtr(-border / np.sqrt(t))))
        new, width = np.linspace(-border, border, POINTS, retstep=True)
        ends = np.full(POINTS, width)
        ends[[0, -1]] /= 2
        apart = (new[:, None] - at) / step
        normal = np.exp(-(apart**2) / 2) / np.sqrt(2 * np.pi)
        mass = (normal / step) @ mass * ends
        at, before = new, t
    return tuple(levels)


def _border(at: Floats, mass: Floats, step: float, scale: float, share: float) -> float:
    """Of the score, so that it is crossed with the probability `share`."""

    def crossed(border: float) -> float:
        beyond = ndtr((at - border) / step) + ndtr((-border - at) / step)
        return float(mass @ beyond) - share

    return float(brentq(crossed, 0.0, scale * (1.0 - float(ndtri(share / 2)))))


def chance_to_decide(z: Floats, information: Floats, level: float) -> Floats:
    """Conditional power: how likely the last look decides, if things go on as they did.

    Args:
        z: estimates over their standard errors as they stand.
        information: of each, over what the most runs would give; 0 to 1.
        level: of the last look, two-sided.

    Returns:
        Probabilities (Jennison and Turnbull 2000, 10.2), one each.
    """
    t = np.clip(information, 1e-6, 1 - 1e-6)
    ahead = np.abs(z) / np.sqrt(t)  # where the trend leads the last z
    return np.asarray(ndtr((ahead + ndtri(level / 2)) / np.sqrt(1 - t)))
