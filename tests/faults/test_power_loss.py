"""Fault matrix, row S7: the power fails, and what no fsync had covered may be gone.

A grid runs once under `strace`; then its folder is rebuilt as a power cut at many moments may leave
it, and each time the store must open whole and know every cell that was told as complete.
"""

from __future__ import annotations

import contextlib
import random
import re
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.store import open_store
from tests.faults.harness import Bench, finish, specification
from tests.faults.power_loss import Recording, can_trace, prefix

pytestmark = [pytest.mark.fault, pytest.mark.slow]

TOLD = re.compile(r" *\d+/\d+  replicate (\d+)  (.*?)  (?:learned|reached|short|stalled|diverged) ")
"""The line in which a run tells a person that a cell is complete."""

OUTCOME = r"([0-9a-f]{16})-[0-9a-f]{32}\.outcome\.json"


@pytest.fixture(scope="module", autouse=True)
def tracing() -> None:
    if why := can_trace():
        pytest.skip(f"NO POWER LOSS IS REPLAYED, {why}")


@dataclass
class Recorded:
    """A whole run on record, and what it promised: moments from which a cell must not be lost."""

    recording: Recording
    file: Path
    accuracy: dict[str, float]  # of each cell, in the end
    told: list[tuple[int, str]]  # printed as complete
    trained: list[tuple[int, str]]  # the outcome file lay synced in its folder


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, tracing: None) -> Iterator[Recorded]:
    folder = tmp_path_factory.mktemp("recorded")
    disk = folder / "disk"
    disk.mkdir()
    bench = Bench(disk, f"sqlite:///{disk}/ablations.db")
    file = specification(folder)
    log = folder / "calls"
    words = ("-m", "runner", "grid", file, "--no-report")
    code, output = finish(bench.program(*words, prefix=(*prefix(log), sys.executable)))
    assert code == 0, output
    recording = Recording(log, disk)
    whole = folder / "whole"
    recording.crash(recording.moments()[-1], whole, None, keep=True)
    for path in (path for path in whole.rglob("*") if path.is_file()):
        there = disk / path.relative_to(whole)
        assert path.read_bytes() == there.read_bytes(), f"{there} was not recorded faithfully"
    assert (whole / "ablations.db").is_file()
    runs = bench.runs()
    names = {
        (str(run["replicate"]), f"{run['factor:init']} · {run['factor:optimizer']}"): run["cell"]
        for run in runs
    }
    found = [(when, TOLD.match(line)) for when, line in recording.printed]
    told = [(when, names[line.groups()]) for when, line in found if line is not None]
    trained = [(when, name[:16]) for when, name in recording.kept_from(OUTCOME)]
    assert sorted(cell for _, cell in told) == sorted(run["cell"] for run in runs)
    assert sorted(cell for _, cell in trained) == sorted(run["cell"] for run in runs)
    yield Recorded(recording, file, {r["cell"]: r["test_accuracy"] for r in runs}, told, trained)
    bench.close()


def after_power_loss(recorded: Recorded, moment: int, disk: Path) -> set[str]:
    """What the store makes of the disk; returns the complete cells."""
    path = disk / "ablations.db"
    with open_store(str(path), create=True) as store:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        studies = store.studies()
        if not studies or not store.status(studies[0]).planned:
            return set()
        (study,) = studies
        (attempts,) = (disk / "results").rglob("attempts") or [disk / "none"]
        store.reconcile(study, attempts)
        runs = store.runs(study)
        assert len(runs) == len(recorded.accuracy)
        assert {run["state"] for run in runs} <= {"waiting", "complete"}
        complete = {r["cell"]: r["test_accuracy"] for r in runs if r["state"] == "complete"}
        assert complete.items() <= recorded.accuracy.items(), "an outcome changed"
        ends = Counter(a["cell"] for a in store.attempts(study) if a["state"] == "complete")
        assert ends == Counter(complete.keys()), "a cell was completed twice"
        return set(complete)


def crash_points(recorded: Recorded, count: int | None) -> list[int]:
    """All moments, or `count` of them: each promise's own and others by chance."""
    moments = recorded.recording.moments()
    if count is None:
        return moments
    promises = [when for when, _ in (*recorded.told, *recorded.trained)]
    return sorted({*promises, *random.Random(0).sample(moments, count)})


@pytest.mark.parametrize(
    "count", [24, pytest.param(None, marks=[pytest.mark.long, pytest.mark.timeout(3600)])]
)
def test_s7_no_power_cut_loses_what_was_told_or_trained(recorded, tmp_path, count):
    for number, moment in enumerate(crash_points(recorded, count)):
        for what in ("synced", "written", "chance"):
            disk = tmp_path / f"{number} {what}"
            dice = random.Random(moment) if what == "chance" else None
            recorded.recording.crash(moment, disk, dice, keep=what == "written")
            complete = after_power_loss(recorded, moment, disk)
            promised = {c for when, c in (*recorded.told, *recorded.trained) if when <= moment}
            assert promised <= complete, f"lost at moment {moment}, {what}"
            shutil.rmtree(disk)


def test_s7_a_grid_continues_exactly_after_a_power_cut(recorded, tmp_path):
    middle = recorded.told[len(recorded.told) // 2][0]
    recorded.recording.crash(middle, tmp_path, random.Random(1), keep=False)
    bench = Bench(tmp_path, f"sqlite:///{tmp_path}/ablations.db")
    try:
        code, output = bench.run("grid", recorded.file, "--no-report")
        assert code == 0, output
        bench.assert_exact(len(recorded.accuracy))
        assert {r["cell"]: r["test_accuracy"] for r in bench.runs()} == recorded.accuracy
    finally:
        bench.close()


COMMITS = """
import sqlite3, sys
store = sqlite3.connect(sys.argv[1], isolation_level=None)
store.execute("PRAGMA journal_mode=WAL")
store.execute("PRAGMA synchronous=" + sys.argv[2])
store.execute("CREATE TABLE told (n INTEGER)")
for n in range(10):
    store.execute("INSERT INTO told VALUES (?)", (n,))
    print(f"told {n}", flush=True)
"""


@pytest.mark.parametrize(("synchronous", "loses"), [("FULL", False), ("NORMAL", True)])
def test_the_replay_finds_what_a_weaker_setting_loses(bench, tmp_path, synchronous, loses):
    """SQLite's usual setting beside a write-ahead log acknowledges what a power cut takes away."""
    disk = tmp_path / "disk"
    disk.mkdir()
    log = tmp_path / "calls"
    words = ("-c", COMMITS, disk / "told.db", synchronous)
    code, output = finish(bench.program(*words, prefix=(*prefix(log), sys.executable)))
    assert code == 0, output
    recording = Recording(log, disk)
    lost = 0
    for moment, line in recording.printed:
        left = tmp_path / f"{moment}"
        recording.crash(moment, left, None, keep=False)
        with contextlib.closing(sqlite3.connect(left / "told.db")) as connection:
            try:
                rows = connection.execute("SELECT n FROM told").fetchall()
            except sqlite3.OperationalError:  # not even the table is there
                rows = []
        lost += (int(line.split()[1]),) not in rows
    assert len(recording.printed) == 10
    assert bool(lost) is loses
