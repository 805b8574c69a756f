"""Weights a network starts with: `keep` keeps them, every other level says what it left alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ablations import registry
from runner.network.model import build
from runner.network.weights import is_filled, left_by_init
from tests.runner.cells import make_cell

LEVELS = [name for name in registry.names("init") if name != "keep"]


@pytest.fixture
def mixed() -> str:
    """A model of every kind of layer, all weights of which a file might have set to 0.123."""

    @registry.model("mixed")
    def mixed(classes: int, block: object) -> nn.Module:
        """Not meant to be called: only its weights are looked at."""
        network = nn.ModuleDict(
            {
                "conv1": nn.Conv1d(2, 3, 3),
                "conv2": nn.Conv2d(2, 3, 3),
                "conv3": nn.Conv3d(2, 3, 3),
                "back": nn.ConvTranspose2d(2, 3, 3),
                "linear": nn.Linear(4, classes),
                "words": nn.Embedding(5, 4),
                "memory": nn.LSTM(4, 4),
                "norm": nn.BatchNorm2d(3),
            }
        )
        with torch.no_grad():
            for name, weights in network.named_parameters():
                if not name.startswith("norm"):
                    weights.fill_(0.123)
        return network

    return "mixed"


def test_keep_leaves_every_weight_as_the_model_made_it(mixed: str) -> None:
    cell = make_cell(init="keep", model={"name": mixed})
    network = build(cell, 10)
    for name, weights in network.named_parameters():
        assert name.startswith("norm") or bool((weights == 0.123).all()), name
    assert left_by_init(network, cell) is None


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_fills_every_convolution_and_linear_layer_and_says_what_it_left(
    mixed: str, level: str
) -> None:
    cell = make_cell(init=level, model={"name": mixed})
    network = build(cell, 10)
    for name in ("conv1", "conv2", "conv3", "back", "linear"):
        assert not bool((network[name].weight == 0.123).any()), name
    assert bool((network["words"].weight == 0.123).all())
    assert left_by_init(network, cell) == (
        f"init {level} filled 5 layers; Embedding and LSTM kept the model's own weights"
    )


def test_a_norm_counts_as_left_only_where_it_brought_weights() -> None:
    @registry.model("normed")
    def normed(classes: int, block: object, *, trained: bool = False) -> nn.Module:
        """A convolution and a norm."""
        network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        if trained:
            nn.init.uniform_(network[1].weight)
        return network

    fresh = make_cell(model={"name": "normed", "parameters": {"trained": False}})
    trained = make_cell(model={"name": "normed", "parameters": {"trained": True}})
    assert left_by_init(build(fresh, 10), fresh) is None
    assert "BatchNorm2d kept" in str(left_by_init(build(trained, 10), trained))


def test_a_weight_that_is_worked_out_from_others_is_not_filled() -> None:
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(3, 4))
    assert not is_filled(layer)
    assert is_filled(nn.Linear(3, 4))


def test_the_built_in_network_keeps_what_torch_drew() -> None:
    """`keep` of the VGG is torch's own default, drawn from the replicate's stream."""
    first, again = (build(make_cell(init="keep"), 10) for _ in range(2))
    other = build(make_cell(init="keep", replicate=1), 10)
    weights = [network.classifier.weight for network in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert left_by_init(build(make_cell(), 10), make_cell()) is None
