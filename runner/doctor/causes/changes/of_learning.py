"""Changes of what learns: the rate, the optimizer, the loop body, the loss, how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from runner.doctor.watching.made import Made
from runner.doctor.watching.made import usual_step as one_usual_step
from runner.doctor.watching.task import labels_of, tensor_of

# --- the rate and the optimizer -------------------------------------------------------------------


@contextmanager
def rate_times(made: Made, factor: float) -> Iterator[Made]:
    """Every learning rate times a number, whatever a schedule does to it afterwards."""
    handles = [
        made.optimizer.register_step_pre_hook(lambda *_: _scale(made.optimizer, factor)),
        made.optimizer.register_step_post_hook(lambda *_: _scale(made.optimizer, 1 / factor)),
    ]
    try:
        yield made
    finally:
        for one in handles:
            one.remove()


def _scale(optimizer: Optimizer, factor: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = group["lr"] * factor


@contextmanager
def constant_rate(made: Made) -> Iterator[Made]:
    """The learning rates of the first step throughout."""
    rates = [group["lr"] for group in made.optimizer.param_groups]

    def put(*_: object) -> None:
        for group, rate in zip(made.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate

    handle = made.optimizer.register_step_pre_hook(put)
    try:
        yield made
    finally:
        handle.remove()


OPTIMIZERS: dict[str, Callable[[list[nn.Parameter]], Optimizer]] = {
    "Adam": lambda weights: torch.optim.Adam(weights, lr=1e-3),
    "SGD": lambda weights: torch.optim.SGD(weights, lr=0.05, momentum=0.9),
}
"""What most trainings begin with."""


@contextmanager
def other_optimizer(made: Made, kind: str) -> Iterator[Made]:
    """Another optimizer of the same weights, in a loop body that takes it."""
    weights = [p for p in made.model.parameters() if p.requires_grad]
    yield replace(made, optimizer=OPTIMIZERS[kind](weights))


@contextmanager
def no_decay(made: Made) -> Iterator[Made]:
    """No weight decay; the groups are put back with the start."""
    for group in made.optimizer.param_groups:
        if "weight_decay" in group:
            group["weight_decay"] = 0.0
    yield made


@contextmanager
def all_trained(made: Made) -> Iterator[Made]:
    """Every weight asks for a gradient, and an optimizer of the same kind holds them all."""
    for parameter in made.model.parameters():
        parameter.requires_grad_()
    settings = {
        name: value for name, value in made.optimizer.param_groups[0].items()
        if name in made.optimizer.defaults
    }  # fmt: skip
    optimizer = type(made.optimizer)(list(made.model.parameters()), **settings)
    yield replace(made, optimizer=optimizer)


# --- the loop body --------------------------------------------------------------------------------


@contextmanager
def usual_step(made: Made) -> Iterator[Made]:
    """The loop body that most trainings have: clear, forward, backward, step."""
    yield replace(made, step=one_usual_step)


@contextmanager
def cleared_gradients(made: Made) -> Iterator[Made]:
    """Gradients cleared after every step of the optimizer."""
    with made.optimizer.register_step_post_hook(lambda *_: made.optimizer.zero_grad()):
        yield made


@contextmanager
def clipped(made: Made, norm: float) -> Iterator[Made]:
    """Gradients together no longer than this at each step (Pascanu, Mikolov and Bengio 2013)."""

    def clip(*_: object) -> None:
        nn.utils.clip_grad_norm_(made.model.parameters(), norm)

    with made.optimizer.register_step_pre_hook(clip):
        yield made


@contextmanager
def longer(made: Made, times: float) -> Iterator[Made]:
    """As many times the planned epochs; whoever runs it gives it the steps."""
    yield replace(made, epochs=int(times * (made.epochs or 1)))


# --- the loss -------------------------------------------------------------------------------------


@contextmanager
def cross_entropy(made: Made) -> Iterator[Made]:
    """Cross-entropy of logits with labels, however the targets are written."""
    yield replace(made, loss=_cross_entropy)


@contextmanager
def cross_entropy_of_shares(made: Made) -> Iterator[Made]:
    """Cross-entropy of shares of classes with labels."""
    yield replace(made, loss=_cross_entropy_of_shares)


@contextmanager
def other_sign(made: Made) -> Iterator[Made]:
    """The loss times minus one."""
    yield replace(made, loss=lambda outputs, targets: -made.loss(outputs, targets))


def _cross_entropy(outputs: Any, targets: Any) -> Tensor:
    labels = labels_of(targets)
    assert labels is not None  # noqa: S101 - asked for where targets are labels
    found = tensor_of(outputs)
    if found.ndim < 2 or found.shape[1] == 1:
        return F.binary_cross_entropy_with_logits(found.flatten(), labels.flatten().to(found))
    return F.cross_entropy(found, labels)


def _cross_entropy_of_shares(outputs: Any, targets: Any) -> Tensor:
    found = tensor_of(outputs)
    if found.ndim < 2 or found.shape[1] == 1:
        labels = labels_of(targets)
        assert labels is not None  # noqa: S101 - asked for where targets are labels
        return F.binary_cross_entropy(found.flatten().clamp(1e-6, 1 - 1e-6),
                                      labels.flatten().to(found))  # fmt: skip
    return _cross_entropy(found.clamp(min=1e-12).log(), targets)
