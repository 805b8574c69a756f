"""A look at a network in training that leaves no trace: weights, buffers, gradients, optimizer,
random numbers and modes are afterwards, bit for bit, what they were.

Gradients are computed beside those of the training (`torch.autograd.grad`), buffers are put back,
and torch's random numbers are forked. A plugin's network is copied first, as its forward pass may
count in attributes of its own. Nothing here belongs into a recorded step.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from runner.network.fused_norm import FusedNorm
from runner.probe.layers import (
    SATURATING,
    SOFTMAX,
    Layer,
    is_normalising,
    is_rectifying,
    leaves,
    recorded,
)
from runner.probe.record import Kind, LayerName, Look

MOST_LAYERS = 64
"""Layers that are kept of a deeper network: the first, the last and evenly between."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a network is looked at with.

    Attributes:
        inputs: as training feeds them, without augmentation, float32 [P, 3, H, W].
        labels: int64 [P].
        loss: of logits and labels, as the cell minimises it.
        precision: the block in which forward passes run.
        copied: whether a copy of the network is looked at.
    """

    inputs: Tensor
    labels: Tensor
    loss: Callable[[Tensor, Tensor], Tensor]
    precision: Callable[[], AbstractContextManager[object]]
    copied: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """One look: its numbers, the layers they are of, and weights without a gradient."""

    look: Look
    layers: tuple[LayerName, ...]
    unreached: tuple[str, ...]
    broke_at: str  # first layer whose output is not finite; "" none


def look_at(
    network: nn.Module, sight: Sight, step: int, epoch: int, moved: dict[str, float]
) -> Seen:
    """Look at a network as it is after `step` steps.

    Args:
        network: in training mode; afterwards as it was.
        sight: what it is looked at with.
        step: steps taken.
        epoch: epochs ended.
        moved: name of a weighted layer to the length of its last step by that of its weight.

    Raises:
        Exception: whatever the network raises on a batch of this size.
    """
    seen = copy.deepcopy(network) if sight.copied else network
    with _untouched(seen, sight.inputs.device) as buffers_before:
        with recorded(seen) as recorder, torch.enable_grad(), sight.precision():
            logits = seen(sight.inputs)
        logits = logits.float()
        loss = sight.loss(logits, sight.labels)
        trained = [p for p in seen.parameters() if p.requires_grad]
        gradients = torch.autograd.grad(loss, trained, allow_unused=True)
        of: dict[int, Tensor | None] = {
            id(p): one for p, one in zip(trained, gradients, strict=True)
        }
        layers = recorder.layers(of)
        statistics = _statistics(seen, buffers_before)
        seen.eval()
        with torch.no_grad(), sight.precision():
            used = seen(sight.inputs).float()
        names = [
            name for name, p in seen.named_parameters() if p.requires_grad and of[id(p)] is None
        ]
        numbers = _outputs(logits.detach(), used, loss.detach(), sight.labels)
    kept = _kept([one for one in layers if kind_of(one.module) != "other"])
    look = Look(step=step, epoch=epoch, columns=_columns(kept, statistics, moved), **numbers)
    broke_at = next((one.name for one in layers if one.mean - one.mean != 0), "")
    described = tuple(LayerName(one.name, kind_of(one.module), _units(one.module)) for one in kept)
    return Seen(look, described, tuple(names), broke_at)


def kind_of(module: nn.Module) -> Kind:
    """What a layer does."""
    if is_normalising(module):
        return "norm_rectifier" if is_rectifying(module) else "norm"
    if is_rectifying(module):
        return "rectifier"
    if isinstance(module, (*SATURATING, *SOFTMAX)):
        return "saturating"
    return "weighted" if isinstance(module, (nn.Linear, nn.modules.conv._ConvNd)) else "other"


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """Name of every weighted layer to its trained weight."""
    return {
        name: module.weight
        for name, module in leaves(network)
        if kind_of(module) == "weighted" and isinstance(module.weight, Tensor)
    }


@contextmanager
def _untouched(network: nn.Module, device: torch.device) -> Iterator[dict[str, Tensor]]:
    """Within the block buffers, modes and random numbers may change; gives the buffers before."""
    modes = [(module, module.training) for module in network.modules()]
    buffers = dict(network.named_buffers())
    before = {name: one.clone() for name, one in buffers.items()}
    benchmark = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = False  # a search over kernels costs more than the look
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield before
    finally:
        torch.backends.cudnn.benchmark = benchmark
        with torch.no_grad():
            for name, one in buffers.items():
                one.copy_(before[name])
        for module, training in modes:
            module.training = training


def _statistics(network: nn.Module, before: dict[str, Tensor]) -> dict[str, Tensor]:
    """Name of every batch norm to its distance of batch and running statistics, float64 [2].

    The batch's are told by how far the forward pass has moved the running ones: running + (batch -
    running) * momentum is what torch leaves (its documentation of BatchNorm2d).
    """
    found = {}
    for name, module in leaves(network):
        norm, inner = (module[0], f"{name}.0") if isinstance(module, FusedNorm) else (module, name)
        if not isinstance(norm, nn.modules.batchnorm._BatchNorm) or not norm.track_running_stats:
            continue
        mean, var, count = norm.running_mean, norm.running_var, norm.num_batches_tracked
        if mean is None or var is None:
            continue
        share = norm.momentum
        if share is None:  # a cumulative average
            share = 1 / max(float(count) if count is not None else 1.0, 1.0)
        if not share:
            continue
        start = f"{inner}." if inner else ""
        old_mean, old_var = before[f"{start}running_mean"], before[f"{start}running_var"]
        batch_mean = old_mean + (mean - old_mean) / share
        batch_var = (old_var + (var - old_var) / share).clamp(min=norm.eps)
        shift = ((batch_mean - old_mean).abs() / batch_var.sqrt()).mean()
        spread = ((old_var + norm.eps) / batch_var).sqrt().median()
        found[name] = torch.stack([shift, spread])
    return found


def _outputs(logits: Tensor, used: Tensor, loss: Tensor, labels: Tensor) -> dict[str, Any]:
    """Numbers of a look's outputs, read from the device at once."""
    answers = used.argmax(1)
    counts = functional.one_hot(answers, used.shape[1]).sum(0)
    numbers = torch.stack(
        [
            loss.float(),
            functional.cross_entropy(logits, labels),
            (logits.argmax(1) == labels).float().mean(),
            functional.cross_entropy(used, labels),
            (answers == labels).float().mean(),
            counts.max() / counts.sum(),
            (counts > 0).sum(),
            logits.std(),
        ]
    ).tolist()
    names = ("loss", "entropy", "accuracy", "entropy_used", "accuracy_used", "top", "answered",
             "scale")  # fmt: skip
    found = dict(zip(names, numbers, strict=True))
    return found | {"answered": int(found["answered"])}


def _kept(layers: list[Layer]) -> list[Layer]:
    if len(layers) <= MOST_LAYERS:
        return layers
    last = len(layers) - 1
    return [layers[round(k * last / (MOST_LAYERS - 1))] for k in range(MOST_LAYERS)]


def _columns(
    layers: list[Layer], statistics: dict[str, Tensor], moved: dict[str, float]
) -> dict[str, tuple[float, ...]]:
    """A number a layer by name; NaN where a layer has none."""
    nan = float("nan")
    norms = {}
    if statistics:
        rows = torch.stack(list(statistics.values())).tolist()
        norms = dict(zip(statistics, rows, strict=True))
    weighted = [one.weighted for one in layers]
    return {
        "mean": tuple(one.mean for one in layers),
        "deviation": tuple(one.deviation for one in layers),
        "varied": tuple(one.varied for one in layers),
        "silent": tuple(one.silent if is_rectifying(one.module) else nan for one in layers),
        "saturated": tuple(
            one.saturated if isinstance(one.module, SATURATING) else nan for one in layers
        ),
        "weight": tuple(o.weight if w else nan for o, w in zip(layers, weighted, strict=True)),
        "gradient": tuple(o.gradient if w else nan for o, w in zip(layers, weighted, strict=True)),
        "update": tuple(moved.get(one.name, nan) for one in layers),
        "shift": tuple(norms.get(one.name, (nan, nan))[0] for one in layers),
        "spread": tuple(norms.get(one.name, (nan, nan))[1] for one in layers),
    }


def _units(module: nn.Module) -> int:
    """Outputs of a weighted layer; transposed convolutions have theirs in the second place."""
    weight = getattr(module, "weight", None)
    if kind_of(module) != "weighted" or not isinstance(weight, Tensor):
        return 0
    return int(weight.shape[0])
