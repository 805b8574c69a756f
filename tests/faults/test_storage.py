"""Fault matrix, rows S3 to S6 and X1: databases locked or away, disks that fill, secrets."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.faults.harness import Bench, finish, specification, wait_until
from tests.postgres import PASSWORD, PostgresServer

pytestmark = pytest.mark.fault


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB, which a test may enlarge."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True
    )
    if done.returncode:
        pytest.skip(f"cannot mount a small file system: {done.stderr.decode()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as out, contextlib.suppress(OSError):
        while True:
            out.write(b"x" * 1024)


def test_s3_two_launchers_of_one_specification_share_it(bench, tmp_path):
    file = specification(tmp_path, replicates=3)
    first, second = bench.grid(file), bench.grid(file)
    codes = [finish(process) for process in (first, second)]
    assert [code for code, _ in codes] == [0, 0], codes
    bench.assert_exact(12)
    assert len(bench.attempts()) == 12


def test_s3_two_launchers_share_a_study_on_postgresql(postgres_bench, tmp_path):
    file = specification(tmp_path, replicates=3)
    first, second = postgres_bench.grid(file), postgres_bench.grid(file)
    codes = [finish(process) for process in (first, second)]
    assert [code for code, _ in codes] == [0, 0], codes
    postgres_bench.assert_exact(12)
    assert len(postgres_bench.attempts()) == 12


def test_s11_a_store_deleted_under_a_run_loses_no_outcome(bench, tmp_path):
    go = tmp_path / "go"
    waits = {"waits": {"until": str(go), "announce": str(tmp_path)}}
    fixed = {"augmentation": "none", "scheduler": "constant", "bn_placement": "before"}
    file = specification(
        tmp_path,
        factors={"init": ["he", "xavier", waits]},
        replicates=1,
        fixed={**fixed, "optimizer": "sgd"},
    )
    run = bench.grid(file, "--slots-per-device", 2)
    wait_until(lambda: [p for p in tmp_path.iterdir() if p.name.isdigit()] and bench.completed())
    told = {attempt["cell"] for attempt in bench.attempts() if attempt["state"] == "complete"}
    bench.forget()
    for left in tmp_path.glob("ablations.db*"):
        left.unlink()
    code, output = finish(run)
    assert code == 4, output
    assert f"stopped: the store {tmp_path}/ablations.db was deleted while it was in use" in output
    assert "Traceback" not in output
    bench.assert_no_orphans()
    go.touch()
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, output
    assert "what it held was kept" in output
    bench.assert_exact(3)
    again = [a["cell"] for a in bench.attempts() if a["cell"] in told]
    assert sorted(again) == sorted(told), "what was finished was not trained again"


HOLD_THE_LOCK = """
import sqlite3, sys, time
other = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
other.execute("BEGIN IMMEDIATE")
time.sleep(float(sys.argv[2]))
other.rollback()
"""


@pytest.mark.long
@pytest.mark.parametrize(
    "seconds",
    [
        7,  # longer than SQLite waits by itself
        70,  # longer than a lease and than one busy timeout
    ],
)
def test_s4_runs_wait_out_another_programs_write_lock(bench, tmp_path, seconds):
    """Everything as shipped: patience, leases, beats; two runs share the store meanwhile."""
    file = specification(tmp_path, train={"epochs": 16}, replicates=3)
    runs = [bench.grid(file, "--slots-per-device", 1) for _ in range(2)]
    wait_until(lambda: bench.cell_processes() and bench.completed())
    path = tmp_path / "ablations.db"
    code, output = finish(bench.program("-c", HOLD_THE_LOCK, path, seconds))
    assert code == 0, output
    assert any(run.poll() is None for run in runs), "the runs had ended before the lock"
    ended = [finish(run) for run in runs]
    assert [code for code, _ in ended] == [0, 0], ended
    bench.assert_exact(12)
    assert len(bench.attempts()) == 12, "a live run was taken for dead"
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, output
    assert len(bench.attempts()) == 12


IMPATIENT = """
import sys
from runner.commands import main
from runner.store import open_store
if __name__ == "__main__":  # the fork server imports this file as well
    open_store.__kwdefaults__["write_patience"] = 3.0
    sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.long
def test_s4_a_lock_that_outlasts_the_patience_is_one_clear_error(bench, tmp_path):
    """Stand-in for the shipped patience of five minutes: three seconds."""
    file = specification(tmp_path, train={"epochs": 16}, replicates=3)
    program = tmp_path / "impatient.py"
    program.write_text(IMPATIENT)
    run = bench.program(program, "grid", file, "--no-report", PYTHONPATH=".")
    wait_until(lambda: bench.cell_processes() and bench.completed())
    lock = bench.program("-c", HOLD_THE_LOCK, tmp_path / "ablations.db", 110)
    code, output = finish(run)
    assert code == 4, output
    assert f"stopped: the store {tmp_path}/ablations.db did not answer for 3 s" in output
    assert "database is locked" in output
    assert "Traceback" not in output
    assert lock.poll() is None, "the lock was gone before the run was"
    lock.kill()
    lock.wait()
    bench.assert_no_orphans()
    told = bench.completed()
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, output
    bench.assert_exact(12)
    assert told >= 1


@pytest.mark.parametrize(
    "seconds", [0, pytest.param(35, marks=[pytest.mark.slow, pytest.mark.long])]
)
def test_s5_a_database_that_crashes_mid_cell_gets_the_result_in_the_end(
    postgres_bench: Bench, postgres_server: PostgresServer, tmp_path, seconds
):
    """It refuses connections until an outcome waits to be told, and for `seconds` at least."""
    go = tmp_path / "go"
    waits = {"waits": {"until": str(go), "announce": str(tmp_path)}}
    file = specification(
        tmp_path, factors={"init": ["he", waits], "optimizer": ["adam", "sgd"]}, replicates=1
    )
    run = postgres_bench.grid(file)
    wait_until(lambda: [p for p in tmp_path.iterdir() if p.name.isdigit()])
    postgres_server.stop(signal.SIGQUIT)  # "immediate": a crash, sessions are cut
    go.touch()  # the cell finishes while no database answers
    wait_until(lambda: list(postgres_bench.results.rglob("*.outcome.json")))
    time.sleep(seconds)
    postgres_server.start()
    code, output = finish(run)
    assert code == 0, output
    postgres_bench.assert_exact(4)
    assert len(postgres_bench.attempts()) == 4, "nothing was retrained"


@pytest.mark.slow
def test_s6_a_full_results_disk_stops_the_run_and_loses_nothing(bench, tmp_path, small_disk):
    file = specification(tmp_path)
    filler = small_disk / "filler"
    run_results = small_disk / "results"
    run_results.mkdir()
    fill(filler)
    code, output = bench.run("grid", file, "--no-report", ABLATIONS_RESULTS=str(run_results))
    assert code == 4, output
    assert "Traceback" not in output
    assert "stopped" in output
    assert "No space" in output or "no more files" in output
    filler.unlink()
    code, output = bench.run("grid", file, "--no-report", ABLATIONS_RESULTS=str(run_results))
    assert code == 0, output
    bench.assert_exact(8)


def fill_up_and_continue(
    bench: Bench,
    folder: Path,
    filler: Path,
    replicates: int,
    enlarge: Callable[[], None] = lambda: None,
) -> None:
    """Run, fill the disk, ask for so many replicates in vain, make room, run again."""

    def grid(replicates: int) -> tuple[int, str]:
        return bench.run("grid", specification(folder, replicates=replicates), "--no-report")

    code, output = grid(1)
    assert code == 0, output
    fill(filler)
    code, output = grid(replicates)
    assert code == 4, output
    assert "no space left" in output.lower()
    assert "Traceback" not in output
    filler.unlink()
    enlarge()
    code, output = grid(2)
    assert code == 0, output
    bench.assert_exact(8)


@pytest.mark.long
def test_s6_a_full_store_disk_is_one_clear_sentence_and_the_run_continues_later(
    tmp_path, small_disk
):
    bench = Bench(tmp_path, f"sqlite:///{small_disk}/ablations.db")
    try:
        subprocess.run(["mount", "-o", "remount,size=2m", str(small_disk)], check=True)

        def enlarge() -> None:
            subprocess.run(["mount", "-o", "remount,size=32m", str(small_disk)], check=True)

        fill_up_and_continue(bench, tmp_path, small_disk / "filler", 40, enlarge)
    finally:
        bench.close()


@pytest.mark.long
def test_s6_a_full_disk_of_the_server_is_one_clear_sentence_and_the_run_continues_later(
    tmp_path, postgres_server
):
    """The database lies on a small disk of its own; the server's log of changes does not."""
    folder = Path(tempfile.mkdtemp(prefix="small"))  # the server may not look into tmp_path
    options = "size=24m,mode=0777"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)])
    if mounted.returncode:
        pytest.skip("NOT TESTED: mounting a small file system needs root")
    bench = Bench(tmp_path, postgres_server.url("small"))
    try:
        (folder / "data").mkdir()
        (folder / "data").chmod(0o700)
        if os.geteuid() == 0:
            os.chown(folder / "data", 65534, -1)
        postgres_server.execute(f"CREATE TABLESPACE small LOCATION '{folder}/data'")
        postgres_server.execute("CREATE DATABASE small TABLESPACE small")
        fill_up_and_continue(bench, tmp_path, folder / "filler", replicates=400)
    finally:
        bench.close()
        postgres_server.execute("DROP DATABASE IF EXISTS small WITH (FORCE)")
        postgres_server.execute("DROP TABLESPACE IF EXISTS small")
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


CHECKPOINTS = {"epochs": 3, "checkpoint_epochs": 1}


@pytest.mark.slow
def test_s6_a_disk_with_no_room_for_a_checkpoint_lets_the_cells_go_on(bench, tmp_path, small_disk):
    file = specification(tmp_path, train=CHECKPOINTS, replicates=1)
    filler = small_disk / "filler"
    fill(filler)
    os.truncate(filler, filler.stat().st_size - 64 * 1024)  # room for a log and an outcome a cell
    run_results = small_disk / "results"
    run_results.mkdir()
    options = ("--no-report", "--slots-per-device", 1)
    code, output = bench.run("grid", file, *options, ABLATIONS_RESULTS=str(run_results))
    assert code == 0, output
    bench.assert_exact(4)
    note = "a checkpoint could not be written: No space left on device"
    assert [run["notes"] for run in bench.runs()] == [[note]] * 4
    assert [a["state"] for a in bench.attempts()] == ["complete"] * 4
    logs = [Path(a["log"]).read_text() for a in bench.attempts()]
    assert all("training goes on" in text for text in logs)
    assert not list((run_results).rglob("*.pt*")), "a half-written checkpoint was left"


@pytest.mark.long
def test_s6_checkpoints_that_fill_the_stores_own_disk_lose_nothing(tmp_path, small_disk):
    """Store and results side by side, as by default: whoever writes next meets the full disk."""
    path = small_disk / "ablations.db"
    bench = Bench(tmp_path, f"sqlite:///{path}")
    results = {"ABLATIONS_RESULTS": str(small_disk / "results")}
    (small_disk / "results").mkdir()
    try:
        subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
        first = specification(tmp_path, train=CHECKPOINTS, replicates=1)
        code, output = bench.run("grid", first, "--no-report", **results)
        assert code == 0, output
        filler = small_disk / "filler"
        fill(filler)
        os.truncate(filler, filler.stat().st_size - 64 * 1024)
        more = specification(tmp_path, train=CHECKPOINTS, replicates=3)
        code, output = bench.run("grid", more, "--no-report", **results)
        assert code in (0, 4), output
        assert ("stopped: " in output or "error: no space left" in output) == (code == 4), output
        assert "Traceback" not in output
        bench.assert_no_orphans()
        filler.unlink()
        with contextlib.closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        code, output = bench.run("grid", more, "--no-report", **results)
        assert code == 0, output
        bench.assert_exact(12)
        before = bench.attempts()
        code, output = bench.run("grid", more, "--no-report", **results)
        assert code == 0, output
        assert bench.attempts() == before
    finally:
        bench.close()


def test_x1_the_password_is_in_no_log_argument_or_file(postgres_bench: Bench, tmp_path):
    """The tests' PostgreSQL has a password with `{`, `%`, `@`, a quote, a colon and a slash."""
    file = specification(
        tmp_path,
        replicates=1,
        factors={
            "init": ["he", "raises_unpicklable"],
            "optimizer": ["adam", "sgd"],
        },
    )
    run = postgres_bench.grid(file)
    commands = []

    def look() -> bool:
        for process in postgres_bench.living():
            with contextlib.suppress(psutil.NoSuchProcess):  # it may end meanwhile
                commands.append(" ".join(process.cmdline()))
        return run.poll() is not None

    wait_until(look)
    code, output = finish(run)
    assert code == 3, output
    quoted = postgres_bench.storage.partition("://")[2].partition("@")[0].partition(":")[2]
    told = [output, *commands]
    told += [postgres_bench.run(verb)[1] for verb in ("status",)]
    told += [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    for text in told:
        assert PASSWORD not in text
        assert quoted not in text


@pytest.mark.long  # the store waits half a minute for its server
def test_x1_an_unreachable_server_is_named_without_its_password(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    bench = Bench(tmp_path, "postgresql://someone:s3cr3t%7B@127.0.0.1:1/none")
    try:
        code, output = bench.run("status")
        assert code == 4, output
        assert "127.0.0.1" in output
        assert "s3cr3t" not in output
        assert "Traceback" not in output
    finally:
        bench.close()
