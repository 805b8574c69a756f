"""Devices are chosen as asked, slots are no more than fit, what is not there is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ablations.errors import InputError
from runner.machine.device import Device
from runner.machine.slots import FAKE, cuda_visible, inventory, is_there, slots_on

NO_DRIVER = not Path("/dev/nvidiactl").exists()


def cpu(cores: int) -> Device:
    return Device("cpu", 0, "a CPU", 1, "cpu", cores)


def test_an_affinity_of_one_core_gives_one_slot() -> None:
    one = min(os.sched_getaffinity(0))
    code = (
        f"import os; os.sched_setaffinity(0, [{one}])\n"
        "from runner.machine.slots import inventory, slots_on\n"
        "print(len(slots_on(inventory('cpu'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


@pytest.mark.skipif(not NO_DRIVER, reason="this machine has an NVIDIA driver")
def test_without_a_driver_there_is_only_the_cpu() -> None:
    assert not cuda_visible()
    assert [device.kind for device in inventory()] == ["cpu"]
    with pytest.raises(InputError, match="no CUDA device is visible; expected 'cpu'"):
        inventory("cuda")


def test_an_empty_variable_hides_every_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not cuda_visible()
    with pytest.raises(InputError, match=r"\(CUDA_VISIBLE_DEVICES is ''\)"):
        inventory("0")


def test_looking_imports_no_torch() -> None:
    code = (
        "import sys; from runner.machine.slots import *; inventory(); cuda_visible(); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_fake_device_vanishes_by_its_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    vanished = tmp_path / "vanished"
    vanished.touch()
    monkeypatch.setenv(FAKE, f"cuda:3@{vanished}")
    placed = slots_on(inventory())
    vanished.write_text("1")
    assert [is_there(slot) for slot in placed] == [True, False, True]
    assert [device.uuid for device in inventory()] == ["GPU-fake-0", "GPU-fake-2"]


@pytest.mark.parametrize(
    ("asked", "indices"),
    [
        (None, [0, 1, 2, 3]),
        ("cuda", [0, 1, 2, 3]),
        ("0,2", [0, 2]),
        ("cuda:3", [3]),
        ("2, 1", [2, 1]),
    ],
)
def test_devices_are_chosen_by_number(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, indices: list[int]
) -> None:
    monkeypatch.setenv(FAKE, "cuda:4")
    assert [device.index for device in inventory(asked)] == indices
    assert cuda_visible()
    assert {slot.device for slot in slots_on(inventory(asked))} == {"cpu"}, (
        "fakes compute on the CPU"
    )
    assert inventory("cpu")[0].kind == "cpu"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("4", "there is no device 4; visible: 0 (fake CUDA device), 1"),
        ("0,0", "named twice"),
        ("gpu", "got 'gpu'"),
        ("0,,1", "got ''"),
        ("-1", "got '-1'"),
        ("0-2", "got '0-2'"),
    ],
)
def test_devices_that_are_not_there_are_refused(
    monkeypatch: pytest.MonkeyPatch, asked: str, says: str
) -> None:
    monkeypatch.setenv(FAKE, "cuda:4")
    with pytest.raises(InputError) as refused:
        inventory(asked)
    assert says in str(refused.value)


@pytest.mark.parametrize("text", ["cuda", "tpu:3", "cuda:0", "cuda:-1", "cpu:x", "cpu:99999"])
def test_a_fake_that_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(FAKE, text)
    with pytest.raises(InputError, match=FAKE):
        inventory()


def test_a_fake_cpu_has_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FAKE, "cpu:8")
    assert not cuda_visible()
    assert len(slots_on(inventory())) == 8
    assert len(slots_on(inventory("cpu"), threads=3)) == 2
    with pytest.raises(InputError, match="no CUDA device"):
        inventory("cuda")


@pytest.mark.parametrize(
    ("wanted", "threads", "expected"),
    [
        (None, 1, 4),
        (2, 1, 2),
        (1, 1, 1),
        (3, 1, 3),
        (None, 2, 2),
        (None, 8, 1),
    ],
)
def test_cpu_slots_are_no_more_than_their_threads_have_cores(
    wanted: int | None, threads: int, expected: int
) -> None:
    placed = slots_on([cpu(4)], wanted, threads=threads)
    assert len(placed) == expected
    assert [slot.name for slot in placed] == [f"cpu/{i}" for i in range(len(placed))]
    assert {slot.device_id for slot in placed} == {"cpu"}


def test_more_slots_than_cores_are_refused() -> None:
    with pytest.raises(InputError, match=r"may use 2 CPU cores, room for 2 cells of 1 thread$"):
        slots_on([cpu(2)], 3)
    with pytest.raises(InputError, match="room for 1 cell of 2 threads"):
        slots_on([cpu(2)], 2, threads=2)
    with pytest.raises(InputError, match="expected at least 1"):
        slots_on([cpu(1)], 0)
    with pytest.raises(InputError, match="no device"):
        slots_on([])
