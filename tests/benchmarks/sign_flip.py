"""Exact sign-flip test of per-replicate differences: no normality, only symmetry.

With k replicates the smallest two-sided p is 2 / 2^k, so it can say nothing at 5 % below six;
`smallest_p` says so before anyone asks it to.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

MOST_EXACT = 20
"""Replicates up to which all 2^k sign patterns are enumerated."""


def smallest_p(replicates: int) -> float:
    """The two-sided p of the most extreme outcome there can be."""
    return min(1.0, 2.0 / 2.0**replicates)


def sign_flip_p(differences: ArrayLike, seed: int = 0, draws: int = 100_000) -> float:
    """Two-sided p of a mean difference of zero.

    Args:
        differences: One per replicate; zeros count as ties and stay.
        seed: Of the random patterns beyond `MOST_EXACT` replicates.
        draws: Random patterns there; the observed pattern is added to them.

    Returns:
        NaN without differences.
    """
    d = np.asarray(differences, float)
    d = d[np.isfinite(d)]
    k = len(d)
    if k == 0:
        return float("nan")
    tolerance = 1e-9 * np.abs(d).sum()
    if k <= MOST_EXACT:
        # Half the patterns suffice: the other half is their mirror image.
        sums = np.array([d[0]])
        for value in d[1:]:
            sums = np.concatenate([sums + value, sums - value])
        return float((np.abs(sums) >= abs(d.sum()) - tolerance).mean())
    rng = np.random.default_rng(seed)
    signs = rng.integers(0, 2, size=(draws, k)) * 2 - 1
    beyond = int((np.abs(signs @ d) >= abs(d.sum()) - tolerance).sum())
    return (beyond + 1) / (draws + 1)
