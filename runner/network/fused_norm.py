"""A batch norm, the 2x2 maximum and the ReLU that follow it as one module, fast on one CPU core.

The modules inside stay what they are and are called one after another wherever the compiled kernels
do not apply: on CUDA, in float64, with more threads than one, for sides of odd length.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from runner.network import kernels

BITS = {torch.bfloat16: torch.uint16, torch.float32: torch.uint32}
"""Data types the kernels know, each with that of its bits."""


class FusedNorm(nn.Sequential):
    """BatchNorm2d, then perhaps MaxPool2d(2), then perhaps ReLU: [N,C,H,W] -> [N,C,H',W'].

    The same function as its modules in sequence, gradients and running statistics alike, up to the
    rounding of sums.
    """

    def __init__(self, norm: nn.BatchNorm2d, *rest: nn.Module) -> None:
        super().__init__(norm, *rest)
        self.pool = any(isinstance(module, nn.MaxPool2d) for module in rest)
        self.relu = any(isinstance(module, nn.ReLU) for module in rest)

    def halved(self) -> FusedNorm:
        """The same with a 2x2 maximum, which commutes with the ReLU and so comes before it."""
        norm, *rest = self
        assert isinstance(norm, nn.BatchNorm2d)  # noqa: S101 - only the constructor fills it
        return FusedNorm(norm, nn.MaxPool2d(2), *rest)

    def forward(self, images: Tensor) -> Tensor:
        """[N, C, H, W] normalised: by the batch in training, else by the running statistics."""
        norm: Any = self[0]
        if not self._compiled_for(images, norm):
            result: Tensor = super().forward(images)  # type: ignore[no-untyped-call]  # torch's
            return result
        if norm.training:
            norm.num_batches_tracked.add_(1)
            fused: Tensor = _Fused.apply(images, norm.weight, norm.bias, norm, self.pool, self.relu)
            return fused
        unit = torch.rsqrt(norm.running_var + norm.eps)
        return _forward(images, norm, norm.running_mean, unit, self.pool, self.relu)[0]

    def _compiled_for(self, images: Tensor, norm: Any) -> bool:
        return (
            images.device.type == "cpu"
            and images.dtype in BITS
            and images.is_contiguous(memory_format=torch.channels_last)
            and images.numel()
            > images.shape[1]  # one value a channel has no variance: torch says so
            and norm.weight.dtype == torch.float32
            and norm.momentum is not None
            and norm.training == torch.is_grad_enabled()
            and torch.get_num_threads() == 1
            and not (self.pool and (images.shape[2] % 2 or images.shape[3] % 2))
        )


class _Fused(torch.autograd.Function):
    """The kernels in training, with the batch's own statistics."""

    @staticmethod
    def forward(
        context: Any,
        images: Tensor,
        weight: Tensor,
        bias: Tensor,
        norm: Any,
        pool: bool,
        relu: bool,
    ) -> Tensor:
        """Normalise [N, C, H, W], and move the running statistics as torch does."""
        moments = kernels.statistics(_bits(images), images.shape[1])
        mean, variance = map(torch.from_numpy, moments)
        count = images.numel() // images.shape[1]
        norm.running_mean.lerp_(mean, norm.momentum)
        # Biased for normalising, unbiased for the running mean: so torch defines batch norm.
        norm.running_var.lerp_(variance * (count / (count - 1)), norm.momentum)
        unit = torch.rsqrt(variance + norm.eps)
        out, scale = _forward(images, norm, mean, unit, pool, relu)
        context.save_for_backward(images, scale, mean, unit, *([out] if relu else []))
        context.pool, context.relu = pool, relu
        return out

    @staticmethod
    @once_differentiable
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of images [N, C, H, W], weight [C] and bias [C] by that of the result."""
        images, scale, mean, unit, *outs = context.saved_tensors
        gradient = gradient.to(dtype=images.dtype, memory_format=torch.channels_last)
        into = torch.empty_like(images)
        to_weight, to_bias = kernels.backward(
            _bits(images), _bits(outs[0] if outs else gradient), _bits(gradient), _bits(into),
            scale.numpy(), mean.numpy(), unit.numpy(), context.pool, context.relu,
        )  # fmt: skip
        return into, torch.from_numpy(to_weight), torch.from_numpy(to_bias), None, None, None


def _forward(
    images: Tensor, norm: Any, mean: Tensor, unit: Tensor, pool: bool, relu: bool
) -> tuple[Tensor, Tensor]:
    """What the modules give for this mean and 1/deviation, and the factor of each channel."""
    batch, channels, height, width = images.shape
    size = (batch, channels, height // 2, width // 2) if pool else images.shape
    out = torch.empty(size, dtype=images.dtype, memory_format=torch.channels_last)
    scale = norm.weight.detach() * unit
    shift = norm.bias.detach() - mean * scale
    kernels.forward(_bits(images), _bits(out), scale.numpy(), shift.numpy(), pool, relu)
    return out, scale


def _bits(images: Tensor) -> kernels.Bits:
    """The values as they lie in memory, as bits [N*H, W*C]."""
    batch, channels, height, width = images.shape
    values = images.detach().view(BITS[images.dtype]).numpy()
    # What is small is faster in NumPy, and this is asked for seven times a module and step.
    rows: kernels.Bits = values.transpose(0, 2, 3, 1).reshape(batch * height, width * channels)
    return rows


def warm() -> None:
    """Compile the kernels for both data types, or read them from where they were kept."""
    for kind in (np.uint16, np.uint32):
        x, out = np.zeros((2, 2), kind), np.zeros((1, 1), kind)
        one = np.ones(1, np.float32)
        kernels.statistics(x, 1)
        kernels.forward(x, out, one, one, True, True)
        kernels.backward(x, out, out, x.copy(), one, one, one, True, True)
