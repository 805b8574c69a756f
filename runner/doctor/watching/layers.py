"""The first look of a diagnosis: one batch through every layer before the first step."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from runner.doctor.watching.batches import Batch
from runner.doctor.watching.made import Made
from runner.doctor.watching.task import tensor_of
from runner.probe.layers import Layer, gradient_ratio, is_normalising, recorded


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
    return FirstLook(layers, float(loss.detach()), tensor_of(outputs).detach())
