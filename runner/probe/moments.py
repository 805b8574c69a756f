"""At which steps a cell is looked at: counted beforehand, so that the same cell is always looked at
in the same places, and so few that all looks together take 1 % of its steps' time.
"""

from __future__ import annotations

IMAGES = 32
"""Training images of a look at most: a share of right answers has a standard error below 9 points,
and a batch norm's statistics rest on 32 numbers a channel at least."""
SHARE = 0.01
"""Of the time of all steps, for all looks together."""
PASSES = 1.6
"""What a look costs by a training step over as many images: a forward and a backward pass, one
forward pass as the network is used, and the statistics of every layer. Measured:
results/benchmarks/evidence.md."""
FIXED = 1.0
"""What a look costs besides, in steps of a narrow network: hooks, and a sum or two a layer."""
EARLY = 10
"""Steps after which a rate that is too high has done its harm."""
MOST = 8


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


def allowed(steps: int, batch: int) -> int:
    """How many looks `SHARE` of so many steps pays for."""
    cost = PASSES * min(IMAGES, batch) / batch + FIXED
    return int(SHARE * steps / cost)
