"""Columns that stand for the levels of a factor in a model, and for products of factors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.stats.arrays import Floats


def sum_to_zero(levels: int) -> Floats:
    """Deviation coding, shape (levels, levels - 1): columns sum to zero, the last row is -1."""
    return np.vstack([np.eye(levels - 1), -np.ones(levels - 1)])


def polynomial_contrasts(levels: int) -> Floats:
    """Orthonormal polynomial contrasts, shape (levels, levels - 1), in level order."""
    return polynomials_at(np.arange(levels, dtype=np.float64) - (levels - 1) / 2)


def polynomials_at(x: Floats) -> Floats:
    """The same at positions of any distance, shape (levels,), all different, around zero."""
    q, r = np.linalg.qr(np.vander(x, len(x), increasing=True))
    return np.asarray((q * np.sign(np.diag(r)))[:, 1:])


def product_columns(codes: Sequence[Floats]) -> Floats:
    """Row-wise Kronecker product of coded factors: the columns of their interaction.

    Args:
        codes: one array a factor, of shape (rows, its columns).

    Returns:
        Shape (rows, product of the columns), the last factor's varying fastest.
    """
    columns = codes[0]
    for other in codes[1:]:
        columns = (columns[:, :, None] * other[:, None, :]).reshape(len(columns), -1)
    return columns


def product_coding(sizes: Sequence[int]) -> Floats:
    """Sum-to-zero columns of the interaction of factors, one row a combination of their levels.

    Args:
        sizes: levels of each factor.

    Returns:
        Shape (product of sizes, product of sizes - 1), combinations in C order.
    """
    coding: Floats = np.ones((1, 1))
    for size in sizes:
        coding = np.asarray(np.kron(coding, sum_to_zero(size)))
    return coding
