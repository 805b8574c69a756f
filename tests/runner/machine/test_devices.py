"""Devices are found without torch, slots share nothing, what is asked for is there or refused.

Longer than 300 lines because every test needs the same fake machines.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from ablations.errors import InputError
from runner.machine import devices
from runner.machine.devices import (
    FAKE,
    Device,
    cpu_quota,
    cuda_visible,
    emulates_bf16,
    inventory,
    is_there,
    slots,
)

NO_DRIVER = not Path("/dev/nvidiactl").exists()


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FAKE, raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def cpu(cores: int) -> Device:
    return Device("cpu", 0, "a CPU", 1, "cpu", cores)


# -- this machine ----------------------------------------------------------------------------


def test_the_cpu_is_what_this_process_may_use() -> None:
    (device,) = inventory("cpu")
    usable = os.sched_getaffinity(0)
    assert 1 <= device.core_count <= len(usable)
    assert device.memory_bytes == psutil.virtual_memory().total
    assert device.name


def test_an_affinity_of_one_core_gives_one_slot() -> None:
    one = min(os.sched_getaffinity(0))
    code = (
        f"import os; os.sched_setaffinity(0, [{one}])\n"
        "from runner.machine.devices import inventory, slots\n"
        "print(len(slots(inventory('cpu'))))"
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
        "import sys; from runner.machine.devices import *; inventory(); cuda_visible(); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# -- NVML ------------------------------------------------------------------------------------


class NVMLError(Exception):
    pass


@dataclass
class FakeNvml:
    """The calls of pynvml that are used, over a list of devices: no driver is needed."""

    uuids: tuple[str, ...]
    missing: bool = False
    lost: int | None = None
    NVMLError = NVMLError

    def nvmlInit(self) -> None:
        if self.missing:
            raise NVMLError("driver not loaded")

    def nvmlShutdown(self) -> None:
        pass

    def nvmlDeviceGetCount(self) -> int:
        return len(self.uuids)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> int | str:
        if uuid in self.uuids:
            return self.uuids.index(uuid)
        if not uuid.endswith("4"):
            raise NVMLError("not found")
        return uuid

    def nvmlDeviceGetUUID(self, handle: int | str) -> str:
        return handle if isinstance(handle, str) else self.uuids[handle]

    def nvmlDeviceGetName(self, handle: int) -> bytes:
        return b"A Device"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:
        if handle == self.lost:
            raise NVMLError("GPU is lost")
        return SimpleNamespace(total=80 * 2**30)


UUIDS = ("GPU-aa11", "GPU-bb22", "GPU-bb33", "GPU-cc44")


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, UUIDS),
        ("0", UUIDS[:1]),
        ("2,0", ("GPU-bb33", "GPU-aa11")),
        (" 1 , 3 ", ("GPU-bb22", "GPU-cc44")),
        ("GPU-cc", ("GPU-cc44",)),
        ("GPU-cc44,GPU-aa", ("GPU-cc44", "GPU-aa11")),
        ("GPU-bb", ()),  # two begin so
        ("0,9,1", UUIDS[:1]),  # CUDA stops at the first that does not exist
        ("-1", ()),
        ("0,-1,1", UUIDS[:1]),
        ("NoDevFiles", ()),
        ("1,1", ("GPU-bb22",)),
        ("", ()),
        ("MIG-1234", ("MIG-1234",)),
        ("MIG-1234,MIG-9,0", ("MIG-1234",)),
    ],
)
def test_visible_devices_are_read_as_cuda_reads_them(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, expected: tuple[str, ...]
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(UUIDS))
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = [device for device in inventory() if device.kind == "cuda"]
    assert tuple(device.uuid for device in found) == expected
    assert [device.index for device in found] == list(range(len(expected)))
    assert cuda_visible() is bool(expected)
    if found:
        assert (found[0].name, found[0].memory_bytes) == ("A Device", 80 * 2**30)


def test_a_driver_that_fails_means_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(UUIDS, missing=True))
    assert not cuda_visible()
    assert [device.kind for device in inventory()] == ["cpu"]


@pytest.mark.parametrize(
    ("visible", "left"),
    [
        (None, ("GPU-aa11", "GPU-bb33", "GPU-cc44")),
        ("0,1,3", ("GPU-aa11", "GPU-cc44")),
        ("1", ()),
        ("GPU-bb22", ()),
        ("GPU-bb", ("GPU-bb33",)),
    ],
)
def test_a_device_that_vanished_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, left: tuple[str, ...]
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(UUIDS, lost=1))
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = [device for device in inventory() if device.kind == "cuda"]
    assert tuple(device.uuid for device in found) == left
    assert [device.index for device in found] == list(range(len(left)))


def test_a_slot_knows_that_its_device_vanished(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = FakeNvml(UUIDS)
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    first, second = slots(inventory("cuda:0,1"))
    (on_cpu,) = slots(inventory("cpu"), 1)
    assert [is_there(slot) for slot in (first, second, on_cpu)] == [True, True, True]
    nvml.lost = 1
    assert [is_there(slot) for slot in (first, second, on_cpu)] == [True, False, True]
    nvml.missing = True  # the driver itself is gone
    assert [is_there(slot) for slot in (first, second, on_cpu)] == [False, False, True]


def test_a_fake_device_vanishes_by_its_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    vanished = tmp_path / "vanished"
    vanished.touch()
    monkeypatch.setenv(FAKE, f"cuda:3@{vanished}")
    placed = slots(inventory())
    vanished.write_text("1")
    assert [is_there(slot) for slot in placed] == [True, False, True]
    assert [device.uuid for device in inventory()] == ["GPU-fake-0", "GPU-fake-2"]


def test_real_cuda_slots_name_their_device_by_uuid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(UUIDS))
    placed = slots(inventory("cuda:1,3"), 2)
    assert [slot.name for slot in placed] == ["cuda:1/0", "cuda:1/1", "cuda:3/0", "cuda:3/1"]
    assert {slot.device for slot in placed} == {"cuda:0"}
    assert [slot.env["CUDA_VISIBLE_DEVICES"] for slot in placed] == [
        "GPU-bb22", "GPU-bb22", "GPU-cc44", "GPU-cc44",
    ]  # fmt: skip
    assert len({slot.name for slot in placed}) == len(placed)


# -- a machine that is not there ---------------------------------------------------------------


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
    assert {slot.device for slot in slots(inventory(asked))} == {"cpu"}, "fakes compute on the CPU"
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
    assert len(slots(inventory())) == 8
    assert len(slots(inventory("cpu"), threads=3)) == 2
    with pytest.raises(InputError, match="no CUDA device"):
        inventory("cuda")


# -- slots -----------------------------------------------------------------------------------


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
    placed = slots([cpu(4)], wanted, threads=threads)
    assert len(placed) == expected
    assert [slot.name for slot in placed] == [f"cpu/{i}" for i in range(len(placed))]
    assert {slot.device_id for slot in placed} == {"cpu"}


def test_more_slots_than_cores_are_refused() -> None:
    with pytest.raises(InputError, match=r"may use 2 CPU cores, room for 2 cells of 1 thread$"):
        slots([cpu(2)], 3)
    with pytest.raises(InputError, match="room for 1 cells of 2 threads"):
        slots([cpu(2)], 2, threads=2)
    with pytest.raises(InputError, match="expected at least 1"):
        slots([cpu(1)], 0)
    with pytest.raises(InputError, match="no device"):
        slots([])


# -- the kernel's files ------------------------------------------------------------------------


def test_hardware_threads_are_grouped_by_core(tmp_path: Path) -> None:
    for thread, siblings in {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}.items():
        folder = tmp_path / f"cpu{thread}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(siblings + "\n")
    assert devices._physical_cores({0, 1, 2, 3}, tmp_path) == ((0, 2), (1, 3))
    assert devices._physical_cores({1, 2}, tmp_path) == ((1,), (2,))
    assert devices._physical_cores({4, 5}, tmp_path) == ((4,), (5,)), "no topology: each its own"


@pytest.mark.parametrize(
    ("own", "parent", "quota"),
    [
        ("150000 100000", None, 1.5),
        ("max 100000", None, None),
        ("max 100000", "50000 100000", 0.5),
        ("200000 100000", "100000 100000", 1.0),
        ("garbage", None, None),
        (None, None, None),
    ],
)
def test_the_cgroups_quota_is_the_tightest(
    tmp_path: Path, own: str | None, parent: str | None, quota: float | None
) -> None:
    group = tmp_path / "cgroup" / "a" / "b"
    group.mkdir(parents=True)
    if own is not None:
        (group / "cpu.max").write_text(own + "\n")
    if parent is not None:
        (group.parent / "cpu.max").write_text(parent + "\n")
    (tmp_path / "self").write_text("3:cpu:/legacy\n0::/a/b\n")
    assert cpu_quota(tmp_path / "cgroup", tmp_path / "self") == quota


def test_no_cgroup_means_no_quota(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path, tmp_path / "nothing") is None
    (tmp_path / "self").write_text("3:cpu:/legacy\n")
    assert cpu_quota(tmp_path, tmp_path / "self") is None


def test_a_quota_below_the_cores_limits_the_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "cpu_quota", lambda: 1.5)
    (device,) = inventory("cpu")
    assert device.core_count == 1
    assert len(slots([device])) == 1


@pytest.mark.parametrize(
    ("line", "emulated"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512bw", True),
        ("flags\t\t: fpu avx512f avx512_bf16 avx512vbmi", False),
        ("flags\t\t: fpu amx_bf16 amx_tile", False),
        ("Features\t: fp asimd bf16 i8mm", False),
        ("Features\t: fp asimd", True),
        ("processor\t: 0", False),  # what is not said is not warned of
    ],
)
def test_a_cpu_without_bf16_instructions_is_known_by_its_flags(tmp_path, line, emulated):
    listed = tmp_path / "cpuinfo"
    listed.write_text(f"vendor_id\t: somebody\n{line}\n")
    assert emulates_bf16(listed) is emulated


def test_a_system_that_lists_no_flags_is_not_warned_of(tmp_path):
    assert not emulates_bf16(tmp_path / "missing")
