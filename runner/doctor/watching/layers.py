"""The first look of a diagnosis: one batch through every layer before the first step."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from runner.doctor.watching.batches import Batch
from runner.doctor.watching.made import Made, undisturbed
from runner.doctor.watching.task import tensor_of
from runner.probe.layers import Layer, gradient_ratio, is_normalising, recorded


@dataclass(frozen=True, slots=True)
class FirstLook:
    """One forward and one backward pass before anything is trained.

    Attributes:
        layers: in the order of the forward pass, each once.
        loss: of the batch.
        outputs: the tensor that the model returned, detached.
        widths: of weighted layers by name, as `widths_of` has them.
    """

    layers: tuple[Layer, ...]
    loss: float
    outputs: Tensor
    widths: Mapping[str, float] = field(default_factory=dict)

    @property
    def weighted(self) -> list[Layer]:
        """Layers with weights that multiply: linear and convolutions."""
        return [one for one in self.layers if one.weighted]

    @property
    def normalised(self) -> bool:
        """Whether any layer normalises."""
        return any(is_normalising(one.module) for one in self.layers)

    @property
    def gradient_ratio(self) -> float:
        """Gradient by weight of the first weighted layer over that of the last but one."""
        return gradient_ratio([one.gradient_by_weight for one in self.weighted])


def first_look(made: Made, batch: Batch) -> FirstLook:
    """Look at one batch; the caller puts the start back.

    Raises:
        Exception: whatever the model or the loss raises.
    """
    with recorded(made.model) as recorder:
        inputs, targets = batch
        outputs = made.model(inputs)
        loss = made.loss(outputs, targets)
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]  # torch's own
    layers = recorder.layers({id(p): p.grad for p in made.model.parameters()})
    value, found = float(loss.detach()), tensor_of(outputs).detach()
    return FirstLook(layers, value, found, widths_of(layers))


def widths_of(layers: Sequence[Layer]) -> dict[str, float]:
    """Deviation of weights by what their layer's own `reset_parameters` draws; 1 of few."""
    return {one.name: _width(one) for one in layers if one.weighted}


def _width(layer: Layer) -> float:
    weight = getattr(layer.module, "weight", None)
    if not isinstance(weight, Tensor) or weight.numel() < 8:
        return 1.0
    fresh = copy.deepcopy(layer.module)
    with undisturbed():
        fresh.reset_parameters()  # type: ignore[operator]  # every weighted layer has it
    own, usual = float(weight.detach().std()), float(fresh.weight.detach().std())  # type: ignore[operator]
    return own / usual if usual > 0 else 1.0
