"""How good a set of runs is: what it can estimate, and what it mixes up with what.

Every measure is a function of `runs`, an integer array [n, factors] of level indices from 0, of
`levels`, the number of levels of each factor, and mostly of `order`, the largest number of factors
in a term of the model. Contrasts are orthonormal on the full grid (mean 0, mean square 1), so no
measure depends on which contrasts were chosen. Needs numpy only.

Sources: generalized word-length pattern, Xu and Wu (2001), Annals of Statistics 29; generalized
resolution, Groemping and Xu (2014), Annals of Statistics 42; canonical correlation, Hotelling
(1936), Biometrika 28.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Runs = NDArray[np.int64]
Matrix = NDArray[np.float64]
Term = tuple[int, ...]
"""Positions of the factors in a term: () the mean, (0,) a main effect, (0, 2) a pair."""

TINY = 1e-9
"""Below this a squared correlation, or a singular value relative to the largest, counts as zero."""


def helmert(levels: int) -> Matrix:
    """Helmert contrasts [levels, levels - 1]: each with mean 0 and mean square 1."""
    # Column c sets level c + 1 against the mean of those before it: orthogonal by construction.
    matrix = np.zeros((levels, levels - 1))
    for column in range(levels - 1):
        matrix[: column + 1, column] = -1.0
        matrix[column + 1, column] = column + 1.0
    return np.asarray(matrix * np.sqrt(levels / np.sum(matrix**2, axis=0)))


def terms(factors: int, order: int) -> list[Term]:
    """The mean, main effects and interactions of up to `order` factors, lower orders first."""
    return [term for size in range(order + 1) for term in combinations(range(factors), size)]


def term_columns(runs: Runs, levels: Sequence[int], term: Term) -> Matrix:
    """The columns [n, degrees of freedom] of one term's contrasts."""
    # Every contrast of one factor times every contrast of the next: on the full grid products of
    # orthonormal contrasts are orthonormal again.
    columns = np.ones((len(runs), 1))
    for factor in term:
        own = helmert(levels[factor])[runs[:, factor]]
        columns = (columns[:, :, None] * own[:, None, :]).reshape(len(runs), -1)
    return columns


def model_matrix(runs: Runs, levels: Sequence[int], order: int) -> tuple[Matrix, list[Term]]:
    """Columns [n, parameters] of every term up to `order`, and the term of each column."""
    blocks, owners = [], []
    for term in terms(len(levels), order):
        block = term_columns(runs, levels, term)
        blocks.append(block)
        owners.extend([term] * block.shape[1])
    return np.hstack(blocks), owners


def parameter_count(levels: Sequence[int], order: int) -> int:
    """Parameters of the model with every term up to `order`, the mean included."""
    return sum(
        int(np.prod([levels[factor] - 1 for factor in term], dtype=np.int64))
        for term in terms(len(levels), order)
    )


def word_lengths(runs: Runs, levels: Sequence[int]) -> Matrix:
    """Generalized word-length pattern (A0, A1, ..., A_factors), [factors + 1].

    A1 = A2 = 0 means orthogonal main effects; A3 is the total bias of main effects by pairs.
    """
    # A_j sums |mean of a column|^2 over the columns of all terms of j factors (Xu and Wu, 2001).
    # There are exponentially many; but the square of a mean is a mean over pairs of runs, and over
    # a factor's own contrasts the products sum to k_f = levels_f [same level] - 1, because
    # contrasts and mean together are a basis. So A_j is the mean over pairs of runs of
    # e_j(k_1, ..., k_m), e_j the elementary symmetric polynomial, built up factor by factor.
    n = len(runs)
    polynomials = np.zeros((len(levels) + 1, n, n))
    polynomials[0] = 1.0
    for factor, count in enumerate(levels):
        column = runs[:, factor]
        kernel = count * (column[:, None] == column[None, :]) - 1.0
        polynomials[1:] += polynomials[:-1] * kernel
    pattern = polynomials.mean(axis=(1, 2))
    pattern[np.abs(pattern) < TINY] = 0.0
    return np.asarray(pattern)


def resolution(runs: Runs, levels: Sequence[int]) -> int | None:
    """The shortest word's length: 3 where main effects mix with pairs; None for a full grid."""
    pattern = word_lengths(runs, levels)
    words = np.flatnonzero(pattern[1:] > TINY)
    return int(words[0]) + 1 if len(words) else None


def projection(runs: Runs, levels: Sequence[int], term: Term) -> float:
    """a_R of a set of factors: the squared length of the mean of their interaction's columns.

    What these factors alone contribute to A_R, R of them (Groemping and Xu, 2014).
    """
    return float(np.sum(term_columns(runs, levels, term).mean(axis=0) ** 2))


def generalized_resolution(runs: Runs, levels: Sequence[int]) -> tuple[float, float] | None:
    """Resolution with a fraction for how severe the worst mixing is: (GR, GR by single df).

    R + 1 minus the worst correlation between a main effect and an interaction of R - 1 others: the
    root mean square over the effect's degrees of freedom, and the largest canonical correlation.
    None for a full grid, where nothing is mixed. Groemping and Xu (2014) call them GR and GR_ind.
    """
    shortest = resolution(runs, levels)
    if shortest is None:
        return None
    worst, worst_single = 0.0, 0.0
    for term in combinations(range(len(levels)), shortest):
        total = projection(runs, levels, term)
        if total < TINY:
            continue
        # The same total is shared by fewer degrees of freedom where a factor has fewer levels: the
        # mean squared correlation is largest for the factor with the fewest.
        fewest = min(levels[factor] - 1 for factor in term)
        worst = max(worst, total / fewest)
        if shortest == 1:  # unequal numbers of runs a level: an effect mixes with the mean
            worst_single = max(worst_single, total**0.5)
            continue
        for factor in term:
            others = tuple(one for one in term if one != factor)
            worst_single = max(worst_single, _canonical_correlation(runs, levels, factor, others))
    return shortest + 1 - min(1.0, worst) ** 0.5, shortest + 1 - min(1.0, worst_single)


def _canonical_correlation(runs: Runs, levels: Sequence[int], factor: int, others: Term) -> float:
    """The largest canonical correlation of a main effect with the full model of other factors."""
    own = term_columns(runs, levels, (factor,))
    whole = np.hstack(
        [
            term_columns(runs, levels, term)
            for size in range(1, len(others) + 1)
            for term in combinations(others, size)
        ]
    )
    # Between orthonormal bases the singular values are the canonical correlations.
    return float(np.linalg.svd(_basis(own).T @ _basis(whole), compute_uv=False).max(initial=0.0))


def _basis(columns: Matrix) -> Matrix:
    """Orthonormal basis [n, rank] of the centred columns [n, k]."""
    # The triangle of a QR has the same singular values, and is small where runs are many.
    rows, triangle = np.linalg.qr(columns - columns.mean(axis=0))
    left, values, _ = np.linalg.svd(triangle)
    return np.asarray(rows @ left[:, values > 1e-8 * max(values.max(initial=0.0), 1.0)])


def d_efficiency(runs: Runs, levels: Sequence[int], order: int) -> float:
    """The p-th root of det(X'X / n), p parameters: 1 for the full grid, 0 if singular."""
    # By singular values: the determinant itself overflows, and det = their squares' product.
    matrix, _ = model_matrix(runs, levels, order)
    if len(matrix) < matrix.shape[1]:
        return 0.0
    values = np.linalg.svd(matrix, compute_uv=False) / np.sqrt(len(matrix))
    return float(np.exp(2 * np.log(values).mean())) if values[-1] > TINY * values[0] else 0.0


def estimable(runs: Runs, levels: Sequence[int], order: int) -> dict[Term, bool]:
    """For each term of the model of that order: can all its contrasts be estimated?

    A contrast is estimable where no combination of the other columns equals its column: where it is
    orthogonal to the null space of the model matrix (Searle, 1971, Linear Models, chapter 5).
    """
    matrix, owners = model_matrix(runs, levels, order)
    # Of more runs than columns the left vectors alone would fill the memory.
    wide = len(matrix) < matrix.shape[1]
    _, values, right = np.linalg.svd(matrix, full_matrices=wide)
    rank = int(np.sum(values > 1e-9 * values[0]))
    null = right[rank:]
    free = np.sum(null**2, axis=0) < TINY
    is_estimable: dict[Term, bool] = {}
    for owner, is_free in zip(owners, free, strict=True):
        is_estimable[owner] = is_estimable.get(owner, True) and bool(is_free)
    return is_estimable


class Correlations(NamedTuple):
    """How strongly the terms of a design are mixed.

    Attributes:
        matrix: absolute correlations [terms, terms]: for two terms the largest canonical
            correlation of their columns; 0 for a term that is constant over the runs.
        terms: the terms, lower orders first.
    """

    matrix: Matrix
    terms: list[Term]

    def alias_sets(self) -> list[list[Term]]:
        """Groups of terms that share a contrast completely, so cannot be told apart.

        Between two-level factors that is the alias list of a regular fraction: A = BD = CE.
        """
        sets: list[list[Term]] = []
        taken: set[int] = set()
        for i, term in enumerate(self.terms):
            if i in taken:
                continue
            later = range(i + 1, len(self.terms))
            same = [j for j in later if self.matrix[i, j] > 1 - 1e-7 and j not in taken]
            taken.update(same)
            if same:
                sets.append([term, *(self.terms[j] for j in same)])
        return sets

    def partial_aliases(self) -> list[tuple[Term, Term, float]]:
        """Pairs of terms that are mixed in part, the worst first: (term, term, r)."""
        pairs = [
            (self.terms[i], self.terms[j], float(self.matrix[i, j]))
            for i, j in combinations(range(len(self.terms)), 2)
            if 0.0 < self.matrix[i, j] <= 1 - 1e-7
        ]
        return sorted(pairs, key=lambda pair: (-round(pair[2], 9), pair[0], pair[1]))


def correlations(runs: Runs, levels: Sequence[int], order: int = 2) -> Correlations:
    """Correlations of all terms up to `order`."""
    named = [term for term in terms(len(levels), order) if term]
    bases = [_basis(term_columns(runs, levels, term)) for term in named]
    matrix = np.eye(len(named))
    for i, j in combinations(range(len(named)), 2):
        overlap = np.linalg.svd(bases[i].T @ bases[j], compute_uv=False).max(initial=0.0)
        matrix[i, j] = matrix[j, i] = 0.0 if overlap < 1e-7 else min(1.0, float(overlap))
    return Correlations(matrix, named)


def summary(runs: Runs, levels: Sequence[int]) -> dict[str, Any]:
    """The measures that fit a line or two, as plain values."""
    resolved = generalized_resolution(runs, levels)
    return {
        "runs": len(runs),
        "word_lengths": [round(float(value), 6) for value in word_lengths(runs, levels)],
        "resolution": resolution(runs, levels),
        "generalized_resolution": None if resolved is None else round(resolved[0], 4),
        "d_efficiency_main_effects": round(d_efficiency(runs, levels, 1), 6),
        "d_efficiency_with_pairs": round(d_efficiency(runs, levels, 2), 6),
    }
