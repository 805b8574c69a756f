"""The repairs themselves: context managers that change one thing of a training and put it back.

Modules are named, so that a repair holds for the same training made with another seed, and changed
by hooks, so that nothing of a person's model has to be rebuilt. Weights, statistics and the
optimizer's groups are put back by `made.Start`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from runner.doctor.watching.made import Loss, Made
from runner.doctor.watching.task import labels_of, tensor_of

Change = Callable[[Made], AbstractContextManager[Made]]


def rate_times(factor: float) -> Change:
    """Every learning rate times a number, whatever a schedule does to it afterwards."""

    @contextmanager
    def applied(made: Made) -> Iterator[Made]:
        handles = [
            made.optimizer.register_step_pre_hook(lambda *_: _scale(made.optimizer, factor)),
            made.optimizer.register_step_post_hook(lambda *_: _scale(made.optimizer, 1 / factor)),
        ]
        try:
            yield made
        finally:
            for one in handles:
                one.remove()

    return applied


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


def other_loss(loss: Loss) -> Change:
    """Another loss."""

    @contextmanager
    def applied(made: Made) -> Iterator[Made]:
        yield replace(made, loss=loss)

    return applied


def cross_entropy(outputs: Any, targets: Any) -> Tensor:
    """Cross-entropy of logits with labels, however the targets are written."""
    labels = labels_of(targets)
    assert labels is not None  # noqa: S101 - asked for where targets are labels
    found = tensor_of(outputs)
    if found.ndim < 2 or found.shape[1] == 1:
        return F.binary_cross_entropy_with_logits(found.flatten(), labels.flatten().to(found))
    return F.cross_entropy(found, labels)


def cross_entropy_of_shares(outputs: Any, targets: Any) -> Tensor:
    """Cross-entropy of shares of classes with labels."""
    found = tensor_of(outputs)
    if found.ndim < 2 or found.shape[1] == 1:
        labels = labels_of(targets)
        assert labels is not None  # noqa: S101 - asked for where targets are labels
        return F.binary_cross_entropy(found.flatten().clamp(1e-6, 1 - 1e-6),
                                      labels.flatten().to(found))  # fmt: skip
    return cross_entropy(found.clamp(min=1e-12).log(), targets)


def rectified(names: Sequence[str], weighted: Sequence[str]) -> Change:
    """ReLU in place of these activations, the weights drawn as it wants them (He et al. 2015)."""

    @contextmanager
    def applied(made: Made) -> Iterator[Made]:
        for name in weighted:
            nn.init.kaiming_normal_(made.model.get_submodule(name).weight)  # type: ignore[arg-type]
        with _hooked(names, lambda _m, given, _o: F.relu(given[0]))(made) as repaired:
            yield repaired

    return applied


def after(names: Sequence[str], function: Callable[[Tensor], Tensor]) -> Change:
    """What modules return passed through a function."""
    return _hooked(names, lambda _m, _i, output: function(output))


def _hooked(names: Sequence[str], hook: Callable[..., Any]) -> Change:
    @contextmanager
    def applied(made: Made) -> Iterator[Made]:
        handles = [made.model.get_submodule(one).register_forward_hook(hook) for one in names]
        try:
            yield made
        finally:
            for one in handles:
                one.remove()

    return applied


def batch_normalised(output: Tensor) -> Tensor:
    """Each unit of a batch at mean 0 and deviation 1, as batch norm without weights."""
    if output.ndim < 2 or len(output) < 2:
        return output
    return F.batch_norm(output, None, None, training=True)


def scaled_outputs(mean: float, deviation: float) -> Change:
    """A model that learns standardised targets: its outputs are put back to their scale."""

    @contextmanager
    def applied(made: Made) -> Iterator[Made]:
        def loss(outputs: Any, targets: Any) -> Tensor:
            return made.loss((outputs - mean) / deviation, (targets - mean) / deviation)

        with after([""], lambda outputs: outputs * deviation + mean)(made):
            yield replace(made, loss=loss)

    return applied


def prepared_inputs(function: Callable[[Tensor], Tensor]) -> Change:
    """Inputs of the model passed through a function, in training and judging."""

    @contextmanager
    def applied(made: Made) -> Iterator[Made]:
        handle = made.model.register_forward_pre_hook(
            lambda _m, given: (function(given[0]), *given[1:])
        )
        try:
            yield made
        finally:
            handle.remove()

    return applied


def drawn_anew(names: Sequence[str]) -> Change:
    """Weights of these layers drawn by He's rule with fan_in (He et al. 2015), biases by default.

    By default PyTorch draws them 2.45 times narrower, and deep networks of ReLU begin slowly.
    """

    @contextmanager
    def applied(made: Made) -> Iterator[Made]:
        for name in names:
            layer = made.model.get_submodule(name)
            layer.reset_parameters()  # type: ignore[operator]
            if not isinstance(layer, nn.Embedding):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")  # type: ignore[arg-type]
        yield made

    return applied


@contextmanager
def training_mode(made: Made) -> Iterator[Made]:
    """Training mode in every forward pass that is trained on."""

    def put(model: nn.Module, _: object) -> None:
        if torch.is_grad_enabled():
            model.train()

    handle = made.model.register_forward_pre_hook(put)
    try:
        yield made
    finally:
        handle.remove()


def with_setting(names: Sequence[str], setting: str, value: Any) -> Change:
    """An attribute of some modules set."""

    @contextmanager
    def applied(made: Made) -> Iterator[Made]:
        modules = [made.model.get_submodule(name) for name in names]
        before = [getattr(one, setting) for one in modules]
        for one in modules:
            setattr(one, setting, value)
        try:
            yield made
        finally:
            for one, own in zip(modules, before, strict=True):
                setattr(one, setting, own)

    return applied


@contextmanager
def no_decay(made: Made) -> Iterator[Made]:
    """No weight decay; the groups are put back with the start."""
    for group in made.optimizer.param_groups:
        if "weight_decay" in group:
            group["weight_decay"] = 0.0
    yield made


def other_optimizer(of: Callable[[list[Tensor]], Optimizer]) -> Change:
    """Another optimizer of the same weights, in a loop body that takes it."""

    @contextmanager
    def applied(made: Made) -> Iterator[Made]:
        yield replace(made, optimizer=of([p for p in made.model.parameters() if p.requires_grad]))

    return applied


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
