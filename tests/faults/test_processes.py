"""Fault matrix, rows P1 to P7: processes are killed, stopped, hang or misbehave.

Everything here is real: `python -m runner grid` as a person starts it, its cell processes, a real
SQLite file. Each test asserts that every cell ended exactly once or failed with its named reason,
that nothing lives on, and that giving the command again is a no-op.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter

import psutil
import pytest
from sqlalchemy import select

from runner.content.outcome_files import write_outcome
from runner.store.database.tables import attempts
from tests.faults.harness import Bench, finish, specification, stopped, wait_until
from tests.store_contract.grids import outcome

pytestmark = [pytest.mark.fault, pytest.mark.both_databases]

INIT_AND_OPTIMIZER = 8
"""Cells of the unchanged specification: 2 levels x 2 levels x 2 replicates."""


def assert_rerun_is_a_no_op(bench: Bench, file, expected=0):
    before = bench.attempts()
    code, output = bench.run("grid", file, "--no-report")
    assert code == expected, output
    assert bench.attempts() == before


@pytest.mark.slow
def test_p1_ten_killed_cells_are_retrained_and_no_other(bench, tmp_path):
    file = specification(tmp_path, train={"epochs": 25}, replicates=3)
    run = bench.grid(file)
    rng = random.Random(0)
    killed = set()
    wait_until(bench.cell_processes)
    while sum(a["reason"] == "killed" for a in bench.attempts()) < 10:
        assert run.poll() is None, "the grid ended before ten of its cells were killed"
        time.sleep(rng.uniform(0, 0.3))  # at random in the life of a cell
        # Never a cell's third attempt: a third kill would rightly give it up.
        victims = [(bench.training(p), p) for p in bench.cell_processes()]
        victims = [(made, p) for made, p in victims if made is not None and made[1] <= 2]
        if victims:
            attempt, process = rng.choice(victims)
            process.kill()
            killed.add(attempt)
    code, output = finish(run)
    assert code == 0, output
    bench.assert_exact(12)
    repeated = {(a["cell"], a["attempt"]) for a in bench.attempts() if a["state"] != "complete"}
    assert repeated <= killed, "an attempt nobody killed did not complete"
    assert len(repeated) >= 10
    assert {a["reason"] for a in bench.attempts()} == {None, "killed"}
    assert_rerun_is_a_no_op(bench, file)


@pytest.mark.long
def test_p2_five_killed_runs_leave_no_orphan_and_cost_no_cell_an_attempt(bench, tmp_path):
    file = specification(tmp_path, train={"epochs": 25}, replicates=4)
    rng = random.Random(0)
    for _ in range(5):
        run = bench.grid(file)
        wait_until(bench.cell_processes)
        time.sleep(rng.uniform(0, 1))
        run.kill()
        run.wait()
        bench.assert_no_orphans(seconds=5)
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, output
    bench.assert_exact(16)
    assert [run["attempts"] for run in bench.runs()] == [1] * 16, "a lost run was counted"
    cut_short = [a for a in bench.attempts() if a["state"] != "complete"]
    assert {(a["state"], a["reason"]) for a in cut_short} == {("released", "lost")}
    assert_rerun_is_a_no_op(bench, file)


@pytest.mark.parametrize("seconds", [0.0, pytest.param(0.3, marks=pytest.mark.long)])
def test_p2_a_run_killed_while_its_fork_server_starts_leaves_no_orphan(bench, tmp_path, seconds):
    run = bench.grid(specification(tmp_path))
    wait_until(lambda: [p for p in bench.living() if "forkserver" in " ".join(p.cmdline())])
    time.sleep(seconds)
    run.kill()
    run.wait()
    bench.assert_no_orphans(seconds=5)


@pytest.mark.long
def test_p2_the_log_of_a_cell_whose_run_was_killed_is_shown(bench, tmp_path):
    file = specification(tmp_path, train={"epochs": 50})
    run = bench.grid(file)
    wait_until(lambda: [p for p in bench.cell_processes() if bench.training(p)])
    made = next(m for m in map(bench.training, bench.cell_processes()) if m)
    run.kill()
    run.wait()
    code, output = bench.run("show", made[0])
    assert code == 0, output
    (study,) = bench.store().studies()
    said = output.replace("\n", "")
    assert str(bench.results / study.name / "attempts" / f"{made[0]}-{made[1]}.log") in said


def test_p2_a_stopped_cell_process_dies_with_the_run(bench, tmp_path):
    """SIGSTOP, then the run is killed: only the kernel can end a process that is stopped."""
    file = specification(tmp_path, train={"epochs": 50})
    run = bench.grid(file)
    wait_until(lambda: bench.cell_processes())
    with stopped(bench.cell_processes()[0]):
        run.kill()
        run.wait()
        bench.assert_no_orphans()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGINT, 130, id="SIGINT"),
        pytest.param(signal.SIGTERM, 143, id="SIGTERM", marks=pytest.mark.long),
        pytest.param(signal.SIGHUP, 129, id="SIGHUP", marks=pytest.mark.long),
    ],
)
def test_p3_a_signal_puts_cells_back_and_the_same_command_continues(bench, tmp_path, number, code):
    file = specification(tmp_path, train={"epochs": 6})
    run = bench.grid(file)
    wait_until(lambda: bench.cell_processes())
    run.send_signal(number)
    ended, output = finish(run)
    assert ended == code, output
    assert "stopped by" in output
    assert f"{number.name}{', ' if number == signal.SIGINT else ' ('}{code})" in output
    bench.assert_no_orphans()
    states = Counter(r["state"] for r in bench.runs())
    assert states["running"] == 0
    assert states["waiting"] > 0
    ended, output = bench.run("grid", file, "--no-report")
    assert ended == 0, output
    bench.assert_exact(INIT_AND_OPTIMIZER)
    assert_rerun_is_a_no_op(bench, file)


@pytest.mark.long
def test_p3_a_second_signal_leaves_at_once_and_the_same_command_continues(bench, tmp_path):
    go = tmp_path / "go"
    waits = {"waits": {"until": str(go), "announce": str(tmp_path)}}
    file = specification(
        tmp_path, factors={"init": ["he", waits], "optimizer": ["adam", "sgd"]}, replicates=1
    )
    run = bench.grid(file)
    wait_until(lambda: sum(bool(bench.training(p)) for p in bench.cell_processes()) == 2)
    wait_until(lambda: sum(p.name.isdigit() for p in tmp_path.iterdir()) == 2)
    # Another program holds the database: the first signal's clean end cannot put the cells back.
    with bench.withheld():
        run.send_signal(signal.SIGINT)
        wait_until(lambda: not bench.cell_processes())
        assert run.poll() is None
        run.send_signal(signal.SIGINT)
        code, output = finish(run, 10)
    assert code == 130, output
    bench.assert_no_orphans()
    go.touch()
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, output
    bench.assert_exact(4)
    assert_rerun_is_a_no_op(bench, file)


def test_p5_a_stopped_cell_times_out_once_and_its_neighbours_go_on(bench, tmp_path):
    go = tmp_path / "go"
    file = specification(
        tmp_path,
        train={"time_limit": 8},
        factors={
            "init": ["he", {"waits": {"until": str(go), "announce": str(tmp_path)}}],
            "optimizer": ["adam", "sgd"],
        },
        replicates=1,
    )
    run = bench.grid(file, ABLATIONS_GRACE_SECONDS="1")
    wait_until(lambda: [p for p in tmp_path.iterdir() if p.name.isdigit()])
    pid = int(next(p.name for p in tmp_path.iterdir() if p.name.isdigit()))
    with stopped(psutil.Process(pid)):  # and continued past its deadline, if it were still there
        go.touch()
        wait_until(lambda: any(r["reason"] == "timeout" for r in bench.runs()))
    code, output = finish(run)
    assert code == 3, output
    bench.assert_exact(4, failed={"timeout": 1})
    (late,) = [a for a in bench.attempts() if a["state"] == "failed"]
    assert late["attempt"] == 1
    # What it would have left, had it written its outcome while it was being killed.
    token = bench.store().database.read(
        lambda connection: connection.scalar(
            select(attempts.c.token).where(attempts.c.state == "failed")
        )
    )
    (study,) = bench.store().studies()
    write_outcome(bench.results / study.name / "attempts", late["cell"], token, outcome())
    assert_rerun_is_a_no_op(bench, file, expected=3)
    bench.assert_exact(4, failed={"timeout": 1})


@pytest.mark.parametrize(
    ("level", "reason", "tries"),
    [
        ("exits_3", "bug", 1),
        pytest.param("leaves_silently", "bug", 1, marks=pytest.mark.long),
        ("segfaults", "killed", 3),
        pytest.param("is_killed", "killed", 3, marks=pytest.mark.long),
        pytest.param("lacks_memory", "oom", 2, marks=pytest.mark.long),
        ("lacks_device_memory", "oom", 2),
        ("fails_on_device", "cuda", 2),
        pytest.param("raises_unpicklable", "bug", 1, marks=pytest.mark.long),
        pytest.param("shouts", "bug", 1, marks=pytest.mark.long),
    ],
)
def test_p6_p7_p8_a_misbehaving_cell_fails_with_its_reason_and_the_rest_completes(
    bench, tmp_path, level, reason, tries
):
    """`lacks_device_memory` and `fails_on_device` raise what torch raises on CUDA: fakes."""
    file = specification(
        tmp_path, factors={"init": ["he", level], "optimizer": ["adam", "sgd"]}, replicates=1
    )
    code, output = bench.run("grid", file, "--no-report")
    assert code == 3, output
    bench.assert_exact(4, failed={reason: 2})
    failed = [r for r in bench.runs() if r["state"] == "failed"]
    assert [r["attempts"] for r in failed] == [tries, tries]
    assert all(r["detail"] for r in failed)
    assert_rerun_is_a_no_op(bench, file, expected=3)


def test_p6_an_endless_loop_ends_at_its_time_limit(bench, tmp_path):
    file = specification(
        tmp_path,
        train={"time_limit": 1},
        factors={"init": ["he", "loops"], "optimizer": ["adam", "sgd"]},
        replicates=1,
    )
    code, output = bench.run("grid", file, "--no-report", ABLATIONS_GRACE_SECONDS="1")
    assert code == 3, output
    bench.assert_exact(4, failed={"timeout": 2})


@pytest.mark.long
def test_p7_a_cell_killed_once_completes_at_its_second_attempt(bench, tmp_path):
    file = specification(
        tmp_path,
        factors={
            "init": ["he", {"is_killed_once": {"marker": str(tmp_path / "died")}}],
            "optimizer": ["adam", "sgd"],
        },
        replicates=1,
    )
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, output
    bench.assert_exact(4)
    assert sorted(r["attempts"] for r in bench.runs()) == [1, 1, 1, 2]
    (study,) = bench.store().studies()
    assert {a["provenance"]["spec"] for a in bench.attempts()} == {study.spec_digest}
