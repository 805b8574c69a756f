"""Slots on a cluster: a real Dask LocalCluster with two worker processes, and PostgreSQL."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from runner.pool.cluster import Place, cluster_places
from tests.faults.harness import Bench, finish, specification, wait_until
from tests.postgres import PASSWORD

pytestmark = pytest.mark.fault

CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    cluster = LocalCluster(
        n_workers=int(sys.argv[1]), threads_per_worker=1, processes=True, dashboard_address=None,
        resources={"GPU": 1}, host="127.0.0.1",
    )
    print(cluster.scheduler_address, flush=True)
    for line in sys.stdin:
        cluster.scale(int(line))
"""


@dataclass
class Cluster:
    """A scheduler and its workers, in a process of their own."""

    process: subprocess.Popen[str]
    address: str

    def scale(self, workers: int) -> None:
        """Ask for so many workers."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{workers}\n")
        self.process.stdin.flush()


@pytest.fixture
def start_cluster(postgres_bench: Bench, tmp_path: Path) -> Callable[[int], Cluster]:
    """The workers' environment names the store, as on a real cluster."""

    def start(workers: int) -> Cluster:
        program = tmp_path / "cluster.py"
        program.write_text(CLUSTER)
        started = postgres_bench.program(program, workers, stay_open=True)
        assert started.stdout is not None
        return Cluster(started, started.stdout.readline().strip())

    return start


def slots(bench: Bench) -> list[psutil.Process]:
    """The `work` processes that the cluster's workers have started."""
    return [p for p in bench.living() if {"runner", "work"} <= _words(p)]


def _words(process: psutil.Process) -> set[str]:
    """Of its command; none of one that ends while it is asked."""
    try:
        return set(process.cmdline())
    except psutil.NoSuchProcess:
        return set()


def assert_all_is_done_and_nobody_works(bench: Bench, cells: int) -> None:
    runs = bench.runs()
    assert Counter(r["state"] for r in runs) == {"complete": cells}
    complete = [a["cell"] for a in bench.attempts() if a["state"] == "complete"]
    assert sorted(complete) == sorted(r["cell"] for r in runs), "a cell was completed twice"
    wait_until(lambda: not slots(bench) and not bench.cell_processes(), 10)


@pytest.mark.long
def test_a_grid_on_dask_survives_a_worker_killed_mid_cell(postgres_bench, start_cluster, tmp_path):
    bench = postgres_bench
    cluster = start_cluster(2)
    file = specification(tmp_path, replicates=6, train={"epochs": 60})
    options = ("--backend", "dask", "--scheduler", cluster.address)
    run = bench.grid(file, *options)
    wait_until(lambda: sum(bool(bench.training(p)) for p in bench.cell_processes()) == 2)
    commands = [" ".join(p.cmdline()) for p in slots(bench)]
    assert len(commands) == 2
    assert not any(PASSWORD in one or "postgresql://" in one for one in commands)
    killed = slots(bench)[0]
    worker = killed.parent()
    assert worker is not None
    worker.kill()
    wait_until(lambda: len({a["pid"] for a in bench.attempts()}) == 3)  # Dask's new worker's place
    code, output = finish(run, 240)
    assert code == 0, output
    assert_all_is_done_and_nobody_works(bench, 24)
    attempts = bench.attempts()
    cut_short = [a for a in attempts if a["state"] != "complete"]
    assert [a["pid"] for a in cut_short] == [killed.pid], "only the killed worker's cell repeats"
    code, output = finish(bench.grid(file, *options))
    assert code == 0, output
    assert bench.attempts() == attempts


@pytest.mark.long
def test_workers_that_come_late_get_places_and_ctrl_c_ends_them_all(
    postgres_bench, start_cluster, tmp_path
):
    bench = postgres_bench
    cluster = start_cluster(1)
    backend = {"kind": "dask", "scheduler": cluster.address}  # in the file, not an option
    file = specification(tmp_path, replicates=2, train={"epochs": 200}, backend=backend)
    run = bench.grid(file)
    wait_until(lambda: len(slots(bench)) == 1)
    cluster.scale(2)
    wait_until(lambda: sum(bool(bench.training(p)) for p in bench.cell_processes()) == 2)
    run.send_signal(signal.SIGINT)
    code, output = finish(run)
    assert code == 130, output
    assert "Traceback" not in output
    wait_until(lambda: not slots(bench) and not bench.cell_processes(), 30)
    states = Counter(r["state"] for r in bench.runs())
    assert states["running"] == 0
    assert states["waiting"] > 0


@pytest.mark.slow
def test_what_the_workers_cannot_use_is_said_once(postgres_bench, start_cluster, tmp_path):
    """The specification's plugin is not on the workers' disk: `work` refuses it there."""
    bench = postgres_bench
    cluster = start_cluster(1)
    options = ("--backend", "dask", "--scheduler", cluster.address, "--devices", "nonsense")
    code, output = finish(bench.grid(specification(tmp_path), *options))
    assert code == 2, output
    assert "nonsense" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        ([{"nthreads": 3}], {Place(): 3}),
        ([{"nthreads": 4, "resources": {"GPU": 1}}] * 2, {Place(1): 2}),
        ([{"nthreads": 4, "resources": {"GPU": 4}}, {"nthreads": 2}], {Place(4): 1, Place(): 2}),
        ([], {}),
    ],
)
def test_a_worker_is_one_place_with_all_its_gpus_or_one_a_thread(workers, expected):
    assert cluster_places({f"tcp://{n}": worker for n, worker in enumerate(workers)}) == expected


def test_an_address_without_a_scheduler_is_one_sentence(bench, tmp_path):
    file = specification(tmp_path)
    code, output = bench.run(
        "grid", file, "--backend", "dask", "--scheduler", "tcp://127.0.0.1:1", "--no-report"
    )
    assert code == 2, output
    assert "127.0.0.1:1" in output
    assert "Traceback" not in output


def test_dask_without_an_address_says_which_option_is_missing(bench, tmp_path):
    code, output = bench.run("grid", specification(tmp_path), "--backend", "dask")
    assert code == 2, output
    assert "--scheduler" in output


@pytest.mark.long
def test_cells_that_all_fail_alike_are_no_longer_begun(postgres_bench, start_cluster, tmp_path):
    bench = postgres_bench
    cluster = start_cluster(2)
    script = tmp_path / "train.py"
    script.write_text("def fit(lr, opt, seed):\n    raise RuntimeError('no data')\n")
    about = {
        "name": "alike",
        "trainer": f"{script}:fit",
        "factors": {"lr": [0.1, 0.01, 0.001], "opt": ["adam", "sgd"]},
        "replicates": 100,
        "responses": {"accuracy": {"better": "higher"}},
    }
    file = tmp_path / "alike.json"
    file.write_text(json.dumps(about))
    options = ("--backend", "dask", "--scheduler", cluster.address)
    code, output = finish(bench.grid(file, *options), 120)
    assert code == 3, output
    assert "all failed alike (bug: RuntimeError: no data)" in output
    states = Counter(r["state"] for r in bench.runs())
    assert set(states) == {"failed", "waiting"}
    assert states.total() == 600
    assert 4 <= states["failed"] < 600
    wait_until(lambda: not slots(bench) and not bench.cell_processes(), 10)
