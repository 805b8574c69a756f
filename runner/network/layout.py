"""What a VGG is in numbers: its convolutions, their weights and their arithmetic. Imports no torch.

After Simonyan and Zisserman (2015, table 1), with one linear classifier on the last stage's mean
instead of three: what the CIFAR literature calls VGG-11 to VGG-19 (9.2 to 20 million weights at
width 1).
"""

from __future__ import annotations

from runner.content.protocol import ModelSpec

STAGES: dict[int, tuple[int, int, int, int, int]] = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
"""Convolutions in each of the five stages; a 2x2 maximum ends a stage."""

CHANNELS = (64, 128, 256, 512, 512)
"""Channels of the stages at width 1."""

IMAGE_CHANNELS = 3
SIDE = 32
"""Pixels a side of the images whose arithmetic is counted."""


def stages(spec: ModelSpec) -> list[list[tuple[int, int]]]:
    """Channels in and out of each 3x3 convolution, stage by stage."""
    inputs = IMAGE_CHANNELS
    out = []
    for repeats, full in zip(STAGES[spec.depth], CHANNELS, strict=True):
        outputs = max(1, round(full * spec.width))
        out.append([(inputs, outputs), *[(outputs, outputs)] * (repeats - 1)])
        inputs = outputs
    return out


def multiplications(spec: ModelSpec) -> int:
    """Multiply-adds of one forward pass over one 32x32 image (convolutions)."""
    sides = (SIDE // 2**number for number in range(len(CHANNELS)))
    return sum(
        9 * inputs * outputs * side * side
        for side, stage in zip(sides, stages(spec), strict=True)
        for inputs, outputs in stage
    )


def weight_count(spec: ModelSpec, classes: int) -> int:
    """Trainable weights of the convolutions (without biases and norms) and the classifier."""
    convolutions = [pair for stage in stages(spec) for pair in stage]
    last = convolutions[-1][1]
    return sum(9 * inputs * outputs for inputs, outputs in convolutions) + (last + 1) * classes
