"""How much of one core the training step uses: operations counted, peak measured, in one process.

The peak is the best of repeated matrix products; the step is the runner's own `train`, with its
augmentation and without. Peak and step alternate, so that a slower moment of the machine strikes
both. Run as `python -m tests.benchmarks.roofline OUT.json ARCHIVE QUICK` with one thread.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ablations.registry import load_plugins, resolve
from runner.content.cell import Cell
from runner.content.level import Level
from runner.content.protocol import ModelSpec, TrainSpec
from runner.data import load
from runner.network.model import build
from runner.training import train
from tests.benchmarks.contestants import PLUGIN
from tests.benchmarks.images import Pictures, prepare
from tests.benchmarks.workload import WIDE, Workload

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def cell_of(
    workload: Workload, pictures: Pictures, *, precision: str = "bf16", augmentation: str = "strong"
) -> Cell:
    """A cell of the workload as the runner would plan it."""
    plugins = (PLUGIN,) if workload.needs_plugin else ()
    load_plugins(plugins)
    names = {
        "augmentation": augmentation,
        "scheduler": "constant",
        "init": "default",
        "bn_placement": "before",
        "optimizer": "sgd_momentum",
    }
    return Cell(
        levels=(),
        held=tuple(
            Level(factor, name, name, resolve(factor, name, {})) for factor, name in names.items()
        ),
        replicate=workload.seeds[0],
        data=pictures.data,
        model=ModelSpec.model_validate(workload.model),
        train=TrainSpec.model_validate(
            {
                "epochs": workload.epochs,
                "batch_size": workload.batch_size,
                "precision": precision,
            }
        ),
        plugins=plugins,
    )


SIZE = 2048
"""Rows of the matrices whose product gives the peak."""


def operations_an_image(network: nn.Module) -> dict[str, float]:
    """Floating-point operations of a forward, and of a forward and backward pass, an image."""
    images = torch.zeros(2, 3, 32, 32)
    with FlopCounterMode(display=False) as forward:
        network(images)
    with FlopCounterMode(display=False) as both:
        network(images).sum().backward()
    return {
        "forward": forward.get_total_flops() / 2,
        "train": both.get_total_flops() / 2,
    }


def matmul_peak(dtype: torch.dtype, device: str = "cpu", seconds: float = 1.0) -> float:
    """Best rate of a square matrix product, in operations a second."""
    left = torch.randn(SIZE, SIZE, device=device).to(dtype)
    right = torch.randn(SIZE, SIZE, device=device).to(dtype)
    best, ends = 0.0, time.perf_counter() + seconds
    while time.perf_counter() < ends or best == 0.0:
        _wait(device)
        began = time.perf_counter()
        left @ right
        _wait(device)
        best = max(best, 2 * SIZE**3 / (time.perf_counter() - began))
    return best


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def step_speed(cell: Cell, device: str = "cpu") -> list[float]:
    """Images a second in the training steps of each epoch but the first, which warms up."""
    outcome = train(cell, load(cell.data), device)
    speeds = [epoch.images_per_second for epoch in outcome.curve]
    return speeds[1:] or speeds


def shares(
    workload: Workload, pictures: Pictures, repeats: int, device: str = "cpu", seconds: float = 1.0
) -> list[dict[str, Any]]:
    """Rows: precision, augmentation, images a second, rate and peak in operations a second."""
    rows = []
    operations = operations_an_image(build(cell_of(workload, pictures), 10))
    for _ in range(repeats):
        for precision, dtype in DTYPES.items():
            for augmentation in ("strong", "none"):
                cell = cell_of(workload, pictures, precision=precision, augmentation=augmentation)
                before = matmul_peak(dtype, device, seconds)
                speeds = step_speed(cell, device)
                peak = max(before, matmul_peak(dtype, device, seconds))
                speed = sorted(speeds)[len(speeds) // 2]
                rows.append(
                    {
                        "network": workload.name,
                        "channels": workload.channels,
                        "precision": precision,
                        "augmentation": augmentation,
                        "images_per_second": speed,
                        "operations_an_image": operations["train"],
                        "rate": speed * operations["train"],
                        "peak": peak,
                    }
                )
    return rows


def measure(source: Path, quick: bool) -> list[dict[str, Any]]:
    """Both networks on one core."""
    torch.set_num_threads(1)
    narrow = Workload("16 to 64", epochs=3, train_images=2048)
    wide = Workload(
        "64 to 512", channels=WIDE, epochs=2, train_images=384, validation_images=64,
        test_images=128,
    )  # fmt: skip
    if quick:
        narrow = replace(narrow, train_images=256, validation_images=64, test_images=128)
        wide = replace(wide, train_images=128)
    rows = []
    for workload in (narrow, wide):
        rows += shares(workload, prepare(workload, source), 1 if quick else 2)
    return rows


if __name__ == "__main__":
    out, images, quick = sys.argv[1:]
    Path(out).write_text(json.dumps(measure(Path(images), quick == "True")))
