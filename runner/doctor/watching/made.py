"""What `make(seed)` returned: a training of one's own, checked once, started anew for each trial.

`make` is called twice at most, for two seeds: building data may take long. Every trial begins from
the state that `make` left, which is put back in place; a schedule that `step` holds on to is put
back with it.
"""

from __future__ import annotations

import copy
import inspect
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ablations.errors import InputError, did_you_mean
from runner.content.own.trainer import Trainer
from runner.trainers.function import load_function

NEEDED = ("model", "loss", "optimizer", "train_loader", "val_loader")
OPTIONAL = ("epochs", "classes", "step", "predict")

Loss = Callable[[Any, Any], Tensor]
Step = Callable[[nn.Module, Loss, Optimizer, Any, Any], Any]


def usual_step(model: nn.Module, loss: Loss, optimizer: Optimizer, x: Any, y: Any) -> Tensor:
    """The loop body where none is given: one optimizer step on one batch."""
    optimizer.zero_grad()
    value = loss(model(x), y)
    value.backward()  # type: ignore[no-untyped-call]  # torch's own
    optimizer.step()
    return value


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A training as its person has it.

    Attributes:
        seed: it was made with.
        model: in the state that it begins with.
        loss: (outputs, targets) -> scalar.
        optimizer: of the model.
        train_loader: yields pairs (inputs, targets).
        val_loader: the same, of data that is not trained on.
        step: the whole body of the loop; returns the loss of the batch.
        own_step: whether the person gave it.
        epochs: planned; None: not said.
        classes: how many; None: not said.
        predict: outputs -> classes; None: the usual.
    """

    seed: int
    model: nn.Module
    loss: Loss
    optimizer: Optimizer
    train_loader: Iterable[Any]
    val_loader: Iterable[Any]
    step: Step = usual_step
    own_step: bool = False
    epochs: int | None = None
    classes: int | None = None
    predict: Callable[[Any], Tensor] | None = None

    @property
    def device(self) -> torch.device:
        """Of the first weight."""
        return next((p.device for p in self.model.parameters()), torch.device("cpu"))


class Start:
    """The state that a training begins with, put back before each trial."""

    def __init__(self, made: Made) -> None:
        self._made = made
        self._model = copy.deepcopy(made.model.state_dict())
        self._optimizer = copy.deepcopy(made.optimizer.state_dict())
        self._asks = [p.requires_grad for p in made.model.parameters()]
        self._modes = [(m, m.training) for m in made.model.modules()]
        self._held = [(one, copy.deepcopy(one.state_dict())) for one in _held_by(made.step)]

    def again(self) -> None:
        """Weights, statistics, optimizer, schedule and random numbers as at the start."""
        made = self._made
        made.model.load_state_dict(self._model)
        made.optimizer.state.clear()
        made.optimizer.load_state_dict(copy.deepcopy(self._optimizer))
        for one, state in self._held:
            one.load_state_dict(copy.deepcopy(state))
        for parameter, asks in zip(made.model.parameters(), self._asks, strict=True):
            parameter.requires_grad_(asks)
            parameter.grad = None
        for module, mode in self._modes:
            module.training = mode
        seed_all(made.seed)


def _held_by(step: Step) -> Iterator[Any]:
    """What a loop body holds on to that has a state of its own: schedules, scalers."""
    try:
        names = inspect.getclosurevars(step)
        held = [*names.nonlocals.values(), *names.globals.values()]
    except TypeError:
        held = list(vars(getattr(step, "__self__", step)).values())
    for one in held:
        if isinstance(one, nn.Module | Optimizer | type):
            continue
        if callable(getattr(one, "state_dict", None)) and hasattr(one, "load_state_dict"):
            yield one


def seed_all(seed: int) -> None:
    """Seed the streams that a training draws from: Python, NumPy, torch."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Whatever is drawn inside, the streams that a training draws from go on as if it were not."""
    own, numpy_own = random.getstate(), np.random.get_state()
    started = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]  # torch's own
    devices = range(torch.cuda.device_count()) if started else ()
    try:
        with torch.random.fork_rng(devices=list(devices)):
            yield
    finally:
        random.setstate(own)
        np.random.set_state(numpy_own)


def make_training(trainer: Trainer, seed: int) -> Made:
    """Call `make` and check what it returned.

    Raises:
        InputError: it is no mapping, or something in it is missing or of another kind.
        Exception: whatever `make` raises.
    """
    make = load_function(trainer)
    seed_all(seed)
    takes = inspect.signature(make).parameters
    returned = make(seed=seed) if "seed" in takes else make()
    where = trainer.words
    if not isinstance(returned, Mapping):
        raise InputError(
            f"{where} returned {type(returned).__name__}; expected a mapping with "
            f"{', '.join(NEEDED)}"
        )
    for name in returned:
        if name not in (*NEEDED, *OPTIONAL):
            hint = did_you_mean(str(name), [*NEEDED, *OPTIONAL])
            raise InputError(f"{where} returned an unknown {name!r}; {hint}")
    lacking = [name for name in NEEDED if returned.get(name) is None]
    if lacking:
        raise InputError(f"{where} returned no {' and no '.join(lacking)}")
    _check(where, returned)
    given = {name: value for name, value in returned.items() if value is not None}
    return Made(seed=seed, own_step="step" in given, **given)


_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "model": (lambda one: isinstance(one, nn.Module), "a torch.nn.Module"),
    "loss": (callable, "a function (outputs, targets) -> scalar"),
    "optimizer": (lambda one: isinstance(one, Optimizer), "a torch.optim.Optimizer"),
    "train_loader": (lambda one: isinstance(one, Iterable), "an iterable of (inputs, targets)"),
    "val_loader": (lambda one: isinstance(one, Iterable), "an iterable of (inputs, targets)"),
    "epochs": (lambda one: isinstance(one, int) and one > 0, "a positive whole number"),
    "classes": (lambda one: isinstance(one, int) and one > 1, "a whole number above 1"),
    "step": (callable, "a function (model, loss, optimizer, x, y) -> loss"),
    "predict": (callable, "a function (outputs) -> classes"),
}


def _check(where: str, returned: Mapping[str, Any]) -> None:
    for name, (holds, expected) in _KINDS.items():
        value = returned.get(name)
        if value is not None and not holds(value):
            raise InputError(
                f"{where}: {name} is {type(value).__name__} {str(value)[:40]!r}; "
                f"expected {expected}"
            )
    for name in ("train_loader", "val_loader"):
        if isinstance(returned[name], Iterator):
            raise InputError(f"{where}: {name} can be read once only; expected a DataLoader")
