"""Lists, counts and spans of time as a person says them."""

from __future__ import annotations

from collections.abc import Sequence


def listed(words: Sequence[str], conjunction: str = "and") -> str:
    """Words as a sentence lists them: "a", "a and b", "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def counted(number: int, noun: str, spelling: str = "d") -> str:
    """A number and its noun: "1 cell", "2 cells".

    Args:
        number: How many.
        noun: Of one; its plural ends in s.
        spelling: How the number is written, as in a format string: "," parts its thousands.
    """
    return f"{number:{spelling}} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """A time span in its two largest units."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
