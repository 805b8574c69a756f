"""An affine map, shift and mirroring of a batch of images in one pass, compiled for one CPU core.

What `operations` makes of torch's operations on any device, bit by bit, in a third of the time:
there each operation reads and writes the coordinates of all pixels.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ablations.pixels.compiled import Floats, compiled

Bytes = NDArray[np.uint8]


def applies(images: Tensor) -> bool:
    """Whether `warped` takes these images [B, C, H, W]: bytes of a CPU that gives one thread."""
    return (
        images.device.type == "cpu"
        and images.dtype == torch.uint8
        and images.is_contiguous()
        and torch.get_num_threads() == 1
    )


def warped(
    images: Tensor, linear: Tensor, shift: Tensor, down: Tensor, right: Tensor, flip: Tensor
) -> Tensor:
    """`crop_and_flip`, then `affine` of `operations`, in one nearest-neighbour gather.

    Args:
        images: uint8 [B, C, H, W]; the result has the same shape.
        linear: [B, 2, 2], as in `operations.affine`.
        shift: [B, 2], as there.
        down: [B], pixels the window moves.
        right: [B].
        flip: bool [B].
    """
    batch, channels, height, width = images.shape
    out = torch.empty_like(images)
    planes = (batch, channels, height * width)
    _warp(
        images.view(planes).numpy(), out.view(planes).numpy(), _floats(linear), _floats(shift),
        _floats(down), _floats(right), flip.contiguous().numpy(), height, width,
    )  # fmt: skip
    return out


def _floats(numbers: Tensor) -> Floats:
    array: Floats = numbers.float().contiguous().numpy()
    return array


def warm() -> None:
    """Compile, or read from where it was kept."""
    one = torch.ones(1)
    warped(torch.zeros(1, 3, 1, 1, dtype=torch.uint8), one.view(1, 1, 1).expand(1, 2, 2),
           one.view(1, 1).expand(1, 2), one, one, one > 0)  # fmt: skip


@compiled(fuse=False)
def _warp(
    images: Bytes, out: Bytes, linear: Floats, shift: Floats, down: Floats, right: Floats,
    flip: NDArray[np.bool_], height: int, width: int,
) -> None:  # fmt: skip
    """Planes [B, C, H*W] to planes; parameters as in `operations`, in the order it takes them."""
    zero, one = np.float32(0), np.float32(1)
    last_row, last_column = np.float32(height - 1), np.float32(width - 1)
    middle_row, middle_column = last_row / np.float32(2), last_column / np.float32(2)
    x = np.empty(width, np.float32)
    for j in range(width):
        x[j] = np.float32(j) - middle_column
    # A plane after one black pixel, and for each place of the result the number of its source.
    source, numbers = np.zeros(1 + height * width, np.uint8), np.empty(height * width, np.uint32)
    for image in range(len(images)):
        (a, b), (c, d) = linear[image]
        to_column, to_row = shift[image, 0] + middle_column, shift[image, 1] + middle_row
        sign = -one if flip[image] else one
        offset = last_column + right[image] if flip[image] else right[image]
        for i in range(height):
            y = np.float32(i) - middle_row
            line = numbers[i * width : (i + 1) * width]
            for j in range(width):
                column = np.rint(a * x[j] + b * y + to_column)
                row = np.rint(c * x[j] + d * y + to_row)
                inside = (row >= zero) & (row <= last_row)
                inside &= (column >= zero) & (column <= last_column)
                column, row = offset + column * sign, row + down[image]
                inside &= (row >= zero) & (row <= last_row)
                inside &= (column >= zero) & (column <= last_column)
                place = row * np.float32(width) + column + one
                line[j] = np.uint32(np.int32(place if inside else zero))
        for channel in range(images.shape[1]):
            source[1:] = images[image, channel]
            taken = out[image, channel]
            for k in range(len(taken)):
                taken[k] = source[numbers[k]]
