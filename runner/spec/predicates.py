"""Predicates over levels: what `exclude` and `only` hold.

`{scheduler: cyclic, optimizer: [adam, adamw]}` matches a combination whose scheduler is cyclic and
whose optimizer is one of the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Predicate:
    """Factor to the labels that match; all factors named must match."""

    levels: tuple[tuple[str, tuple[str, ...]], ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a combination, given as factor to label, fulfils every condition."""
        return all(labels[factor] in allowed for factor, allowed in self.levels)

    def to_dict(self) -> dict[str, list[str]]:
        """Plain values, as JSON holds them."""
        return {factor: list(labels) for factor, labels in self.levels}

    @staticmethod
    def from_dict(raw: Mapping[str, Sequence[str]]) -> Predicate:
        """The inverse of `to_dict`."""
        return Predicate(tuple((factor, tuple(labels)) for factor, labels in raw.items()))
