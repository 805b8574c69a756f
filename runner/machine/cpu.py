"""The CPU as this process may use it: its physical cores within affinity and cgroup quota."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path

import psutil

from runner.machine.device import Device

CPUINFO = Path("/proc/cpuinfo")
_CGROUPS = Path("/sys/fs/cgroup")
_TOPOLOGY = Path("/sys/devices/system/cpu")
_BF16 = frozenset(("avx512_bf16", "amx_bf16", "bf16"))  # as Linux calls them; the last is ARM's


def cpu_device() -> Device:
    """The CPU as this process may use it."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = physical_cores(affinity(0)) if affinity else ()
    count = len(cores) or psutil.cpu_count(logical=False) or os.cpu_count() or 1
    quota = cpu_quota()
    if quota is not None and quota < count:
        count = max(1, int(quota))
    memory = psutil.virtual_memory().total
    return Device("cpu", 0, cpu_name(), memory, "cpu", count)


def physical_cores(usable: set[int], topology: Path = _TOPOLOGY) -> tuple[tuple[int, ...], ...]:
    """The usable hardware threads, grouped by the physical core they belong to."""
    cores: dict[str, list[int]] = {}
    for thread in sorted(usable):
        siblings = topology / f"cpu{thread}" / "topology" / "thread_siblings_list"
        try:
            core = siblings.read_text().strip()
        except OSError:
            core = str(thread)
        cores.setdefault(core, []).append(thread)
    return tuple(tuple(threads) for threads in cores.values())


def cpu_quota(root: Path = _CGROUPS, membership: Path = Path("/proc/self/cgroup")) -> float | None:
    """CPUs this process's cgroup (version 2) and its parents allow; None where none is set."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return None
    own = next((line[3:] for line in lines if line.startswith("0::")), None)
    if own is None:
        return None
    group = root / own.strip("/")
    quotas = []
    for folder in (group, *group.parents):
        with contextlib.suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text().split()
            if quota != "max":
                quotas.append(int(quota) / int(period))
        if folder == root:
            break
    return min(quotas, default=None)


def emulates_bf16(cpuinfo: Path = CPUINFO) -> bool:
    """Whether the CPU has no instructions for bf16; False where the system does not list them."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return False
    for line in lines:
        name, _, flags = line.partition(":")
        if name.strip() in ("flags", "Features"):  # x86, ARM
            return _BF16.isdisjoint(flags.split())
    return False


def cpu_name() -> str:
    """What the system calls its processor."""
    with contextlib.suppress(OSError):
        for line in CPUINFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "CPU"
