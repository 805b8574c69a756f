"""A cause of one cell, and how its sentence gives numbers and names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause of one cell.

    Attributes:
        kind: a name of `runner.doctor.causes.kinds.KINDS`.
        evidence: one plain sentence.
        seen: whether its layers show it; False: its curve alone.
    """

    kind: str
    evidence: str
    seen: bool = True


def amount(value: float) -> str:
    """A number as a sentence gives it: two digits, and no power of ten where it can be avoided."""
    return f"{value:,.0f}" if 100 <= abs(value) < 1e7 else f"{value:.2g}"


def named(names: tuple[str, ...]) -> str:
    """A name, or how many there are and the first ones."""
    return names[0] if len(names) == 1 else f"{len(names)} weights ({', '.join(names[:2])}…)"
