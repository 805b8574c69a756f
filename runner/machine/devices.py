"""What cells can train on: CUDA devices and CPU cores, found without importing torch.

CUDA devices are asked from the driver's NVML library, which creates no CUDA context; CPU cores are
those this process may use (affinity, cgroup quota), one a physical core. `slots` turns devices into
places where one cell trains at a time: no more on the CPU than its cores hold, and one a CUDA
device unless more are asked for.

`ABLATIONS_FAKE_DEVICES=cuda:4` (or `cpu:8`) stands in for the machine: its slots compute on the
CPU, so that scheduling over devices can be tested anywhere. With `cuda:4@FILE` the devices whose
numbers stand in FILE have vanished; it is read at every look.
Above 300 lines, because what is a device and what is a slot of it are decided by one set of rules.
"""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import psutil

from ablations.errors import InputError

FAKE = "ABLATIONS_FAKE_DEVICES"
_CGROUPS = Path("/sys/fs/cgroup")
_TOPOLOGY = Path("/sys/devices/system/cpu")
_BF16 = frozenset(("avx512_bf16", "amx_bf16", "bf16"))  # as Linux calls them; the last is ARM's


@dataclass(frozen=True, slots=True)
class Device:
    """One CUDA device, or the CPU with the cores this process may use."""

    kind: Literal["cuda", "cpu"]
    index: int  # as torch would number the visible devices; 0 for the CPU
    name: str
    memory_bytes: int
    uuid: str  # unique on this machine: "GPU-5c1b...", "cpu"
    core_count: int = 0  # CPU: physical cores this process may use
    fake: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """A place where one cell trains at a time."""

    name: str  # "cpu/0", "cuda:1/0"
    device: str  # what torch calls it inside the cell process: "cpu" or "cuda:0"
    device_id: str  # the device's uuid: slots of one device share it
    env: Mapping[str, str] = field(default_factory=dict)  # for the cell process


def cuda_visible() -> bool:
    """Whether this process sees a CUDA device; torch is not asked and no context is made."""
    fake = _fake_devices()
    return any(one.kind == "cuda" for one in (fake if fake is not None else _cuda_devices()))


def inventory(devices: str | None = None) -> tuple[Device, ...]:
    """The devices to train on.

    Args:
        devices: None or "auto" for every visible CUDA device or else the CPU; "cpu"; "cuda";
            numbers of visible CUDA devices such as "0,2" or "cuda:0,2".

    Raises:
        InputError: a device that is not there, named with those that are.
    """
    asked = "auto" if devices is None else devices.strip()
    fake = _fake_devices()
    if asked == "cpu":
        return (_cpu(),) if fake is None or fake[0].kind == "cuda" else fake
    found = _cuda_devices() if fake is None else tuple(one for one in fake if one.kind == "cuda")
    if asked == "auto":
        return found or fake or (_cpu(),)
    numbers = asked.removeprefix("cuda").removeprefix(":")
    if not numbers:
        chosen = list(range(len(found)))
    else:
        chosen = [_number(part, devices or "") for part in numbers.split(",")]
    if not found:
        said = os.environ.get("CUDA_VISIBLE_DEVICES")
        why = "" if said is None else f" (CUDA_VISIBLE_DEVICES is {said!r})"
        raise InputError(f"--devices {devices}: no CUDA device is visible{why}; expected 'cpu'")
    for number in chosen:
        if number >= len(found):
            there = ", ".join(f"{one.index} ({one.name})" for one in found)
            raise InputError(f"--devices {devices}: there is no device {number}; visible: {there}")
    if len(set(chosen)) < len(chosen):
        raise InputError(f"--devices {devices}: a device is named twice")
    return tuple(found[number] for number in chosen)


def is_there(slot: Slot) -> bool:
    """Whether the slot's device still answers; asked when a cell failed on it."""
    if slot.device_id == "cpu":
        return True
    fake = _fake_devices()
    if fake is not None:
        return any(one.uuid == slot.device_id for one in fake)
    with _nvml() as nvml:
        if nvml is None:
            return False
        return _describe(nvml, nvml.nvmlDeviceGetHandleByUUID, slot.device_id) is not None


def _number(text: str, devices: str) -> int:
    if not text.strip().isdecimal():
        raise InputError(
            f"--devices {devices}: expected 'cpu', 'cuda' or numbers such as '0,2', got {text!r}"
        )
    return int(text)


def slots(
    devices: Sequence[Device], per_device: int | None = None, *, threads: int = 1
) -> tuple[Slot, ...]:
    """Places for cells on these devices.

    Args:
        devices: What `inventory` found.
        per_device: Slots a CUDA device (default 1), or slots on the CPU in all (default: as many as
            its cores hold).
        threads: CPU threads of a cell (`train.threads`): a CPU slot gets as many cores.

    Raises:
        InputError: more CPU slots than the cores hold, or no slot at all.
    """
    if per_device is not None and per_device < 1:
        raise InputError(f"--slots-per-device {per_device}: expected at least 1")
    found: list[Slot] = []
    for device in devices:
        if device.kind == "cpu":
            found.extend(_cpu_slots(device, per_device, threads))
        else:
            found.extend(_cuda_slots(device, per_device or 1))
    if not found:
        raise InputError("no device to train on")
    return tuple(found)


def _cpu_slots(device: Device, wanted: int | None, threads: int) -> Iterator[Slot]:
    room = max(1, device.core_count // threads)
    count = room if wanted is None else wanted
    if count > room:
        raise InputError(
            f"--slots-per-device {count}: this process may use {device.core_count} CPU cores, room "
            f"for {room} cells of {threads} thread{'s' if threads > 1 else ''}"
        )
    for number in range(count):
        yield Slot(f"cpu/{number}", "cpu", device.uuid)


def _cuda_slots(device: Device, count: int) -> Iterator[Slot]:
    for number in range(count):
        name = f"cuda:{device.index}/{number}"
        # By uuid: numbers mean another device wherever the order differs.
        env = {"CUDA_VISIBLE_DEVICES": device.uuid}
        yield Slot(name, "cpu" if device.fake else "cuda:0", device.uuid, env)


def _fake_devices() -> tuple[Device, ...] | None:
    """The devices `ABLATIONS_FAKE_DEVICES` names; None where it is not set."""
    text = os.environ.get(FAKE)
    if not text:
        return None
    machine, _, vanished = text.partition("@")
    kind, _, count = machine.partition(":")
    if kind not in ("cuda", "cpu") or not count.isdecimal() or not 1 <= int(count) <= 4096:
        raise InputError(f"{FAKE}={text}: expected 'cuda:COUNT[@FILE]' or 'cpu:COUNT'")
    if kind == "cpu":
        cpu = Device("cpu", 0, "fake CPU", 2**34, "cpu", core_count=int(count), fake=True)
        return (cpu,)
    gone = Path(vanished).read_text().split() if vanished else []
    there = [number for number in range(int(count)) if str(number) not in gone]
    return tuple(
        Device("cuda", index, "fake CUDA device", 2**34, f"GPU-fake-{number}", fake=True)
        for index, number in enumerate(there)
    )


def _cuda_devices() -> tuple[Device, ...]:
    """Visible CUDA devices by NVML; none where there is no driver."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and not visible.strip():
        return ()
    with _nvml() as nvml:
        if nvml is None:
            return ()
        try:
            count = nvml.nvmlDeviceGetCount()
            every = [_describe(nvml, nvml.nvmlDeviceGetHandleByIndex, i) for i in range(count)]
            return tuple(
                replace(one, index=index)
                for index, one in enumerate(_visible(nvml, every, visible))
            )
        except nvml.NVMLError:
            return ()


@contextlib.contextmanager
def _nvml() -> Iterator[Any]:
    """NVML, initialised for the block; None where there is no driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield None
        return
    try:
        yield pynvml
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def _describe(nvml: Any, look_up: Callable[[Any], Any], key: int | str) -> Device | None:
    """The device that `look_up` finds under `key`; None for one that fell off the bus."""
    try:
        handle = look_up(key)
        return Device(
            "cuda",
            0,
            _text(nvml.nvmlDeviceGetName(handle)),
            int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
            _text(nvml.nvmlDeviceGetUUID(handle)),
        )
    except nvml.NVMLError:
        return None


def _visible(nvml: Any, every: Sequence[Device | None], visible: str | None) -> Iterator[Device]:
    """Devices in the order of CUDA_VISIBLE_DEVICES; like CUDA, stops at the first bad entry."""
    present = [device for device in every if device is not None]
    if visible is None:
        yield from present
        return
    taken: set[str] = set()
    for entry in (part.strip() for part in visible.split(",")):
        if entry.isdecimal():
            if int(entry) >= len(every):
                return
            found = every[int(entry)]
            if found is None:  # the others can still be used, each by its uuid
                continue
        elif entry.startswith("MIG-"):  # a part of a device; the list holds whole ones
            found = _describe(nvml, nvml.nvmlDeviceGetHandleByUUID, entry)
            if found is None:
                return
        else:
            matches = [device for device in present if entry and device.uuid.startswith(entry)]
            if len(matches) != 1:
                return
            found = matches[0]
        if found.uuid in taken:
            return
        taken.add(found.uuid)
        yield found


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _cpu() -> Device:
    """The CPU as this process may use it."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = _physical_cores(affinity(0)) if affinity else ()
    count = len(cores) or psutil.cpu_count(logical=False) or os.cpu_count() or 1
    quota = cpu_quota()
    if quota is not None and quota < count:
        count = max(1, int(quota))
    memory = psutil.virtual_memory().total
    return Device("cpu", 0, _cpu_name(), memory, "cpu", count)


def _physical_cores(usable: set[int], topology: Path = _TOPOLOGY) -> tuple[tuple[int, ...], ...]:
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


def emulates_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
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


def _cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "CPU"
