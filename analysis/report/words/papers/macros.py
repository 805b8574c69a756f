r"""A macro a number, so that a text of one's own changes with the runs: `\AblRuns{}`.

Names are of letters alone, as TeX wants them, made of the names of factors and levels and never of
results: the same difference keeps its name whichever way it turns out. A name that is taken gets a
word behind it. What a macro is stands beside it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count

from analysis.report.words.papers.latex import escape_latex
from runner.program.wording import printable

PREFIX = "Abl"
_BEGIN, _END = "\ue000", "\ue001"
"""Around a macro's name in prose that is not LaTeX yet."""
_MARKED = re.compile(f"{_BEGIN}([A-Za-z]+){_END}")

_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_SIGNS = {
    "%": "Percent", "&": "And", "#": "Hash", "+": "Plus", "*": "Star", "@": "At", "$": "Dollar",
    "<": "Under", ">": "Over", "=": "Is", "!": "Not", "|": "Given", "~": "Tilde", "^": "Hat",
    "−": "Minus", "!=": "Not", ">=": "AtLeast", "<=": "AtMost",
}  # fmt: skip
_PIECE = re.compile(r"[A-Za-z]+|[0-9]+|[!<>]=|.", re.DOTALL)

Say = Callable[[str, str, str], str]
"""Takes a number's name, the number as text, and what it is; gives what stands in the prose."""


def plainly(name: str, text: str, about: str) -> str:
    """The number itself."""
    return text


def letters(text: str) -> str:
    """A name as letters: "sgd_momentum" is SgdMomentum, "50%" FiveZeroPercent, "α" Alpha."""
    pieces = _PIECE.findall("".join(map(_plain, text)))
    around = zip(["", *pieces], pieces, [*pieces[1:], ""], strict=False)
    return "".join(_word(*three) for three in around)


def _plain(letter: str) -> str:
    """A letter without its accents; a sign as it is."""
    base = unicodedata.normalize("NFKD", letter)[0]
    return base if base.isascii() and base.isalnum() else letter


def _word(before: str, piece: str, after: str) -> str:
    if piece.isascii() and piece.isalpha():
        return f"{piece[0].upper()}{piece[1:]}"
    if piece.isascii() and piece.isdigit():
        return "".join(_DIGITS[int(digit)] for digit in piece)
    if piece == "." and before.isdigit() and after.isdigit():
        return "Point"
    if piece == "-":
        exponent = before.lower().endswith("e") or not before.isalnum()
        return "Minus" if after[:1].isdigit() and exponent else ""
    if piece.isascii() or unicodedata.category(piece)[0] in "MZC":
        return _SIGNS.get(piece, "")
    if piece in _SIGNS:
        return _SIGNS[piece]
    named = unicodedata.name(piece, f"U {ord(piece):X}")
    named = re.sub(r"^\w+ (SMALL|CAPITAL) LETTER ", "", named)
    words = re.findall("[A-Za-z]+|[0-9]", named)
    return "".join(one.title() if one.isalpha() else _DIGITS[int(one)] for one in words)


class Macros:
    r"""Numbers with their names, in the order they were told; `file` defines them."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._lines: list[str] = []

    def section(self, title: str) -> None:
        """Begin a group of definitions."""
        self._lines += ["", f"% {_comment(title)}"]

    def say(self, name: str, text: str, about: str) -> str:
        """A number in prose: where it has its name already, and is the same, that name stands."""
        tried = (f"{PREFIX}{name}{end}" for end in _endings())
        free = next(one for one in tried if self._texts.get(one, text) == text)
        if free not in self._texts:
            self._define(free, text, about)
        return f"{_BEGIN}{free}{_END}"

    def told(self, name: str) -> str:
        """A number that has been said, again; KeyError where it has not."""
        self._texts[f"{PREFIX}{name}"]
        return f"{_BEGIN}{PREFIX}{name}{_END}"

    def block(self, words: Sequence[str], parts: Mapping[str, tuple[str, str]]) -> None:
        """Numbers about one thing, whose names begin alike.

        Args:
            words: what it is: "Diff", the factor, its levels.
            parts: the end of each name, with the number as text and what it is.
        """
        stem = PREFIX + "".join(letters(word) or "Empty" for word in words)
        tried = (f"{stem}{end}" for end in _endings())
        free = next(one for one in tried if not any(one + part in self._texts for part in parts))
        for part, (text, about) in parts.items():
            self._define(free + part, text, about)

    def tex(self, prose: str) -> str:
        """Prose as LaTeX, with a macro for each number that was said in it."""
        pieces = _MARKED.split(prose)
        return "".join(
            rf"\{piece}{{}}" if at % 2 and piece in self._texts else _between(piece)
            for at, piece in enumerate(pieces)
        )

    def file(self, head: Sequence[str]) -> str:
        """The definitions, under these lines of comment."""
        return "\n".join([*(f"% {_comment(line)}" for line in head), *self._lines, ""])

    def _define(self, name: str, text: str, about: str) -> None:
        self._texts[name] = text
        line = rf"\newcommand{{\{name}}}{{{escape_latex(text)}}} % {_comment(about)}"
        self._lines.append(line)


def _between(text: str) -> str:
    """Text with more before and behind it: its outer spaces stay."""
    before = " " if text[:1].isspace() else ""
    after = " " if text[-1:].isspace() and text.strip() else ""
    return f"{before}{escape_latex(text)}{after}"


def _comment(text: str) -> str:
    return printable(" ".join(text.split()))


def _endings() -> Iterator[str]:
    yield ""
    yield from (letters(str(number)) for number in count(2))
