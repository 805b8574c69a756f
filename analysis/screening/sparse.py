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
        left: list[tuple[int, ...]] = [
            *((one,) for one in range(runs.signs.shape[1]) if one not in mains),
            *(pair for pair in combinations(sorted(mains), 2) if pair not in pairs),
        ]
        ratios = _ratios(runs, _columns(runs.signs, [*((one,) for one in mains), *pairs]), left)
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
    others: list[tuple[int, ...]] = [
        *((one,) for one in model.mains if one != factor),
        *model.pairs,
    ]
    found = []
    for pair in leaning:
        if pair not in model.pairs:
            beside = _columns(runs.signs, [*others, pair])
            if runs.p_of(_ratios(runs, beside, [(factor,)])[0]) > LEVEL:
                found.append(pair)
    return found


def beside_pairs(runs: Evidence, model: Sparse, factor: int) -> float:
    """P of a main effect that the model has not, beside all terms that it has."""
    terms: list[tuple[int, ...]] = [*((one,) for one in model.mains), *model.pairs]
    return runs.p_of(_ratios(runs, _columns(runs.signs, terms), [(factor,)])[0])


def _columns(signs: Floats, terms: Sequence[Sequence[int]]) -> Floats:
    """The mean's column and those of terms, shape (runs, 1 + terms)."""
    return np.column_stack(
        [np.ones(len(signs)), *(signs[:, list(one)].prod(axis=1) for one in terms)]
    )


def _ratios(runs: Evidence, base: Floats, left: Sequence[Sequence[int]]) -> Floats:
    """Sizes of terms beside those in `base` over their standard errors; 0 where little is left."""
    basis = np.linalg.qr(base)[0]
    columns = _columns(runs.signs, left)[:, 1:]
    columns -= basis @ (basis.T @ columns)
    norms = np.sum(columns**2, axis=0)
    count = len(columns)
    noise = runs.se * count**0.5 / 2  # of a run's mean
    beside = norms >= LEAST_NEW * count
    ratios = np.zeros(len(left))
    ratios[beside] = np.abs(columns.T @ runs.means)[beside] / np.sqrt(norms[beside]) / noise
    return ratios
