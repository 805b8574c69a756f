"""Numbers as a reader meets them: percentages, points, signs, p values, how sure they make us."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from runner.content.response import Response

STARS = "* p < .05, ** p < .01, *** p < .001 (Holm-adjusted over all questions of the study)"


def p_words(p: float) -> str:
    """A p value as journals print it; next to .05 with the digit that says on which side it is."""
    if not np.isfinite(p):
        return "n/a"
    if p < 0.001:
        return "< .001"
    text = f"{p:.3f}"
    return (f"{p:.4f}" if text == "0.050" else text).replace("0.", ".", 1)


def p_number(p: float) -> str:
    """A p value to three figures, "< 1e-300" where no float holds it: p is never 0."""
    if not np.isfinite(p):
        return "n/a"
    return "< 1e-300" if p < 1e-300 else f"{p:.3g}"


def p_equals(p: float) -> str:
    """The same with its letter: "p = 3e-20", "p < 1e-300"."""
    text = p_number(p)
    return f"p {text}" if text.startswith(("<", "n/a")) else f"p = {text}"


def p_phrase(p: float) -> str:
    """A p value with its letter: "p = .020", "p < .001", "p n/a"."""
    text = p_words(p)
    return f"p {text}" if text.startswith(("<", "n/a")) else f"p = {text}"


def stars(p: float) -> str:
    """One star below .05, two below .01, three below .001."""
    if not np.isfinite(p):
        return ""
    return "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < 0.05 else ""


def sureness(p: float, level: float = 0.05) -> str:
    """How sure a Holm-adjusted p makes us, in words; above `level` an effect is not shown."""
    if not np.isfinite(p):
        return "cannot be tested"
    if p > level:
        return "not shown"
    if p < 0.001:
        return "clear"
    if p < 0.01:
        return "well supported"
    return "supported" if p < 0.05 else "not shown"


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign, a true minus, and no sign where it rounds to zero."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def value_text(value: float, measure: Response) -> str:
    """A mean with its unit: "87.3%"."""
    if not np.isfinite(value):
        return "n/a"
    gap = "" if measure.unit in ("", "%") else " "
    return f"{value * measure.scale:.{measure.digits}f}{gap}{measure.unit}".replace("-", "−")


class DifferenceText(NamedTuple):
    """A difference in words, "+3.1 points", and its interval, "[+2.0, +4.2]" or ""."""

    value: str
    interval: str


def difference_words(
    estimate: float, low: float, high: float, measure: Response, unit: str | None = None
) -> DifferenceText:
    """A difference and its interval, each by itself.

    Args:
        estimate: as stored.
        low: lower limit.
        high: upper limit.
        measure: of the outcome.
        unit: behind the difference; by default the measure's.
    """
    if not np.isfinite(estimate):
        return DifferenceText("not estimable", "")
    digits, unit = measure.digits, measure.difference if unit is None else unit
    value = f"{signed(estimate * measure.scale, digits)}{f' {unit}' if unit else ''}"
    if not (np.isfinite(low) and np.isfinite(high)):
        return DifferenceText(f"{value} (no interval)", "")
    ends = f"{signed(low * measure.scale, digits)}, {signed(high * measure.scale, digits)}"
    return DifferenceText(value, f"[{ends}]")


def difference_text(
    estimate: float, low: float, high: float, measure: Response, unit: str | None = None
) -> str:
    """Both together: "+3.1 points [+2.0, +4.2]"."""
    return " ".join(filter(None, difference_words(estimate, low, high, measure, unit)))
