"""The CPU is what this process may use of it, by the kernel's files."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from runner.machine.cpu import cpu_quota, emulates_bf16, physical_cores
from runner.machine.slots import inventory, slots_on


def test_the_cpu_is_what_this_process_may_use() -> None:
    (device,) = inventory("cpu")
    usable = os.sched_getaffinity(0)
    assert 1 <= device.core_count <= len(usable)
    assert device.memory_bytes == psutil.virtual_memory().total
    assert device.name


def test_hardware_threads_are_grouped_by_core(tmp_path: Path) -> None:
    for thread, siblings in {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}.items():
        folder = tmp_path / f"cpu{thread}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(siblings + "\n")
    assert physical_cores({0, 1, 2, 3}, tmp_path) == ((0, 2), (1, 3))
    assert physical_cores({1, 2}, tmp_path) == ((1,), (2,))
    assert physical_cores({4, 5}, tmp_path) == ((4,), (5,)), "no topology: each its own"


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


def test_a_quota_below_the_cores_limits_the_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.machine.cpu.cpu_quota", lambda: 1.5)
    (device,) = inventory("cpu")
    assert device.core_count == 1
    assert len(slots_on([device])) == 1
