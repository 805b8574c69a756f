"""Stratified choices: the validation share, `data.limit`, and the numbers they are drawn with.

Every cell and every replicate gets the same splits. A smaller limit takes a subset of what a larger
one takes, and the validation images of a limit come first in each class's order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from runner.content.seeds import stream

Indices = NDArray[np.int64]


def cut(labels: NDArray[np.int64], limit: int | None, validation: float) -> tuple[Indices, Indices]:
    """Indices of the training and the validation images among images with these labels.

    Args:
        labels: class of each image, [N].
        limit: use at most this many of the N; None for all.
        validation: share of the used images kept for validation; at least one image.
    """
    order = _orders(labels)
    used = min(len(labels), limit or len(labels))
    quota = _shares(np.array([len(one) for one in order]), used)
    counts = _shares(quota, min(max(1, round(validation * used)), used - 1))
    validation_parts = [one[:count] for one, count in zip(order, counts, strict=True)]
    training_parts = [one[h:q] for one, h, q in zip(order, counts, quota, strict=True)]
    return np.sort(np.concatenate(training_parts)), np.sort(np.concatenate(validation_parts))


def _orders(labels: NDArray[np.int64]) -> list[Indices]:
    """For each class, its images in the fixed random order they are taken in."""
    # The legacy generator: numpy promises that its numbers never change between versions.
    draw = np.random.RandomState(stream(0, 0, "split") % 2**32)
    shuffled: Indices = draw.permutation(len(labels)).astype(np.int64)
    return [shuffled[labels[shuffled] == number] for number in range(int(labels.max()) + 1)]


def _shares(sizes: Indices, total: int) -> Indices:
    """Split `total` in proportion to `sizes` (largest remainder); no class above its size.

    Ties go to the lower class number, and no class with images is left out while there is room.
    """
    exact = sizes * (total / max(1, sizes.sum()))
    shares: Indices = np.floor(exact).astype(np.int64)
    remainder = exact - shares
    if total >= np.count_nonzero(sizes):
        shares[(shares == 0) & (sizes > 0)] = 1
    for number in np.argsort(-remainder, kind="stable"):
        if shares.sum() < total and shares[number] < min(sizes[number], np.ceil(exact[number])):
            shares[number] += 1
    while shares.sum() > total:  # classes too small for their share were given one image
        shares[np.argmax(shares)] -= 1
    return shares
