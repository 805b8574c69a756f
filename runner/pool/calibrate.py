"""How many cells a device trains best side by side: measured, remembered.

One small network leaves a large device mostly idle; several cells fill it until they get in each
other's way. `search` doubles the number of slots until the total throughput gains less than five
per cent or the memory runs short. What it finds is remembered for the device and the kind of cell.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ablations.errors import InputError
from runner.content.cell import Cell
from runner.content.outcome import Advance, Epoch, Reason, Status
from runner.machine.cache_folder import cache_folder
from runner.machine.device import Device, Slot
from runner.machine.slots import slots_on
from runner.pool.process.child import CellJob
from runner.pool.process.launch import CellProcess, Ended
from runner.program.files import write_whole

GAIN = 1.05
"""Doubling the slots must raise the throughput at least so much to go on."""

MEMORY_SHARE = 0.85
"""Of the device's memory that all slots together may take."""

EPOCHS = 3
"""Of a measured cell; the first is left out, because kernels are chosen and captured in it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What so many slots on one device did together."""

    slots: int
    images_per_second: float  # of all slots; 0 when a cell ran out of memory
    memory_bytes: int  # peaks of all slots, added up


def search(
    measure: Callable[[int], Measured], memory_bytes: int, most: int
) -> tuple[Measured, list[Measured]]:
    """The best number of slots and everything measured on the way.

    Args:
        measure: Trains so many cells side by side.
        memory_bytes: Of the device.
        most: Not more slots than this.
    """
    tried = [measure(1)]
    best = tried[0]
    if best.images_per_second <= 0:
        raise InputError("not even one cell fits on the device: choose a smaller model or batch")
    while best.slots == tried[-1].slots and 2 * best.slots <= most:
        if 2 * best.memory_bytes > MEMORY_SHARE * memory_bytes:
            break
        tried.append(measure(2 * best.slots))
        if tried[-1].images_per_second >= GAIN * best.images_per_second:
            best = tried[-1]
    return best, tried


def measure_slots(device: Device, cell: Cell, count: int) -> Measured:
    """Train `count` copies of a short cell side by side on a device."""
    short = replace(cell, train=cell.train.model_copy(update={"epochs": EPOCHS}))
    places = slots_on([device], count)
    start = threading.Barrier(count)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(count) as pool:
        ended = list(pool.map(lambda place: _train(short, place, folder, start), places))
    if any(one.outcome is None for _, one in ended):
        failed = next(one for _, one in ended if one.outcome is None)
        raise InputError(f"a cell could not be measured: {failed.reason}: {failed.detail}")
    outcomes = [one.outcome for _, one in ended if one.outcome is not None]
    for outcome in outcomes:
        if outcome.status is Status.FAILED and outcome.reason is not Reason.OOM:
            raise InputError(f"a cell could not be measured: {outcome.detail}")
    if any(outcome.status is Status.FAILED for outcome in outcomes):
        return Measured(count, 0.0, 0)
    rates = [[e.images_per_second for e in epochs[1:]] for epochs, _ in ended]
    return Measured(
        count,
        sum(sum(rate) / len(rate) for rate in rates if rate),
        sum(outcome.peak_memory_bytes or 0 for outcome in outcomes),
    )


def _train(
    cell: Cell, place: Slot, folder: str, start: threading.Barrier
) -> tuple[list[Epoch], Ended]:
    epochs: list[Epoch] = []

    def note(one: Advance) -> None:
        if isinstance(one, Epoch):
            epochs.append(one)

    process = CellProcess(place)
    name = place.name.replace("/", "-").replace(":", "-")
    job = CellJob(cell.to_json(), name, folder, str(Path(folder, f"{name}.log")), place.device)
    try:
        start.wait()
        ended = process.train(job, on_epoch=note, taken_away=lambda: False, stop=threading.Event())
    finally:
        process.close()
    return epochs, ended


def _memory_file() -> Path:
    """What the best numbers of slots are remembered in, beside the decoded images."""
    return cache_folder() / "slots-per-device.json"


def kind_of_cell(cell: Cell) -> str:
    """What decides how much of a device a cell needs."""
    model, train = cell.model, cell.train
    return (
        f"{model.name} {model.depth} {model.width:g} {train.batch_size} {train.precision} "
        f"{cell.data.name}"
    )


def remember(device: Device, cell: Cell, best: Measured) -> Path:
    """Keep the best number of slots for this kind of device and cell; returns the file."""
    path = _memory_file()
    known = _recall_all()
    known.setdefault(device.name, {})[kind_of_cell(cell)] = asdict(best)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(known, indent=1))
    return path


def recall(devices: Sequence[Device], cell: Cell) -> int | None:
    """Slots a device, as remembered for the first CUDA device and this kind of cell."""
    measured = _recall_all().get(devices[0].name, {}).get(kind_of_cell(cell))
    if devices[0].kind != "cuda" or not isinstance(measured, dict):
        return None
    count = measured.get("slots")
    return count if isinstance(count, int) and count >= 1 else None


def _recall_all() -> dict[str, dict[str, object]]:
    try:
        known = json.loads(_memory_file().read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
