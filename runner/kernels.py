"""Batch norm with what follows it, compiled: statistics, affine map, 2x2 maximum and ReLU at once.

On one core torch reads and writes an activation once for each of these, forward and backward; a
narrow network spends a third of its step on that. Here a row of an image is widened to float32 in
the first-level cache, and everything is done to it before the next is read. Compiled by numba for
the machine at hand and kept on disk; serial, so that the same input gives the same bits.

Arrays are channels-last activations as [N*H, W*C], of unsigned integers for their bits: uint16 for
bfloat16, uint32 for float32. A maximum is NaN where one of its values is; of equal values the left
pair, and in it the upper one, gets the gradient (torch: the upper pair first). Loops go over an
array's own axes, or over unsigned numbers, which cannot count from the end: of another index numba
asks whether it does, and the compiler gives up vector instructions. So does it where a value is
read in one case only. A little over 300 lines: one pass in four forms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint16] | NDArray[np.uint32]
Floats = NDArray[np.float32]
Kernel = TypeVar("Kernel", bound=Callable[..., object])


def compiled(function: Kernel) -> Kernel:
    """Compile when first called; multiplications and additions may be fused, nothing else moves."""
    options: dict[str, Any] = {"fastmath": {"contract"}, "error_model": "numpy"}
    try:
        return cast(Kernel, numba.njit(cache=True, **options)(function))
    except RuntimeError:  # no folder to keep the compiled code in
        return cast(Kernel, numba.njit(**options)(function))


@compiled
def _widen(source: Bits, into: NDArray[np.uint32]) -> None:
    """A row as the bits of float32."""
    if source.itemsize == 2:
        for j in range(len(into)):
            into[j] = np.uint32(source[j]) << np.uint32(16)
    else:
        for j in range(len(into)):
            into[j] = source[j]


@compiled
def _narrow(row: NDArray[np.uint32], into: Bits) -> None:
    """Bits of float32 to the nearest number of the array, ties to even, as torch rounds."""
    if into.itemsize == 2:
        for j in range(len(row)):
            half = np.uint32(0x7FFF) + ((row[j] >> np.uint32(16)) & np.uint32(1))
            into[j] = np.uint16((row[j] + half) >> np.uint32(16))
    else:
        for j in range(len(row)):
            into[j] = row[j]


@compiled
def _repeated(channels: Floats, length: int) -> Floats:
    """A number for each channel, for each place of a row."""
    row = np.empty(length, np.float32)
    for j in range(length):
        row[j] = channels[j % len(channels)]
    return row


@compiled
def _by_channel(row: Floats, channels: int) -> NDArray[np.float64]:
    """The sum of a row's places for each channel."""
    total = np.zeros(channels, np.float64)
    for j in range(len(row)):
        total[j % channels] += row[j]
    return total


@compiled
def statistics(x: Bits, channels: int) -> tuple[Floats, Floats]:
    """Mean and biased variance of each channel, in two passes; sums of rows are in float64."""
    rows, length = x.shape
    count = rows * (length // channels)
    bits = np.empty(length, np.uint32)
    values = bits.view(np.float32)
    sums = np.zeros(length, np.float32)
    for row in range(rows):
        _widen(x[row], bits)
        for j in range(length):
            sums[j] += values[j]
    mean = (_by_channel(sums, channels) / count).astype(np.float32)
    centre = _repeated(mean, length)
    sums[:] = 0
    for row in range(rows):
        _widen(x[row], bits)
        for j in range(length):
            away = values[j] - centre[j]
            sums[j] += away * away
    return mean, (_by_channel(sums, channels) / count).astype(np.float32)


@compiled
def _later(second: np.float32, first: np.float32) -> bool:
    """Whether a maximum takes the later of two values."""
    return bool((second > first) | (second != second))


@compiled
def forward(x: Bits, out: Bits, scale: Floats, shift: Floats, pool: bool, relu: bool) -> None:
    """X * scale + shift by channel, its 2x2 maximum if `pool`, not below 0 if `relu`."""
    rows, length = x.shape
    channels = len(scale)
    least = np.float32(0) if relu else np.float32(-np.inf)
    scales, shifts = _repeated(scale, length), _repeated(shift, length)
    bits, below_bits = np.empty(length, np.uint32), np.empty(length, np.uint32)
    values, below = bits.view(np.float32), below_bits.view(np.float32)
    if not pool:
        for row in range(rows):
            _widen(x[row], bits)
            for j in range(length):
                value = values[j] * scales[j] + shifts[j]
                values[j] = least if value < least else value
            _narrow(bits, out[row])
        return
    places = length // (2 * channels)
    upper, lower = values.reshape(places, 2, channels), below.reshape(places, 2, channels)
    pooled_bits = np.empty(places * channels, np.uint32)
    pooled = pooled_bits.view(np.float32).reshape(places, channels)
    for row in range(rows // 2):
        _widen(x[2 * row], bits)
        _widen(x[2 * row + 1], below_bits)
        for j in range(length):
            values[j] = values[j] * scales[j] + shifts[j]
            below[j] = below[j] * scales[j] + shifts[j]
        for place in range(places):
            for c in range(channels):
                a, b = upper[place, 0, c], upper[place, 1, c]
                d, e = lower[place, 0, c], lower[place, 1, c]
                first, second = b if _later(b, a) else a, e if _later(e, d) else d
                value = second if _later(second, first) else first
                pooled[place, c] = least if value < least else value
        _narrow(pooled_bits, out[row])


@compiled
def _received(gradient: Bits, out: Bits, relu: bool, into: NDArray[np.uint32]) -> None:
    """A row of the output's gradient as the bits of float32, 0 where ReLU gave 0."""
    shift = np.uint32(16) if gradient.itemsize == 2 else np.uint32(0)
    if relu:
        for j in range(len(into)):
            given = np.uint32(gradient[j]) << shift
            into[j] = given if out[j] != 0 else np.uint32(0)
    else:
        _widen(gradient, into)


@compiled
def _split(row: Bits, left: NDArray[np.uint32], right: NDArray[np.uint32], channels: int) -> None:
    """The even and the odd places of a row, as the bits of float32."""
    shift = np.uint32(16) if row.itemsize == 2 else np.uint32(0)
    step, at = np.uint64(channels), np.uint64(0)
    while at < np.uint64(len(left)):
        for c in range(step):
            left[at + c] = np.uint32(row[at + at + c]) << shift
        for c in range(step):
            right[at + c] = np.uint32(row[at + at + step + c]) << shift
        at += step


@compiled
def _join(
    left: NDArray[np.uint32], right: NDArray[np.uint32], row: NDArray[np.uint32], channels: int
) -> None:
    """The reverse: places of two arrays in turn."""
    step, at = np.uint64(channels), np.uint64(0)
    while at < np.uint64(len(left)):
        for c in range(step):
            row[at + at + c] = left[at + c]
        for c in range(step):
            row[at + at + step + c] = right[at + c]
        at += step


@compiled
def _sums(
    x: Bits, out: Bits, gradient: Bits, mean: Floats, relu: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By channel: the gradient's sum, and that of its products with x - mean where it arrives."""
    width, channels = gradient.shape[1], len(mean)
    bits, row_bits = np.empty(width, np.uint32), np.empty(width, np.uint32)
    values, received = bits.view(np.float32), row_bits.view(np.float32)
    sums, products = np.zeros(width, np.float32), np.zeros(width, np.float32)
    means = _repeated(mean, width)
    for row in range(len(gradient)):
        _received(gradient[row], out[row], relu, row_bits)
        _widen(x[row], bits)
        for j in range(width):
            sums[j] += received[j]
            products[j] += received[j] * (values[j] - means[j])
    return _by_channel(sums, channels), _by_channel(products, channels)


@compiled
def _sums_of_windows(
    x: Bits, out: Bits, gradient: Bits, scale: Floats, mean: Floats, relu: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`_sums` where the gradient arrives at the greatest of a 2x2 window."""
    width, channels = gradient.shape[1], len(scale)
    bits = np.empty((4, width), np.uint32)
    upper_left, upper_right, lower_left, lower_right = bits.view(np.float32)
    row_bits = np.empty(width, np.uint32)
    received = row_bits.view(np.float32)
    sums, products = np.zeros(width, np.float32), np.zeros(width, np.float32)
    scales, means = _repeated(scale, width), _repeated(mean, width)
    for row in range(len(gradient)):
        _received(gradient[row], out[row], relu, row_bits)
        _split(x[2 * row], bits[0], bits[1], channels)
        _split(x[2 * row + 1], bits[2], bits[3], channels)
        for j in range(width):
            factor = scales[j]
            first, second = upper_left[j], lower_left[j]
            left = second if _later(factor * second, factor * first) else first
            first, second = upper_right[j], lower_right[j]
            right = second if _later(factor * second, factor * first) else first
            value = right if _later(factor * right, factor * left) else left
            sums[j] += received[j]
            products[j] += received[j] * (value - means[j])
    return _by_channel(sums, channels), _by_channel(products, channels)


@compiled
def _give(
    x: Bits, out: Bits, gradient: Bits, into: Bits, scale: Floats, slope: Floats, level: Floats,
    relu: bool,
) -> None:  # fmt: skip
    """X * slope + level, plus scale * gradient."""
    width = gradient.shape[1]
    bits, row_bits = np.empty(width, np.uint32), np.empty(width, np.uint32)
    values, received = bits.view(np.float32), row_bits.view(np.float32)
    scales, slopes = _repeated(scale, width), _repeated(slope, width)
    levels = _repeated(level, width)
    for row in range(len(gradient)):
        _received(gradient[row], out[row], relu, row_bits)
        _widen(x[row], bits)
        for j in range(width):
            values[j] = values[j] * slopes[j] + levels[j] + received[j] * scales[j]
        _narrow(bits, into[row])


@compiled
def _give_to_windows(
    x: Bits, out: Bits, gradient: Bits, into: Bits, scale: Floats, slope: Floats, level: Floats,
    relu: bool,
) -> None:  # fmt: skip
    """`_give` where the gradient goes to the greatest of a 2x2 window."""
    width, channels = gradient.shape[1], len(scale)
    bits = np.empty((4, width), np.uint32)
    upper_left, upper_right, lower_left, lower_right = bits.view(np.float32)
    row_bits, joined = np.empty(width, np.uint32), np.empty(2 * width, np.uint32)
    received = row_bits.view(np.float32)
    scales, slopes = _repeated(scale, width), _repeated(slope, width)
    levels = _repeated(level, width)
    none = np.float32(0)
    for row in range(len(gradient)):
        _received(gradient[row], out[row], relu, row_bits)
        _split(x[2 * row], bits[0], bits[1], channels)
        _split(x[2 * row + 1], bits[2], bits[3], channels)
        for j in range(width):
            factor, slope_, level_ = scales[j], slopes[j], levels[j]
            given = received[j] * factor
            a, b, c, d = upper_left[j], upper_right[j], lower_left[j], lower_right[j]
            left_is_lower = _later(factor * c, factor * a)
            right_is_lower = _later(factor * d, factor * b)
            left = factor * c if left_is_lower else factor * a
            right = factor * d if right_is_lower else factor * b
            is_right = _later(right, left)
            to_left, to_right = none if is_right else given, given if is_right else none
            upper_left[j] = a * slope_ + level_ + (none if left_is_lower else to_left)
            lower_left[j] = c * slope_ + level_ + (to_left if left_is_lower else none)
            upper_right[j] = b * slope_ + level_ + (none if right_is_lower else to_right)
            lower_right[j] = d * slope_ + level_ + (to_right if right_is_lower else none)
        _join(bits[0], bits[1], joined, channels)
        _narrow(joined, into[2 * row])
        _join(bits[2], bits[3], joined, channels)
        _narrow(joined, into[2 * row + 1])


@compiled
def backward(
    x: Bits, out: Bits, gradient: Bits, into: Bits, scale: Floats, mean: Floats, unit: Floats,
    pool: bool, relu: bool,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Gradient of x by that of out; returns those of batch norm's weight and bias.

    With g the gradient that reached the normalised x' = (x - mean) * unit, over n values of a
    channel: into = scale * (g - (sum g + x' * sum g x') / n) (Ioffe and Szegedy, 2015, section 3).

    Args:
        x: what was normalised.
        out: what `forward` gave; read only if `relu`.
        gradient: of out.
        into: receives the gradient of x.
        scale: weight * unit, by channel.
        mean: of the batch, by channel.
        unit: one over the deviation of the batch, by channel.
        pool: as in `forward`.
        relu: as in `forward`.
    """
    if pool:
        to_bias, to_weight = _sums_of_windows(x, out, gradient, scale, mean, relu)
    else:
        to_bias, to_weight = _sums(x, out, gradient, mean, relu)
    to_weight *= unit
    count = x.size // len(scale)
    slope = (-scale * unit * to_weight / count).astype(np.float32)
    level = (-scale * to_bias / count - slope * mean).astype(np.float32)
    if pool:
        _give_to_windows(x, out, gradient, into, scale, slope, level, relu)
    else:
        _give(x, out, gradient, into, scale, slope, level, relu)
    return to_weight.astype(np.float32), to_bias.astype(np.float32)
