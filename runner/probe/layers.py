"""What one batch does to every layer: signal forward, gradient backward.

Statistics of a layer stay on the device until all are read at once, so that a look at a network on
CUDA waits for it once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from typing import Any

import torch
from torch import Tensor, nn

from runner.network.fused_norm import FusedNorm

WEIGHTED = (nn.Linear, nn.modules.conv._ConvNd)
SATURATING = (nn.Sigmoid, nn.Tanh, nn.Hardsigmoid, nn.Hardtanh, nn.Softsign, nn.LogSigmoid)
SOFTMAX = (nn.Softmax, nn.LogSoftmax, nn.Softmin)
RECTIFYING = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU,
              nn.Mish, nn.Softplus, nn.Hardswish)  # fmt: skip
NORMALISING = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm,
               nn.modules.instancenorm._InstanceNorm, nn.RMSNorm)  # fmt: skip
WHOLE = (FusedNorm,)
"""Modules with children that are seen as one: their fast path calls none of these."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One module without children, on one batch, in the order of its forward pass.

    Attributes:
        name: as `named_modules` gives it.
        module: itself.
        mean: of what it returned.
        deviation: standard deviation of what it returned.
        varied: the same between examples alone, of weighted layers: biases and what all examples
            share are no part of it. NaN of others, and of one example.
        silent: share of units (channels of a convolution) of a rectifier that are zero for every
            example; 0 of other modules.
        saturated: share of numbers of a saturating function within 2 % of its limits; 0 of others.
        from_weighted: whether its input is the output of a weighted layer unchanged.
        weight: length (L2 norm) of its weight; NaN without one.
        gradient: length of the gradient of its weight; NaN where none arrived.
        reached: whether a gradient arrived at all its trained weights.
    """

    name: str
    module: nn.Module
    mean: float
    deviation: float
    varied: float
    silent: float
    saturated: float
    from_weighted: bool
    weight: float
    gradient: float
    reached: bool

    @property
    def weighted(self) -> bool:
        """Linear or convolution."""
        return isinstance(self.module, WEIGHTED)

    @property
    def gradient_by_weight(self) -> float:
        """Length of its weight's gradient by the length of the weight; NaN without."""
        return self.gradient / max(self.weight, 1e-30)


def gradient_ratio(by_weight: list[float]) -> float:
    """Gradient by weight of the first weighted layer over that of the last but one.

    Args:
        by_weight: of each weighted layer in the order of the forward pass; NaN is left out.

    Returns:
        NaN of fewer than three layers. Below 1/1000 the first layers hardly learn (Glorot and
        Bengio 2010, section 4.2, show it fall with depth); the last layer's is left out, because
        it has no activation behind it.
    """
    found = [one for one in by_weight if isfinite(one)]
    return found[0] / found[-2] if len(found) > 2 and found[-2] > 0 else nan


class _Seen:
    """What a hook keeps of one module until all statistics are read at once."""

    def __init__(self, module: nn.Module, output: Tensor, *, from_weighted: bool) -> None:
        self.module, self.from_weighted = module, from_weighted
        self.kept = output  # so that no other tensor takes its place in memory
        found = output.detach()
        self.statistics = torch.stack(
            [
                *_moments(found),
                _varied(module, found),
                _silent(module, found),
                _saturated(module, found),
            ]
        )


class Recorder:
    """Forward hooks on all modules without children, for as long as it is not closed."""

    def __init__(self, network: nn.Module) -> None:
        self.seen: dict[str, _Seen] = {}
        self._outputs_of_weighted: list[tuple[int, int, int]] = []
        self._handles = [
            module.register_forward_hook(self._hook(name)) for name, module in leaves(network)
        ]

    def _hook(self, name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            if name in self.seen or not isinstance(output, Tensor):
                return
            given = inputs[0] if inputs and isinstance(inputs[0], Tensor) else None
            unchanged = given is not None and _mark(given) in self._outputs_of_weighted
            self.seen[name] = _Seen(module, output, from_weighted=unchanged)
            if isinstance(module, WEIGHTED):
                self._outputs_of_weighted.append(_mark(output))

        return hook

    def close(self) -> None:
        """Take the hooks away."""
        for one in self._handles:
            one.remove()

    def layers(self, gradients: dict[int, Tensor | None]) -> tuple[Layer, ...]:
        """Every module that was called, in order.

        Args:
            gradients: `id` of each trained parameter to its gradient; None where none arrived.
        """
        lengths = []
        for seen in self.seen.values():
            weight = getattr(seen.module, "weight", None)
            here = isinstance(weight, Tensor)
            arrived = gradients.get(id(weight)) if here else None
            # Two numbers a layer, and not one is read before all are there.
            lengths.append(_length(weight if here else None, seen.statistics))
            lengths.append(_length(arrived, seen.statistics))
        if not lengths:
            return ()
        rows = torch.stack([one.statistics for one in self.seen.values()]).tolist()
        norms = torch.stack(lengths).tolist()
        found = []
        for place, (name, seen) in enumerate(self.seen.items()):
            own = [p for p in seen.module.parameters() if p.requires_grad]
            reached = all(gradients.get(id(p)) is not None for p in own)
            mean, deviation, varied, silent, saturated = rows[place]
            weight, gradient = norms[2 * place : 2 * place + 2]
            found.append(
                Layer(name, seen.module, mean, deviation, varied, silent, saturated,
                      seen.from_weighted, weight, gradient, reached)
            )  # fmt: skip
        return tuple(found)


@contextmanager
def recorded(network: nn.Module) -> Iterator[Recorder]:
    """Within the block every module of the network is recorded at its first call."""
    recorder = Recorder(network)
    try:
        yield recorder
    finally:
        recorder.close()


def leaves(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Modules without children by name, and those that are `WHOLE` in place of their children."""
    inside: set[int] = set()
    for name, module in network.named_modules():
        if id(module) in inside:
            continue
        if isinstance(module, WHOLE):
            inside |= {id(one) for one in module.modules()}
            yield name, module
        elif not any(True for _ in module.children()):
            yield name, module


def is_rectifying(module: nn.Module) -> bool:
    """Whether what it returns has passed a rectifier, alone or joined with a norm."""
    return isinstance(module, RECTIFYING) or (isinstance(module, FusedNorm) and module.relu)


def is_normalising(module: nn.Module) -> bool:
    """Whether it normalises, alone or joined with what follows."""
    return isinstance(module, (*NORMALISING, FusedNorm))


def _mark(tensor: Tensor) -> tuple[int, int, int]:
    """Where its numbers lie, how many, and how often they were changed in place."""
    return tensor.untyped_storage().data_ptr(), tensor.numel(), tensor._version


def _length(tensor: Tensor | None, like: Tensor) -> Tensor:
    """L2 norm, as float32 on the device of `like`; NaN of nothing."""
    if tensor is None or not tensor.is_floating_point():
        return torch.full((), nan, device=like.device)
    length: Tensor = torch.linalg.vector_norm(tensor.detach().float())
    return length.to(like.device)


def _moments(found: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation, float32."""
    numbers = found.float()
    spread = numbers.std() if found.numel() > 1 else torch.zeros((), device=found.device)
    return numbers.mean(), spread


def _varied(module: nn.Module, found: Tensor) -> Tensor:
    """Root of the mean over places of the variance over examples."""
    if not isinstance(module, WEIGHTED) or found.ndim < 2 or len(found) < 2:
        return torch.full((), nan, device=found.device)
    numbers = found.float()
    # As torch's own var(0) and mean, in a fifth of the time.
    length: Tensor = torch.linalg.vector_norm(numbers - numbers.mean(0))
    return length / sqrt(found.numel() / len(found) * (len(found) - 1))


def _silent(module: nn.Module, found: Tensor) -> Tensor:
    if not is_rectifying(module) or found.ndim < 2 or not found.is_floating_point():
        return torch.zeros((), device=found.device)
    # The unit is the channel of [N, C, H, W], else every place of an example.
    over = [k for k in range(found.ndim) if k != 1] if found.ndim > 3 else [0]
    largest: Tensor = found.abs().amax(over)
    return (largest == 0).float().mean()


def _saturated(module: nn.Module, found: Tensor) -> Tensor:
    if isinstance(module, nn.Sigmoid):
        return ((found < 0.02) | (found > 0.98)).float().mean()
    if isinstance(module, nn.Tanh):
        return (found.abs() > 0.96).float().mean()
    return torch.zeros((), device=found.device)
