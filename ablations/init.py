"""Factor `init`: the weights a network starts from.

Contract of a level: `(layer, draw, *, parameters...) -> None`, called for each convolution (of one
to three dimensions, transposed ones too) and each Linear; it fills `layer.weight` and, where there
is one, `layer.bias` in place, drawing only from the generator `draw`. Batch norm is not its
business (weight 1, bias 0). Every layer has a stream of its own, so a layer gets the same numbers
whether or not its neighbours have a bias. `keep` fills nothing.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from ablations.bounds import Positive
from ablations.registry import level

RELU_GAIN = sqrt(2)
"""What keeps the variance of activations through a ReLU."""

if TYPE_CHECKING:
    from torch import Generator
    from torch.nn import Conv2d, Linear


def _no_bias(layer: Conv2d | Linear) -> None:
    if layer.bias is not None:
        layer.bias.detach().zero_()


@level("init")
def default(layer: Conv2d | Linear, draw: Generator) -> None:
    """What torch does: weight and bias uniform within 1/sqrt(fan_in)."""
    from torch.nn import init

    # torch.nn.modules.conv.reset_parameters: a = sqrt(5) makes the bound 1/sqrt(fan_in).
    init.kaiming_uniform_(layer.weight, a=sqrt(5), generator=draw)
    if layer.bias is not None:
        bound = 1 / sqrt(layer.weight[0].numel())
        init.uniform_(layer.bias, -bound, bound, generator=draw)


@level("init")
def he(layer: Conv2d | Linear, draw: Generator) -> None:
    """Normal with variance 2/fan_in, the classifier included, for ReLU (He et al., 2015, eq. 10).

    What Keras's he_normal and torch's default mode do. fan_out (eq. 14) does as well for
    convolutions; a classifier's is the number of classes, and its sums would be huge.
    """
    from torch.nn import init

    init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu", generator=draw)
    _no_bias(layer)


@level("init")
def xavier(layer: Conv2d | Linear, draw: Generator) -> None:
    """Uniform with variance 2/(fan_in + fan_out) (Glorot and Bengio, 2010, eq. 16)."""
    from torch.nn import init

    init.xavier_uniform_(layer.weight, generator=draw)
    _no_bias(layer)


@level("init")
def orthogonal(layer: Conv2d | Linear, draw: Generator, *, gain: Positive = RELU_GAIN) -> None:
    """Orthogonal rows or columns times `gain` (Saxe et al., 2014)."""
    from torch.nn import init

    init.orthogonal_(layer.weight, gain=gain, generator=draw)
    _no_bias(layer)


@level("init")
def naive(layer: Conv2d | Linear, draw: Generator, *, std: Positive = 0.01) -> None:
    """Normal with one standard deviation for every layer, whatever its fan."""
    from torch.nn import init

    init.normal_(layer.weight, std=std, generator=draw)
    _no_bias(layer)


@level("init")
def keep(layer: Conv2d | Linear, draw: Generator) -> None:
    """What the model drew or brought: a network with weights from a file keeps them."""
