"""Kinds of damage to a store's content: what is written into which row, or done to the file.

Each is done to a copy of a store of two studies, `small` (which is damaged) and `whole`.
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PAGE = 4096


@dataclass(frozen=True)
class Damage:
    """One kind: what is done to the file, and the words that must name it where it is met.

    `names` is empty where the file as a whole is damaged: then nobody need meet it, and whoever
    does says so in one sentence.
    """

    what: str
    do: Callable[[Path], None]
    names: tuple[str, ...] = ()


def row(table: str, column: str, value: object, *names: str, where: str = "id = 1") -> Damage:
    """Another value in a column of one row."""

    def write(path: Path) -> None:
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            made = f"CAST(x'{value.hex()}' AS TEXT)" if isinstance(value, bytes) else "?"
            given = () if isinstance(value, bytes) else (value,)
            connection.execute(f"UPDATE {table} SET {column} = {made} WHERE {where}", given)
        connection.close()

    shown = "not UTF-8" if isinstance(value, bytes) else repr(value)
    return Damage(f"{table}.{column} = {shown}", write, (f"table {table}", column, *names))


def statement(sql: str) -> Damage:
    """Rows or a table are gone."""

    def run(path: Path) -> None:
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute(sql)
        connection.close()

    return Damage(sql, run)


def bytes_changed(what: str, change: Callable[[bytearray], None]) -> Damage:
    """Other bytes in the file."""

    def write(path: Path) -> None:
        content = bytearray(path.read_bytes())
        change(content)
        path.write_bytes(content)

    return Damage(what, write)


def flipped(seed: int) -> Damage:
    """A few random bytes of one random page."""

    def flip(content: bytearray) -> None:
        draw = random.Random(seed)
        page = draw.randrange(len(content) // PAGE)
        for _ in range(draw.choice([1, 4, 16, 40])):
            content[page * PAGE + draw.randrange(PAGE)] ^= draw.randrange(1, 256)

    return bytes_changed(f"flips of seed {seed}", flip)


def zeroed(share: float) -> Damage:
    """A page of zeros."""

    def zero(content: bytearray) -> None:
        start = PAGE * max(1, int(share * (len(content) // PAGE)))
        content[start : start + PAGE] = bytes(PAGE)

    return bytes_changed(f"a page of zeros at {share:.0%}", zero)


def cut(share: float) -> Damage:
    """The end of the file is missing."""

    def truncate(path: Path) -> None:
        os.truncate(path, int(path.stat().st_size * share))

    return Damage(f"cut at {share:.1%}", truncate)


TABLES = (
    *("ablation_schema", "ablation_studies", "ablation_specs"),
    *("cells", "cell_contents", "attempts", "epochs"),
)
STUDY = "study small"
CELL = "cell {cell} of study small"
ATTEMPT = "attempt 1 of cell {cell} of study small"
NO_JSON = ("", "x", "{", '"text"', "null", "3", "[[1]]", b"\xff\xfe")

STUDIES = [
    *(row("ablation_studies", "factors", value, STUDY) for value in (*NO_JSON, "{}")),
    *(row("ablation_studies", "levels", value, STUDY) for value in (*NO_JSON, "[]", "{}")),
    *(row("ablation_studies", "claims", value, STUDY) for value in (*NO_JSON, "{}")),
    *(row("ablation_studies", "spec", value, STUDY) for value in (*NO_JSON, "[]", "{}")),
    *(row("ablation_studies", "replicates", value, STUDY) for value in (0, -1, "x", 1.5)),
    *(row("ablation_studies", "created", value, STUDY) for value in ("x", "2026-13-45", 7)),
    row("ablation_studies", "profile", b"c\xffpu", STUDY),
]
CELLS = [
    *(row("cells", "labels", value, CELL) for value in (*NO_JSON, "[]", "{}", '{"init":"he"}')),
    *(row("cells", "notes", value, CELL) for value in (*NO_JSON[:-1], "{}", b"[\xff]")),
    *(row("cells", "state", value, CELL) for value in ("complet:", "", b"\xffcomplete")),
    *(row("cells", "status", value, CELL) for value in ("bogus", "", None)),
    *(row("cells", "test_accuracy", value, CELL) for value in ("abc", 5, -0.1, 9e999)),
    row("cells", "best_validation_accuracy", 1.01, CELL),
    *(row("cells", "test_loss", value, CELL) for value in ("abc", b"\xff")),
    *(row("cells", "seconds", value, CELL) for value in ("x", -1)),
    *(row("cells", "n_test", value, CELL) for value in (0, "x", 1.5)),
    *(row("cells", "classes", value, CELL) for value in (0, -3)),
    *(row("cells", "epochs_budget", value, CELL) for value in (0, "x")),
    *(row("cells", "replicate", value, CELL) for value in (-1, "x")),
    *(row("cells", "run_order", value, CELL) for value in (-1, "x")),
    row("cells", "epochs_run", -1, CELL),
    row("cells", "detail", b"\xc3(", CELL),
]
ATTEMPTS = [
    *(row("attempts", "provenance", value, ATTEMPT) for value in (*NO_JSON, "[]")),
    row("attempts", "provenance", '{"versions":3}', ATTEMPT),
    *(row("attempts", "started", value, ATTEMPT) for value in ("x", "")),
    row("attempts", "ended", "yesterday", ATTEMPT),
    *(row("attempts", "state", value, ATTEMPT) for value in ("bogus", b"\xff")),
    row("attempts", "reason", "tired", ATTEMPT),
    row("attempts", "seconds", "x", ATTEMPT),
    row("attempts", "pid", "x", ATTEMPT),
    *(row("attempts", name, b"\xff", ATTEMPT) for name in ("worker", "device", "host", "log")),
    row("attempts", "number", 0, CELL),
]
EPOCHS = [
    row("epochs", column, value, f"epoch 2 of {CELL}", where="cell_id = 1 AND epoch = 2")
    for column, value in (("train_loss", "abc"), ("validation_accuracy", "x"), ("seconds", b"\xff"))
]
ROWS = [*STUDIES, *CELLS, *ATTEMPTS, *EPOCHS]
UNDECLARED = row("cells", "labels", '{"init":"zzz","optimizer":"sgd"}', CELL)
"""What the analysis alone refuses: labels may lag behind a study that is being planned anew."""

RENAMED = (("cells", "labels"), ("attempts", "worker"), ("ablation_studies", "spec"))
FILES = [
    *(statement(f"DROP TABLE {table}") for table in TABLES),
    *(statement(f"DELETE FROM {table}") for table in TABLES),
    *(statement(f"ALTER TABLE {table} RENAME COLUMN {name} TO other") for table, name in RENAMED),
    statement("UPDATE ablation_studies SET name = '' WHERE id = 1"),
    statement("UPDATE ablation_studies SET name = '../x' WHERE id = 1"),
    statement("UPDATE ablation_studies SET name = CAST(x'ff' AS TEXT) WHERE id = 1"),
    statement("UPDATE cells SET adopted_from = 999 WHERE id = 1"),
    statement("UPDATE cells SET cell = '' WHERE id = 1"),
    statement("INSERT INTO ablation_schema VALUES (2)"),
    statement("INSERT INTO epochs (cell_id, epoch) VALUES (12345, 1)"),
    *(flipped(seed) for seed in range(24)),
    *(zeroed(share) for share in (0.1, 0.3, 0.5, 0.7, 0.9)),
    *(cut(share) for share in (0.01, 0.5, 0.999)),
]
