"""What one batch does to every layer before the first step: signal forward, gradient backward."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

from torch import Tensor, nn

from runner.doctor.watching.batches import Batch
from runner.doctor.watching.made import Made, undisturbed
from runner.doctor.watching.task import tensor_of

WEIGHTED = (nn.Linear, nn.modules.conv._ConvNd)
SATURATING = (nn.Sigmoid, nn.Tanh, nn.Hardsigmoid, nn.Hardtanh, nn.Softsign, nn.LogSigmoid)
SOFTMAX = (nn.Softmax, nn.LogSoftmax, nn.Softmin)
RECTIFYING = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU,
              nn.Mish, nn.Softplus, nn.Hardswish)  # fmt: skip
NORMALISING = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm,
               nn.modules.instancenorm._InstanceNorm, nn.RMSNorm)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layer:
    """One module without children, on one batch, in the order of its forward pass.

    Attributes:
        name: as `named_modules` gives it.
        module: itself.
        deviation: standard deviation of what it returned.
        silent: of a rectifier, share of units (channels of images) that are zero for every
            example.
        saturated: share of numbers of a saturating function within 2 % of its limits.
        from_weighted: whether its input is the output of a weighted layer unchanged.
        gradient: length of its weight's gradient by the length of the weight; NaN without weight.
        reached: whether a gradient arrived at its weights.
        width: deviation of its weights by what its own `reset_parameters` draws; 1 of few.
    """

    name: str
    module: nn.Module
    deviation: float
    silent: float
    saturated: float
    from_weighted: bool
    gradient: float
    reached: bool
    width: float = 1.0

    @property
    def weighted(self) -> bool:
        """Linear or convolution."""
        return isinstance(self.module, WEIGHTED)


@dataclass(frozen=True, slots=True)
class FirstLook:
    """One forward and one backward pass before anything is trained.

    Attributes:
        layers: in the order of the forward pass, each once.
        loss: of the batch.
        outputs: the tensor that the model returned, detached.
    """

    layers: tuple[Layer, ...]
    loss: float
    outputs: Tensor

    @property
    def weighted(self) -> list[Layer]:
        """Layers with weights that multiply: linear and convolutions."""
        return [one for one in self.layers if one.weighted]

    @property
    def normalised(self) -> bool:
        """Whether any layer normalises."""
        return any(isinstance(one.module, NORMALISING) for one in self.layers)

    @property
    def gradient_ratio(self) -> float:
        """Gradient by weight of the first weighted layer over that of the last but one."""
        found = [x.gradient for x in self.weighted if isfinite(x.gradient)]
        return found[0] / found[-2] if len(found) > 2 and found[-2] > 0 else nan


class Recorder:
    """Forward hooks on all modules without children."""

    def __init__(self, model: nn.Module) -> None:
        self.seen: dict[str, dict[str, Any]] = {}
        self._outputs_of_weighted: list[tuple[int, int, int]] = []
        self._handles = [
            module.register_forward_hook(self._hook(name))
            for name, module in model.named_modules()
            if not any(True for _ in module.children())
        ]

    def _hook(self, name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            if name in self.seen or not isinstance(output, Tensor):
                return
            found = output.detach()
            given = inputs[0] if inputs and isinstance(inputs[0], Tensor) else None
            self.seen[name] = {
                "module": module,
                "deviation": float(found.float().std()) if found.numel() > 1 else 0.0,
                "silent": _silent(found) if isinstance(module, RECTIFYING) else 0.0,
                "saturated": _saturated(module, found),
                "from_weighted": given is not None and _mark(given) in self._outputs_of_weighted,
                "kept": output,  # so that no other tensor takes its place in memory
            }
            if isinstance(module, WEIGHTED):
                self._outputs_of_weighted.append(_mark(output))

        return hook

    def close(self) -> None:
        """Take the hooks away."""
        for one in self._handles:
            one.remove()

    def layers(self, *, widths: bool = False) -> tuple[Layer, ...]:
        """What was seen, with the gradients that are there now.

        Args:
            widths: whether weights are held against what their layers draw by default.
        """
        return tuple(_layer(name, one, widths) for name, one in self.seen.items())


def _mark(tensor: Tensor) -> tuple[int, int, int]:
    """Where its numbers lie, how many, and how often they were changed in place."""
    return tensor.untyped_storage().data_ptr(), tensor.numel(), tensor._version


def first_look(made: Made, batch: Batch) -> FirstLook:
    """Look at one batch; the caller puts the start back.

    Raises:
        Exception: whatever the model or the loss raises.
    """
    recorder = Recorder(made.model)
    try:
        inputs, targets = batch
        outputs = made.model(inputs)
        loss = made.loss(outputs, targets)
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]  # torch's own
    finally:
        recorder.close()
    return FirstLook(
        recorder.layers(widths=True), float(loss.detach()), tensor_of(outputs).detach()
    )


def _layer(name: str, seen: dict[str, Any], widths: bool) -> Layer:
    module: nn.Module = seen["module"]
    own = [p for p in module.parameters(recurse=False) if p.requires_grad]
    weight = getattr(module, "weight", None)
    gradient = nan
    if isinstance(weight, Tensor) and weight.grad is not None:
        gradient = float(weight.grad.norm()) / max(float(weight.detach().norm()), 1e-30)
    reached = all(p.grad is not None for p in own)
    return Layer(
        name, module, seen["deviation"], seen["silent"], seen["saturated"], seen["from_weighted"],
        gradient, reached, _width(module) if widths and isinstance(module, WEIGHTED) else 1.0,
    )  # fmt: skip


def _width(module: nn.Module) -> float:
    weight = getattr(module, "weight", None)
    if not isinstance(weight, Tensor) or weight.numel() < 8:
        return 1.0
    fresh = copy.deepcopy(module)
    with undisturbed():
        fresh.reset_parameters()  # type: ignore[operator]  # every weighted layer has it
    own, usual = float(weight.detach().std()), float(fresh.weight.detach().std())  # type: ignore[operator]
    return own / usual if usual > 0 else 1.0


def _silent(found: Tensor) -> float:
    if found.ndim < 2 or not found.is_floating_point():
        return 0.0
    over = [k for k in range(found.ndim) if k != 1] if found.ndim > 3 else [0]
    return (
        float((found == 0).all(0).float().mean())
        if over == [0]
        else float((found == 0).flatten(2).all(2).all(0).float().mean())
    )


def _saturated(module: nn.Module, found: Tensor) -> float:
    if isinstance(module, nn.Sigmoid):
        return float(((found < 0.02) | (found > 0.98)).float().mean())
    if isinstance(module, nn.Tanh):
        return float((found.abs() > 0.96).float().mean())
    return 0.0
