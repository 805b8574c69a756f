"""What a design would cost: time and disk, with the basis of the estimate in words.

From the arithmetic of the network and rules of thumb for this machine's devices: good to a factor
of two or three.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, fsum

from runner.content.cell import Cell
from runner.content.protocol import TrainSpec
from runner.design.design import Design
from runner.machine.device import Slot
from runner.network.layout import multiplications, weight_count
from runner.spec.catalog import DATASETS, train_images

CPU_RATE = 80e9
"""FLOP/s of one thread in float32 training; measured 80 to 96e9 on an AMD EPYC core."""

CPU_STEP_SECONDS = 8e-3
"""Of a training step beside the arithmetic: fitted to 2.4 s of VGG-11/8 on digits, 126 steps."""

CUDA_RATES = {"bf16": 60e12, "tf32": 40e12, "fp32": 20e12}
"""FLOP/s on a data-centre device: a rule of thumb below a third of the peak, not measured here."""

CUDA_STEP_SECONDS = 3e-3
"""Launching the kernels of a step from Python, the floor for small networks."""

START_SECONDS = 0.3
"""Starting a cell process and handing its outcome over."""

BYTES_A_CELL, BYTES_AN_EPOCH = 12_000, 700
"""Rows, outcome file and log of a cell, counted twice: in a file and in the store."""


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """Time and disk. `None` where the network or the data set is not known well enough."""

    cell_seconds: float | None  # of one cell, on the average
    seconds: float | None  # until the last cell ends
    disk_bytes: int  # rows, outcome files, logs, and checkpoints while cells train
    basis: str


def estimate_cost(design: Design, slots: Sequence[Slot]) -> CostEstimate:
    """Time and disk for all cells of a design.

    Args:
        design: The plan.
        slots: Where cells would train.
    """
    cells = len(design.cells)
    if design.spec.trainer is not None:
        basis = "unknown before the first cell: a trainer of one's own"
        return CostEstimate(None, None, cells * (BYTES_A_CELL + 30 * BYTES_AN_EPOCH), basis)
    kind = "cpu" if not slots or slots[0].device == "cpu" else "cuda"
    each = _mean_seconds(design, slots, kind)
    rate = f"{CPU_RATE / 1e9:.0f} GFLOP/s a thread"
    if kind == "cuda":
        rate = f"{CUDA_RATES[design.spec.train.precision] / 1e12:.0f} TFLOP/s a device"
    basis = f"the network's arithmetic at {rate}, a rule of thumb"
    if each is None:
        basis = "unknown before the first cell: a plugin's model or a data set of unknown size"
    places = max(1, min(len(slots), cells))
    total = None if each is None else ceil(cells / places) * (each + START_SECONDS)
    return CostEstimate(each, total, _disk(design, cells, places), basis)


def _mean_seconds(design: Design, slots: Sequence[Slot], kind: str) -> float | None:
    """Over the cells' protocols: field factors make cells of different cost."""
    sharing = Counter(slot.device_id for slot in slots) or Counter(["cpu"])
    crowd = max(sharing.values()) if kind == "cuda" else 1
    protocols = {id(cell.train) + id(cell.model) + id(cell.data): cell for cell in design.cells}
    counts = Counter(id(cell.train) + id(cell.model) + id(cell.data) for cell in design.cells)
    seconds = [(_cell_seconds(cell, kind, crowd), counts[key]) for key, cell in protocols.items()]
    known = [(one, count) for one, count in seconds if one is not None]
    if len(known) < len(seconds):
        return None
    return fsum(one * count for one, count in known) / len(design.cells)


def _cell_seconds(cell: Cell, kind: str, crowd: int) -> float | None:
    images = train_images(cell.data)
    if images is None or cell.model.name != "vgg":
        return None
    facts = DATASETS[cell.data.name]
    train: TrainSpec = cell.train
    forward = 2 * multiplications(cell.model)
    evaluated = images * cell.data.validation / (1 - cell.data.validation)
    flops = train.epochs * (3 * images + evaluated) * forward
    flops += (facts.test_images or 0) * forward
    steps = train.epochs * ceil(images / train.batch_size)
    if kind == "cpu":
        return float(flops / (CPU_RATE * train.threads) + steps * CPU_STEP_SECONDS)
    # Launches of several cells overlap on a device, its arithmetic does not.
    return float(max(flops * crowd / CUDA_RATES[train.precision], steps * CUDA_STEP_SECONDS))


def _disk(design: Design, cells: int, places: int) -> int:
    """Rows and files of all cells, and a checkpoint of weights and two moments in each place."""
    spec = design.spec
    rows_and_files = cells * (BYTES_A_CELL + BYTES_AN_EPOCH * spec.train.epochs)
    facts = DATASETS.get(spec.data.name)
    classes = 10 if facts is None or facts.classes is None else facts.classes
    if spec.model.name != "vgg":
        return rows_and_files
    return rows_and_files + places * 12 * weight_count(spec.model, classes)
