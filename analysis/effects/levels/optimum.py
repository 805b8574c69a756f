"""The level that the fitted parabola picks, with an interval.

The interval holds the levels at which the slope of the curve is not told from zero. Each slope is a
contrast of means with the study's own interval, so that with one variance and one number of degrees
of freedom this is Fieller's set (1954, JRSS B 16); Welch, shared seeds and empty cells need nothing
of their own. Coverage: results/benchmarks/trends.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from analysis.effects import frames
from analysis.effects.estimate import Effects
from analysis.effects.levels.axis import Axis
from analysis.effects.levels.trends import coefficients, combined, rest
from analysis.stats.arrays import Floats
from analysis.stats.estimates import NAN

Verdict = Literal["inside", "outside", "ends", "other shape", "not decided", "not estimable"]
"""inside     the curve is best between the levels
outside    it is still getting better at the largest or smallest level
ends       it is worst between the levels, so the best is at an end
other shape    the means do not follow a parabola
not decided    nobody knows whether it bends"""
PLACES = np.linspace(-1.0, 1.0, 201)
"""Positions at which the slope is asked for; the interval's ends are interpolated."""
OTHER_SHAPE = 0.05
"""Of the parts beyond the quadratic, together (Bonferroni)."""


@dataclass(frozen=True, eq=False)
class Optimum:
    """What the curve over one factor picks.

    Attributes:
        axis: the factor's levels as numbers.
        verdict: see `Verdict`.
        picked: the number with the best outcome on the curve within the range: the top of the
            curve where it is inside, an end of the range where that is better; NaN where nothing
            is picked.
        low, high: interval of the top where it is inside, cut at the range.
        open_low, open_high: whether the interval goes on beyond the smallest or largest level.
        p_rest: of the parts beyond the quadratic; NaN of three levels, which leave none.
        curve: constant, slope and curvature of the fitted parabola over positions -1 to 1.
    """

    axis: Axis
    verdict: Verdict
    picked: float
    low: float
    high: float
    open_low: bool
    open_high: bool
    p_rest: float
    curve: Floats


def optimum(effects: Effects, axis: Axis, *, higher: bool, bends: bool) -> Optimum:
    """The level that the curve of a factor picks.

    Args:
        effects: of the study.
        axis: the factor.
        higher: whether a higher outcome is better.
        bends: whether the quadratic part is shown, with all questions of the study.
    """
    curve, rows, p_rest = parabola(effects, axis)
    verdict, place = _verdict(curve, higher, bends, p_rest)
    low, high, opens = NAN, NAN, (False, False)
    if verdict == "inside":
        low, high, opens = where_flat(rows)
    picked, low, high = (float(axis.value(np.asarray(one))) for one in (place, low, high))
    return Optimum(axis, verdict, picked, low, high, *opens, p_rest, curve)


def parabola(effects: Effects, axis: Axis) -> tuple[Floats, pd.DataFrame, float]:
    """The fitted parabola of a factor.

    Returns:
        Constant, slope and curvature over positions -1 to 1; its slope at each of `PLACES`, columns
        of `effects.frames`; p of the parts beyond it.
    """
    margin = next(one for one in effects.mains if one.term.factors == (axis.factor,))
    level = coefficients(axis, 2)
    slopes = level[1] + 2 * PLACES[:, None] * level[2]
    asked = [combined(effects.fit, margin, rows) for rows in (level[1:], slopes, rest(axis))]
    constant = combined(effects.fit, margin, level[:1])
    asked.append(replace(constant, total=1.0))
    table = frames.estimates(effects.fit, asked, effects.confidence)
    rows = frames.by_method(table, effects.rule.primary)
    estimate = rows["estimate"].to_numpy(float)
    p = rows["p"].to_numpy(float)[2 + len(PLACES) : -1]
    p_rest = float(min(1.0, np.nanmin(p) * len(p))) if np.isfinite(p).any() else NAN
    curve = np.array([estimate[-1], *estimate[:2]])
    return curve, rows.iloc[2 : 2 + len(PLACES)], p_rest


def _verdict(curve: Floats, higher: bool, bends: bool, p_rest: float) -> tuple[Verdict, float]:
    """The verdict and the position picked."""
    _, slope, curvature = curve
    if not np.isfinite(curve).all():
        return "not estimable", NAN
    if p_rest <= OTHER_SHAPE:
        return "other shape", NAN
    if not bends or curvature == 0:
        return "not decided", NAN
    better = slope if higher else -slope
    end = 1.0 if better > 0 else -1.0
    if (curvature < 0) != higher:
        return ("ends" if abs(slope) < 2 * abs(curvature) else "outside"), end
    top = -slope / (2 * curvature)
    return ("inside", top) if abs(top) < 1 else ("outside", end)


def where_flat(slopes: pd.DataFrame) -> tuple[float, float, tuple[bool, bool]]:
    """First and last position where the slope may be zero, and whether these are the ends.

    Args:
        slopes: at `PLACES`, columns estimate, low and high.
    """
    low, high = slopes["low"].to_numpy(float), slopes["high"].to_numpy(float)
    told = np.where(slopes["estimate"].to_numpy(float) > 0, low, -high)  # positive: not zero
    if not np.isfinite(told).all() or not (told <= 0).any():
        return NAN, NAN, (False, False)
    first, last = (int(one) for one in np.flatnonzero(told <= 0)[[0, -1]])
    opens = first == 0, last == len(PLACES) - 1
    return (
        -1.0 if opens[0] else _crossing(told, first - 1),
        1.0 if opens[1] else _crossing(told, last),
        opens,
    )


def _crossing(told: Floats, at: int) -> float:
    """Where a line between two neighbouring positions crosses zero."""
    share = told[at] / (told[at] - told[at + 1])
    return float(PLACES[at] + share * (PLACES[at + 1] - PLACES[at]))


def optima_table(found: Mapping[str, Optimum]) -> pd.DataFrame:
    """One row a factor: scale, verdict, picked, low, high, open_low, open_high, p_rest."""
    rows = [
        {
            "factor": factor,
            "parameter": one.axis.parameter,
            "scale": one.axis.scale,
            **{name: getattr(one, name) for name in OPTIMUM},
        }
        for factor, one in found.items()
    ]
    return pd.DataFrame(rows, columns=["factor", "parameter", "scale", *OPTIMUM])


OPTIMUM = ("verdict", "picked", "low", "high", "open_low", "open_high", "p_rest")
