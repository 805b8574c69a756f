"""Batch norm with what follows it, compiled: statistics, affine map, 2x2 maximum and ReLU at once.

On one core torch reads and writes an activation once for each of these, forward and backward; a
narrow network spends a third of its step on that. Here everything is done to a value between
reading and writing it, in float32. Compiled by numba for the machine at hand and kept on disk;
serial, so that the same input gives the same bits.

Arrays are channels-last activations as [N*H, W*C], of unsigned integers for their bits: uint16 for
bfloat16, uint32 for float32. A maximum is NaN where one of its values is; of equal values the left
pair, and in it the upper one, gets the gradient (torch: the upper pair first).

The compiler makes vector instructions only of a long loop over arrays' own axes, without a value
read in one case only and without an index that could count from the end. Hence rows are rearranged,
as whole words, where a 2x2 window would break the loop into pieces of one place's channels.

What one kernel calls stays in this file: numba tells by the file alone whether the compiled code it
has kept on disk is out of date.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

from ablations.pixels.compiled import Floats, compiled

Bits = NDArray[np.uint16] | NDArray[np.uint32]
Words = Bits | NDArray[np.uint64]
"""Bits moved as they are, eight bytes at once where a place of a row has them."""

fused = compiled(fuse=True)

UPPER_LEFT, UPPER_RIGHT, LOWER_LEFT, LOWER_RIGHT, NOWHERE = map(np.uint16, range(5))
"""Where in its window a maximum lies; nowhere if ReLU made 0 of it."""


def _value(bits: np.uint16 | np.uint32) -> np.float32:
    """The number that the bits of a bfloat16 or a float32 stand for."""
    wide = np.uint32(bits)
    return (wide << np.uint32(16) if bits.itemsize == 2 else wide).view(np.float32)


def _rounded(value: np.float32, into: Bits) -> np.uint16 | np.uint32:
    """Bits of the nearest number that the array can hold, ties to even, as torch rounds."""
    bits = np.float32(value).view(np.uint32)
    if into.itemsize == 4:
        return bits
    # Just below a half of the last bit kept, plus that bit: a tie is carried up if it is odd.
    odd = bits >> np.uint32(16) & np.uint32(1)
    return np.uint16((bits + np.uint32(0x7FFF) + odd) >> np.uint32(16))


@overload(_value)
def _value_of(bits: Any) -> Any:
    def of_bfloat16(bits: Any) -> Any:
        return np.uint32(np.uint32(bits) << np.uint32(16)).view(np.float32)

    def of_float32(bits: Any) -> Any:
        return np.uint32(bits).view(np.float32)

    return of_bfloat16 if bits.bitwidth == 16 else of_float32


@overload(_rounded)
def _rounded_into(value: Any, into: Any) -> Any:
    def to_bfloat16(value: Any, into: Any) -> Any:
        bits = np.float32(value).view(np.uint32)
        odd = np.uint32(bits >> np.uint32(16)) & np.uint32(1)
        return np.uint16(np.uint32(bits + np.uint32(0x7FFF + odd)) >> np.uint32(16))

    def to_float32(value: Any, into: Any) -> Any:
        return np.float32(value).view(np.uint32)

    return to_bfloat16 if into.dtype.bitwidth == 16 else to_float32


@fused
def _repeated(channels: Floats, length: int) -> Floats:
    """A number for each channel, for each place of a row."""
    row = np.empty(length, np.float32)
    at = 0
    while at < length:
        for c in range(len(channels)):
            row[at + c] = channels[c]
        at += len(channels)
    return row


@fused
def _by_channel(row: Floats, channels: int) -> NDArray[np.float64]:
    """The sum of a row's places for each channel."""
    total = np.zeros(channels, np.float64)
    at = 0
    while at < len(row):
        for c in range(channels):
            total[c] += row[at + c]
        at += channels
    return total


@fused
def _deal(row: Words, left: Words, right: Words, step: int) -> None:
    """The even and the odd places of a row; a place is `step` words."""
    words, at = np.uint64(step), np.uint64(0)
    while at < np.uint64(len(left)):
        for c in range(words):
            left[at + c] = row[at + at + c]
        for c in range(words):
            right[at + c] = row[at + at + words + c]
        at += words


@fused
def _double(row: Words, into: Words, step: int) -> None:
    """Each place of a row twice; a place is `step` words."""
    words, at = np.uint64(step), np.uint64(0)
    while at < np.uint64(len(row)):
        for c in range(words):
            into[at + at + c] = row[at + c]
        for c in range(words):
            into[at + at + words + c] = row[at + c]
        at += words


@fused
def statistics(x: Bits, channels: int) -> tuple[Floats, Floats]:
    """Mean and biased variance of each channel [channels] of x [N*H, W*C].

    Two passes: the one-pass sum of squares loses all digits where the mean is large beside the
    deviation (Chan, Golub and LeVeque, 1983, The American Statistician 37).
    """
    # A place is summed over rows in float32, one lane of a vector a place; the places of a channel,
    # whose sums have grown, are then added in float64.
    rows, length = x.shape
    count = rows * (length // channels)
    sums = np.zeros(length, np.float32)
    for row in range(rows):
        values = x[row]
        for j in range(length):
            sums[j] += _value(values[j])
    mean = (_by_channel(sums, channels) / count).astype(np.float32)
    centre = _repeated(mean, length)
    sums[:] = 0
    for row in range(rows):
        values = x[row]
        for j in range(length):
            away = _value(values[j]) - centre[j]
            sums[j] += away * away
    return mean, (_by_channel(sums, channels) / count).astype(np.float32)


@fused
def _later(second: np.float32, first: np.float32) -> bool:
    """Whether a maximum takes the later of two values: when it is greater, or a NaN."""
    return bool((second > first) | (second != second))


@fused
def forward(x: Bits, out: Bits, scale: Floats, shift: Floats, pool: bool, relu: bool) -> None:
    """X * scale + shift by channel, its 2x2 maximum if `pool`, not below 0 if `relu`.

    Args:
        x: [N*H, W*C].
        out: receives the result, [N*H', W'*C]; H' and W' are halves where `pool`.
        scale: [C], weight over deviation.
        shift: [C].
        pool: whether the 2x2 maximum is taken.
        relu: whether negative values become 0; a NaN stays one, as in torch.
    """
    width, channels = out.shape[1], len(scale)
    least = np.float32(0) if relu else np.float32(-np.inf)
    scales, shifts = _repeated(scale, width), _repeated(shift, width)
    if not pool:
        for row in range(len(out)):
            given, taken = x[row], out[row]
            for j in range(width):
                value = _value(given[j]) * scales[j] + shifts[j]
                taken[j] = _rounded(least if value < least else value, out)
        return
    # Of so few arrays the pieces are faster than rearranging rows for one long loop.
    step = np.uint64(channels)
    for row in range(len(out)):
        upper, lower, taken, at = x[2 * row], x[2 * row + 1], out[row], np.uint64(0)
        while at < np.uint64(width):
            left, right = at + at, at + at + step
            for k in range(step):
                a = _value(upper[left + k]) * scale[k] + shift[k]
                b = _value(upper[right + k]) * scale[k] + shift[k]
                c = _value(lower[left + k]) * scale[k] + shift[k]
                d = _value(lower[right + k]) * scale[k] + shift[k]
                first, second = b if _later(b, a) else a, d if _later(d, c) else c
                value = second if _later(second, first) else first
                taken[at + k] = _rounded(least if value < least else value, out)
            at += step


@fused
def _sums(
    x: Bits, out: Bits, gradient: Bits, mean: Floats, relu: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By channel [C]: the gradient's sum, that of its products with x - mean where it arrives."""
    # Through ReLU it arrives where the output is not 0: the sign of x need not be found again.
    width, channels = gradient.shape[1], len(mean)
    sums, products = np.zeros(width, np.float32), np.zeros(width, np.float32)
    means = _repeated(mean, width)
    for row in range(len(gradient)):
        values, gave, received = x[row], out[row], gradient[row]
        for j in range(width):
            arrives = (gave[j] != 0) | (not relu)
            given = _value(received[j]) if arrives else np.float32(0)
            sums[j] += given
            products[j] += given * (_value(values[j]) - means[j])
    return _by_channel(sums, channels), _by_channel(products, channels)


@fused
def _sums_of_windows(
    x: Words, out: Bits, gradient: Bits, codes: Bits, scale: Floats, mean: Floats, relu: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`_sums` where the gradient arrives at the greatest of a 2x2 window; notes which that is."""
    width, channels = gradient.shape[1], len(scale)
    corners = np.empty((4, width), gradient.dtype)
    upper_left, upper_right, lower_left, lower_right = corners
    dealt = corners.view(x.dtype)
    step = channels * dealt.shape[1] // width
    sums, products = np.zeros(width, np.float32), np.zeros(width, np.float32)
    scales, means = _repeated(scale, width), _repeated(mean, width)
    for row in range(len(gradient)):
        _deal(x[2 * row], dealt[0], dealt[1], step)
        _deal(x[2 * row + 1], dealt[2], dealt[3], step)
        gave, received, code = out[row], gradient[row], codes[row]
        for j in range(width):
            # `forward` took the maximum of scaled values, which is the least x where the scale is
            # negative: the products are compared here too.
            factor = scales[j]
            a, b = _value(upper_left[j]), _value(upper_right[j])
            c, d = _value(lower_left[j]), _value(lower_right[j])
            left_is_lower = _later(factor * c, factor * a)
            right_is_lower = _later(factor * d, factor * b)
            left, right = c if left_is_lower else a, d if right_is_lower else b
            is_right = _later(factor * right, factor * left)
            on_left = LOWER_LEFT if left_is_lower else UPPER_LEFT
            on_right = LOWER_RIGHT if right_is_lower else UPPER_RIGHT
            place = on_right if is_right else on_left
            arrives = (gave[j] != 0) | (not relu)
            code[j] = place if arrives else NOWHERE
            given = _value(received[j]) if arrives else np.float32(0)
            sums[j] += given
            products[j] += given * ((right if is_right else left) - means[j])
    return _by_channel(sums, channels), _by_channel(products, channels)


@fused
def _give(
    x: Bits, out: Bits, gradient: Bits, into: Bits, scale: Floats, slope: Floats, level: Floats,
    relu: bool,
) -> None:  # fmt: skip
    """X * slope + level, plus scale * gradient."""
    width = gradient.shape[1]
    scales, slopes = _repeated(scale, width), _repeated(slope, width)
    levels = _repeated(level, width)
    for row in range(len(gradient)):
        values, gave, received, taken = x[row], out[row], gradient[row], into[row]
        for j in range(width):
            arrives = (gave[j] != 0) | (not relu)
            given = _value(received[j]) if arrives else np.float32(0)
            value = _value(values[j]) * slopes[j] + levels[j] + given * scales[j]
            taken[j] = _rounded(value, into)


@fused
def _give_to_windows(
    x: Bits, gradient: Words, codes: Words, into: Bits, scale: Floats, slope: Floats,
    level: Floats,
) -> None:  # fmt: skip
    """`_give` where the gradient goes to the place in a 2x2 window that the codes name."""
    width, channels = x.shape[1], len(scale)
    scales, slopes = _repeated(scale, width), _repeated(slope, width)
    levels = _repeated(level, width)
    doubled = np.empty((2, width), x.dtype)
    received, code = doubled
    words = doubled.view(gradient.dtype)
    step = channels * words.shape[1] // width
    places = np.empty((2, width), x.dtype)
    for at in range(0, width, 2 * channels):
        for j in range(at, at + channels):
            places[0, j], places[0, j + channels] = UPPER_LEFT, UPPER_RIGHT
            places[1, j], places[1, j + channels] = LOWER_LEFT, LOWER_RIGHT
    for row in range(len(gradient)):
        _double(gradient[row], words[0], step)
        _double(codes[row], words[1], step)
        for half in range(2):
            values, taken, place = x[2 * row + half], into[2 * row + half], places[half]
            for j in range(width):
                given = _value(received[j]) * scales[j]
                share = given if code[j] == place[j] else np.float32(0)
                value = _value(values[j]) * slopes[j] + levels[j] + share
                taken[j] = _rounded(value, into)


@fused
def backward(
    x: Bits, out: Bits, gradient: Bits, into: Bits, scale: Floats, mean: Floats, unit: Floats,
    pool: bool, relu: bool,
) -> tuple[Floats, Floats]:  # fmt: skip
    """Gradient of x by that of out; returns those of batch norm's weight and bias.

    With g the gradient that reached the normalised x' = (x - mean) * unit, over n values of a
    channel: into = scale * (g - (sum g + x' * sum g x') / n) (Ioffe and Szegedy, 2015, section 3).

    Args:
        x: what was normalised, [N*H, W*C].
        out: what `forward` gave, [N*H', W'*C]; read only if `relu`.
        gradient: of out, of its shape.
        into: receives the gradient of x, of its shape.
        scale: weight * unit, [C].
        mean: of the batch, [C].
        unit: one over the deviation of the batch, [C].
        pool: as in `forward`.
        relu: as in `forward`.
    """
    count, channels = x.size // len(scale), len(scale)
    # Where a place fills whole words of eight bytes, rows are dealt and doubled by words.
    whole = channels * x.itemsize % 8 == 0
    codes = np.empty(gradient.shape if pool else (0, 0), x.dtype)
    if not pool:
        to_bias, to_weight = _sums(x, out, gradient, mean, relu)
    elif whole:
        words = x.view(np.uint64)
        to_bias, to_weight = _sums_of_windows(words, out, gradient, codes, scale, mean, relu)
    else:
        to_bias, to_weight = _sums_of_windows(x, out, gradient, codes, scale, mean, relu)
    to_weight *= unit  # sum g x', from sum g (x - mean)
    # The formula above as x * slope + level + scale * g: one pass over x, nothing kept between.
    slope = (-scale * unit * to_weight / count).astype(np.float32)
    level = (-scale * to_bias / count - slope * mean).astype(np.float32)
    if not pool:
        _give(x, out, gradient, into, scale, slope, level, relu)
    elif whole:
        given, chosen = gradient.view(np.uint64), codes.view(np.uint64)
        _give_to_windows(x, given, chosen, into, scale, slope, level)
    else:
        _give_to_windows(x, gradient, codes, into, scale, slope, level)
    return to_weight.astype(np.float32), to_bias.astype(np.float32)
