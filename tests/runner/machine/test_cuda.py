"""CUDA devices are read by NVML as CUDA itself would see them; one that vanished is known."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from runner.machine.slots import cuda_visible, inventory, is_there, slots_on


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
    first, second = slots_on(inventory("cuda:0,1"))
    (on_cpu,) = slots_on(inventory("cpu"), 1)
    assert [is_there(slot) for slot in (first, second, on_cpu)] == [True, True, True]
    nvml.lost = 1
    assert [is_there(slot) for slot in (first, second, on_cpu)] == [True, False, True]
    nvml.missing = True  # the driver itself is gone
    assert [is_there(slot) for slot in (first, second, on_cpu)] == [False, False, True]


def test_real_cuda_slots_name_their_device_by_uuid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(UUIDS))
    placed = slots_on(inventory("cuda:1,3"), 2)
    assert [slot.name for slot in placed] == ["cuda:1/0", "cuda:1/1", "cuda:3/0", "cuda:3/1"]
    assert {slot.device for slot in placed} == {"cuda:0"}
    assert [slot.env["CUDA_VISIBLE_DEVICES"] for slot in placed] == [
        "GPU-bb22", "GPU-bb22", "GPU-cc44", "GPU-cc44",
    ]  # fmt: skip
    assert len({slot.name for slot in placed}) == len(placed)
