"""Where the norm stands, and that its parameters reach it."""

import torch
from torch import nn

from ablations import registry


def follow(name: str, **given: object) -> list[nn.Module]:
    parameters = registry.resolve("bn_placement", name, given)
    return registry.find("bn_placement", name).function(8, **parameters)


def test_the_order_of_norm_and_activation_is_the_levels_name():
    assert [type(m) for m in follow("none")] == [nn.ReLU]
    assert [type(m) for m in follow("before")] == [nn.BatchNorm2d, nn.ReLU]
    assert [type(m) for m in follow("after")] == [nn.ReLU, nn.BatchNorm2d]


def test_norms_have_the_convolutions_channels_and_the_given_parameters():
    norm = follow("before", momentum=0.3, eps=1e-3)[0]
    assert (norm.num_features, norm.momentum, norm.eps) == (8, 0.3, 1e-3)
    norm = follow("after", momentum=0.2)[1]
    assert (norm.num_features, norm.momentum) == (8, 0.2)


def test_before_is_rectified_and_after_is_centred():
    values = torch.randn(64, 8, 4, 4, generator=torch.Generator().manual_seed(0))
    before = nn.Sequential(*follow("before"))(values.clone())
    after = nn.Sequential(*follow("after"))(values.clone())
    assert before.min() == 0
    assert after.min() < 0
    torch.testing.assert_close(after.mean((0, 2, 3)), torch.zeros(8), atol=1e-5, rtol=0)
