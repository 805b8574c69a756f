"""A VGG in numbers is the VGG that torch builds."""

from __future__ import annotations

import pytest

from runner.content.cell import Cell, Level
from runner.content.protocol import DataSpec, ModelSpec, TrainSpec
from runner.network.layout import multiplications, stages, weight_count
from runner.network.model import build, trainable_weights


@pytest.mark.parametrize(("depth", "width"), [(11, 1.0), (16, 1.0), (19, 0.25), (13, 0.125)])
def test_weights_are_counted_as_torch_counts_them(depth: int, width: float) -> None:
    cell = Cell(
        levels=(),
        held=(
            Level("init", "default", "default", {}),
            Level("bn_placement", "none", "none", {}),
        ),
        replicate=0,
        data=DataSpec(),
        model=ModelSpec(depth=depth, width=width),  # type: ignore[arg-type]
        train=TrainSpec(),
    )
    biases = sum(outputs for stage in stages(cell.model) for _, outputs in stage)
    assert weight_count(cell.model, 10) + biases == trainable_weights(build(cell, 10))


def test_the_arithmetic_of_vgg() -> None:
    # VGG-11 and VGG-16 at 32x32: 152.8 and 313.2 million multiply-adds in convolutions.
    assert multiplications(ModelSpec(depth=11)) == pytest.approx(152.8e6, rel=2e-3)
    assert multiplications(ModelSpec(depth=16)) == pytest.approx(313.2e6, rel=2e-3)
    halved = multiplications(ModelSpec(depth=11, width=0.5))
    assert halved == pytest.approx(152.8e6 / 4, rel=0.02)
