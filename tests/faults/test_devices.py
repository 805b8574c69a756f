"""Fault matrix, rows P9 and P10: devices, slots, and a run that never touches CUDA.

No CUDA device is needed: `ABLATIONS_FAKE_DEVICES` stands in for the machine's inventory, and the
slots of a fake device compute on the CPU.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest

from tests.faults.harness import finish, specification, wait_until

pytestmark = [pytest.mark.fault, pytest.mark.both_databases]


def assert_one_cell_at_a_time_on_each_slot(attempts):
    for one, other in combinations(attempts, 2):
        if one["slot"] == other["slot"]:
            assert one["ended"] <= other["started"] or other["ended"] <= one["started"]


@pytest.mark.parametrize(
    ("devices", "options", "slots"),
    [
        pytest.param("cuda:1", [], {"cuda:0/0"}, marks=pytest.mark.long),
        pytest.param("cuda:3", [], {"cuda:0/0", "cuda:1/0", "cuda:2/0"}, marks=pytest.mark.long),
        ("cuda:2", ["--slots-per-device", "2"], {f"cuda:{d}/{s}" for d in (0, 1) for s in (0, 1)}),
        pytest.param("cuda:3", ["--devices", "2"], {"cuda:2/0"}, marks=pytest.mark.long),
        pytest.param(
            "cuda:2",
            ["--devices", "cpu", "--slots-per-device", "1"],
            {"cpu/0"},
            marks=pytest.mark.long,
        ),
    ],
)
def test_p9_cells_spread_over_the_devices_and_never_share_a_slot(
    bench, tmp_path, devices, options, slots
):
    file = specification(tmp_path)
    code, output = bench.run("grid", file, "--no-report", *options, ABLATIONS_FAKE_DEVICES=devices)
    assert code == 0, output
    bench.assert_exact(8)
    attempts = bench.attempts()
    assert {a["slot"] for a in attempts} == slots
    assert_one_cell_at_a_time_on_each_slot(attempts)


@pytest.mark.long
def test_p9_more_devices_than_cells_is_no_problem(bench, tmp_path):
    file = specification(tmp_path, replicates=1)
    code, output = bench.run("grid", file, "--no-report", ABLATIONS_FAKE_DEVICES="cuda:6")
    assert code == 0, output
    bench.assert_exact(4)


def test_p9_a_device_that_is_not_there_is_refused_before_anything_is_enqueued(bench, tmp_path):
    file = specification(tmp_path)
    code, output = bench.run("grid", file, "--devices", "7", ABLATIONS_FAKE_DEVICES="cuda:2")
    assert code == 2, output
    assert "7" in output
    assert "Traceback" not in output


@pytest.mark.long
def test_p9_an_empty_cuda_visible_devices_means_the_cpu(bench, tmp_path):
    file = specification(tmp_path, replicates=1)
    code, output = bench.run("grid", file, "--no-report", CUDA_VISIBLE_DEVICES="")
    assert code == 0, output
    assert {a["slot"].partition("/")[0] for a in bench.attempts()} == {"cpu"}


@pytest.fixture
def vanished(tmp_path):
    """The file with the numbers of the devices that have fallen off the bus: none so far."""
    path = tmp_path / "vanished"
    path.touch()
    return path


def on_a_bus(folder, vanished, replicates):
    """A grid that trains long enough for a device to vanish under it."""
    return specification(
        folder,
        train={"epochs": 25},
        fixed={
            "augmentation": "none",
            "scheduler": "constant",
            "bn_placement": "before",
            "optimizer": {"sgd_on_a_bus": {"vanished": str(vanished)}},
        },
        factors={"init": ["he", "xavier"]},
        replicates=replicates,
    )


def trains_on_each(bench, *devices):
    """Whether a cell process computes on each of these devices at this moment."""
    training = [p for p in bench.cell_processes() if bench.training(p)]
    running = {a["slot"].partition("/")[0] for a in bench.attempts() if a["state"] == "running"}
    return len(training) >= len(devices) and running >= set(devices)


def test_p9_a_device_that_vanishes_takes_no_cell_with_it(bench, tmp_path, vanished):
    """Stand-in: a made-up inventory forgets the device, and cells on it raise what torch raises."""
    file = on_a_bus(tmp_path, vanished, replicates=6)
    fake = f"cuda:3@{vanished}"
    run = bench.grid(file, "--slots-per-device", 2, ABLATIONS_FAKE_DEVICES=fake)
    wait_until(lambda: bench.cell_processes() and trains_on_each(bench, "cuda:0", "cuda:1"))
    vanished.write_text("1\n")
    claimed_before = {(a["cell"], a["attempt"]) for a in bench.attempts()}
    code, output = finish(run)
    assert code == 0, output
    assert "cuda:1 (GPU-fake-1) vanished" in output
    bench.assert_exact(12)
    attempts = bench.attempts()
    cut_short = [a for a in attempts if a["state"] != "complete"]
    assert 1 <= len(cut_short) <= 2 + 2, "each slot of the device ends one cell, or claims one more"
    for attempt in cut_short:
        assert attempt["slot"].startswith("cuda:1/")
        assert (attempt["state"], attempt["reason"]) == ("released", "cuda")
        assert "GPU-fake-1" in attempt["detail"]
    by_slot = Counter(a["slot"] for a in cut_short)
    assert set(by_slot.values()) == {1}, "a slot went on claiming for a device that is gone"
    later = [a for a in attempts if (a["cell"], a["attempt"]) not in claimed_before]
    went_on = {a["slot"].partition("/")[0] for a in later if a["state"] == "complete"}
    assert went_on
    assert went_on <= {"cuda:0", "cuda:2"}
    assert [r["attempts"] for r in bench.runs()] == [1] * 12, "a cell was charged for its device"
    assert_one_cell_at_a_time_on_each_slot(attempts)
    code, output = bench.run("grid", file, "--no-report", ABLATIONS_FAKE_DEVICES=fake)
    assert code == 0, output
    assert bench.attempts() == attempts


@pytest.mark.long
def test_p9_when_every_device_has_vanished_the_run_stops_and_continues_later(
    bench, tmp_path, vanished
):
    file = on_a_bus(tmp_path, vanished, replicates=2)  # 4 cells
    run = bench.grid(file, ABLATIONS_FAKE_DEVICES=f"cuda:2@{vanished}")
    wait_until(lambda: bench.cell_processes() and trains_on_each(bench, "cuda:0", "cuda:1"))
    vanished.write_text("0\n1\n")
    code, output = finish(run)
    assert code == 4, output
    assert "stopped: no device is left: cuda:0 (GPU-fake-0), cuda:1 (GPU-fake-1)" in output
    assert "Traceback" not in output
    bench.assert_no_orphans()
    states = Counter(r["state"] for r in bench.runs())
    assert set(states) <= {"waiting", "complete"}
    assert states["waiting"] >= 2
    vanished.write_text("")
    code, output = bench.run(
        "grid", file, "--no-report", ABLATIONS_FAKE_DEVICES=f"cuda:2@{vanished}"
    )
    assert code == 0, output
    bench.assert_exact(4)


@pytest.mark.long
def test_p8_a_cell_out_of_memory_is_tried_once_more_alone_and_costs_no_slot(bench, tmp_path):
    """The fake of a CUDA out-of-memory: the level raises what torch raises, however alone it is."""
    file = specification(
        tmp_path,
        factors={"init": ["lacks_device_memory", "he"], "optimizer": ["adam", "sgd"]},
        replicates=3,
    )
    options = ("--no-report", "--slots-per-device", "3")
    code, output = bench.run("grid", file, *options, ABLATIONS_FAKE_DEVICES="cuda:1")
    assert code == 3, output
    bench.assert_exact(12, failed={"oom": 6})
    attempts = bench.attempts()
    failed = [a for a in attempts if a["reason"] == "oom"]
    assert len(failed) == 12, "each of the six cells is tried once more"
    assert bench.run("retry", "faults", "--reason", "oom")[0] == 0
    code, output = bench.run("grid", file, *options, ABLATIONS_FAKE_DEVICES="cuda:1")
    assert code == 3, output
    again = bench.attempts()[len(attempts) :]
    assert len(again) == 12
    slots = {a["slot"] for a in again}
    assert slots == {"cuda:0/0", "cuda:0/1", "cuda:0/2"}, (
        "a slot was lost to a cell that never fits"
    )


def test_p8_a_device_with_one_slot_too_many_closes_it_and_every_cell_completes(bench, tmp_path):
    shared = tmp_path / "training"
    shared.mkdir()
    whole = {"needs_the_whole_device": {"folder": str(shared)}}
    file = specification(
        tmp_path,
        train={"epochs": 8},
        fixed={"augmentation": "none", "bn_placement": "before", "init": whole},
        factors={"scheduler": ["constant", "cosine"], "optimizer": ["adam", "sgd"]},
        replicates=2,
    )
    code, output = bench.run(
        "grid", file, "--no-report", "--slots-per-device", "2", ABLATIONS_FAKE_DEVICES="cuda:1"
    )
    assert code == 0, output
    bench.assert_exact(8)
    attempts = bench.attempts()
    ran_out = [a for a in attempts if a["reason"] == "oom"]
    assert ran_out, "the two slots never met"
    # Alone they fit: that the second attempts completed says that they were.
    assert all(r["attempts"] <= 2 for r in bench.runs())
    first_success = next(
        a for a in attempts
        if a["state"] == "complete" and a["cell"] in {b["cell"] for b in ran_out}
    )  # fmt: skip
    later = [a for a in attempts if a["started"] > first_success["ended"]]
    assert len({a["slot"] for a in later}) == 1, "the slot that was too many went on"


def test_p10_the_run_imports_no_torch_and_forks_nothing(bench, tmp_path):
    file = specification(tmp_path, replicates=1)
    check = (
        "import sys\n"
        "from runner.commands import main\n"
        "if __name__ == '__main__':\n"
        f"    code = main(['grid', {str(file)!r}, '--no-report'])\n"
        "    from runner.pool.process.launch import _context\n"
        "    assert _context.get_start_method() == 'forkserver'\n"
        "    assert 'torch' not in sys.modules, 'the parent imported torch'\n"
        "    sys.exit(code)\n"
    )
    program = tmp_path / "check.py"
    program.write_text(check)
    code, output = finish(bench.program(program, PYTHONPATH="."))
    assert code == 0, output
    bench.assert_exact(4)
