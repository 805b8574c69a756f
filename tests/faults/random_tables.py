"""Tables of runs as people, spreadsheets and scripts leave them, and the words that ask of them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from itertools import product
from random import Random

NAMES = [
    *("A", "B", "opt imizer", "lr", "é", "status", "converged", "classes", "epochs", "mean"),
    *("test_accuracy", "replicate", "noise", "A.B", "index", "level_0", "1", "None", "<b>", "C(A)"),
]
LABELS = [
    ["a", "b", "c", "d"],
    ["1e-4", "1e-3", "0.01", "1"],
    ["None", "NA", "nan", "true"],
    ["1", "1.0", "01", "+1"],
    ["<script>", "../x", "'", "%s"],
    ["$x$", "$\\frac", "_", "^"],
    ["😀", "é", "e\u0301", "\u202e"],
    ["a > b", "a | b", "a, b", "a:b"],
    ["x" * 10_000, "y" * 10_000, "z", "w"],
]
ODD = [
    "",
    "NA",
    "None",
    ".",
    "inf",
    "-inf",
    "1e999",
    "1e308",
    "1e69",
    "abc",
    "0,5",
    "1_0",
    "½",
    "--",
]
STATUSES = ["converged", "diverged", "stalled", "failed", "timeout", "not_run", "ok", "reached", ""]
CHANGES = [
    "drop", "half", "hole", "odd", "odd", "constant", "twice", "no label", "column twice", "status",
    "perfect", "negative", "one level", "spaces", "empty", "zeros and ones", "percent", "one row",
]  # fmt: skip
MISPRINTS = ["raw", "quote", "marks", "nul", "latin", "commas", "ragged"]


@dataclass
class Table:
    """Rows under a head, whose last two columns are the replicate and the response."""

    head: list[str]
    rows: list[list[str]]


def random_table(number: int) -> tuple[bytes, list[str]]:
    """The file of that number, and the options with which its effects are asked for."""
    draw = Random(number)
    names, table = _whole(draw)
    for _ in range(draw.choice([0, 1, 1, 2, 3])):
        _change(table, len(names), draw)
    words = ["--factors", *names, "--response", draw.choice(["y"] * 8 + ["Y", "rep"])]
    if draw.random() < 0.6:
        words += ["--block", "rep"]
    if draw.random() < 0.3:
        words += ["--order", draw.choice(["1", "3", "full", "99"])]
    if draw.random() < 0.3:
        words += ["--confidence", draw.choice(["0.5", "0.999", "0.9999999999"])]
    if draw.random() < 0.3:
        words += ["--claim", _claim(names, table, draw)]
    if draw.random() < 0.2:
        words += ["--lower-is-better"]
    return _file(table, draw), words


def _whole(draw: Random) -> tuple[list[str], Table]:
    """A complete grid, small enough to be analysed in a moment."""
    names = draw.sample(NAMES, draw.choice([1, 2, 2, 3]))
    levels = [draw.choice(LABELS)[: draw.choice([2, 2, 3, 4])] for _ in names]
    rows = [
        [*labels, str(replicate), repr(draw.gauss(0.5 + sum(map(len, labels)) % 7 / 20, 0.05))]
        for labels in product(*levels)
        for replicate in range(draw.choice([1, 1, 2, 3]))
    ]
    return names, Table([*names, "rep", "y"], rows)


def _change(table: Table, factors: int, draw: Random) -> None:
    kind, rows = draw.choice(CHANGES), table.rows
    if not rows:
        return
    one = draw.randrange(len(rows))
    if kind == "drop":
        del rows[one]
    elif kind == "half":
        table.rows = [row for row in rows if draw.random() < 0.5]
    elif kind == "hole":
        table.rows = [row for row in rows if row[:factors] != rows[one][:factors]]
    elif kind == "odd":
        rows[one][-1] = draw.choice(ODD)
    elif kind == "no label":
        rows[one][draw.randrange(factors)] = draw.choice(["", " ", "\t"])
    elif kind == "twice":
        table.rows = rows + [list(row) for row in rows]
    elif kind == "column twice":
        table.head.append("y")
        table.rows = [[*row, "1"] for row in rows]
    elif kind == "status":
        table.head[factors:factors] = ["status", "classes"]
        for row in rows:
            row[factors:factors] = [draw.choice(STATUSES), draw.choice(["10", "2", "0", "x", ""])]
    elif kind == "one row":
        del rows[1:]
    else:
        for row in rows:
            _change_row(row, kind, rows[0][0], draw)


def _change_row(row: list[str], kind: str, first: str, draw: Random) -> None:
    if kind == "one level":
        row[0] = first
    elif kind == "spaces":
        row[0] = " " * draw.randrange(3) + row[0]
    else:
        row[-1] = {
            "constant": "0.5",
            "perfect": str(len(row[0])),
            "negative": f"-{row[-1]}",
            "empty": "",
            "zeros and ones": draw.choice("01"),
            "percent": f"{row[-1]}%",
        }[kind]


def _claim(names: list[str], table: Table, draw: Random) -> str:
    first = table.rows[0][0] if table.rows else "a"
    last = table.rows[-1][0] if table.rows else "b"
    claims = ["", "x", f"{names[0]}: a < b", f"{names[0]}: {first} > {last} by 0.5"]
    return draw.choice(
        [*claims, f"{names[0]}: a > b on convergence", f"{names[0]}: a > b | A != c"]
    )


def _file(table: Table, draw: Random) -> bytes:
    text = io.StringIO()
    delimiter, end = draw.choice(",,,;\t"), draw.choice(["\n", "\n", "\r\n"])
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerows([table.head, *table.rows])
    content = text.getvalue().encode("utf-8", "surrogatepass")
    return _misprinted(content, draw) if draw.random() < 0.3 else content


def _misprinted(content: bytes, draw: Random) -> bytes:
    at = draw.randrange(len(content))
    kind = draw.choice(MISPRINTS)
    if kind == "latin":
        return content.decode().encode("latin-1", "replace")
    if kind == "marks":
        return b"\xef\xbb\xbf" * 2 + content
    inserted = {"raw": bytes([draw.randrange(256)]), "quote": b'"', "nul": b"\0", "ragged": b"\n,"}
    return content[:at] + inserted.get(kind, b",,,") + content[at:]
