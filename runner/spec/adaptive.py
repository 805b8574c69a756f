"""Replicates that come in waves, as many as it takes: `replicates: {min, max, until}`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Until = Literal["claims", "mains"]

TESTED = 3
"""Mean runs of a combination from which a look may decide: two runs of each agree by chance too
often where some runs fail (decision 087)."""


@dataclass(frozen=True, slots=True)
class Adaptive:
    """When further runs are placed, and when no more are.

    Attributes:
        least: runs of every combination, before the first look.
        most: runs that a combination may have.
        until: what has to be decided: the planned claims, or all differences between levels.
        half_width: instead, the half width (95 %) that every difference between levels has to
            reach, in the unit of the response; None where something has to be decided.
    """

    least: int
    most: int
    until: Until = "mains"
    half_width: float | None = None

    def looks(self, combinations: int) -> tuple[int, ...]:
        """Runs at each look: every wave has as many as there are combinations."""
        return tuple(combinations * k for k in range(self.least, self.most + 1))

    def tested(self, combinations: int) -> tuple[int, ...]:
        """The looks at which something may be decided."""
        looks = self.looks(combinations)
        return tuple(one for one in looks if one >= TESTED * combinations) or looks[-1:]

    @property
    def asks_claims(self) -> bool:
        """Whether it goes on for the planned claims; else for differences between levels."""
        return self.half_width is None and self.until == "claims"

    @property
    def goal(self) -> str:
        """What it goes on for, in words."""
        if self.half_width is not None:
            return f"every difference between levels is known to ±{self.half_width:g}"
        what = "planned claim" if self.asks_claims else "difference between levels"
        return f"every {what} is decided"

    @property
    def words(self) -> str:
        """The rule in a sentence."""
        return (
            f"{self.least} to {self.most} runs of each combination: after every wave a look, and "
            f"further runs where the open questions have their noise, until {self.goal} or none "
            f"could be"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return asdict(self)

    @staticmethod
    def from_dict(raw: Mapping[str, Any]) -> Adaptive:
        """The inverse of `to_dict`. Raises TypeError on anything else."""
        return Adaptive(**raw)
