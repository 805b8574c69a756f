"""A step at a share of the scheduler's rate, which the scheduler never sees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch.optim import Optimizer


@contextmanager
def at_share(optimizer: Optimizer, share: float) -> Iterator[None]:
    """Within the block the learning rates are `share` times what they are outside.

    Outside they are what the scheduler wrote: many a scheduler makes the next rate of the last.
    """
    if share == 1:
        yield
        return
    rates = [group["lr"] for group in optimizer.param_groups]
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate * share
    try:
        yield
    finally:
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
