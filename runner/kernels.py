"""Batch norm with what follows it, compiled: statistics, affine map, 2x2 maximum and ReLU at once.

On one core torch reads and writes an activation once for each of these, forward and backward; a
narrow network spends a third of its step on that. Here a row of an image is widened to float32 in
the first-level cache, and everything is done to it before the next is read. Compiled by numba for
the machine at hand and kept on disk; serial, so that the same input gives the same bits.

Arrays are channels-last activations as [N*H, W*C], of unsigned integers for their bits: uint16 for
bfloat16, uint32 for float32. A maximum is NaN where one of its values is; of equal values the left
pair, and in it the upper one, gets the gradient (torch: the upper pair first). Loops go over an
array's own axes where they can: of another index numba asks whether it counts from the end, and the
compiler may give up vector instructions.
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
            into[j] = np.uint32(0) if out[j] == 0 else np.uint32(gradient[j]) << shift
    else:
        _widen(gradient, into)


@compiled
def _sums(
    x: Bits, out: Bits, gradient: Bits, scale: Floats, mean: Floats, pool: bool, relu: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By channel: the gradient's sum, and that of its products with x - mean where it arrives."""
    length, width, channels = x.shape[1], gradient.shape[1], len(scale)
    bits, below_bits = np.empty(length, np.uint32), np.empty(length, np.uint32)
    values, below = bits.view(np.float32), below_bits.view(np.float32)
    row_bits = np.empty(width, np.uint32)
    received = row_bits.view(np.float32)
    sums, products = np.zeros(width, np.float32), np.zeros(width, np.float32)
    scales, means = _repeated(scale, length), _repeated(mean, length)
    for row in range(len(gradient)):
        _received(gradient[row], out[row], relu, row_bits)
        if not pool:
            _widen(x[row], bits)
            for j in range(length):
                sums[j] += received[j]
                products[j] += received[j] * (values[j] - means[j])
            continue
        _widen(x[2 * row], bits)
        _widen(x[2 * row + 1], below_bits)
        for j in range(length):
            first, second = values[j], below[j]
            values[j] = second if _later(scales[j] * second, scales[j] * first) else first
        for start in range(width // channels):
            to, left, right = start * channels, 2 * start * channels, (2 * start + 1) * channels
            for c in range(channels):
                first, second = values[left + c], values[right + c]
                value = second if _later(scale[c] * second, scale[c] * first) else first
                sums[to + c] += received[to + c]
                products[to + c] += received[to + c] * (value - mean[c])
    return _by_channel(sums, channels), _by_channel(products, channels)


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
    rows, length = x.shape
    width, channels = gradient.shape[1], len(scale)
    to_bias, to_weight = _sums(x, out, gradient, scale, mean, pool, relu)
    to_weight *= unit
    count = rows * (length // channels)
    slope = (-scale * unit * to_weight / count).astype(np.float32)
    level = (-scale * to_bias / count - slope * mean).astype(np.float32)
    slopes, levels = _repeated(slope, length), _repeated(level, length)
    scales = _repeated(scale, length)
    bits, below_bits = np.empty(length, np.uint32), np.empty(length, np.uint32)
    values, below = bits.view(np.float32), below_bits.view(np.float32)
    row_bits = np.empty(width, np.uint32)
    received = row_bits.view(np.float32)
    share = np.empty(length, np.float32)
    none = np.float32(0)
    for row in range(len(gradient)):
        _received(gradient[row], out[row], relu, row_bits)
        if not pool:
            _widen(x[row], bits)
            for j in range(length):
                values[j] = values[j] * slopes[j] + levels[j] + received[j] * scales[j]
            _narrow(bits, into[row])
            continue
        _widen(x[2 * row], bits)
        _widen(x[2 * row + 1], below_bits)
        for j in range(length):
            first, second = scales[j] * values[j], scales[j] * below[j]
            share[j] = second if _later(second, first) else first
        for start in range(width // channels):
            to, left, right = start * channels, 2 * start * channels, (2 * start + 1) * channels
            for c in range(channels):
                is_right = _later(share[right + c], share[left + c])
                given = received[to + c] * scale[c]
                share[left + c] = none if is_right else given
                share[right + c] = given if is_right else none
        for j in range(length):
            first, second = values[j], below[j]
            is_lower = _later(scales[j] * second, scales[j] * first)
            values[j] = first * slopes[j] + levels[j] + (none if is_lower else share[j])
            below[j] = second * slopes[j] + levels[j] + (share[j] if is_lower else none)
        _narrow(bits, into[2 * row])
        _narrow(below_bits, into[2 * row + 1])
    return to_weight.astype(np.float32), to_bias.astype(np.float32)
