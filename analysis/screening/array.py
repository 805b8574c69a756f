"""Main effects of a two-level design, and the contrasts that its runs have to spare.

A main effect is the mean outcome at the first level minus that at the second, in units of the
outcome. All functions take `signs`, an array [runs, factors] of +1 (first level) and -1.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from analysis.stats.arrays import Floats

STRONGEST = 4
"""Main effects whose pairs are taken out before the rest of the runs is called noise."""
LEAST_LEFT = 3
"""Contrasts beside the main effects that must be left to tell the noise by."""
TINY = 1e-6


def effect_weights(signs: Floats) -> Floats:
    """Weights [factors, runs] of the least-squares main effects; in a whole array the halves.

    Raises:
        numpy.linalg.LinAlgError: the runs do not tell the factors apart.
    """
    matrix = np.column_stack([np.ones(len(signs)), signs])
    if np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        raise np.linalg.LinAlgError("the runs do not tell the factors apart")
    return np.asarray(2.0 * np.linalg.pinv(matrix)[1:])


def spare_contrasts(signs: Floats, means: Floats, effects: Floats) -> Floats:
    """Contrasts of the runs that hold neither a main effect nor a pair of the strongest factors.

    Miller and Sitter (2001, Technometrics 43) look at a folded-over array in two steps: the main
    effects first, then the pairs of those that are active. Here the pairs of the strongest main
    effects are taken out whether or not they are active, so that they cannot be called noise.

    Args:
        signs: see above.
        means: outcome of each run, shape (runs,).
        effects: main effects, shape (factors,).

    Returns:
        Each with the deviation that a main effect of a whole array has, shape (contrasts,). Those
        of pairs of stronger factors come first, so that one active pair fills one of them.
    """
    runs = len(signs)
    order = np.argsort(-np.abs(effects), kind="stable")
    matrix = np.column_stack([np.ones(runs), signs])
    basis = np.linalg.qr(matrix)[0]
    spare: list[Floats] = []
    for place, (one, other) in enumerate(_by_strength(len(order))):
        if basis.shape[1] == runs:
            break
        column = signs[:, order[one]] * signs[:, order[other]]
        left = column - basis @ (basis.T @ column)
        left -= basis @ (basis.T @ left)
        norm = float(np.linalg.norm(left))
        if norm < TINY * runs**0.5:
            continue
        basis = np.column_stack([basis, left / norm])
        if place >= _taken_out(runs, signs.shape[1]):
            spare.append(basis[:, -1])
    # What no pair reaches (in a fold-over the contrasts of three factors) is noise as well.
    rest = np.linalg.svd(basis)[0][:, basis.shape[1] :]
    return np.asarray(2 / runs**0.5 * means @ np.column_stack([*spare, rest]))


def _by_strength(factors: int) -> list[tuple[int, int]]:
    """Pairs of places, those of the strongest factors first: (0,1), (0,2), (1,2), (0,3) ..."""
    return sorted(combinations(range(factors), 2), key=lambda pair: (pair[1], pair[0]))


def _taken_out(runs: int, factors: int) -> int:
    """Pairs of the strongest factors that are no noise: of fewer where little would be left."""
    for strongest in range(STRONGEST, 1, -1):
        pairs = strongest * (strongest - 1) // 2
        if runs - 1 - pairs - factors >= LEAST_LEFT:
            return pairs
    return 0


def mixing(signs: Floats, factor: int, pair: Sequence[int]) -> float:
    """Correlation of a main effect with a pair of factors in a whole array; 1 where the same."""
    return float(np.mean(signs[:, factor] * signs[:, pair[0]] * signs[:, pair[1]]))
