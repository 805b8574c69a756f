"""Raw files of the doctor's benchmarks: a line each measurement, so that a stopped run goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.machine import commit, in_words, machine, version_of

FOLDER = Path("results/benchmarks")

Row = dict[str, Any]


def read(raw: Path) -> list[Row]:
    """All rows; none where there is no file yet."""
    if not raw.exists():
        return []
    return [json.loads(line) for line in raw.read_text("utf-8").splitlines()]


def append(raw: Path, row: Row) -> None:
    """One more row."""
    with raw.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def stamp(*packages: str) -> Row:
    """What a row was measured on: commit, machine, versions of packages."""
    return {
        "commit": commit(), "machine": in_words(machine()),
        "versions": {name: version_of(name) for name in packages},
    }  # fmt: skip


def measured_on(rows: Sequence[Row]) -> str:
    """The stamps of rows in words, each once."""
    versions = sorted({f"{n} {v}" for row in rows for n, v in row["versions"].items()})
    machines = sorted({row["machine"] for row in rows})
    commits = sorted({row["commit"] for row in rows})
    return f"{'; '.join(machines)}. {', '.join(versions)}. Commit {', '.join(commits)}."


class Clock:
    """Seconds since it was made: of the wall, and of this process on its cores."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def spent(self) -> Row:
        """{"seconds": of the wall, "cpu": of the cores}."""
        return {
            "seconds": round(time.perf_counter() - self._wall, 1),
            "cpu": round(time.process_time() - self._cpu, 2),
        }
