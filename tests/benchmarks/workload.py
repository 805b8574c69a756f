"""What is trained: the grid of cells, its network and its images, the same for every contestant."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any

NARROW = (16, 32, 64, 64, 64)
WIDE = (64, 128, 256, 512, 512)
"""The built-in VGG at width 1."""
QUARTER = (16, 32, 64, 128, 128)
"""The built-in VGG at width 0.25."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A grid of learning rates by seeds, and what one of its cells is.

    Every cell: VGG-11 with batch norm, SGD with momentum 0.9 and weight decay 5e-4, constant
    learning rate, augmentation `strong`, a look at the validation images after each epoch and one
    at the test images in the end.
    """

    name: str
    channels: tuple[int, ...] = NARROW
    epochs: int = 3
    train_images: int = 2048  # a multiple of the batch: nobody trains on a partial one
    validation_images: int = 256
    test_images: int = 512
    batch_size: int = 128
    lrs: tuple[float, ...] = (0.05, 0.02)
    seeds: tuple[int, ...] = (0, 1, 2)  # without gaps
    precisions: tuple[str, ...] = ("bf16",)  # of the runner; the peers compute in fp32
    device: str = "cpu"  # as torch calls it

    @property
    def cells(self) -> int:
        """How many cells a peer's grid has."""
        return len(self.lrs) * len(self.seeds)

    @property
    def model(self) -> dict[str, Any]:
        """The runner's `model` section: its own VGG where the channels are a multiple of its."""
        width = self.channels[0] / WIDE[0]
        if self.channels == tuple(round(full * width) for full in WIDE):
            return {"name": "vgg", "depth": 11, "width": width}
        return {"name": "vgg11_of_channels", "parameters": {"channels": list(self.channels)}}

    @property
    def needs_plugin(self) -> bool:
        """Whether the model is the benchmark's plugin (on CUDA a plugin's step is not recorded)."""
        return self.model["name"] != "vgg"

    def with_seeds(self, first: int, count: int | None = None) -> Workload:
        """The same grid over seeds first, first+1, ..."""
        count = len(self.seeds) if count is None else count
        return replace(self, seeds=tuple(range(first, first + count)))

    def facts(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "cells": self.cells}


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole benchmark: which grids, how often."""

    throughput: Workload
    rounds: int
    wide: Workload
    wide_rounds: int
    tiny: Workload  # so small that what surrounds the training shows
    growth: tuple[int, int] = (8, 128)  # cells
    growth_seconds: float = 40.0  # a contestant that would need longer gets a smaller second grid
    accuracy: Workload = field(default_factory=lambda: Workload("accuracy"))
    starts: int = 10  # cell processes started for the start-up figure
    quick: bool = False


def plan(name: str) -> Plan:
    """`quick` (does it work?), `default` (meant for half an hour on two quiet cores) or `long`.

    The accuracy grid has 16 seeds: the interval of a difference of two means then reaches 0.72
    deviations between seeds to each side, 2.2 points where that deviation is 3 points.
    """
    tiny = Workload("tiny", epochs=1, train_images=128, validation_images=32, test_images=32)
    wide = Workload(
        "wide",
        channels=WIDE,
        epochs=1,
        train_images=384,
        validation_images=64,
        test_images=128,
        seeds=(0, 1),
    )
    accuracy = Workload(
        "accuracy",
        epochs=4,
        train_images=4096,
        validation_images=512,
        test_images=2000,
        lrs=(0.05,),
        seeds=tuple(range(16)),
        precisions=("fp32", "bf16"),
    )
    narrow = Workload("narrow")
    if name == "quick":
        return Plan(
            replace(narrow, epochs=1, train_images=256, validation_images=64, test_images=128),
            1,
            replace(wide, train_images=128),
            1,
            tiny,
            growth=(4, 8),
            accuracy=replace(
                accuracy, epochs=1, train_images=512, test_images=500, seeds=(0, 1, 2)
            ),
            starts=3,
            quick=True,
        )
    if name == "default":
        return Plan(narrow, 3, wide, 1, tiny, accuracy=accuracy)
    return Plan(
        replace(narrow, epochs=5, train_images=2560),
        5,
        wide,
        3,
        tiny,
        growth_seconds=math.inf,
        accuracy=replace(accuracy, epochs=8, train_images=10240, seeds=tuple(range(20))),
        starts=30,
    )
