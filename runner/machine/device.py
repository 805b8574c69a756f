"""What a device is, and a place on it where one cell trains at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


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
