"""Changes of what goes in: inputs and targets at another scale, other transforms, other batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ablations.errors import InputError
from runner.doctor.causes.changes.of_network import hooked
from runner.doctor.watching.batches import Batches, Regrouped, as_validation
from runner.doctor.watching.facts import Inputs, inputs_of
from runner.doctor.watching.made import Made, undisturbed


@contextmanager
def standardised_inputs(made: Made) -> Iterator[Made]:
    """Inputs at mean 0 and deviation 1 of the training data; a table column by column."""
    with undisturbed():  # reading the loader draws an order
        found = inputs_of(Batches(made.train_loader, "train_loader", made.device).some())
    if found is None:
        raise InputError("train_loader yields no numbers that could be standardised")
    with _prepared(made, lambda inputs: _standardised(inputs, found)):
        yield made


def _standardised(inputs: Tensor, of: Inputs) -> Tensor:
    if inputs.ndim == 2:
        mean, deviation = of.features.mean(0), of.features.std(0).clamp(min=1e-8)
        return (inputs - mean.to(inputs)) / deviation.to(inputs)
    return (inputs - of.mean) / max(of.deviation, 1e-8)


@contextmanager
def _prepared(made: Made, function: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Inputs of the model passed through a function, in training and judging."""
    handle = made.model.register_forward_pre_hook(
        lambda _m, given: (function(given[0]), *given[1:])
    )
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def held_out_as_training(
    made: Made, mean: float, deviation: float, to_mean: float, to_deviation: float
) -> Iterator[Made]:
    """Inputs that are judged on brought from their own mean and deviation to those of training."""

    def brought(inputs: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            return inputs
        return (inputs - mean) / deviation * to_deviation + to_mean

    with _prepared(made, brought):
        yield made


@contextmanager
def standardised_targets(made: Made, mean: float, deviation: float) -> Iterator[Made]:
    """A model that learns standardised targets: its outputs are put back to their scale."""

    def loss(outputs: Any, targets: Any) -> Tensor:
        return made.loss((outputs - mean) / deviation, (targets - mean) / deviation)

    with hooked(made, [""], lambda _m, _i, outputs: outputs * deviation + mean):
        yield replace(made, loss=loss)


@contextmanager
def training_as_held_out(made: Made) -> Iterator[Made]:
    """Training data read through the transform of the validation data."""
    loader = as_validation(made)
    yield made if loader is None else replace(made, train_loader=loader)


@contextmanager
def regrouped(made: Made, size: int) -> Iterator[Made]:
    """The same examples in batches of another size."""
    yield replace(made, train_loader=Regrouped(made.train_loader, size))
