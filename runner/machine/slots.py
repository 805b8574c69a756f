"""What cells can train on here: the devices asked for, and the slots on them.

`inventory` finds the devices, `slots_on` turns them into places where one cell trains at a time: no
more on the CPU than its cores hold, and one a CUDA device unless more are asked for.

`ABLATIONS_FAKE_DEVICES=cuda:4` (or `cpu:8`) stands in for the machine: its slots compute on the
CPU, so that scheduling over devices can be tested anywhere. With `cuda:4@FILE` the devices whose
numbers stand in FILE have vanished; it is read at every look.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ablations.errors import InputError, OptionError
from runner.machine.cpu import cpu_device
from runner.machine.cuda import answers, cuda_devices
from runner.machine.device import Device, Slot
from runner.program.wording import counted

FAKE = "ABLATIONS_FAKE_DEVICES"


def cuda_visible() -> bool:
    """Whether this process sees a CUDA device; torch is not asked and no context is made."""
    fake = _fake_devices()
    return any(one.kind == "cuda" for one in (fake if fake is not None else cuda_devices()))


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
        return (cpu_device(),) if fake is None or fake[0].kind == "cuda" else fake
    visible = cuda_devices() if fake is None else tuple(one for one in fake if one.kind == "cuda")
    if asked == "auto":
        return visible or fake or (cpu_device(),)
    numbers = asked.removeprefix("cuda").removeprefix(":")
    if not numbers:
        chosen = list(range(len(visible)))
    else:
        chosen = [_number(part, devices or "") for part in numbers.split(",")]
    if not visible:
        variable = os.environ.get("CUDA_VISIBLE_DEVICES")
        why = "" if variable is None else f" (CUDA_VISIBLE_DEVICES is {variable!r})"
        raise OptionError("--devices", devices, f"no CUDA device is visible{why}; expected 'cpu'")
    for number in chosen:
        if number >= len(visible):
            there = ", ".join(f"{one.index} ({one.name})" for one in visible)
            problem = f"there is no device {number}; visible: {there}"
            raise OptionError("--devices", devices, problem)
    if len(set(chosen)) < len(chosen):
        raise OptionError("--devices", devices, "a device is named twice")
    return tuple(visible[number] for number in chosen)


def is_there(slot: Slot) -> bool:
    """Whether the slot's device still answers; asked when a cell failed on it."""
    if slot.device_id == "cpu":
        return True
    fake = _fake_devices()
    if fake is not None:
        return any(one.uuid == slot.device_id for one in fake)
    return answers(slot.device_id)


def _number(text: str, devices: str) -> int:
    if not text.strip().isdecimal():
        problem = f"expected 'cpu', 'cuda' or numbers such as '0,2', got {text!r}"
        raise OptionError("--devices", devices, problem)
    return int(text)


def slots_on(
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
        raise OptionError("--slots-per-device", per_device, "expected at least 1")
    places: list[Slot] = []
    for device in devices:
        if device.kind == "cpu":
            places.extend(_cpu_slots(device, per_device, threads))
        else:
            places.extend(_cuda_slots(device, per_device or 1))
    if not places:
        raise InputError("no device to train on")
    return tuple(places)


def _cpu_slots(device: Device, wanted: int | None, threads: int) -> Iterator[Slot]:
    room = max(1, device.core_count // threads)
    count = room if wanted is None else wanted
    if count > room:
        raise OptionError(
            "--slots-per-device",
            count,
            f"this process may use {counted(device.core_count, 'CPU core')}, room "
            f"for {counted(room, 'cell')} of {counted(threads, 'thread')}",
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
