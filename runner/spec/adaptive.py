"""Replicates that come in waves, as many as it takes: `replicates: {min, max, until}`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Until = Literal["claims", "mains"]

SMALL = 24
"""Combinations below which a grid is small: nothing in it makes up for one that looks quiet."""
FIRST, FIRST_IF_SMALL = 4, 6
"""Runs of each combination before any is placed or anything decided (decision 110): a combination
that fails now and then looks quiet while none of its few runs has failed."""


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
        """Runs at each look: the least, those before anything is placed, then a wave each."""
        waves = {self.least, *range(self.first(combinations), self.most + 1)}
        return tuple(combinations * k for k in sorted(waves))

    def first(self, combinations: int) -> int:
        """Runs of each combination that come before any is placed or anything decided."""
        wanted = FIRST_IF_SMALL if combinations < SMALL else FIRST
        return min(max(self.least, wanted), self.most)

    def tested(self, combinations: int) -> tuple[int, ...]:
        """The looks at which something may be decided."""
        first = combinations * self.first(combinations)
        return tuple(one for one in self.looks(combinations) if one >= first)

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

    def words(self, combinations: int) -> str:
        """The rule in a sentence, for so many combinations."""
        first = self.first(combinations)
        text = f"{self.least} to {self.most} runs of each combination: "
        if first == self.most:
            return f"{text}with so few nothing can be decided before the last of them"
        return (
            f"{text}from {first} of each on after every wave a look, and further runs where the "
            f"open questions have their noise, until {self.goal} or none could be"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return asdict(self)

    @staticmethod
    def from_dict(raw: Mapping[str, Any]) -> Adaptive:
        """The inverse of `to_dict`. Raises TypeError on anything else."""
        return Adaptive(**raw)
