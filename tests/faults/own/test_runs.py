"""The run around foreign cells is killed, stopped, given twice, continued elsewhere."""

from __future__ import annotations

import signal
from collections import Counter

import psutil
import pytest

from tests.faults.harness import finish, stopped, wait_until
from tests.faults.own.study import KINDS, QUICKLY, specification

pytestmark = [pytest.mark.fault, pytest.mark.parametrize("kind", KINDS)]


@pytest.fixture
def place(tmp_path):
    """Where cells announce themselves, what lets them go on, and the environment with both."""
    announced, go = tmp_path / "announced", tmp_path / "go"
    announced.mkdir()
    return announced, go, {**QUICKLY, "ANNOUNCE": str(announced), "GO": str(go)}


def begun(announced):
    """Process ids of the cells that have announced themselves."""
    return [int(one.name) for one in announced.iterdir() if one.name.isdigit()]


def completes(bench, file, cells, environment):
    code, output = bench.run("grid", file, "--no-report", **environment)
    assert code == 0, output
    bench.assert_exact(cells)
    before = bench.attempts()
    assert bench.run("grid", file, "--no-report", **environment)[0] == 0
    assert bench.attempts() == before


@pytest.mark.parametrize(
    "way",
    [
        "waits_with_a_child",
        pytest.param("waits", marks=pytest.mark.long),
        pytest.param("ignores_sigterm", marks=pytest.mark.long),
    ],
)
def test_a_killed_run_leaves_no_orphan_and_costs_no_attempt(bench, tmp_path, place, kind, way):
    announced, go, environment = place
    file = specification(tmp_path, kind, [way, "plain"])
    run = bench.grid(file, **environment)
    wait_until(lambda: len(begun(announced)) == 2)
    run.kill()
    run.wait()
    bench.assert_no_orphans(seconds=10)
    go.touch()
    completes(bench, file, 4, environment)
    assert [one["attempts"] for one in bench.runs()] == [1] * 4


def test_a_stopped_cell_dies_with_the_run(bench, tmp_path, place, kind):
    """SIGSTOP of all its processes, then the run is killed: only the kernel can end them."""
    announced, _, environment = place
    file = specification(tmp_path, kind, ["waits", "plain"])
    run = bench.grid(file, **environment)
    wait_until(lambda: len(begun(announced)) == 2)
    group = [p for p in bench.cell_processes() for p in (p, *p.children())]
    assert {process.pid for process in group} >= set(begun(announced))
    for process in group:
        process.send_signal(signal.SIGSTOP)
    run.kill()
    run.wait()
    bench.assert_no_orphans(seconds=10)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGINT, 130, id="SIGINT"),
        pytest.param(signal.SIGTERM, 143, id="SIGTERM", marks=pytest.mark.long),
    ],
)
def test_a_signal_puts_cells_back_after_they_could_tidy_up(
    bench, tmp_path, place, kind, number, code
):
    announced, go, environment = place
    file = specification(tmp_path, kind, ["tidies_up", "plain"])
    run = bench.grid(file, **(environment | {"ABLATIONS_TERM_SECONDS": "30"}))
    wait_until(lambda: len(begun(announced)) == 2)
    run.send_signal(number)
    ended, output = finish(run)
    assert ended == code, output
    bench.assert_no_orphans()
    assert (announced / "tidied").exists()
    assert Counter(one["state"] for one in bench.runs())["running"] == 0
    go.touch()
    completes(bench, file, 4, environment)
    assert [one["attempts"] for one in bench.runs()] == [1] * 4


def test_a_deaf_cell_is_killed_after_a_signal(bench, tmp_path, place, kind):
    announced, _, environment = place
    file = specification(tmp_path, kind, ["ignores_sigterm", "plain"])
    run = bench.grid(file, **environment)
    wait_until(lambda: len(begun(announced)) == 2)
    run.send_signal(signal.SIGINT)
    ended, output = finish(run, 60)
    assert ended == 130, output
    bench.assert_no_orphans()


def test_two_runs_share_a_study(bench, tmp_path, place, kind):
    announced, go, environment = place
    file = specification(tmp_path, kind, ["waits", "plain"], replicates=3)
    runs = [bench.grid(file, "--slots-per-device", 1, **environment) for _ in range(2)]
    wait_until(lambda: len(begun(announced)) == 2)
    go.touch()
    for run in runs:
        code, output = finish(run)
        assert code == 0, output
    bench.assert_exact(12)
    assert len({one["worker"] for one in bench.attempts()}) == 2


def test_a_cell_killed_from_outside_is_tried_again(bench, tmp_path, place, kind):
    announced, go, environment = place
    file = specification(tmp_path, kind, ["waits", "plain"])
    run = bench.grid(file, **environment)
    wait_until(lambda: len(begun(announced)) == 2)
    psutil.Process(begun(announced)[0]).kill()
    go.touch()
    code, output = finish(run)
    assert code == 0, output
    bench.assert_exact(4)
    assert sorted(one["attempts"] for one in bench.runs()) == [1, 1, 1, 2]


def test_a_stopped_cell_times_out(bench, tmp_path, place, kind):
    announced, go, environment = place
    file = specification(tmp_path, kind, ["waits", "plain"], train={"time_limit": 2})
    run = bench.grid(file, "--slots-per-device", 1, **environment)
    wait_until(lambda: len(begun(announced)) == 1)
    with stopped(psutil.Process(begun(announced)[0])):
        go.touch()
        wait_until(lambda: any(one["reason"] == "timeout" for one in bench.runs()))
    code, output = finish(run)
    assert code == 3, output
    bench.assert_exact(4, failed={"timeout": 1})
