"""Operations on a batch of images, each image with parameters of its own.

The arithmetic behind the augmentation levels: given parameters somebody else drew, it is
deterministic. Images are [B, 3, H, W] with values 0..255, uint8 or float32, on any device; every
parameter is a tensor [B] on the same device. Nothing here reads a value back to the host, so a CUDA
graph can capture it. Meant to agree with torchvision's functional operations, which take one image.
On one CPU core the maps are those of `ablations.pixels.warp`, bit by bit.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from ablations.pixels import warp

GREY = (0.2989, 0.587, 0.114)
"""ITU-R 601 luma weights, as torchvision rounds them."""

OUTSIDE = -1.0
"""A source coordinate that stands for black."""


@cache
def _constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    """A small float32 tensor, copied to a device once: a copy inside a captured step is refused."""
    return torch.tensor(values, device=device)


def gather(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Pixel (i, j) of image b becomes `images[b, :, rows[b, i, j], columns[b, i, j]]`.

    `rows` and `columns` are whole numbers as float32, broadcastable to [B, H, W]; coordinates
    outside read black.
    """
    batch, channels, height, width = images.shape
    # One black pixel all around: clamping is then the whole treatment of the outside.
    framed = functional.pad(images, (1, 1, 1, 1)).flatten(2)
    # In float32, exact for images of up to 4,000 pixels a side and several times faster than int64.
    rows = rows.clamp(-1, height).add_(1).mul_(width + 2)
    columns = columns.clamp(-1, width).add_(1)
    index = (rows + columns).expand(batch, height, width).reshape(batch, 1, height * width).long()
    return framed.gather(2, index.expand(-1, channels, -1)).view(images.shape)


def crop_and_flip(images: Tensor, down: Tensor, right: Tensor, flip: Tensor) -> Tensor:
    """Shift the window by whole pixels (what it uncovers is black), then mirror where `flip`.

    Equal to padding with zeros, cropping at (pad + down, pad + right) and flipping.
    """
    if warp.applies(images):
        batch = len(images)
        unmoved = torch.eye(2).expand(batch, 2, 2)
        return warp.warped(images, unmoved, torch.zeros(batch, 2), down, right, flip)
    rows, columns = _pixel_grid(images)
    columns = torch.where(flip[:, None, None], images.shape[3] - 1 - columns, columns)
    return gather(images, rows + down[:, None, None], columns + right[:, None, None])


def crop_flip_rotate(
    images: Tensor, down: Tensor, right: Tensor, flip: Tensor, degrees: Tensor
) -> Tensor:
    """`crop_and_flip`, then `rotate`, in one nearest-neighbour gather."""
    if warp.applies(images):
        return warp.warped(images, *rotation(degrees), down, right, flip)
    last_row, last_column = images.shape[2] - 1, images.shape[3] - 1
    rows, columns = _nearest(images, *rotation(degrees))
    inside = (rows - last_row / 2).abs_() <= last_row / 2
    inside &= (columns - last_column / 2).abs_() <= last_column / 2
    # Mirroring is c -> last - c: a sign and an offset an image.
    sign = torch.where(flip, -1.0, 1.0)[:, None, None]
    offset = torch.where(flip, last_column + right, right)[:, None, None]
    columns = torch.addcmul(offset, columns, sign)
    # Outside the cropped window is black even where the original had a pixel.
    rows = torch.where(inside, rows.add_(down[:, None, None]), OUTSIDE)
    return gather(images, rows, columns)


def affine(images: Tensor, linear: Tensor, shift: Tensor) -> Tensor:
    """Nearest-neighbour affine map about the image's centre, black outside.

    `linear` [B, 2, 2] and `shift` [B, 2] map output (x, y), in pixels from the centre, to input.
    """
    if warp.applies(images):
        still = torch.zeros(len(images))
        return warp.warped(images, linear, shift, still, still, still > 0)
    return gather(images, *_nearest(images, linear, shift))


def rotation(degrees: Tensor) -> tuple[Tensor, Tensor]:
    """The map for `affine` that turns images counter-clockwise by `degrees`."""
    angle = torch.deg2rad(degrees)
    sine, cosine = torch.sin(angle), torch.cos(angle)
    linear = torch.stack([cosine, -sine, sine, cosine], dim=1).view(-1, 2, 2)
    return linear, linear.new_zeros(len(degrees), 2)


def _pixel_grid(images: Tensor) -> tuple[Tensor, Tensor]:
    """Row numbers [1, H, 1] and column numbers [1, 1, W], as float32."""
    height, width = images.shape[2:]
    return (
        torch.arange(height, device=images.device, dtype=torch.float32)[None, :, None],
        torch.arange(width, device=images.device, dtype=torch.float32)[None, None, :],
    )


def _nearest(images: Tensor, linear: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
    """Source rows and columns [B, H, W], rounded half to even as grid_sample's nearest does."""
    height, width = images.shape[2:]
    rows, columns = _pixel_grid(images)
    y, x = rows - (height - 1) / 2, columns - (width - 1) / 2
    a, b = linear[:, :1, :1], linear[:, :1, 1:]
    c, d = linear[:, 1:, :1], linear[:, 1:, 1:]
    across = a * x + b * y + (shift[:, 0, None, None] + (width - 1) / 2)
    along = c * x + d * y + (shift[:, 1, None, None] + (height - 1) / 2)
    return along.round_(), across.round_()


def colour(images: Tensor, matrix: Tensor, bias: Tensor) -> Tensor:
    """`matrix` [B, 3, 3] times each pixel plus `bias` [B, 3], clamped to 0..255; float32."""
    pixels = images.flatten(2).to(torch.float32)
    mixed = torch.baddbmm(bias[:, :, None], matrix, pixels).clamp_(0, 255)
    return mixed.view(images.shape)


def jitter(
    images: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor, hue: Tensor
) -> tuple[Tensor, Tensor]:
    """The matrix [B, 3, 3] and bias [B, 3] for `colour` that adjust, in this order, all four.

    `brightness`, `contrast`, `saturation` are factors (1: unchanged) and the first three alone
    equal torchvision's; `hue` is a share of the colour circle in -0.5..0.5, turned in the IQ plane
    of YIQ instead of HSV. Approximations: that hue, one order for all images, no clamping between.
    """
    grey = _constant(GREY, images.device)
    identity = torch.eye(3, device=images.device)
    to_grey = grey.expand(3, 3)
    mean = images.to(torch.float32).mean((2, 3)) @ grey
    saturate = saturation[:, None, None] * identity + (1 - saturation)[:, None, None] * to_grey
    matrix = (contrast * brightness)[:, None, None] * (hue_rotation(hue) @ saturate)
    # Contrast blends with the mean grey after brightness; grey is blind to saturation and hue.
    bias = (1 - contrast) * brightness * mean
    return matrix, bias[:, None].expand(-1, 3)


def hue_rotation(hue: Tensor) -> Tensor:
    """Matrices [B, 3, 3] that turn chroma by `hue` circles and keep luma and greys.

    In the orthonormal frame of the grey axis this is Rodrigues' rotation; luma is then restored by
    moving along the grey axis (Haeberli, "Matrix operations for image processing", 1993).
    """
    angle = 2 * torch.pi * hue
    sine, cosine = torch.sin(angle)[:, None, None], torch.cos(angle)[:, None, None]
    identity = torch.eye(3, device=hue.device)
    third = torch.full((3, 3), 1 / 3, device=hue.device)
    root = 3**-0.5
    cross = _constant((0.0, -root, root, root, 0.0, -root, -root, root, 0.0), hue.device)
    turn = cosine * identity + (1 - cosine) * third + sine * cross.view(3, 3)
    grey = _constant(GREY, hue.device) / sum(GREY)
    return turn + (grey - grey @ turn)[:, None, :]


def erase(images: Tensor, top: Tensor, left: Tensor, height: Tensor, width: Tensor) -> Tensor:
    """Paint one rectangle an image black; nothing where its height or width is 0."""
    rows, columns = _pixel_grid(images)
    top, left, height, width = (t[:, None, None] for t in (top, left, height, width))
    in_rows = ((rows >= top) & (rows < top + height)).float()
    in_columns = ((columns >= left) & (columns < left + width)).float()
    # Products of numbers: masks of truth values take several times as long on the CPU.
    return images * (1 - in_rows * in_columns)[:, None].to(images.dtype)


def sharpen(images: Tensor, factor: Tensor) -> Tensor:
    """Blend with a smoothed copy: 0 smooth, 1 unchanged, 2 sharpened; float32, border unchanged."""
    pixels = images.to(torch.float32)
    smooth = pixels.clone()
    # The kernel [[1, 1, 1], [1, 5, 1], [1, 1, 1]] / 13 as a box plus four times the middle; the
    # box as two sums of three, many times faster than avg_pool2d on the CPU.
    tall = pixels[:, :, :-2] + pixels[:, :, 1:-1] + pixels[:, :, 2:]
    box = tall[..., :-2] + tall[..., 1:-1] + tall[..., 2:]
    smooth[:, :, 1:-1, 1:-1] = box.add_(pixels[:, :, 1:-1, 1:-1], alpha=4).div_(13)
    return torch.lerp(smooth, pixels, factor[:, None, None, None]).clamp_(0, 255)


def posterize(images: Tensor, dropped_bits: Tensor) -> Tensor:
    """Clear the lowest `dropped_bits` (uint8) of each value of uint8 images."""
    shift = dropped_bits[:, None, None, None]
    return (images >> shift) << shift


def solarize(images: Tensor, threshold: Tensor) -> Tensor:
    """Invert the values of uint8 images at or above `threshold`; above 255 it changes nothing."""
    return torch.where(images >= threshold[:, None, None, None], 255 - images, images)


def autocontrast(images: Tensor) -> tuple[Tensor, Tensor]:
    """The matrix and bias for `colour` that stretch each channel of uint8 images to 0..255."""
    flat = images.flatten(2)
    low, high = flat.amin(2).to(torch.float32), flat.amax(2).to(torch.float32)
    scale = torch.where(high > low, 255 / (high - low).clamp(min=1), 1.0)
    return torch.diag_embed(scale), torch.where(high > low, -low * scale, 0.0)


def equalize(images: Tensor) -> Tensor:
    """Equalise the histogram of each channel of uint8 images, by PIL's integer rule."""
    batch, channels, height, width = images.shape
    planes = images.reshape(batch * channels, height * width).long()
    offsets = torch.arange(batch * channels, device=images.device)[:, None] * 256
    # One-dimensional, so that torch counts deterministically on CUDA as well.
    counts = torch.zeros(batch * channels * 256, dtype=torch.long, device=images.device)
    counts.scatter_add_(0, (planes + offsets).flatten(), torch.ones_like(planes).flatten())
    counts = counts.view(batch * channels, 256)
    brightest = counts.gather(1, planes.amax(1, keepdim=True))
    step = (height * width - brightest) // 255
    before = counts.cumsum(1) - counts
    table = ((before + step // 2) // step.clamp(min=1)).clamp(0, 255)
    equalized = table.gather(1, planes)
    # A channel with fewer than 255 pixels below its brightest value is left alone.
    planes = torch.where(step == 0, planes, equalized)
    return planes.to(torch.uint8).reshape(images.shape)
