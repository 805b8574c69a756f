"""Numbers as people write them: 93.2%, 0.90±0.002, 10,803, decimal commas, and what means missing.

A column is read as a whole, because whether a comma groups thousands or begins decimals shows only
in all of its values together. What is no number is refused with its row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ablations.errors import InputError
from analysis.stats.arrays import Floats

MISSING_TEXT = frozenset(
    ("", "na", "nan", "n/a", "n.a.", "#n/a", "null", "none", ".", "-", "--", "\u2013", "\u2014",
     "?", "<na>", "missing")
)  # fmt: skip
"""What stands where there is no number, in lower case."""
_SIGNS = str.maketrans({"\u2212": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2019": "'"})
_PLUS_MINUS = re.compile(r"\\pm|\+\s*/?\s*-")
_IN_BRACKETS = re.compile(r"^(?P<mean>.*\S)\s*\((?P<spread>[^()]*[.,][^()]*)\)$")
_SPACED = re.compile(r"^[+-]?[1-9]\d{0,2}(?:[ ']\d{3})+(?=[.,]|$)")
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
_POINTS_GROUP = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3}){2,}")
_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_BOTH = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+,\d+")


@dataclass(frozen=True, eq=False)
class Written:
    """A column of numbers, one entry a row.

    Attributes:
        values: NaN where missing.
        texts: the numbers in plain decimals, "" where missing; None where they were no text.
        spreads: what stood behind a plus-minus sign, NaN elsewhere.
        unit: "%" where all were written in percent, else "".
        note: how commas were read, or "".
    """

    values: Floats
    texts: list[str] | None
    spreads: Floats
    unit: str = ""
    note: str = ""

    @property
    def has_spreads(self) -> bool:
        """Whether any value came with a plus-minus."""
        return bool(np.isfinite(self.spreads).any())


def read_written(column: pd.Series, name: str, where: str, decimal_comma: bool = False) -> Written:
    """Read a column.

    Args:
        column: numbers or texts.
        name: of the column, for messages.
        where: how messages name the table.
        decimal_comma: what "1,234" means where no other value tells: 1.234, else 1234.

    Raises:
        InputError: a text that is no number, or percent beside plain numbers.
    """
    nothing = np.full(len(column), np.nan)
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return Written(np.asarray(column.astype(float), dtype=np.float64), None, nothing)
    given = [_plain(value) for value in column.tolist()]
    try:  # nothing to make out, as in most tables
        plain = np.array([float(text) for text in given], dtype=np.float64)
    except ValueError:
        pass
    else:
        if not np.isnan(plain).any():
            return Written(plain, given, nothing)
    there = [text.lower() not in MISSING_TEXT for text in given]
    parts = [_parts(text) if ok else ("", "", False) for text, ok in zip(given, there, strict=True)]
    percents = {percent for (_, _, percent), ok in zip(parts, there, strict=True) if ok}
    if len(percents) > 1:
        with_sign, without = (
            next(t for t, p, ok in zip(given, parts, there, strict=True) if ok and p[2] is which)
            for which in (True, False)
        )
        raise InputError(
            f"column {name!r} of {where} has both {with_sign!r} and {without!r}: expected all of "
            "its numbers in percent, or none"
        )
    means = [mean for mean, _, _ in parts]
    commas = _decimal_commas([*means, *(spread for _, spread, _ in parts)], decimal_comma)
    texts = [_decimal(text, commas) for text in means]
    values, spreads = nothing, nothing.copy()
    for row, ok in enumerate(there):
        if not ok:
            continue
        try:
            values[row] = float(texts[row])
            if parts[row][1]:
                spreads[row] = float(_decimal(parts[row][1], commas))
        except ValueError:
            raise InputError(
                f"column {name!r} of {where} has {given[row]!r} in data row {row + 1}: expected a "
                "number, or nothing for a missing run"
            ) from None
    unit = "%" if percents == {True} else ""
    return Written(values, texts, spreads, unit, _note(name, means, texts))


def quiet_numbers(column: pd.Series) -> pd.Series:
    """A column as floats, NaN where there is no number; nothing is refused."""
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    if pd.api.types.is_numeric_dtype(column) or not numbers.isna().any():
        return numbers
    try:
        return pd.Series(read_written(column, "", "").values, index=column.index)
    except InputError:
        return numbers


def unit_of(column: pd.Series) -> str:
    """The unit that a column of text is written with: "%" or ""."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return ""
    try:
        return read_written(column, "", "").unit
    except InputError:
        return ""


def _plain(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    return str(value).translate(_SIGNS).strip().strip("$*").strip()


def _parts(text: str) -> tuple[str, str, bool]:
    """Number, what stands behind its plus-minus, and whether it is in percent."""
    text = _PLUS_MINUS.sub("\u00b1", text)
    bracketed = _IN_BRACKETS.match(text)
    if bracketed:
        text = f"{bracketed['mean']}\u00b1{bracketed['spread']}"
    mean, sign, spread = (part.strip() for part in text.partition("\u00b1"))
    percent = mean.endswith("%") or spread.endswith("%")
    mean, spread = (part.removesuffix("%").removesuffix("\\").strip() for part in (mean, spread))
    mean, spread = (_SPACED.sub(lambda m: re.sub("[ ']", "", m[0]), one) for one in (mean, spread))
    return mean, spread if sign else "", percent


def _decimal_commas(texts: list[str], otherwise: bool) -> bool:
    """Whether commas begin decimals in a column."""
    with_comma = [text for text in texts if "," in text]
    if any(_BOTH.fullmatch(text) for text in with_comma):
        return True
    if any(_COMMA.fullmatch(text) and not _GROUPED.fullmatch(text) for text in with_comma):
        return True
    # A point beside a group, or two groups: commas group. "1,234" alone could be either.
    if any("." in text or text.count(",") > 1 for text in with_comma):
        return False
    return otherwise


def _decimal(text: str, commas: bool) -> str:
    """A number in plain decimals; what is none stays as it is."""
    if commas and (_BOTH.fullmatch(text) or _COMMA.fullmatch(text)):
        return text.replace(".", "").replace(",", ".")
    if not commas and _GROUPED.fullmatch(text):
        return text.replace(",", "")
    if _POINTS_GROUP.fullmatch(text):
        return text.replace(".", "")
    return text


def _note(name: str, given: list[str], texts: list[str]) -> str:
    changed = [(a, b) for a, b in zip(given, texts, strict=True) if a != b]
    if not changed:
        return ""
    return f"{changed[0][0]!r} of {name} is read as {changed[0][1]}, others like it"
