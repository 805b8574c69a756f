"""Initial weights: the variance each name promises, from the given stream and no other."""

import math

import pytest
import torch
from torch import nn

from ablations import registry


def filled(name: str, layer: nn.Module, seed: int = 0, **given: object) -> nn.Module:
    parameters = registry.resolve("init", name, given)
    draw = torch.Generator().manual_seed(seed)
    registry.find("init", name).function(layer, draw, **parameters)
    return layer


def convolution() -> nn.Conv2d:
    return nn.Conv2d(64, 128, 3)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("default", 1 / math.sqrt(3 * 64 * 9)),  # uniform within 1/sqrt(fan_in)
        ("he", math.sqrt(2 / (64 * 9))),
        ("xavier", math.sqrt(2 / (64 * 9 + 128 * 9))),
        ("naive", 0.01),
    ],
)
def test_the_standard_deviation_is_the_published_one(name, expected):
    weight = filled(name, convolution()).weight.detach()
    # 73,728 values: the relative error of a standard deviation is about 0.3 per cent.
    assert float(weight.std()) == pytest.approx(expected, rel=0.015)
    assert abs(float(weight.mean())) < 4 * expected / math.sqrt(weight.numel())


@pytest.mark.parametrize("classes", [7, 10, 100])
def test_he_of_a_classifier_looks_at_what_it_sums_and_not_at_the_number_of_classes(classes):
    weight = filled("he", nn.Linear(512, classes)).weight.detach()
    assert float(weight.std()) == pytest.approx(math.sqrt(2 / 512), rel=0.05)


@pytest.mark.parametrize("make", [convolution, lambda: nn.Linear(20, 10)])
def test_he_is_what_torchs_own_function_draws_by_default(make):
    layer = make()
    draw = torch.Generator().manual_seed(4)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=draw)
    assert torch.equal(filled("he", make(), seed=4).weight, layer.weight)


def test_default_draws_what_torch_draws():
    """The same distribution, checked as the same numbers from the same generator state."""
    torch.manual_seed(11)
    theirs = nn.Conv2d(8, 16, 3)
    ours = filled("default", nn.Conv2d(8, 16, 3), seed=11)
    assert torch.equal(ours.weight, theirs.weight)
    assert torch.equal(ours.bias, theirs.bias)


@pytest.mark.parametrize("name", ["he", "xavier", "orthogonal", "naive"])
@pytest.mark.parametrize("make", [convolution, lambda: nn.Linear(20, 10)])
def test_biases_are_zero(name, make):
    assert torch.count_nonzero(filled(name, make()).bias) == 0


def test_orthogonal_rows_are_orthogonal_and_scaled_for_relu():
    weight = filled("orthogonal", nn.Conv2d(16, 32, 3)).weight.detach().flatten(1)
    torch.testing.assert_close(weight @ weight.T, 2 * torch.eye(32), atol=1e-5, rtol=0)
    weight = filled("orthogonal", nn.Linear(64, 10), gain=1.0).weight.detach()
    torch.testing.assert_close(weight @ weight.T, torch.eye(10), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", [one for one in registry.names("init") if one != "keep"])
def test_only_the_given_stream_is_drawn_from(name):
    torch.manual_seed(3)
    layer, twin = nn.Conv2d(3, 8, 3, bias=False), nn.Conv2d(3, 8, 3)
    state = torch.get_rng_state()
    filled(name, layer, seed=5)
    filled(name, twin, seed=5)
    assert torch.equal(torch.get_rng_state(), state)
    # A bias does not change the weights of its layer.
    assert torch.equal(layer.weight, twin.weight)
    assert not torch.equal(layer.weight, filled(name, nn.Conv2d(3, 8, 3), seed=6).weight)
