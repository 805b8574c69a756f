"""What is seen of a training that somebody's own loop runs: batches as they pass by, few of them.

Nothing is drawn and nothing written: gradients, buffers, modes and random numbers are what they
would be without it. A batch that is looked at closely has hooks on the model from its forward pass
to the optimizer's step; the others have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from math import nan
from typing import Any

import torch
from torch import Tensor, nn

from runner.doctor.watching.batches import LOOKED_AT, Batch, Batches, size_of, to_device
from runner.doctor.watching.layers import widths_of
from runner.doctor.watching.made import Made, undisturbed
from runner.doctor.watching.task import eval_mode
from runner.doctor.watching.trial import Gradients, Trial, has_modes
from runner.probe.layers import Layer, Recorder

PATIENCE = 64
"""Batches that a close look waits for a step of the optimizer: some add up as many."""
MOST_BYTES = 64 * 2**20
"""Of one batch that is kept."""


class Kept(Batches):
    """The first batches that were looked at."""

    def __init__(self) -> None:
        self._kept: list[Batch] = []
        self._full = True
        self.per_epoch = None

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, inputs: Any, targets: Any) -> None:
        """Keep a copy on the CPU, while few examples are kept."""
        if sum(map(size_of, self._kept)) >= LOOKED_AT or _bytes((inputs, targets)) > MOST_BYTES:
            return
        self._kept.append((copied(inputs), copied(targets)))

    def some(self, examples: int = LOOKED_AT) -> list[Batch]:
        """All of them."""
        return list(self._kept)


def _bytes(one: Any) -> int:
    if isinstance(one, Tensor):
        return one.nbytes
    values: Iterable[Any] = one.values() if isinstance(one, dict) else ()
    values = one if isinstance(one, tuple | list) else values
    return sum(map(_bytes, values))


def copied(one: Any) -> Any:
    """A tensor, or what holds some, on the CPU and of its own."""
    moved = to_device(one, torch.device("cpu"))
    return moved.detach().clone() if isinstance(moved, Tensor) else moved


class Later:
    """A hook that a copy or a pickle of the model does not take along."""

    def __init__(self, call: Callable[[], None], *, trained_on: bool = False) -> None:
        self._call, self._trained_on = call, trained_on

    def __call__(self, *_: object) -> None:
        """As torch calls it, with what it gives."""
        if torch.is_grad_enabled() or not self._trained_on:
            self._call()

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return _no_hook, ()


def _no_hook() -> Callable[..., None]:
    return _nothing


def _nothing(*_: object) -> None:
    """The hook of a copy."""


class CloseLook:
    """One batch from its forward pass to the optimizer's step, layer by layer.

    It waits for a step of the optimizer, so that what is left of gradients of batches before is
    known not to belong to a batch that is still adding up, and then for a forward pass.

    Attributes:
        layers: in the order of the forward pass, with gradients; () until it is over.
        widths: of their weights, at the first look (`widths_of`).
        over: whether a step was taken, or awaited long enough.
        evaluating: batch norm and dropout layers in eval mode in that forward pass.
        whole: whether the model itself was, so that nobody meant a part of it.
    """

    def __init__(self, made: Made, trial: Trial, *, first: bool) -> None:
        self._made, self._trial, self._first = made, trial, first
        self._recorder: Recorder | None = None
        self._gradients: Gradients | None = None
        self._handles: list[Any] = []
        self._batches = 0
        self._awaits_forward = False
        self.layers: tuple[Layer, ...] = ()
        self.widths: dict[str, float] = {}
        self.over = False
        self.evaluating: tuple[str, ...] = ()
        self.whole = False
        if first:
            self._await_forward()
        else:
            self._handles = [made.optimizer.register_step_post_hook(Later(self._await_forward))]

    def _await_forward(self) -> None:
        self._let_go()
        self._awaits_forward = True
        hook = Later(self.begin, trained_on=True)
        self._handles = [self._made.model.register_forward_pre_hook(hook)]

    def begin(self) -> None:
        """A forward pass that is trained on begins; not looked at before it is awaited."""
        if not self._awaits_forward or self.over:
            return
        self._let_go()
        self._awaits_forward = False
        self._trial.moved = nan
        self.evaluating = tuple(
            name
            for name, one in self._made.model.named_modules()
            if has_modes(one) and not one.training
        )
        self.whole = not self._made.model.training
        self._recorder = Recorder(self._made.model)
        optimizer = self._made.optimizer
        # Before those of the gradients: a step may clear what the layers are told by.
        self._handles = [optimizer.register_step_pre_hook(Later(self._read))]
        self._gradients = Gradients(self._made, self._trial)
        self._handles.append(optimizer.register_step_post_hook(Later(self._end)))

    def _read(self) -> None:
        # Where a step makes its forward pass itself, in a closure, nothing was seen before it.
        if self._recorder is not None and self._recorder.seen:
            self._recorder.close()
            weights = self._made.model.parameters()
            self.layers = self._recorder.layers({id(p): p.grad for p in weights})
            self.widths = widths_of(self.layers) if self._first else {}
            self._recorder.seen.clear()

    def _end(self) -> None:
        self._read()
        self._let_go()
        if self._gradients is not None:
            self._gradients.close()
        self.over = True

    def passed(self) -> None:
        """A batch has passed; what it returned is no longer followed."""
        self._batches += 1
        if self._recorder is not None:
            self._recorder.close()
        if not self.over and self._batches >= PATIENCE:
            self._end()

    def _let_go(self) -> None:
        for one in self._handles:
            one.remove()
        self._handles = []

    def close(self) -> None:
        """Take all hooks away."""
        self._end()
        if self._recorder is not None:
            self._recorder.close()


def first_broken(made: Made, inputs: Any, outputs: Any) -> str:
    """The first tensor that is not finite, on the way from the inputs to the loss.

    The model is run once more where its outputs are not finite, without gradients and with its
    buffers and modes put back.
    """
    if _broken(inputs):
        return "the inputs"
    if outputs is not None and not _broken(outputs):
        return "the loss, of outputs that are finite,"
    broken = [name for name, p in made.model.named_parameters() if not bool(p.isfinite().all())]
    if broken:
        return f"the weights {broken[0]}"
    for name in _broken_modules(made.model, inputs):
        return f"the output of {name}"
    return "the loss"


def _broken_modules(model: nn.Module, inputs: Any) -> Iterator[str]:
    found: list[str] = []

    def hook(name: str) -> Callable[..., None]:
        def look(_module: nn.Module, _given: object, output: Any) -> None:
            if _broken(output):
                found.append(name)

        return look

    handles = [
        one.register_forward_hook(hook(name))
        for name, one in model.named_modules()
        if not any(True for _ in one.children())
    ]
    try:
        with undisturbed(), torch.no_grad(), eval_mode(model, batch_statistics=True):
            model(**inputs) if isinstance(inputs, dict) else model(inputs)
    except Exception:  # a forward pass of somebody's own, of inputs it may take otherwise
        return
    finally:
        for one in handles:
            one.remove()
    yield from found[:1]


def _broken(one: Any) -> bool:
    if isinstance(one, Tensor):
        return one.is_floating_point() and not bool(one.isfinite().all())
    if isinstance(one, dict):
        return any(map(_broken, one.values()))
    return any(map(_broken, one)) if isinstance(one, tuple | list) else False


class Curve:
    """Numbers of every step, or of every second, fourth, ... where there are many.

    Attributes:
        values: kept, evenly over the steps.
        every: how many steps one stands for.
    """

    MOST = 4000

    def __init__(self) -> None:
        self.values: list[float] = []
        self.every = 1
        self._steps = count()

    def add(self, value: float) -> None:
        """The number of the next step."""
        if next(self._steps) % self.every == 0:
            self.values.append(value)
            if len(self.values) >= self.MOST:
                self.values = self.values[::2]
                self.every *= 2
