"""Factor `optimizer`: how a gradient becomes a step.

Contract of a level: `(parameters, *, lr, weight_decay, ...) -> torch.optim.Optimizer`, where
`parameters` is the list of the network's trainable tensors, already on their device. A level is a
bundle: the rule with the learning rate and weight decay that suit it. The defaults are those in
common use for VGG-style networks on 32x32 images at batch 128; `lr` is the peak that schedulers
start from or rise to. Weight decay applies to every parameter. Where a default is not torch's, the
level says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ablations.bounds import Decay, NotNegative, Positive, PositiveDecay
from ablations.registry import level

if TYPE_CHECKING:
    from torch.nn import Parameter
    from torch.optim import Optimizer

FUSED_ON = ("cpu", "cuda")
"""Devices on which torch has one fused kernel for a whole SGD or Adam step."""


def _fused(parameters: list[Parameter]) -> bool:
    """True where every parameter lives on a device with fused kernels."""
    return all(p.device.type in FUSED_ON and p.is_floating_point() for p in parameters)


@level("optimizer")
def adam(
    parameters: list[Parameter],
    *,
    lr: Positive = 1e-3,
    weight_decay: NotNegative = 0.0,
    beta1: Decay = 0.9,
    beta2: Decay = 0.999,
) -> Optimizer:
    """Adam (Kingma and Ba, 2015); weight decay, where given, enters the gradient."""
    import torch

    return torch.optim.Adam(
        parameters,
        lr=lr,
        betas=(beta1, beta2),
        weight_decay=weight_decay,
        fused=_fused(parameters),
    )


@level("optimizer")
def adamw(
    parameters: list[Parameter],
    *,
    lr: Positive = 1e-3,
    weight_decay: NotNegative = 0.01,
    beta1: Decay = 0.9,
    beta2: Decay = 0.999,
) -> Optimizer:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."""
    import torch

    return torch.optim.AdamW(
        parameters,
        lr=lr,
        betas=(beta1, beta2),
        weight_decay=weight_decay,
        fused=_fused(parameters),
    )


@level("optimizer")
def sgd(
    parameters: list[Parameter],
    *,
    lr: Positive = 0.1,
    weight_decay: NotNegative = 5e-4,
) -> Optimizer:
    """Stochastic gradient descent without momentum.

    torch's defaults are lr 1e-3 and no decay; these are the rate and decay of CIFAR recipes.
    """
    import torch

    return torch.optim.SGD(parameters, lr=lr, weight_decay=weight_decay, fused=_fused(parameters))


@level("optimizer")
def sgd_momentum(
    parameters: list[Parameter],
    *,
    lr: Positive = 0.05,
    weight_decay: NotNegative = 5e-4,
    momentum: Decay = 0.9,
) -> Optimizer:
    """Stochastic gradient descent with heavy-ball momentum.

    torch's defaults are lr 1e-3, no momentum and no decay; these three are what the often copied
    chengyangfu/pytorch-vgg-cifar10 trains VGG with at batch 128.
    """
    import torch

    return torch.optim.SGD(
        parameters,
        lr=lr,
        momentum=momentum,
        weight_decay=weight_decay,
        fused=_fused(parameters),
    )


@level("optimizer")
def sgd_nesterov(
    parameters: list[Parameter],
    *,
    lr: Positive = 0.05,
    weight_decay: NotNegative = 5e-4,
    momentum: PositiveDecay = 0.9,
) -> Optimizer:
    """Stochastic gradient descent with Nesterov momentum.

    The numbers are those of `sgd_momentum`.
    """
    import torch

    return torch.optim.SGD(
        parameters,
        lr=lr,
        momentum=momentum,
        nesterov=True,
        weight_decay=weight_decay,
        fused=_fused(parameters),
    )


@level("optimizer")
def rmsprop(
    parameters: list[Parameter],
    *,
    lr: Positive = 1e-3,
    weight_decay: NotNegative = 0.0,
    alpha: Decay = 0.99,
    momentum: Decay = 0.0,
) -> Optimizer:
    """RMSprop, uncentred (Tieleman and Hinton, 2012); torch has no fused kernel for it.

    The rate is Keras's (torch: 1e-2), `alpha` is torch's (Keras and the lecture: 0.9).
    """
    import torch

    return torch.optim.RMSprop(
        parameters, lr=lr, alpha=alpha, momentum=momentum, weight_decay=weight_decay
    )
