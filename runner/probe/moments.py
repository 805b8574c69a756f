"""At which steps a cell is looked at, and through how many images: counted beforehand, so that the
same cell is always looked at in the same places, and so few that all looks take 1 % of its time.
"""

from __future__ import annotations

MOST_IMAGES, FEWEST_IMAGES = 32, 16
"""Training images of a look: of a share of right answers the standard error is below 9 points, or
below 13; a batch norm's statistics rest on so many numbers a channel at least."""
SHARE = 0.01
"""Of the time of all steps, for all looks together."""
PASSES = 4.6
"""What a look costs by a training step over as many images: a forward and a backward pass, one
forward pass as the network is used, the statistics of every layer, and memory that a step of
another size has not touched yet. As `FIXED` rather too much: results/benchmarks/evidence.md."""
FIXED = 0.3
"""What a look costs besides, in steps of a narrow network: hooks, and a sum or two a layer."""
EARLY = 10
"""Steps after which a rate that is too high has done its harm."""
MOST = 8
"""Looks of a cell: two more tell nothing new of a long training."""


def moments(epochs: int, steps: int, batch: int) -> tuple[int, ...]:
    """After how many steps a cell is looked at; 0 is before the first.

    Before the first step and after the last one always: where even that is more than `SHARE`, and
    so nothing between them, whoever reads the evidence is told.

    Args:
        epochs: of the cell.
        steps: of an epoch.
        batch: images of a step.

    Returns:
        Steps, rising, without repetitions.
    """
    last = epochs * steps
    wanted = [0, last, min(EARLY, last), steps, steps * max(epochs // 2, 1)]
    double = 2
    while double < epochs:
        wanted.append(double * steps)
        double *= 2
    unique = list(dict.fromkeys(wanted))[:MOST]
    return tuple(sorted(unique[: max(allowed(last, batch), 2)]))


def images(steps: int, batch: int) -> int:
    """How many images a look sees in a cell of so many steps: fewer where that pays for two."""
    most = min(MOST_IMAGES, batch)
    return most if _paid(steps, batch, most) >= 2 else min(FEWEST_IMAGES, batch)


def allowed(steps: int, batch: int) -> int:
    """How many looks `SHARE` of so many steps pays for."""
    return _paid(steps, batch, images(steps, batch))


def _paid(steps: int, batch: int, seen: int) -> int:
    return int(SHARE * steps / (PASSES * seen / batch + FIXED))
