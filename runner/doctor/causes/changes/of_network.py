"""Changes of the network: what its modules return, their settings, how their weights are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from runner.doctor.watching.made import Made
from runner.doctor.watching.task import tensor_of


@contextmanager
def hooked(made: Made, names: Sequence[str], hook: Callable[..., Any]) -> Iterator[Made]:
    """What modules return replaced by what a hook (module, inputs, output) makes of it."""
    handles = [made.model.get_submodule(one).register_forward_hook(hook) for one in names]
    try:
        yield made
    finally:
        for one in handles:
            one.remove()


@contextmanager
def rectified(made: Made, names: Sequence[str], weighted: Sequence[str]) -> Iterator[Made]:
    """ReLU in place of these activations, the weights drawn as it wants them (He et al. 2015)."""
    for name in weighted:
        nn.init.kaiming_normal_(made.model.get_submodule(name).weight)  # type: ignore[arg-type]
    with hooked(made, names, lambda _m, given, _o: F.relu(given[0])):
        yield made


@contextmanager
def rectifier_added(made: Made, names: Sequence[str]) -> Iterator[Made]:
    """ReLU after these modules."""
    with hooked(made, names, lambda _m, _i, output: F.relu(output)):
        yield made


@contextmanager
def left_out(made: Made, names: Sequence[str]) -> Iterator[Made]:
    """These modules return what they are given."""
    with hooked(made, names, lambda _m, given, _o: given[0]):
        yield made


@contextmanager
def logarithm_taken(made: Made) -> Iterator[Made]:
    """The logarithm of the model's shares: a softmax of it gives the same shares again."""
    with hooked(made, [""], lambda _m, _i, output: tensor_of(output).clamp(min=1e-12).log()):
        yield made


@contextmanager
def batch_normalised(made: Made, names: Sequence[str]) -> Iterator[Made]:
    """Batch norm without weights after these modules (Ioffe and Szegedy 2015)."""
    with hooked(made, names, lambda _m, _i, output: _normalised(output)):
        yield made


def _normalised(output: Tensor) -> Tensor:
    if output.ndim < 2 or len(output) < 2:
        return output
    return F.batch_norm(output, None, None, training=True)


@contextmanager
def drawn_anew(made: Made, names: Sequence[str]) -> Iterator[Made]:
    """Weights of these layers drawn by He's rule with fan_in (He et al. 2015), biases by default.

    By default PyTorch draws them 2.45 times narrower, and deep networks of ReLU begin slowly.
    """
    for name in names:
        layer = made.model.get_submodule(name)
        layer.reset_parameters()  # type: ignore[operator]
        if not isinstance(layer, nn.Embedding):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")  # type: ignore[arg-type]
    yield made


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


@contextmanager
def norm_momentum(made: Made, names: Sequence[str], momentum: float) -> Iterator[Made]:
    """Another momentum of batch norm's running statistics."""
    with _with_setting(made, names, "momentum", momentum):
        yield made


@contextmanager
def dropout(made: Made, names: Sequence[str], p: float) -> Iterator[Made]:
    """Another share that is dropped."""
    with _with_setting(made, names, "p", p):
        yield made


@contextmanager
def _with_setting(made: Made, names: Sequence[str], setting: str, value: Any) -> Iterator[None]:
    modules = [made.model.get_submodule(name) for name in names]
    before = [getattr(one, setting) for one in modules]
    for one in modules:
        setattr(one, setting, value)
    try:
        yield
    finally:
        for one, own in zip(modules, before, strict=True):
            setattr(one, setting, own)
