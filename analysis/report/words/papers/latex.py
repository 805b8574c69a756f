"""Text as LaTeX sets it literally, in plain ASCII, so that every engine and every font can.

pdfLaTeX stops at a letter that its fonts lack: one for which no command is known here is spelled by
its code point (U+4E2D). Rows and frames of tables for the booktabs package.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

_GREEK = (
    "alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho varsigma "
    "sigma tau upsilon varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi "
    "Omega"
)
_MATHS = {
    "−": "-", "×": r"\times", "±": r"\pm", "·": r"\cdot", "÷": r"\div", "≤": r"\leq", "≥": r"\geq",
    "≠": r"\neq", "≈": r"\approx", "∼": r"\sim", "∞": r"\infty", "∈": r"\in", "∇": r"\nabla",
    "∂": r"\partial", "√": r"\surd", "→": r"\rightarrow", "←": r"\leftarrow", "°": r"^\circ",
    "µ": r"\mu", "∑": r"\Sigma", "∆": r"\Delta", "•": r"\bullet", "†": r"\dagger",
    "‡": r"\ddagger", "§": r"\mathsection",
    **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", (f"^{digit}" for digit in range(10)), strict=True)),
    **dict(zip("₀₁₂₃₄₅₆₇₈₉", (f"_{digit}" for digit in range(10)), strict=True)),
    **{
        letter: f"\\{name}"
        for letter, name in zip(
            "αβγδεζηθικλμνξπρςστυφχψωΓΔΘΛΞΠΣΥΦΨΩ",
            _GREEK.split(),
            strict=True,
        )
    },
}  # fmt: skip
_SPELLED = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "`": r"\textquoteleft{}",
    "–": "--", "—": "---", "…": r"\ldots{}", "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}", "‘": r"\textquoteleft{}", "’": "'",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}",
    "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}",
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧο", "ABEZHIKMNOPTXo", strict=True)),
    **{sign: rf"\ensuremath{{{tex}}}" for sign, tex in _MATHS.items()},
}  # fmt: skip
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u",
    "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0323": "d",
    "\u0327": "c", "\u0331": "b",
}  # fmt: skip
"""Combining marks and their commands, those that the oldest of LaTeX's font encodings has."""

FITTED = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
"""Begins what is made smaller where it is wider than the text, and only there."""


def escape_latex(text: str) -> str:
    """Text as LaTeX sets it literally; line breaks become spaces."""
    line = unicodedata.normalize("NFC", " ".join(text.split()))
    return "".join(
        "{}-" if before == letter == "-" else _spell(letter)  # two are no dash
        for before, letter in pairwise([" ", *line])
    )


@lru_cache(maxsize=4096)
def _spell(letter: str) -> str:
    if letter in _SPELLED:
        return _SPELLED[letter]
    if " " <= letter <= "~":
        return letter
    base, *marks = list(unicodedata.normalize("NFD", letter))
    if re.fullmatch("[A-Za-z]", base) and marks and set(marks) <= set(_ACCENTS):
        for mark in marks:
            base = rf"\{_ACCENTS[mark]}{{{base}}}"
        return base
    return rf"\texttt{{U+{ord(letter):04X}}}"


def row_of(cells: Iterable[str]) -> str:
    """A row of a table; what its first cell begins with is no option of the rule above."""
    text = " & ".join(escape_latex(cell) for cell in cells)
    return f"{'{}' if text.startswith(('[', '*')) else ''}{text} \\\\"


def label_of(name: str) -> str:
    """A name as a label may be."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")


def framed(columns: str, body: Sequence[str], caption: str, label: str) -> str:
    """A table, no wider than the text.

    Args:
        columns: how LaTeX aligns them.
        body: its lines between the outer rules, as LaTeX reads them.
        caption: as text.
        label: behind "tab:".
    """
    return "\n".join(
        [
            "% needs \\usepackage{array,booktabs,graphicx}",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape_latex(caption)}}}",
            rf"\label{{tab:{label}}}",
            r"\smallskip",
            FITTED,
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            *body,
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table}",
            "",
        ]
    )
