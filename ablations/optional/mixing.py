"""Factor `mixing`: one training image out of two, and its label with it. Left out: `none`.

Contract of a level: `(images, targets, draw, *, parameters...) -> (images, targets)`. `images` is a
whole batch after augmentation, [B, 3, H, W] on the scale 0..255, uint8 or float32; `targets` are
the shares of the classes, float32 [B, C], 1 for the image's class. The results have these shapes,
and rows of targets still sum to 1. Random numbers come from `draw`, a generator on the images'
device, which augmentation does not share; nothing may wait for the host.

Each image is mixed with its neighbour in the batch, whose order is random, and by a share of its
own, as the papers' equations have it; their programs draw one share for the whole batch.
Accuracy on training images counts an answer by the share that its class has in the image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from ablations.bounds import PositiveShare
from ablations.registry import level

if TYPE_CHECKING:
    from torch import Generator, Tensor

Alpha = Annotated[float, Ge(0.01), Le(1000)]
"""Of Beta(alpha, alpha): 1 is uniform, below it shares near 0 and 1 are frequent."""


@level("mixing")
def none(images: Tensor, targets: Tensor, draw: Generator) -> tuple[Tensor, Tensor]:
    """Every image by itself."""
    return images, targets


@level("mixing")
def mixup(
    images: Tensor,
    targets: Tensor,
    draw: Generator,
    *,
    alpha: Alpha = 0.2,
    share: PositiveShare = 1.0,
) -> tuple[Tensor, Tensor]:
    """A weighted mean of two images and of their labels, weights Beta(alpha, alpha) (Zhang, 2018).

    Of a `share` of images. The paper has alpha 0.1 to 0.4 on ImageNet and 1 on CIFAR.
    """
    own = _own_share(images, draw, alpha, share)
    pixels = images.float()
    mixed = pixels.roll(1, 0).lerp_(pixels, own[:, None, None, None])
    return mixed, _shared(targets, own)


@level("mixing")
def cutmix(
    images: Tensor,
    targets: Tensor,
    draw: Generator,
    *,
    alpha: Alpha = 1.0,
    share: PositiveShare = 1.0,
) -> tuple[Tensor, Tensor]:
    """A rectangle of another image in its place, labels by area (Yun et al., 2019, eq. 1 and 2).

    Of the image's shape, an area 1 - Beta(alpha, alpha), a uniform centre and cut at the border;
    the label counts what is left of it. Of a `share` of images: the authors' commands have all on
    ImageNet and half on CIFAR.
    """
    import torch

    height, width = images.shape[2:]
    side = (1 - _own_share(images, draw, alpha, share)).sqrt()
    centre = torch.rand(2, len(images), generator=draw, device=images.device)
    inside, area = [], torch.ones_like(side)
    for place, length in zip(centre, (height, width), strict=True):
        middle, half = (place * length).floor(), (side * length / 2).floor()
        low, high = (middle - half).clamp(min=0), (middle + half).clamp(max=length)
        pixel = torch.arange(length, device=images.device)
        inside.append((pixel >= low[:, None]) & (pixel < high[:, None]))
        area = area * (high - low) / length
    rows, columns = inside
    box = (rows[:, :, None] & columns[:, None, :])[:, None]
    return torch.where(box, images.roll(1, 0), images), _shared(targets, 1 - area)


def _own_share(images: Tensor, draw: Generator, alpha: float, share: float) -> Tensor:
    """How much of each image stays its own, float32 [B]: Beta(alpha, alpha), or 1 for the rest."""
    import torch

    device, batch = images.device, len(images)
    # A beta is a gamma's share of two. Of small alphas float32 would make zeros of both.
    shape = torch.full((2, batch), alpha, dtype=torch.float64, device=device)
    one, other = torch._standard_gamma(shape, generator=draw)
    own: Tensor = (one / (one + other)).float()
    if share == 1:
        return own
    return torch.where(torch.rand(batch, generator=draw, device=device) < share, own, 1.0)


def _shared(targets: Tensor, own: Tensor) -> Tensor:
    return targets.roll(1, 0).lerp_(targets, own[:, None])
