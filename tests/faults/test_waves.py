"""Replicates in waves under faults: they end with the runs that an undisturbed study ends with."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.harness import Bench, finish, wait_until

TRAIN = """
import random, time

def fit(lr, opt, aug, seed):
    time.sleep(0.15)
    draw = random.Random(f"{lr}{opt}{aug}{seed}")
    noise = draw.gauss(0, 0.15 if opt == "sgd" else 0.01)
    return {"accuracy": 0.5 + 0.06 * (lr == 0.1) + 0.2 * (aug == "strong") + noise}
"""
FIRST = 2 * 12
"""Cells of the first two replicates: what is planned beyond them, a look has planned."""


def study(folder: Path) -> Path:
    """Twelve combinations whose runs differ by what their seeds are, never by the clock."""
    folder.mkdir(exist_ok=True)
    (folder / "train.py").write_text(TRAIN)
    file = folder / "waves.yaml"
    file.write_text(
        "name: waves\n"
        f"trainer: {folder / 'train.py'}:fit\n"
        "factors: {lr: [0.1, 0.01], opt: [adam, sgd], aug: [none, basic, strong]}\n"
        "replicates: {min: 2, max: 8, until: mains}\n"
        "responses: {accuracy: {better: higher}}\n"
    )
    return file


def outcomes(bench: Bench) -> Counter[tuple[object, ...]]:
    """Combinations, replicates and responses; cells of another folder have other names."""
    names = ("factor:lr", "factor:opt", "factor:aug", "replicate")
    return Counter((*(run[n] for n in names), str(run["responses"])) for run in bench.runs())


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Counter[tuple[object, ...]]:
    """What the study ends with where nothing happens."""
    folder = tmp_path_factory.mktemp("undisturbed")
    bench = Bench(folder, f"sqlite:///{folder}/ablations.db")
    code, output = finish(bench.grid(study(folder)))
    assert code == 0, output
    ended = outcomes(bench)
    bench.close()
    assert 3 * FIRST < ended.total() < 4 * FIRST  # some were placed, and it stopped
    return ended


def is_planned(bench: Bench) -> bool:
    """Whether the store is there and has the study."""
    return (bench.folder / "ablations.db").exists() and bool(bench.store().study_names())


def second_wave(bench: Bench, run: subprocess.Popen[str]) -> None:
    """Return while a cell of a wave that a look has planned is trained."""

    def begun() -> bool:
        assert run.poll() is None, run.communicate()
        runs = bench.runs() if is_planned(bench) else []
        return len(runs) > FIRST and any(one["state"] == "running" for one in runs)

    wait_until(begun)


@pytest.mark.long
@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGINT])
def test_a_run_ended_within_a_wave_continues_to_the_same_runs(
    bench: Bench, tmp_path: Path, undisturbed: Counter[tuple[object, ...]], ended_by: signal.Signals
) -> None:
    file = study(tmp_path)
    run = bench.grid(file)
    second_wave(bench, run)
    run.send_signal(ended_by)
    finish(run)
    bench.assert_no_orphans()
    code, output = finish(bench.grid(file))
    assert code == 0, output
    assert "(every cell of this grid has been run)" not in output
    bench.assert_exact(undisturbed.total())
    assert outcomes(bench) == undisturbed


@pytest.mark.long
def test_a_worker_that_stays_trains_in_every_wave(
    bench: Bench, tmp_path: Path, undisturbed: Counter[tuple[object, ...]]
) -> None:
    run = bench.grid(study(tmp_path), "--slots-per-device", 1)
    wait_until(lambda: is_planned(bench))
    (name,) = bench.store().study_names()
    worker = bench.start("work", name, "--stay", "--slots-per-device", 1)
    for one in (run, worker):
        code, output = finish(one)
        assert code == 0, output
    bench.assert_exact(undisturbed.total())
    assert outcomes(bench) == undisturbed
    later = {run["cell"] for run in bench.runs() if run["replicate"] >= 2}
    assert len({a["pid"] for a in bench.attempts() if a["cell"] in later}) == 2


@pytest.mark.long
def test_hours_that_end_within_a_wave_lose_nothing(
    bench: Bench, tmp_path: Path, undisturbed: Counter[tuple[object, ...]]
) -> None:
    file = study(tmp_path)
    for _ in range(20):
        code, output = finish(bench.grid(file, "--hours", 0.0008))
        assert code in (0, 6), output
        if code == 0:
            break
    else:
        code, output = finish(bench.grid(file))
    assert code == 0, output
    bench.assert_exact(undisturbed.total())
    assert outcomes(bench) == undisturbed


@pytest.mark.long
def test_waves_are_placed_on_a_cluster(
    postgres_bench: Bench, tmp_path: Path, undisturbed: Counter[tuple[object, ...]]
) -> None:
    from tests.faults.test_dask import CLUSTER

    program = tmp_path / "cluster.py"
    program.write_text(CLUSTER)
    cluster = postgres_bench.program(program, 2, stay_open=True)
    assert cluster.stdout is not None
    address = cluster.stdout.readline().strip()
    options = ("--backend", "dask", "--scheduler", address)
    code, output = finish(postgres_bench.grid(study(tmp_path), *options), 240)
    assert code == 0, output
    assert outcomes(postgres_bench) == undisturbed
