"""The few terms that explain a screening study's runs, and what else could.

Forward selection under effect heredity (Hamada and Wu 1992, Journal of Quality Technology 24): main
effects, and pairs of factors whose main effects are both in. A pair that leans on many main effects
of the array explains more than any of them, and is taken in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from analysis.screening.array import mixing
from analysis.stats.arrays import Floats

LEVEL = 0.05
"""Of a step, over all terms that could be taken, and of a main effect beside a rival pair."""
MOST_TERMS = 8
LEAST_NEW = 0.05
"""Share of a column that the terms taken before must leave of it."""
LEAST_MIXING = 0.1
"""Correlation from which a pair can stand for a main effect."""
Pair = tuple[int, int]


class Evidence(NamedTuple):
    """The runs that terms are told from.

    Attributes:
        signs: +1 and -1, shape (runs, factors).
        means: outcome of each run, shape (runs,).
        se: standard error of a main effect.
        p_of: p of a term over its standard error.
    """

    signs: Floats
    means: Floats
    se: float
    p_of: Callable[[float], float]


class Sparse(NamedTuple):
    """Positions of the factors whose main effects, and of the pairs that, explain the runs."""

    mains: tuple[int, ...]
    pairs: tuple[Pair, ...]


def sparse_model(runs: Evidence) -> Sparse:
    """The terms that are taken one by one, while the best of those left is told from noise."""
    mains: list[int] = []
    pairs: list[Pair] = []
    while len(mains) + len(pairs) < MOST_TERMS:
        left = [
            *((one,) for one in range(runs.signs.shape[1]) if one not in mains),
            *(pair for pair in combinations(sorted(mains), 2) if pair not in pairs),
        ]
        base = _columns(runs.signs, mains, pairs)
        ratios = [_ratio(runs, base, term) for term in left]
        best = int(np.argmax(np.round(ratios, 9)))  # of equal ones the first: a main effect
        if not runs.p_of(ratios[best]) * len(left) <= LEVEL:
            break
        term = left[best]
        if len(term) == 1:
            mains.append(term[0])
        else:
            pairs.append((term[0], term[1]))
    return Sparse(tuple(mains), tuple(pairs))


def rivals(runs: Evidence, model: Sparse, factor: int) -> list[Pair]:
    """Pairs of the factors that matter that could stand where a main effect is said to.

    Args:
        runs: what it is told from.
        model: what explains the runs.
        factor: whose main effect is looked at.

    Returns:
        Of a factor that the model has: pairs beside which its main effect is not told from noise.
        Of another: the pairs of the model that lean on it.
    """
    leaning = [
        pair
        for pair in combinations(sorted(set(model.mains) - {factor}), 2)
        if abs(mixing(runs.signs, factor, pair)) >= LEAST_MIXING
    ]
    if factor not in model.mains:
        return [pair for pair in leaning if pair in model.pairs]
    others = [one for one in model.mains if one != factor]
    return [
        pair
        for pair in leaning
        if pair not in model.pairs
        and runs.p_of(_ratio(runs, _columns(runs.signs, others, [*model.pairs, pair]), (factor,)))
        > LEVEL
    ]


def _column(signs: Floats, term: Sequence[int]) -> Floats:
    return np.asarray(np.prod(signs[:, list(term)], axis=1))


def _columns(signs: Floats, mains: Sequence[int], pairs: Sequence[Pair]) -> Floats:
    terms: list[Sequence[int]] = [*((one,) for one in mains), *pairs]
    return np.column_stack([np.ones(len(signs)), *(_column(signs, term) for term in terms)])


def _ratio(runs: Evidence, base: Floats, term: Sequence[int]) -> float:
    """Size of a term beside others over its standard error; 0 where they leave none of it."""
    column = _column(runs.signs, term)
    basis = np.linalg.qr(base)[0]
    left = column - basis @ (basis.T @ column)
    norm = float(left @ left)
    if norm < LEAST_NEW * len(column):
        return 0.0
    noise = runs.se * len(column) ** 0.5 / 2  # of a run's mean
    return float(abs(left @ runs.means) / norm**0.5 / noise)
