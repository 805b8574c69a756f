r"""Numbers of a command: from a file it writes (JSON lines or CSV), or from what it prints.

Each row is a point of its curves; the last value of a name is its response. A row whose step is not
above the one before begins anew there: a command that was killed and continues, or starts over,
writes its steps again.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.content.outcome import Point
from runner.trainers.endings import number

STEPS = ("step", "epoch", "iteration", "global_step")
"""What a column that counts is called."""

LARGEST_BYTES = 200_000_000


def rows_of_file(path: Path) -> list[dict[str, Any]]:
    """The rows of a metrics file; none where there is no file (yet).

    A `.csv` has a head; anything else is JSON, a line or the whole file: an object, or a list of
    them. A line that is no JSON (one that was cut short by a kill) is passed over.
    """
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_BYTES).decode("utf-8-sig", "replace")
    except OSError:
        return []
    if path.suffix.lower() in (".csv", ".tsv"):
        separator = "\t" if path.suffix.lower() == ".tsv" else ","
        return [
            {key: value for key, value in row.items() if key and value not in (None, "")}
            for row in csv.DictReader(text.splitlines(), delimiter=separator)
        ]
    whole = _json(text)
    if isinstance(whole, list):
        return [row for row in whole if isinstance(row, dict)]
    if isinstance(whole, dict):
        return [whole]
    return [row for line in text.splitlines() if isinstance(row := _json(line), dict)]


def rows_printed(text: str, pattern: str) -> list[dict[str, Any]]:
    """What a regular expression with named groups finds in printed text, a row a match."""
    found = re.finditer(pattern, text, re.MULTILINE)
    return [{key: v for key, v in one.groupdict().items() if v is not None} for one in found]


def last_object(text: str) -> dict[str, Any]:
    """The last printed line that is a JSON object: what a command without metrics ends with."""
    for line in reversed(text.splitlines()):
        if line.lstrip().startswith("{") and isinstance(found := _json(line), dict):
            return found
    return {}


def points_of(rows: Iterable[Mapping[str, Any]]) -> list[Point]:
    """Rows as points of curves, infinite and missing numbers left out."""
    points: list[Point] = []
    for place, row in enumerate(rows):
        values = dict(_numbers(row))
        named = next((name for name in STEPS if name in values), None)
        step = place if named is None else int(values.pop(named))
        while points and points[-1].step >= step:
            points.pop()
        finite = {name: value for name, value in values.items() if abs(value) < float("inf")}
        points.append(Point(step, finite))
    return points


def last_values(rows: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The last number of each name, finite or not; the steps left out."""
    last: dict[str, float] = {}
    for row in rows:
        last |= dict(_numbers(row))
    return {name: value for name, value in last.items() if name not in STEPS}


def _numbers(row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Names and numbers of a row; a number may be written as text, as in a CSV."""
    for name, value in row.items():
        if isinstance(value, str):
            try:
                yield name, float(value.strip().rstrip("%,;"))
            except ValueError:
                continue
        elif (known := number(value)) is not None:
            yield name, known


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
