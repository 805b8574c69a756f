"""When a lease has run out, told from everything one process has seen of it.

The store keeps a sum for each lease; this goes back over all looks each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

SHARE = 0.25
"""Of a lease, what the time between two looks counts at most."""


@dataclass(frozen=True)
class Look:
    """All leases of a study at one moment of the watcher's clock: token to beats and length."""

    when: float
    leases: dict[str, tuple[int, float]]


def expired(looks: list[Look]) -> set[str]:
    """Tokens that were watched, and did not move, for as long as their lease."""
    return {
        token
        for token, (beats, length) in looks[-1].leases.items()
        if _still(looks, token, beats, length) >= length
    }


def _still(looks: list[Look], token: str, beats: int, length: float) -> float:
    """Seconds for which the watcher saw the count of beats stand still, up to now."""
    still = 0.0
    for later, earlier in pairwise(reversed(looks)):
        if earlier.leases.get(token, (None, 0))[0] != beats:
            break
        still += min(later.when - earlier.when, SHARE * length)
    return still
