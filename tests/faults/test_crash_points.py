"""Fault matrix, row P4: the run is killed exactly between two steps of a cell's life."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.faults.harness import finish, specification

pytestmark = [pytest.mark.fault, pytest.mark.both_databases]


@pytest.mark.parametrize(
    ("when", "place", "call"),
    [
        ("after", "runner.store:Store.claim", 2),
        pytest.param(
            "before", "runner.pool.process.launch:CellProcess.train", 2, marks=pytest.mark.long
        ),
        pytest.param("before", "runner.store:Store.finish", 2, marks=pytest.mark.long),
        pytest.param("after", "runner.store:Store.finish", 2, marks=pytest.mark.long),
        pytest.param("before", "runner.pool.slot:forget_outcome", 2, marks=pytest.mark.long),
        pytest.param(
            "before", "runner.optuna_mirror.mirror:Mirror.sync", 1, marks=pytest.mark.long
        ),
    ],
)
def test_p4_a_run_killed_between_two_steps_continues_exactly(bench, tmp_path, when, place, call):
    file = specification(tmp_path, replicates=1)
    code, output = finish(bench.crashing(when, place, call, "grid", file, "--no-report"))
    assert code == -9, output
    bench.assert_no_orphans()
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, output
    bench.assert_exact(4)


def test_p4_a_finished_outcome_on_disk_is_adopted_and_not_retrained(bench, tmp_path):
    file = specification(tmp_path, replicates=1)
    code, output = finish(
        bench.crashing(
            "before",
            "runner.store:Store.finish",
            1,
            "grid",
            file,
            "--no-report",
            "--slots-per-device",
            1,
        )
    )
    assert code == -9, output
    (left,) = bench.results.rglob("*.outcome.json")
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, output
    bench.assert_exact(4)
    cell = left.name.partition("-")[0]
    (attempt,) = [a for a in bench.attempts() if a["cell"] == cell]
    assert attempt["state"] == "complete"
    assert left.name.startswith(f"{cell}-")


@pytest.mark.long
def test_p4_a_run_killed_after_a_failure_retries_the_cell(bench, tmp_path):
    """Between FAIL and requeue there is no gap: one transaction does both."""
    file = specification(
        tmp_path,
        factors={
            "init": ["he", {"is_killed_once": {"marker": str(tmp_path / "died")}}],
            "optimizer": ["adam", "sgd"],
        },
        replicates=1,
    )
    code, output = finish(
        bench.crashing("after", "runner.store:Store.fail", 1, "grid", file, "--no-report")
    )
    assert code == -9, output
    assert Counter(r["state"] for r in bench.runs())["failed"] == 0
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, output
    bench.assert_exact(4)
