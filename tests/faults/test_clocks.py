"""Fault matrix, row S9: clocks that jump, daylight saving that begins and ends, many time zones.

The wall clock of real runs and their cell processes is moved by a small preloaded library
(`clock.c`, built here by the C compiler): only root could set the machine's, for everybody on it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from runner.optuna_mirror.mirror import load_study
from tests.faults.harness import Bench, finish, specification, wait_until

pytestmark = [pytest.mark.fault, pytest.mark.slow]

LEASE = 4
"""Seconds: short, so that every lease is judged several times while a test holds a cell."""

BEATS = 16
"""Beats in more than a whole lease: a worker beats twelve times a lease."""


LONG = pytest.mark.long
ON_SQLITE_FIRST = ["sqlite", pytest.param("postgresql", marks=LONG)]
ON_POSTGRESQL_FIRST = [pytest.param("sqlite", marks=LONG), "postgresql"]


@pytest.fixture
def any_bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A bench on the database that the test is parametrised with."""
    url = (
        f"sqlite:///{tmp_path}/ablations.db"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    made = Bench(tmp_path, url)
    yield made
    made.close()


@pytest.fixture(scope="session")
def movable_clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that adds an offset to the wall clock."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("moving the clock of a process needs a C compiler and Linux")
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    return library


def held_cells(folder: Path) -> tuple[Path, dict[str, object]]:
    """Where the file goes that lets the cells go on, and factors half of whose cells wait for it.

    Both launchers get such a cell: each has a slot that is not waiting only while another is.
    """
    go = folder / "go"
    here = folder / "here"
    here.mkdir()
    waits = {"waits": {"until": str(go), "announce": str(here)}}
    return go, {"init": [waits, "he"], "optimizer": ["adam", "sgd"]}


def announced(folder: Path) -> int:
    return len(list((folder / "here").iterdir()))


def beats(bench: Bench) -> dict[str, int]:
    """Beats of each lease that is held."""
    with bench.store().database.engine.connect() as connection:
        rows = connection.execute(text("SELECT token, beats FROM cells WHERE state = 'running'"))
        return {row.token: row.beats for row in rows}


def hold_for_a_lease(bench: Bench) -> None:
    """Return when every lease held now was renewed for longer than a lease, and is held still."""
    before = beats(bench)

    def beaten() -> bool:
        now = beats(bench)
        assert before.keys() <= now.keys(), "a living lease was taken away"
        return all(now[token] >= count + BEATS for token, count in before.items())

    wait_until(beaten)


def jump(offset: Path, seconds: int) -> None:
    """Move the clock of the processes that read this file."""
    with offset.open("r+b") as file:
        file.write(seconds.to_bytes(8, sys.byteorder, signed=True))


@pytest.mark.long
@pytest.mark.parametrize("any_bench", ON_SQLITE_FIRST, indirect=True)
def test_s9_clocks_that_jump_an_hour_either_way_lose_no_lease(any_bench, tmp_path, movable_clock):
    bench = any_bench
    go, factors = held_cells(tmp_path)
    file = specification(tmp_path, factors=factors, replicates=2)
    offsets = [tmp_path / name for name in ("one.clock", "other.clock")]
    began = time.monotonic()
    runs = []
    for offset in offsets:
        offset.write_bytes(bytes(8))
        clock = {"LD_PRELOAD": str(movable_clock), "CLOCK_OFFSET": str(offset)}
        options = ("--slots-per-device", 1)
        lease = {"ABLATIONS_LEASE_SECONDS": str(LEASE)}
        runs.append(bench.grid(file, *options, **lease, **clock))
    wait_until(lambda: announced(tmp_path) == 2)  # each launcher trains one
    for hours in (1, 0, -1):
        jump(offsets[0], 3600 * hours)
        jump(offsets[1], -3600 * hours)
        hold_for_a_lease(bench)
    go.touch()
    ended = [finish(run) for run in runs]
    elapsed = time.monotonic() - began
    assert [code for code, _ in ended] == [0, 0], ended
    bench.assert_exact(8)
    attempts = bench.attempts()
    assert len(attempts) == 8, "nothing was lost or trained twice"
    calendar = [(a["ended"] - a["started"]).total_seconds() for a in attempts]
    if bench.storage.startswith("sqlite"):
        assert max(calendar) > 3000, "no process saw the clock go forward"
        assert min(calendar) < -3000, "no process saw the clock go back"
    else:
        assert all(0 <= seconds < elapsed for seconds in calendar), "the server's clock is used"
    assert all(0 < a["seconds"] < elapsed for a in attempts)
    rows = bench.store().curves(bench.store().studies()[0])
    assert all(0 < seconds < elapsed for seconds in rows["seconds"])
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, output
    assert "nothing to do" in output


def zone_that_changes(switch: float, begins: bool) -> str:
    """A POSIX time zone whose daylight saving begins, or ends, at that moment."""
    day = time.gmtime(switch).tm_yday - 1
    of_day = int(switch) % 86400
    if not begins:
        of_day += 3600  # rules are in local time, which was an hour ahead until then
    clock = f"{of_day // 3600}:{of_day // 60 % 60:02d}:{of_day % 60:02d}"
    now, half_a_year_later = f"{day}/{clock}", f"{(day + 180) % 365}/2"
    first, second = (now, half_a_year_later) if begins else (half_a_year_later, now)
    return f"WINTER0SUMMER-1,{first},{second}"


@pytest.mark.long
@pytest.mark.parametrize("any_bench", ON_POSTGRESQL_FIRST, indirect=True)
def test_s9_daylight_saving_changes_under_sessions_in_three_zones(any_bench, tmp_path):
    bench = any_bench
    go, factors = held_cells(tmp_path)
    file = specification(tmp_path, factors=factors, replicates=2)
    began = datetime.now(UTC)
    switch = time.time() + 10
    zones = [
        zone_that_changes(switch, begins=True),
        zone_that_changes(switch, begins=False),
        "Australia/Lord_Howe",
    ]
    runs = [
        bench.grid(
            file, "--slots-per-device", 1, TZ=zone, PGTZ=zone, ABLATIONS_LEASE_SECONDS=str(LEASE)
        )
        for zone in zones
    ]
    wait_until(lambda: announced(tmp_path) == 3)
    wait_until(lambda: time.time() > switch)
    hold_for_a_lease(bench)
    go.touch()
    ended = [finish(run) for run in runs]
    assert [code for code, _ in ended] == [0, 0, 0], ended
    bench.assert_exact(8)
    attempts = bench.attempts()
    assert len(attempts) == 8, "nothing was lost or trained twice"
    for attempt in attempts:
        assert began <= attempt["started"] <= attempt["ended"] <= datetime.now(UTC)
        assert 0 < attempt["seconds"] < (datetime.now(UTC) - began).total_seconds()
    study = bench.store().studies()[0]
    trials = load_study(bench.store(), study).trials
    assert {
        (t.datetime_start.astimezone(UTC), t.datetime_complete.astimezone(UTC)) for t in trials
    } == {(a["started"], a["ended"]) for a in attempts}
    code, output = bench.run("grid", file, "--no-report", TZ="Asia/Tokyo")
    assert code == 0, output
    assert "nothing to do" in output


@pytest.mark.parametrize("begins", [True, False])
def test_s9_the_zone_of_this_test_changes_when_it_says(begins):
    switch = int(time.time()) + 1000
    program = "import sys, time; print(*(time.localtime(int(at)).tm_isdst for at in sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", program, str(switch - 1), str(switch)],
        env={"TZ": zone_that_changes(switch, begins)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == (["0", "1"] if begins else ["1", "0"])
