"""Factor `bn_placement`: where batch norm stands relative to the activation.

Contract of a level: `(channels, *, parameters...) -> list[torch.nn.Module]`, the modules that
follow a convolution with that many output channels, the activation included. Where the first of
them is a batch norm, the convolution gets no bias: the norm would subtract it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablations.bounds import PositiveShare
from ablations.registry import level

if TYPE_CHECKING:
    from torch.nn import Module


@level("bn_placement")
def none(channels: int) -> list[Module]:
    """Convolution, ReLU."""
    from torch.nn import ReLU

    return [ReLU(inplace=True)]


@level("bn_placement")
def before(
    channels: int, *, momentum: PositiveShare = 0.1, eps: PositiveShare = 1e-5
) -> list[Module]:
    """Convolution, batch norm, ReLU (Ioffe and Szegedy, 2015, section 3.2)."""
    from torch.nn import BatchNorm2d, ReLU

    return [BatchNorm2d(channels, eps=eps, momentum=momentum), ReLU(inplace=True)]


@level("bn_placement")
def after(
    channels: int, *, momentum: PositiveShare = 0.1, eps: PositiveShare = 1e-5
) -> list[Module]:
    """Convolution, ReLU, batch norm."""
    from torch.nn import BatchNorm2d, ReLU

    return [ReLU(inplace=True), BatchNorm2d(channels, eps=eps, momentum=momentum)]
