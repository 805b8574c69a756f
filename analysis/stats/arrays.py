"""Names for arrays of one kind, and the product that lets a NaN matter only where it has weight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
"""Whole numbers that point somewhere: levels, cells, replicates."""
Counts = NDArray[np.int64]
Truths = NDArray[np.bool_]


def masked_product(weights: Floats, values: Floats) -> Floats:
    """`weights @ values` where a NaN only matters to rows that give it weight.

    Args:
        weights: shape (functions, entries).
        values: shape (entries,).

    Returns:
        Shape (functions,).
    """
    bad = ~np.isfinite(values)
    if not bad.any():
        return np.asarray(weights @ values)
    product = weights @ np.where(bad, 0.0, values)
    product[(weights[:, bad] != 0).any(axis=1)] = np.nan
    return np.asarray(product)
