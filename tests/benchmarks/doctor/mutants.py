"""What can be wrong with a VGG, each at three strengths, after DeepCrime's operators.

Humbatova, Jahangirova and Tonella 2021, DeepCrime: mutation testing of deep learning systems based
on real faults (ISSTA), whose operators change data, training and network. Which kinds are right
was written down before any of them was diagnosed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.benchmarks.doctor.networks import loaders, normalised, vgg

EPOCHS = 3


@dataclass(frozen=True)
class Mutant:
    """One operator.

    Attributes:
        name: of the table.
        right: kinds that would be right.
        made: (root, strength of 0 to 2) -> what `make` returns.
    """

    name: str
    right: tuple[str, ...]
    made: Callable[[str, int], dict[str, Any]]


def training(
    root: str,
    model: nn.Module | None = None,
    *,
    rate: float = 0.05,
    decay: float = 5e-4,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    epochs: int = EPOCHS,
    more: dict[str, Any] | None = None,
    **data: Any,
) -> dict[str, Any]:
    """A healthy training, but for what is given."""
    model = vgg() if model is None else model
    train, held = loaders(root, **data)
    optimizer = torch.optim.SGD(model.parameters(), rate, momentum=0.9, weight_decay=decay)
    return {
        "model": model, "loss": loss or nn.CrossEntropyLoss(), "optimizer": optimizer,
        "train_loader": train, "val_loader": held, "epochs": epochs, **(more or {}),
    }  # fmt: skip


def _partly_shuffled(share: float) -> Callable[[Tensor], Tensor]:
    def labels(y: Tensor) -> Tensor:
        draws = torch.Generator().manual_seed(1)
        chosen = torch.randperm(len(y), generator=draws)[: int(share * len(y))]
        other = y.clone()
        other[chosen] = y[chosen[torch.randperm(len(chosen), generator=draws)]]
        return other

    return labels


def _initialised(scale: float) -> nn.Module:
    model = vgg(norm=False)
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            with torch.no_grad():
                if scale:
                    module.weight.mul_(scale)
                else:
                    module.weight.fill_(0.01)
    return model


def _not_cleared(model: nn.Module, loss: Any, optimizer: Any, x: Tensor, y: Tensor) -> Tensor:
    value: Tensor = loss(model(x), y)
    value.backward()
    optimizer.step()
    return value


def _in_eval_mode(model: nn.Module, loss: Any, optimizer: Any, x: Tensor, y: Tensor) -> Tensor:
    model.eval()
    optimizer.zero_grad()
    value: Tensor = loss(model(x), y)
    value.backward()
    optimizer.step()
    return value


def _stepped_each_batch(root: str, gamma: float) -> dict[str, Any]:
    made = training(root)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(made["optimizer"], gamma)

    def step(model: nn.Module, loss: Any, optimizer: Any, x: Tensor, y: Tensor) -> Tensor:
        optimizer.zero_grad()
        value: Tensor = loss(model(x), y)
        value.backward()
        optimizer.step()
        scheduler.step()
        return value

    return made | {"step": step}


def _momentum(value: float) -> nn.Module:
    model = vgg()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = value
    return model


def _other_weights(root: str, kept: int) -> dict[str, Any]:
    """An optimizer of another model's weights, or of a few of this one's."""
    made = training(root)
    weights = list(made["model"].parameters())[-kept:] if kept else list(vgg().parameters())
    return made | {"optimizer": torch.optim.SGD(weights, 0.05, momentum=0.9)}


def _detached(root: str) -> dict[str, Any]:
    def step(model: nn.Module, loss: Any, optimizer: Any, x: Tensor, y: Tensor) -> Tensor:
        optimizer.zero_grad()
        value: Tensor = loss(model(x), y)
        value.backward()
        return value

    return training(root, more={"step": step})


def _one_hot(y: Tensor) -> Tensor:
    return F.one_hot(y, 10).float()


_LOSSES: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (
    lambda o, y: F.mse_loss(o.mean(1), y.float()),
    lambda o, y: F.nll_loss(o, y),
    lambda o, y: -F.cross_entropy(o, y),
)

MUTANTS = (
    Mutant("rate too high", ("learning_rate_too_high",),
           lambda r, s: training(r, rate=(2.0, 10.0, 50.0)[s])),
    Mutant("rate too low", ("learning_rate_too_low",),
           lambda r, s: training(r, rate=(5e-5, 5e-6, 5e-8)[s])),
    Mutant("schedule stepped each batch", ("schedule_wrong",),
           lambda r, s: _stepped_each_batch(r, (0.7, 0.5, 0.1)[s])),
    Mutant("gradients not cleared", ("missing_zero_grad",),
           lambda r, s: training(r, rate=(0.05, 0.1, 0.2)[s], more={"step": _not_cleared})),
    Mutant("another loss", ("wrong_loss",), lambda r, s: training(r, loss=_LOSSES[s])),
    Mutant("softmax before cross-entropy", ("softmax_before_cross_entropy",),
           lambda r, s: training(r, vgg(end=(nn.Softmax(1),)), rate=(0.05, 0.01, 0.1)[s])),
    Mutant("activation on the outputs", ("wrong_activation", "wrong_output_layer"),
           lambda r, s: training(r, vgg(end=((nn.ReLU, nn.Tanh, nn.Sigmoid)[s](),)))),
    Mutant("one output", ("wrong_output_layer", "wrong_loss"),
           lambda r, s: training(r, vgg(outputs=1), rate=(0.01, 0.001, 0.0001)[s],
                                 loss=lambda o, y: F.mse_loss(o[:, 0], y.float()))),
    Mutant("saturating activations, deep", ("wrong_activation", "vanishing_gradient"),
           lambda r, s: training(r, vgg(norm=False, activation=nn.Sigmoid,
                                        convolutions=(4, 6, 8)[s]))),
    Mutant("inputs not normalised", ("no_normalisation",),
           lambda r, s: training(r, vgg(norm=False), prepared=lambda x: (255, 255, 2550)[s] * x,
                                 held=lambda x: (255, 255, 2550)[s] * x,
                                 rate=(0.05, 0.1, 0.05)[s])),
    Mutant("validation prepared otherwise", ("preprocessing_mismatch",),
           lambda r, s: training(r, held=lambda x: ((255 * x), (normalised(x) + 3),
                                                    (x * 0.05))[s])),
    Mutant("no norm, deep", ("no_norm_layers", "vanishing_gradient", "wrong_init"),
           lambda r, s: training(r, vgg(norm=False, convolutions=(8, 11, 16)[s]))),
    Mutant("running statistics", ("norm_statistics_wrong",),
           lambda r, s: training(r, _momentum((1e-3, 1e-4, 0.0)[s]))),
    Mutant("weights at the wrong size", ("wrong_init",),
           lambda r, s: training(r, _initialised((8.0, 20.0, 0.0)[s]))),
    Mutant("frozen or foreign weights", ("optimizer_without_parameters", "frozen_layers"),
           lambda r, s: _other_weights(r, (2, 1, 0)[s])),
    Mutant("no step taken", ("weights_not_updated", "learning_rate_too_low"),
           lambda r, s: (_detached(r), training(r, rate=0.0), _detached(r))[s]),
    Mutant("labels shuffled", ("labels_wrong",),
           lambda r, s: training(r, labels=_partly_shuffled((0.6, 0.8, 1.0)[s]))),
    Mutant("labels shifted", ("labels_wrong",),
           lambda r, s: training(r, labels=lambda y: (y + (1, 3, 5)[s]) % 10)),
    Mutant("labels constant", ("labels_wrong",),
           lambda r, s: training(r, labels=lambda y: torch.full_like(y, (0, 4, 9)[s]))),
    Mutant("dropout", ("too_strong_regularisation",),
           lambda r, s: training(r, vgg(dropout=(0.9, 0.97, 0.995)[s]))),
    Mutant("weight decay", ("too_strong_regularisation",),
           lambda r, s: training(r, decay=(0.1, 0.3, 1.0)[s])),
    Mutant("eval mode while training", ("eval_mode_in_training",),
           lambda r, s: training(r, vgg(convolutions=(4, 8, 8)[s], dropout=(0.2, 0.2, 0.0)[s]),
                                 more={"step": _in_eval_mode})),
    Mutant("batch", ("batch_too_small_or_large",),
           lambda r, s: training(r, batch=(1, 2000, 4000)[s])),
)  # fmt: skip
