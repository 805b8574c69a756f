"""Networks as a level starts them: guessing, not sure of wrong answers, and able to learn."""

from __future__ import annotations

from math import log

import pytest
import torch
from torch.nn.functional import cross_entropy

from ablations import registry
from runner.content.protocol import DataSpec
from runner.data import load
from runner.network.model import build
from runner.training import train
from tests.runner.cells import make_cell


def loss(init: str, depth: int, width: float, classes: int) -> float:
    """Of an untrained VGG with batch norm, at images that are noise and labels that are any."""
    cell = make_cell(init=init, bn_placement="before", model={"depth": depth, "width": width})
    network = build(cell, classes)
    images = torch.randn(100, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return float(cross_entropy(network(images), torch.arange(100) % classes))


@pytest.mark.parametrize("init", registry.names("init"))
@pytest.mark.parametrize(
    ("depth", "width", "classes"), [(11, 1 / 8, 7), (16, 1 / 4, 10), (19, 1 / 8, 100)]
)
def test_a_network_with_batch_norm_starts_near_guessing(init, depth, width, classes):
    """Of guessing it is ln(classes); `he` once started at nine times that."""
    assert 0.99 * log(classes) < loss(init, depth, width, classes) < 2 * log(classes)


def test_he_with_batch_norm_learns_digits(image_cache):
    """With a classifier drawn by the number of classes it was right in 23 to 59 % of them."""
    cell = make_cell(
        init="he",
        bn_placement="before",
        scheduler="cosine",
        optimizer=("sgd_momentum", {"lr": 0.05}),
        data={"limit": None},
        model={"depth": 16, "width": 1 / 8},
        train={"epochs": 3, "batch_size": 32},
    )
    outcome = train(cell, load(DataSpec()))
    assert outcome.test_accuracy is not None
    assert outcome.test_accuracy > 0.9
