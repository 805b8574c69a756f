"""Lists, counts and spans of time as a person says them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

MOST_LETTERS = 1000
"""Of a sentence that a person reads on a terminal."""


def printable(text: str) -> str:
    """A text that leaves a terminal as it is: controls and halves of characters are spelled out.

    Names, paths and messages come from other people's files, and ESC in one of them may set
    colours, titles or the cursor. Line ends and tabs stay.
    """
    return "".join(_spelled(one) if _is_control(one) else one for one in text)


def _is_control(one: str) -> bool:
    return one not in "\n\t" and unicodedata.category(one) in ("Cc", "Cs")


def _spelled(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")


def listed(words: Sequence[str], conjunction: str = "and") -> str:
    """Words as a sentence lists them: "a", "a and b", "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def counted(number: int, noun: str) -> str:
    """A number and its noun, whose plural ends in s: "1 cell", "1,728 cells"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """A time span in its two largest units."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def brief(sentence: str) -> str:
    """One line of at most `MOST_LETTERS`, its middle left out: what was wrong, then what would do.

    A message quotes what was given, which may be a paragraph or a list of ten thousand names.
    """
    line = " ".join(sentence.split())
    if len(line) <= MOST_LETTERS:
        return line
    half = MOST_LETTERS // 2 - 3
    return f"{line[:half]} ... {line[-half:]}"
