"""Where a cell trains: its device, its folder, how long it may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runner.content.outcome import Advance

Report = Callable[[Advance], None]
"""Told of each epoch, or of each point of a curve."""


@dataclass(frozen=True, slots=True)
class Place:
    """What one attempt of a trainer of one's own is given.

    Attributes:
        device: "cpu" or "cuda:0", of the devices the environment shows.
        folder: of the cell's own; made, and kept from one attempt to the next.
        log: the file that takes what is printed.
        threads: CPU threads that a cell computes with.
        seconds: that it may take.
    """

    device: str
    folder: Path
    log: Path
    threads: int
    seconds: float
