"""What is counted for the estimate of an H100: bytes of single calls, operations of a network."""

from __future__ import annotations

import torch
from torch import nn

from runner.design import design_of
from runner.network.layout import multiplications
from runner.spec import load_spec
from tests.benchmarks.h100 import ROOT, Total, Traffic, counted, page


def test_a_call_reads_its_arguments_and_writes_its_result() -> None:
    left, right = torch.ones(10, 10), torch.ones(10, 10)
    with Traffic() as traffic:
        left.view(100)  # another name for the same bytes
        added = left + right
    assert traffic.bytes == 3 * 400
    with Traffic() as traffic:
        added.add_(left)
    assert traffic.bytes == 3 * 400
    norm = nn.BatchNorm2d(4)
    images = torch.rand(2, 4, 8, 8)
    with Traffic() as traffic, torch.no_grad():
        norm(images)
    assert traffic.bytes >= 3 * images.numel() * 4  # read twice, written once
    assert traffic.bytes < 4 * images.numel() * 4


def test_operations_are_those_of_the_layout() -> None:
    spec = load_spec(ROOT / "ablations" / "five_factor.yaml", "cpu", cuda_visible=False)
    cell = design_of(spec).cells[0]
    step = counted(cell)
    assert abs(step.forward / (2 * multiplications(cell.model)) - 1) < 0.02
    assert 2.5 < step.operations / step.forward < 3
    assert step.fixed_bytes > 0
    assert step.image_bytes > step.forward_bytes > 0
    total = Total(8, 1e18, 2e16, 1e15, 1_000)
    assert "| 8 | 1,000 | 20.00 |" in page({"grid.yaml": total})
