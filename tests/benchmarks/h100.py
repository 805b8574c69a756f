"""What the CUDA grids would take on one H100 and on eight, counted and not run.

    python -m tests.benchmarks.h100 [--out FILE]

Floating-point operations and bytes of a training step are counted by running one, on the CPU, of
the very network that a cell trains: operations by torch's counter, bytes by adding up what every
call reads and writes. No step is timed, so what is written here are estimates, with their
assumptions beside them; `make bench-cuda` measures.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from ablations.registry import find
from runner.content.cell import Cell
from runner.design import design_of
from runner.network.model import build
from runner.spec import load_spec
from runner.spec.catalog import DATASETS, train_images
from tests.benchmarks.machine import commit
from tests.benchmarks.table import markdown_table

ROOT = Path(__file__).parents[2]
COMMAND = "python -m tests.benchmarks.h100"
FILES = {"five_factor.yaml": "cuda", "cifar10_cuda.yaml": "auto"}

PEAK = 989e12
"""Dense bf16 operations a second of an H100 SXM5, and its memory's bytes a second (data sheet)."""
MEMORY = 3.35e12
REACHED, STREAMED = 0.36, 0.80
"""Shares of them that are assumed: about what airbench reaches on an A100, and what copies do."""

BATCH_NORM = {
    "native_batch_norm": 1,
    "_native_batch_norm_legit": 1,
    "_batch_norm_with_update": 1,
    "native_batch_norm_backward": 2,
    "batch_norm_backward": 2,
}
"""Tensors of a batch norm that are read a second time: mean and variance come first, then the use
of them; backward needs both of its sums before it can write."""


STREAMS = ("one stream", "two at a time")


@dataclass(frozen=True)
class Step:
    """What a training step takes.

    Attributes:
        operations: floating-point operations an image, of forward and backward passes.
        forward: of a forward pass alone.
        image_bytes: read and written an image.
        fixed_bytes: read and written a step, whatever the batch: weights and the optimizer's state.
        forward_bytes: of a forward pass an image.
    """

    operations: float
    forward: float
    image_bytes: float
    fixed_bytes: float
    forward_bytes: float


class Traffic(TorchDispatchMode):
    """Adds up the bytes of tensors that calls read and write; what only renames them is free."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the call and count it."""
        out = func(*args, **(kwargs or {}))
        schema = func._schema
        renames = any(one.alias_info and not one.alias_info.is_write for one in schema.returns)
        if renames or schema.name.startswith("aten::empty"):
            return out
        read = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        written = [one for one in tree_leaves(out) if isinstance(one, Tensor)]
        # A call that writes into its arguments returns them, or nothing.
        if not written:
            written = [read[0]] if read else []
        again = BATCH_NORM.get(schema.name.removeprefix("aten::"), 0)
        self.bytes += sum(map(_size, (*read, *written, *read[:again])))
        return out


def _size(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


@contextmanager
def _counted(batch: int, cell: Cell) -> Iterator[tuple[nn.Module, Tensor]]:
    """The cell's network and a batch of images, under the autocast of its cells on CUDA."""
    network = build(cell, 10)
    # Not channels last, so that what is called are torch's own modules, as on CUDA.
    images = torch.rand(batch, 3, 32, 32)
    with torch.autocast("cpu", torch.bfloat16, enabled=cell.train.precision == "bf16"):
        yield network, images


def counted(cell: Cell) -> Step:
    """Operations and bytes of a step of this cell's network and optimizer."""
    few, many = 2, 6
    with FlopCounterMode(display=False) as flops, _counted(few, cell) as (network, images):
        logits = network(images)
        forward = flops.get_total_flops()
        logits.float().sum().backward()
    both = flops.get_total_flops()
    steps, forwards = {}, {}
    for batch in (few, many):
        steps[batch], forwards[batch] = _bytes(batch, cell)
    # What grows with the batch and what does not, from two batches.
    slope = (steps[many] - steps[few]) / (many - few)
    return Step(
        operations=both / few,
        forward=forward / few,
        image_bytes=slope,
        fixed_bytes=steps[few] - few * slope,
        forward_bytes=(forwards[many] - forwards[few]) / (many - few),
    )


def _bytes(batch: int, cell: Cell) -> tuple[int, int]:
    """Of a whole step and of its forward pass. The optimizer's first step makes its state."""
    chosen = cell.level("optimizer")
    with _counted(batch, cell) as (network, images):
        parameters = list(network.parameters())
        optimizer = find("optimizer", chosen.name).function(parameters, **chosen.parameters)
        labels = torch.zeros(batch, dtype=torch.int64)
        for _ in range(2):
            with Traffic() as traffic:
                logits = network(images)
                forward = traffic.bytes
                with torch.autocast("cpu", enabled=False):
                    loss = nn.functional.cross_entropy(logits.float(), labels)
                loss.backward()
                optimizer.step()
            optimizer.zero_grad()
    return traffic.bytes, forward


@dataclass(frozen=True)
class Total:
    """Of a grid: cells, operations, bytes, steps."""

    cells: int = 0
    operations: float = 0.0
    bytes: float = 0.0
    norm_bytes: float = 0.0
    steps: int = 0

    @property
    def arithmetic(self) -> float:
        """Seconds of one H100 in arithmetic."""
        return self.operations / (REACHED * PEAK)

    @property
    def traffic(self) -> float:
        """Seconds of one H100 in reading and writing its memory."""
        return self.bytes / (STREAMED * MEMORY)

    @property
    def norm(self) -> float:
        """Seconds of these that networks with batch norm take more than those without."""
        return self.norm_bytes / (STREAMED * MEMORY)


def total(file: Path, profile: str) -> Total:
    """Of all planned cells of a file; tuning is not among them."""
    spec = load_spec(file, profile, cuda_visible=True)
    cells = design_of(spec).cells
    known: dict[tuple[Any, ...], Step] = {}
    plain: dict[tuple[Any, ...], Step] = {}
    sums = {"operations": 0.0, "bytes": 0.0, "norm_bytes": 0.0}
    steps = 0
    for cell in cells:
        key = (cell.model.depth, cell.level("bn_placement").name, cell.level("optimizer").name)
        if key not in known:
            known[key] = counted(cell)
        if key[1] == "none":
            plain[key[0], key[2]] = known[key]
    for cell in cells:
        key = (cell.model.depth, cell.level("bn_placement").name, cell.level("optimizer").name)
        operations, traffic, own = _cell(cell, known[key])
        sums["operations"] += operations
        sums["bytes"] += traffic
        sums["norm_bytes"] += traffic - _cell(cell, plain[key[0], key[2]])[1]
        steps += own
    return Total(len(cells), sums["operations"], sums["bytes"], sums["norm_bytes"], steps)


def _cell(cell: Cell, step: Step) -> tuple[float, float, int]:
    """Operations, bytes and steps of one cell, with validation and test."""
    images = train_images(cell.data) or 0
    facts = DATASETS[cell.data.name]
    epochs = cell.train.epochs
    steps = epochs * ceil(images / cell.train.batch_size)
    validation = images * cell.data.validation / (1 - cell.data.validation)
    looked_at = epochs * validation + (facts.test_images or 0)
    operations = epochs * images * step.operations + looked_at * step.forward
    traffic = epochs * images * step.image_bytes + steps * step.fixed_bytes
    return operations, traffic + looked_at * step.forward_bytes, steps


def page(totals: Mapping[str, Total]) -> str:
    """The table and what it rests on."""
    rows = []
    for name, one in totals.items():
        least, most = max(one.arithmetic, one.traffic), one.arithmetic + one.traffic
        rows.append([
            f"`{name}`", f"{one.cells:,}", f"{one.operations / 1e15:,.0f}",
            f"{one.bytes / 1e15:,.2f}", f"{one.arithmetic / 60:,.0f}", f"{one.traffic / 60:,.0f}",
            f"{one.norm / 60:,.0f}", f"{most / 60:,.0f}", f"{least / 60:,.0f}",
            f"{most / 60 / 8:,.0f}", f"{least / 60 / 8:,.0f}",
        ])  # fmt: skip
    header = ["grid", "cells", "PFLOP", "PB", "arithmetic", "memory", "of it batch norm"]
    header += [f"{count}, {how}" for count in ("one H100", "eight") for how in STREAMS]
    table = markdown_table(header, rows)
    launches = "; ".join(
        f"`{name}` {one.steps:,} steps, {one.steps * 1e-3 / 60:,.0f} min a millisecond"
        for name, one in totals.items()
    )
    return f"""# What the CUDA grids would take on an H100

**Nothing here was measured: no CUDA device was at hand.** `{COMMAND}` on
{datetime.now(UTC).date()}, commit {commit()}; torch {torch.__version__.split("+")[0]}.
Times are minutes.

{table}

- *PFLOP*, *PB*: counted, from one step of the very network and optimizer of each cell: operations
  by torch's `FlopCounterMode`, bytes as the sum of what every call reads and writes once; a batch
  norm reads its input twice, and backward both of its inputs twice. Validation after every epoch
  and the test are in.
- *arithmetic*: at {REACHED:.0%} of {PEAK / 1e12:.0f} TFLOP/s, dense bf16 of the H100 SXM5's data
  sheet. The share is assumed: airbench reaches 35 % on an A100 (3.6e14 operations in 3.29 s of at
  most 312 TFLOP/s; Jordan, 2024, arXiv:2404.00498).
- *memory*: at {STREAMED:.0%} of {MEMORY / 1e12:.2f} TB/s, assumed too. What a fused kernel or the
  50 MB of cache saves is not taken off. *of it batch norm*: more than the same network without.
- *one stream*: one step after the other. *two at a time*: one cell calculates while another moves
  bytes, the larger of the two, the best that could be. *eight*: an eighth; cells are independent.
- Not in it: launching kernels, because a step is one CUDA graph here. Without graphs every
  millisecond a step takes of Python costs: {launches}. Nor reading images (once a process),
  starting processes, the search of `tune:` and replicates beyond the first three.

`make bench-cuda` measures what [cuda.md](cuda.md) has rows for; `make publish-cuda` runs the study.
"""


def main() -> None:
    """Count and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "benchmarks" / "h100.md")
    arguments = parser.parse_args()
    totals = {name: total(ROOT / "ablations" / name, profile) for name, profile in FILES.items()}
    arguments.out.write_text(page(totals))


if __name__ == "__main__":
    main()
