"""The search for slots a device: doubles while it pays, stops where it does not."""

from __future__ import annotations

import pytest

from ablations.errors import InputError
from runner.machine.device import Device
from runner.pool.calibrate import Measured, measure_slots, recall, remember, search
from runner.pool.process.launch import start_fork_server
from tests.runner.cells import make_cell

GIB = 2**30


def device(name="fake CUDA device", kind="cuda"):
    return Device(kind, 0, name, 16 * GIB, "GPU-fake-0", fake=True)


def machine(speeds, memory=GIB):
    """A device on which n slots reach speeds[n] images a second."""
    return lambda n: Measured(n, speeds.get(n, 0.0), n * memory)


def test_it_doubles_while_the_throughput_grows():
    best, tried = search(machine({1: 100, 2: 190, 4: 300, 8: 310}), 16 * GIB, 32)
    assert best.slots == 4
    assert [one.slots for one in tried] == [1, 2, 4, 8]


def test_it_stops_before_the_memory_is_full():
    best, tried = search(machine({1: 100, 2: 200, 4: 400}, memory=4 * GIB), 16 * GIB, 32)
    assert [one.slots for one in tried] == [1, 2]
    assert best.slots == 2


def test_it_never_tries_more_than_the_most():
    _, tried = search(machine({1: 1, 2: 2, 4: 4, 8: 8}), 16 * GIB, 5)
    assert [one.slots for one in tried] == [1, 2, 4]


def test_running_out_of_memory_ends_the_search_at_the_last_that_fitted():
    best, tried = search(machine({1: 100, 2: 190, 4: 0}), 16 * GIB, 32)
    assert best.slots == 2
    assert [one.slots for one in tried] == [1, 2, 4]


def test_a_device_too_small_for_one_cell_is_said_so():
    with pytest.raises(InputError, match="not even one cell"):
        search(machine({}), GIB, 4)


def test_the_best_is_remembered_for_the_device_and_the_kind_of_cell(tmp_path, monkeypatch):
    monkeypatch.setenv("ABLATIONS_CACHE", str(tmp_path / "cache"))
    cell, other = make_cell(), make_cell(model={"width": 0.5})
    assert recall([device()], cell) is None
    remember(device(), cell, Measured(4, 300.0, GIB))
    assert recall([device()], cell) == 4
    assert recall([device()], other) is None
    assert recall([device("another device")], cell) is None
    assert recall([device(kind="cpu")], cell) is None


def test_a_spoiled_memory_counts_as_none(tmp_path, monkeypatch):
    monkeypatch.setenv("ABLATIONS_CACHE", str(tmp_path))
    (tmp_path / "slots-per-device.json").write_text("{not json")
    assert recall([device()], make_cell()) is None


@pytest.mark.slow
def test_two_real_cells_side_by_side_are_measured():
    """The twin of the CUDA measurement: fake devices compute on the CPU."""
    start_fork_server()
    found = measure_slots(device(), make_cell(), 2)
    assert found.slots == 2
    assert found.images_per_second > 0
    assert found.memory_bytes > 2 * 10**7
