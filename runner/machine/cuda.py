"""CUDA devices by the driver's NVML library, which imports no torch and creates no CUDA context."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from runner.machine.device import Device


def cuda_devices() -> tuple[Device, ...]:
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
            device = every[int(entry)]
            if device is None:  # the others can still be used, each by its uuid
                continue
        elif entry.startswith("MIG-"):  # a part of a device; the list holds whole ones
            device = _describe(nvml, nvml.nvmlDeviceGetHandleByUUID, entry)
            if device is None:
                return
        else:
            matches = [one for one in present if entry and one.uuid.startswith(entry)]
            if len(matches) != 1:
                return
            device = matches[0]
        if device.uuid in taken:
            return
        taken.add(device.uuid)
        yield device


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def answers(uuid: str) -> bool:
    """Whether the device of that uuid is still there."""
    with _nvml() as nvml:
        if nvml is None:
            return False
        return _describe(nvml, nvml.nvmlDeviceGetHandleByUUID, uuid) is not None
