"""Factor `warmup`: a lower learning rate in the first steps. Left out: `none`.

Contract of a level: `(step, steps, *, parameters...) -> float`: what the scheduler's learning rate
is multiplied by in optimizer step `step` (1, 2, ...) of `steps` in the whole training. The
scheduler goes its own way meanwhile, so the level means the same thing for each; after the warm-up
the rate is the scheduler's.
"""

from __future__ import annotations

from ablations.bounds import PositiveShare
from ablations.registry import level


@level("warmup")
def none(step: int, steps: int) -> float:
    """The scheduler's rate from the first step on."""
    return 1.0


@level("warmup")
def linear(step: int, steps: int, *, share: PositiveShare = 0.1) -> float:
    """From near 0 in equal steps over the first `share` of all steps (Goyal et al., 2017, 2.2).

    The paper has 5 of 90 epochs.
    """
    return min(1.0, step / max(1.0, share * steps))
