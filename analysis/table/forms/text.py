"""Delimited text as rows: encoding, delimiter, header, comments and ragged lines.

The columns that were asked for tell the header and the delimiter. Every cell stays text; a line
that does not fit the header is named with its number in the file.
"""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from ablations.errors import InputError

DELIMITERS = (",", ";", "\t", "|", " ")
HEADER_WITHIN = 40
"""Lines among which the header is looked for."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)  # UTF-32's mark begins with UTF-16's


_OTHER = {"{": "JSON", "[": "JSON", "<": "HTML or XML"}
"""What text that begins so is."""


@dataclass(frozen=True, eq=False)
class Rows:
    """A table as it was written.

    Attributes:
        frame: texts, one row a data line.
        notes: what was left out or guessed.
        decimal_comma: whether a lone comma in a number rather begins decimals.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()
    decimal_comma: bool = False


@dataclass(frozen=True, slots=True)
class _Header:
    line: int  # index among the lines
    delimiter: str
    names: tuple[str, ...]
    found: int  # of the wanted columns


def read_text(raw: bytes, wanted: Sequence[str], where: str) -> Rows:
    """Read delimited text.

    Args:
        raw: content of the file.
        wanted: columns that somebody named.
        where: how messages name the table.

    Raises:
        InputError: no text, no line, or a line that does not fit the header.
    """
    text, notes = _decoded(raw, where)
    other = _OTHER.get(text.lstrip()[:1])
    if other and not set(wanted) & set(_split(text.lstrip().split("\n")[0], ",")):
        raise InputError(f"{where} is {other}: expected CSV, Parquet or Excel, one line a run")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not any(line.strip() for line in lines):
        raise InputError(f"{where} is empty: expected a header and one line a run")
    header = _header(lines, wanted)
    skipped = sum(1 for line in lines[: header.line] if line.strip() and not _comment(line))
    if skipped and not lines[0].startswith("sep="):
        noun = "line above the header is" if skipped == 1 else "lines above the header are"
        notes.append(f"{skipped} {noun} left out")
    numbered = list(_data(lines, header, where))
    rows, more = _fitted(numbered, header, where)
    frame = pd.DataFrame(rows, columns=_names(header, wanted), dtype=object)
    return Rows(frame, (*notes, *more), header.delimiter == ";")


def _decoded(raw: bytes, where: str) -> tuple[str, list[str]]:
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in raw[:400]:
        encoding = "utf-16-le" if raw[1:2] == b"\0" else "utf-16-be"
    try:
        return raw.decode(encoding), []
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise InputError(
                f"{where} is not a UTF-8 CSV file, and not whole in {encoding.upper()}, as which "
                f"it begins: byte {error.start} cannot be read"
            ) from None
    try:
        decoded = raw.decode("cp1252")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{where} is not a UTF-8 CSV file: byte {error.start} is no text"
        ) from None
    return decoded, ["the file is not UTF-8 and was read as Windows-1252"]


def _comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _header(lines: list[str], wanted: Sequence[str]) -> _Header:
    """The line and the delimiter that show most of the wanted columns, else most fields."""
    first: _Header | None = None
    best: _Header | None = None
    seen = 0
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        seen += 1
        if seen > HEADER_WITHIN:
            break
        texts = [line] if not _comment(line) else [line, line.lstrip().lstrip("#")]
        options = [
            _Header(index, delimiter, names, len(set(wanted) & set(names)))
            for text in texts
            for delimiter in DELIMITERS
            for names in [_split(text, delimiter)]
        ]
        here = max(options, key=lambda one: (one.found, len(one.names) * (one.delimiter != " ")))
        if first is None and not _comment(line):
            first = here
        if best is None or here.found > best.found:
            best = here
    chosen = best if best is not None and best.found else first or best
    if chosen is None:  # nothing but blank lines, which the caller refused
        raise InputError("no header")
    return chosen


def _split(line: str, delimiter: str) -> tuple[str, ...]:
    """Fields of one line; the outer bars of a Markdown row hold none."""
    try:
        row = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        row = [line]
    return tuple(_without_bars([field.strip() for field in row], delimiter))


def _without_bars(row: list[str], delimiter: str) -> list[str]:
    if delimiter == "|" and len(row) > 2 and not row[0].strip() and not row[-1].strip():
        return row[1:-1]
    return row


def _data(lines: list[str], header: _Header, where: str) -> Iterator[tuple[int, list[str]]]:
    """Rows below the header with the number of their last line in the file."""
    at = first = header.line
    fresh = True  # whether the next line begins a row

    def below() -> Iterator[str]:
        nonlocal at, first, fresh
        for index in range(header.line + 1, len(lines)):
            at, line = index, lines[index]
            # A level may begin with "#"; a comment has not the fields of a row.
            if _comment(line) and len(_split(line, header.delimiter)) != len(header.names):
                continue
            if fresh:
                first, fresh = index, not line.strip()
            yield line + "\n"

    reader = csv.reader(below(), delimiter=header.delimiter, skipinitialspace=True, strict=True)
    try:
        for row in reader:
            fresh = True
            if any(field.strip() for field in row):
                yield at + 1, _without_bars(row, header.delimiter)
    except csv.Error:
        raise InputError(
            f"line {first + 1} of {where} begins a quoted field that is not closed, or has text "
            "behind the closing quote"
        ) from None


def _fitted(
    numbered: list[tuple[int, list[str]]], header: _Header, where: str
) -> tuple[list[list[str]], list[str]]:
    """Every row with as many fields as the header, and notes on what was left out."""
    names, width, notes = header.names, len(header.names), []
    if header.delimiter == "|":
        numbered = [(n, row) for n, row in numbered if not set("".join(row)) <= set("-: ")]
    own = [(n, row) for n, row in numbered if tuple(f.strip() for f in row) != names]
    if len(own) < len(numbered):
        again = len(numbered) - len(own)
        repeats = "1 line repeats" if again == 1 else f"{again} lines repeat"
        notes.append(f"{repeats} the header and {'is' if again == 1 else 'are'} left out")
    longer = [row for _, row in own if len(row) > width and any(f.strip() for f in row[width:])]
    if longer and len(longer) == len(own) and _row_names(longer, width):
        notes.append("the first field of each line has no name in the header and is left out")
        return [row[1:] for _, row in own], notes
    rows = []
    for line, row in own:
        if len(row) > width and any(field.strip() for field in row[width:]):
            raise _too_long(line, row, len(longer), header, where)
        if len(row) < width - 1 or (len(row) < width and header.delimiter == " "):
            raise InputError(
                f"line {line} of {where} ends after {len(row)} of the {width} fields that the "
                "header names: complete it, or leave it out"
            )
        rows.append([*row, *[""] * (width - len(row))][:width])
    return rows, notes


def _row_names(rows: list[list[str]], width: int) -> bool:
    """Whether each row begins with a name of its own, as R's write.table has it."""
    firsts = [row[0] for row in rows]
    return all(len(row) == width + 1 for row in rows) and len(set(firsts)) == len(firsts)


def _too_long(line: int, row: list[str], count: int, header: _Header, where: str) -> InputError:
    more = f" (so have {count} lines)" if count > 1 else ""
    sign = {" ": "a space", "\t": "a tab"}.get(header.delimiter, repr(header.delimiter))
    return InputError(
        f"line {line} of {where} has {len(row)} fields where the header names "
        f"{len(header.names)}{more}: name the further column in the header, or quote the field "
        f"that holds {sign}"
    )


def _names(header: _Header, wanted: Sequence[str]) -> list[str]:
    """Names of the columns; of two alike that nobody asked for, the second gets a number."""
    names, seen = [], Counter[str]()
    for place, name in enumerate(header.names):
        name = name or f"Unnamed: {place}"
        seen[name] += 1
        twice = seen[name] > 1 and name not in wanted
        names.append(f"{name}.{seen[name] - 1}" if twice else name)
    return names
