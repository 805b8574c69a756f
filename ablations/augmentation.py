"""Factor `augmentation`: what happens to training images before the network sees them.

Contract of a level: `(images, draw, mirror, *, parameters...) -> Tensor`. `images` is a whole
batch, uint8 [B, 3, H, W]; the result has the same shape and the scale 0..255, as uint8 or float32:
the engine normalises it. Every image gets random numbers of its own, all from `draw`, a generator
on the images' device; nothing may wait for the host. `mirror` is False where a mirrored image may
belong to another class: then the flip is left out.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from ablations.bounds import Share
from ablations.registry import level

if TYPE_CHECKING:
    from torch import Generator, Tensor

Padding = Annotated[int, Ge(0), Le(31)]
"""Pixels; a shift by 32 would leave nothing of a 32x32 image."""

MIRRORING = ("basic", "strong")
"""The levels that flip images where `mirror` allows it."""


@level("augmentation")
def none(images: Tensor, draw: Generator, mirror: bool) -> Tensor:
    """The images as they are."""
    return images


@level("augmentation")
def basic(images: Tensor, draw: Generator, mirror: bool, *, padding: Padding = 4) -> Tensor:
    """Random crop after padding with black, and a horizontal flip half of the time."""
    import torch

    from ablations.pixels import operations

    chance = torch.rand(3, len(images), generator=draw, device=images.device)
    down, right = _offsets(chance[:2], padding)
    return operations.crop_and_flip(images, down, right, _flips(chance[2], mirror))


@level("augmentation")
def strong(
    images: Tensor,
    draw: Generator,
    mirror: bool,
    *,
    padding: Padding = 4,
    degrees: Annotated[float, Ge(0), Le(180)] = 15.0,
    brightness: Share = 0.2,
    contrast: Share = 0.2,
    saturation: Share = 0.2,
    hue: Annotated[float, Ge(0), Le(0.5)] = 0.1,
    erasing: Share = 0.5,
) -> Tensor:
    """Basic, then rotation, colour jitter and, in a share `erasing` of images, a black rectangle.

    As torchvision's RandomCrop, RandomHorizontalFlip, RandomRotation (nearest, its default),
    ColorJitter and RandomErasing (scale 0.02..0.33, ratio 0.3..3.3) in that order, all of them on
    pixels: recipes that erase after normalising paint the mean colour where this paints black. What
    the colour jitter approximates is said in `ablations.pixels.operations.jitter`.
    """
    import torch

    from ablations.pixels import operations

    chance = torch.rand(10, len(images), generator=draw, device=images.device)
    down, right = _offsets(chance[:2], padding)
    turn = (2 * chance[3] - 1) * degrees
    images = operations.crop_flip_rotate(images, down, right, _flips(chance[2], mirror), turn)
    # Four rows of uniform numbers in -1..1, one for each property of the colour.
    amount = 2 * chance[4:8] - 1
    matrix, bias = operations.jitter(
        images,
        brightness=1 + brightness * amount[0],
        contrast=1 + contrast * amount[1],
        saturation=1 + saturation * amount[2],
        hue=hue * amount[3],
    )
    images = operations.colour(images, matrix, bias)
    box = _rectangles(images, draw, chance[8] < erasing)
    return operations.erase(images, *box)


@level("augmentation")
def trivial_augment(images: Tensor, draw: Generator, mirror: bool) -> Tensor:
    """One random operation of random strength an image (Müller and Hutter, 2021).

    The fourteen operations and thirty-one strengths of torchvision's TrivialAugmentWide, nearest
    interpolation, and nothing else: the flips, crops and cut-out that its authors add on CIFAR are
    not in it.
    """
    import torch

    from ablations.pixels import operations

    device, batch = images.device, len(images)
    height, width = images.shape[2:]
    chance = torch.rand(3, batch, generator=draw, device=device)
    operation = (chance[0] * 14).long()
    strength = (chance[1] * 31).long() / 30  # 31 equal steps from 0 to 1
    signed = torch.where(chance[2] < 0.5, -strength, strength)

    def where(number: int, value: Tensor, otherwise: float = 0.0) -> Tensor:
        return torch.where(operation == number, value, otherwise)

    # 0 identity; 1, 2 shear; 3, 4 translate; 5 rotate: one affine map, the identity for the rest.
    linear, shift = operations.rotation(where(5, 135 * signed))
    shear_x, shear_y = where(1, 0.99 * signed), where(2, 0.99 * signed)
    linear[:, 0, 1] += shear_x
    linear[:, 1, 0] += shear_y
    shift[:, 0] = shear_x * height / 2 - where(3, (32 * signed).trunc())
    shift[:, 1] = shear_y * width / 2 - where(4, (32 * signed).trunc())
    images = operations.affine(images, linear, shift)

    # 6 posterize (8 to 2 bits); 7 solarize; 8 equalize: on integers.
    images = operations.posterize(images, where(6, (strength * 6).round()).to(torch.uint8))
    images = operations.solarize(images, where(7, 255 - 255 * strength, 256.0))
    images = torch.where((operation == 8)[:, None, None, None], operations.equalize(images), images)

    # 9 brightness; 10 saturation; 11 contrast; 12 autocontrast: one colour matrix.
    matrix, bias = operations.jitter(
        images,
        brightness=1 + where(9, 0.99 * signed),
        saturation=1 + where(10, 0.99 * signed),
        contrast=1 + where(11, 0.99 * signed),
        hue=torch.zeros_like(strength),
    )
    stretch, lift = operations.autocontrast(images)
    stretched = operation == 12
    matrix = torch.where(stretched[:, None, None], stretch, matrix)
    bias = torch.where(stretched[:, None], lift, bias)
    coloured = operations.colour(images, matrix, bias)

    # 13 sharpness.
    return operations.sharpen(coloured, 1 + where(13, 0.99 * signed))


def _offsets(chance: Tensor, padding: int) -> tuple[Tensor, Tensor]:
    """Uniform whole numbers -padding..padding from two rows of uniform numbers in 0..1."""
    down, right = (chance * (2 * padding + 1)).floor().sub_(padding)
    return down, right


def _flips(chance: Tensor, mirror: bool) -> Tensor:
    return chance < (0.5 if mirror else 0.0)


def _rectangles(
    images: Tensor, draw: Generator, wanted: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Rectangles of random area, ratio and place [B] each; height and width 0 unless `wanted`.

    As torchvision's RandomErasing: the first of ten proposals that fits into the image.
    """
    import torch

    height, width = images.shape[2:]
    chance = torch.rand(4, 10, len(images), generator=draw, device=images.device)
    area = height * width * (0.02 + 0.31 * chance[0])
    low, high = log(0.3), log(3.3)
    ratio = torch.exp(low + (high - low) * chance[1])
    tall, wide = (area * ratio).sqrt().round(), (area / ratio).sqrt().round()
    fits = (tall < height) & (wide < width)
    first = fits.to(torch.uint8).argmax(0, keepdim=True)
    drawn = wanted & fits.any(0)
    tall, wide = (side.gather(0, first)[0] * drawn for side in (tall, wide))
    top = (chance[2, 0] * (height - tall + 1)).floor()
    left = (chance[3, 0] * (width - wide + 1)).floor()
    return top, left, tall, wide
