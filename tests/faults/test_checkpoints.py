"""Fault matrix, rows T3 and T4, through real processes: killed cells continue where they were."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from tests.faults.harness import Bench, specification, wait_until

pytestmark = [pytest.mark.fault, pytest.mark.both_databases]

LONG = {"epochs": 12, "checkpoint_epochs": 1}


def outcomes(bench: Bench) -> dict[str, tuple[object, ...]]:
    keep = ("status", "test_accuracy", "test_loss", "best_validation_accuracy")
    return {run["cell"]: tuple(run[name] for name in keep) for run in bench.runs()}


@pytest.fixture
def undisturbed(tmp_path: Path):
    """The outcomes of the same grid when nothing goes wrong."""
    folder = tmp_path / "undisturbed"
    folder.mkdir()
    bench = Bench(folder, f"sqlite:///{folder}/ablations.db")
    code, output = bench.run("grid", specification(folder, train=LONG, replicates=1), "--no-report")
    assert code == 0, output
    yield outcomes(bench)
    bench.close()


@pytest.mark.slow
def test_t3_a_killed_cell_continues_bit_identically_from_its_checkpoint(
    bench, tmp_path, undisturbed
):
    run = bench.grid(specification(tmp_path, train=LONG, replicates=1))
    wait_until(lambda: list(bench.results.rglob("*.pt")))
    for process in bench.cell_processes():
        process.kill()
    run.communicate(timeout=120)
    bench.assert_exact(4)
    assert outcomes(bench) == undisturbed
    logs = [Path(a["log"]).read_text() for a in bench.attempts() if a["attempt"] == 2]
    assert any("checkpoint" in text for text in logs), "no cell said it continued"
    assert not list(bench.results.rglob("*.pt")), "checkpoints of finished cells are removed"


class Malice:
    """A pickle that would create a file when it is loaded."""

    def __init__(self, target: str) -> None:
        self.target = target

    def __reduce__(self):
        return (Path.touch, (Path(self.target),))


@pytest.mark.long
@pytest.mark.parametrize("kind", ["truncated", "empty", "foreign", "malicious"])
def test_t4_a_bad_checkpoint_means_a_restart_never_a_failure(bench, tmp_path, undisturbed, kind):
    """The run is killed once cells have checkpoints; those are spoiled before it continues."""
    file = specification(tmp_path, train=LONG, replicates=1)
    run = bench.grid(file)
    wait_until(lambda: len(list(bench.results.rglob("*.pt"))) >= 2)
    run.kill()
    run.wait()
    bench.assert_no_orphans()
    checkpoints = sorted(bench.results.rglob("*.pt"))
    harm = tmp_path / "harm"
    first = checkpoints[0].read_bytes()
    for path in checkpoints:
        if kind == "truncated":
            path.write_bytes(path.read_bytes()[:-100])
        elif kind == "empty":
            path.write_bytes(b"")
        elif kind == "malicious":
            path.write_bytes(pickle.dumps(Malice(str(harm))))
        elif path != checkpoints[0]:
            path.write_bytes(first)
    code, output = bench.run("grid", file, "--no-report")
    assert code == 0, output
    bench.assert_exact(4)
    assert outcomes(bench) == undisturbed
    assert not harm.exists(), "code in a checkpoint was executed"
