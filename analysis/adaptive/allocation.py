"""Where the next runs go: to the combinations in which the open questions have their noise.

How much a combination is expected to scatter is told by the combinations that differ from it in one
level, never by its own runs. Placed by its own scatter, a combination whose first runs happened to
agree would get no more of them, and its error would stay as small as it came out: differences that
are not there are then found too often (decision 087). Told by the others,
how often a combination runs says nothing of how its runs came out, so that estimates stay unbiased
and intervals keep what they promise.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.arrays import Counts, Floats

LEAST = 0.02
"""Of the mean noise: what a combination is expected to have at least."""


def expected_noise(variances: Floats, factors: int) -> Floats:
    """Variance of a run of each combination, as its neighbours tell it.

    Args:
        variances: of the runs of each combination, NaN where none is known; the grid is the last
            `factors` axes.
        factors: how many axes it has.

    Returns:
        The mean over the combinations that differ in one level; where there are none, over all
        others. Shaped as the argument, NaN where no other combination has a variance.
    """
    known = np.isfinite(variances)
    there = np.where(known, variances, 0.0)
    axes = tuple(range(variances.ndim - factors, variances.ndim))
    total, count = np.zeros_like(there), np.zeros_like(there)
    for axis in axes:
        total += there.sum(axis, keepdims=True) - there
        count += known.sum(axis, keepdims=True) - known
    rest = there.sum(axes, keepdims=True) - there
    others = known.sum(axes, keepdims=True) - known
    alone = count == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        told = np.where(alone, rest, total) / np.where(alone, others, count)
        least = LEAST * np.nanmean(told, axis=axes, keepdims=True)
    return np.asarray(np.maximum(told, least))


def next_counts(importance: Floats, counts: Counts, runs: int, most: int) -> Counts:
    """How often each combination has run after the next wave.

    Each further run goes where it takes most from the sum of the contrasts' variances (Neyman's
    allocation, one run at a time).

    Args:
        importance: of each combination, shape (..., combinations): squared weight in the contrasts
            times the noise of a run.
        counts: runs so far; 0 leaves a combination out.
        runs: of the wave.
        most: that a combination may have.

    Returns:
        Counts of the same shape; together `runs` more, fewer only where all have `most`.
    """
    shape = counts.shape
    gain = np.where((counts > 0) & np.isfinite(importance), importance, 0.0).reshape(-1, shape[-1])
    now = counts.reshape(-1, shape[-1]).astype(np.int64)
    room = np.where(now > 0, np.maximum(most - now, 0), 0).sum(1)
    wanted = now.sum(1) + np.minimum(runs, room)

    def at(price: Floats) -> Counts:
        """Counts at which one run more would take less than this from the variance."""
        with np.errstate(divide="ignore", over="ignore"):
            root = np.ceil((np.sqrt(1 + 4 * gain / price[:, None]) - 1) / 2)
        return np.where(now > 0, np.clip(root, now, np.maximum(now, most)), 0).astype(np.int64)

    top = gain.max(1, initial=0.0) + 1e-300
    low, high = np.full(len(now), -700.0), np.log(top) + 1.0  # of the price's logarithm
    for _ in range(80):
        middle = (low + high) / 2
        many = at(np.exp(middle)).sum(1) > wanted
        low, high = np.where(many, middle, low), np.where(many, high, middle)
    new = at(np.exp(high))
    rows = np.arange(len(new))
    for _ in range(int((wanted - new.sum(1)).max(initial=0))):  # equal, or of no importance
        short = new.sum(1) < wanted
        free = (new > 0) & (new < most)
        worth = np.where(free, gain / (new * (new + 1.0) + (new == 0)), -1.0)
        worth = np.where(free & (worth <= 0), -new / (1.0 + most), worth)
        worth = np.where(free, worth, -2.0)
        new[rows, worth.argmax(1)] += short
    return new.reshape(shape)
