"""Linear and quadratic parts of factors whose levels are numbers, and what changes them.

Orthogonal polynomial contrasts of the marginal means for levels at any distance, each in units of
the outcome: the linear part is the change from the smallest to the largest level along the
least-squares line, the quadratic part how far the least-squares parabola bulges up: its middle of
the range less the mean of its ends. Estimates, intervals and p are those of any other combination
of the margin (`effects.frames`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.effects import frames
from analysis.effects.estimate import Effects
from analysis.effects.levels.axis import Axis
from analysis.model.classical import ClassicalFit
from analysis.model.margins import Margin
from analysis.stats.arrays import Floats
from analysis.stats.coding import polynomials_at

LINEAR, QUADRATIC = "linear", "quadratic"
BOTH = "linear × linear"


def coefficients(axis: Axis, degree: int) -> Floats:
    """Weights of the means that give the least-squares polynomial over positions -1 to 1.

    Returns:
        Shape (degree + 1, levels): the constant first.
    """
    return np.asarray(np.linalg.pinv(np.vander(axis.positions, degree + 1, increasing=True)))


def parts(axis: Axis) -> Floats:
    """Weights of the linear and the quadratic part, shape (2, levels)."""
    return np.vstack([2 * coefficients(axis, 1)[1], -coefficients(axis, 2)[2]])


def rest(axis: Axis) -> Floats:
    """Contrasts beyond the quadratic, shape (levels - 3, levels): cubic and higher parts."""
    centred = axis.positions - axis.positions.mean()
    return polynomials_at(centred)[:, 2:].T


def combined(fit: ClassicalFit, margin: Margin, weights: Floats) -> frames.Combinations:
    """Combinations of a margin that are about its term alone."""
    return frames.Combinations(
        margin,
        {"term": [margin.term.name] * len(weights)},
        weights,
        weights @ fit.marginal_rows(margin.term),
        confounded=not fit.carries(margin.term),
    )


def trends(effects: Effects, axes: Mapping[str, Axis]) -> pd.DataFrame:
    """The parts of every numeric factor, and their interactions with every other factor.

    Args:
        effects: of the study.
        axes: the numeric factors.

    Returns:
        Columns of `effects.frames` with `part` (linear, quadratic, linear × linear): a row with
        `other` is how much the part differs at `other_level` from what it is at `other_versus`,
        the first level, or, of linear × linear, how much the linear part of the factor changes
        along that of the other. p_holm is within each term and method.
    """
    mains = {one.term.factors[0]: one for one in effects.mains}
    asked, named = [], []
    for factor, axis in axes.items():
        keys = {"factor": [factor] * 2}
        asked.append(_asked(effects, mains[factor], parts(axis), keys))
        named += [LINEAR, QUADRATIC]
    for margin in effects.fitted_pairs:
        for weights, names, keys in _of_pair(margin, axes):
            asked.append(_asked(effects, margin, weights, keys))
            named += names
    table = frames.estimates(effects.fit, asked, effects.confidence)
    methods = table["method"].nunique()
    return frames.by_holm(table.assign(part=named * methods))


Keys = dict[str, list[str]]


def _asked(effects: Effects, margin: Margin, weights: Floats, keys: Keys) -> frames.Combinations:
    one = combined(effects.fit, margin, weights)
    return frames.Combinations(
        margin, {**one.keys, **keys}, weights, one.functions, confounded=one.confounded
    )


def _of_pair(margin: Margin, axes: Mapping[str, Axis]) -> list[tuple[Floats, list[str], Keys]]:
    """Weights, names of the parts and keys of two factors of which one or both are numbers."""
    first, second = margin.term.factors
    if first in axes and second in axes:
        weights = np.kron(parts(axes[first])[0], parts(axes[second])[0])[None]
        return [(weights, [BOTH], {"factor": [first], "other": [second]})]
    numeric = next((place for place, name in enumerate((first, second)) if name in axes), None)
    if numeric is None:
        return []
    factor, other = margin.term.factors[numeric], margin.term.factors[1 - numeric]
    levels = margin.levels[1 - numeric]
    rows: list[Floats] = []
    for part in parts(axes[factor]):
        for place in range(1, len(levels)):
            step = np.zeros(len(levels))
            step[place], step[0] = 1.0, -1.0
            rows.append(np.kron(part, step) if numeric == 0 else np.kron(step, part))
    count = len(levels) - 1
    keys = {
        "factor": [factor] * 2 * count,
        "other": [other] * 2 * count,
        "other_level": list(levels[1:]) * 2,
        "other_versus": [levels[0]] * 2 * count,
    }
    return [(np.array(rows), [LINEAR] * count + [QUADRATIC] * count, keys)]
