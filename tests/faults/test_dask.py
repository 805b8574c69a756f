"""Slots on a cluster: a real Dask LocalCluster with two worker processes, and PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.faults.harness import Bench, finish, specification, wait_until

pytestmark = [pytest.mark.fault, pytest.mark.slow]

CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    cluster = LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
        resources={"GPU": 1}, host="127.0.0.1",
    )
    print(cluster.scheduler_address, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def cluster(postgres_bench: Bench, tmp_path: Path) -> str:
    """The scheduler's address. The workers' environment names the store, as on a real cluster."""
    program = tmp_path / "cluster.py"
    program.write_text(CLUSTER)
    started = postgres_bench.program(program, stay_open=True)
    assert started.stdout is not None
    return started.stdout.readline().strip()


def dask_workers(bench: Bench) -> list[psutil.Process]:
    """The cluster's two worker processes: they hold the runner's `work` processes."""
    return [
        parent
        for process in bench.living()
        if {"runner", "work"} <= set(process.cmdline()) and (parent := process.parent()) is not None
    ]


def test_a_grid_on_dask_survives_a_worker_killed_mid_cell(postgres_bench, cluster, tmp_path):
    bench = postgres_bench
    file = specification(tmp_path, replicates=6, train={"epochs": 4})
    run = bench.grid(file, "--backend", "dask", "--scheduler", cluster)
    wait_until(lambda: len(bench.cell_processes()) == 2)
    assert len(dask_workers(bench)) == 2
    dask_workers(bench)[0].kill()
    code, output = finish(run, 240)
    assert code == 0, output
    runs = bench.runs()
    assert {r["state"] for r in runs} == {"complete"}
    assert len(runs) == 24
    attempts = bench.attempts()
    complete = [a["cell"] for a in attempts if a["state"] == "complete"]
    assert sorted(complete) == sorted(r["cell"] for r in runs)
    assert len({a["worker"] for a in attempts}) >= 2


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
