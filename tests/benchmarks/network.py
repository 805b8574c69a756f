"""A plugin for the runner: the peers' VGG-11 with the channels of each stage given.

The built-in `vgg` scales all stages by one width; the benchmark's narrow network (16 to 64
channels) does not follow that rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablations.registry import model

if TYPE_CHECKING:
    from torch import nn

    from runner.network.model import ConvolutionBlock


@model()
def vgg11_of_channels(
    classes: int,
    block: ConvolutionBlock,
    *,
    channels: tuple[int, int, int, int, int] = (16, 32, 64, 64, 64),
) -> nn.Module:
    """VGG-11 for 32x32 images; each stage ends in a 2x2 maximum."""
    from torch import nn

    from runner.network.model import halve

    layers: list[nn.Module] = []
    inputs = 3
    for repeats, outputs in zip((1, 1, 2, 2, 2), channels, strict=True):
        for _ in range(repeats):
            layers.append(block(inputs, outputs))
            inputs = outputs
        layers.append(halve(layers.pop()))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs, classes))
