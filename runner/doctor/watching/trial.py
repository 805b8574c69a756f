"""One short training from the start, watched: losses, hits, gradients and steps of the weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Any

import torch
from torch import Tensor

from runner.doctor.watching.batches import Batch, Batches
from runner.doctor.watching.made import Made
from runner.doctor.watching.task import Judged, Task, judge, labels_of

WATCHED = 6
"""Weights whose gradients are followed through every step: the first, the last and between."""


@dataclass(slots=True)
class Trial:
    """What a short training did.

    Attributes:
        losses: of each step, before it.
        hits: score on each step's batch, before it, 0 at chance; NaN where it cannot be told.
        rates: learning rate of the first group at each step.
        left_over: largest share of a gradient that was there before this step's backward passes.
        scaled: what the gradients that a step used were of those computed: 0.01 where clipping
            takes 99 %.
        moved: median over watched weights of the length of a step by the weight's own.
        unmoved: whether no watched weight changed in any step.
        stepped: optimizer steps taken.
        evaluating: names of batch norm and dropout layers that were in eval mode while training.
        broke: what was first not finite, and at which step; "": all was.
        judged: on data not trained on, batch norm by the batch.
        used: the same as the network is used, batch norm by its running statistics.
        seconds: of the steps.
    """

    losses: list[float] = field(default_factory=list)
    hits: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    left_over: float = 0.0
    scaled: float = 1.0
    moved: float = nan
    unmoved: bool = True
    stepped: int = 0
    evaluating: tuple[str, ...] = ()
    broke: str = ""
    judged: Judged = field(default_factory=lambda: Judged(nan, nan, nan))
    used: Judged = field(default_factory=lambda: Judged(nan, nan, nan))
    seconds: float = 0.0

    @property
    def steps(self) -> int:
        """Steps done."""
        return len(self.losses)

    @property
    def score(self) -> float:
        """0 at chance, 1 all right, on data not trained on; -1 where it broke."""
        return -1.0 if self.broke or not isfinite(self.judged.score) else self.judged.score

    @property
    def beginning(self) -> float:
        """Mean loss of the first fifth of the steps."""
        first = self.losses[: max(len(self.losses) // 5, 1)]
        return sum(first) / len(first) if first else nan

    @property
    def end(self) -> float:
        """Mean loss of the last fifth of the steps."""
        last = self.losses[-max(len(self.losses) // 5, 1) :]
        return sum(last) / len(last) if last else nan

    @property
    def training_score(self) -> float:
        """Mean of the hits over the last fifth of the steps."""
        last = [one for one in self.hits[-max(len(self.hits) // 5, 1) :] if isfinite(one)]
        return sum(last) / len(last) if last else nan


class Gradients:
    """The gradients of a few weights: those computed since the last step, and those it used."""

    def __init__(self, made: Made, trial: Trial) -> None:
        self._trial = trial
        # Of those that the optimizer holds: nobody clears or uses the gradients of the others.
        held = {id(p) for group in made.optimizer.param_groups for p in group["params"]}
        weights = [
            p for p in made.model.parameters() if p.requires_grad and p.ndim > 1 and id(p) in held
        ]
        stride = max(len(weights) // WATCHED, 1)
        self._watched = weights[::stride][: WATCHED - 1] + weights[-1:]
        self._fresh: dict[int, Tensor] = {}
        self._before: list[Tensor] = []
        self._handles: list[Any] = [
            p.register_hook(self._add(id(p)))  # type: ignore[no-untyped-call]  # torch's own
            for p in self._watched
        ]
        self._handles.append(made.optimizer.register_step_pre_hook(self._pre))
        self._handles.append(made.optimizer.register_step_post_hook(self._post))
        self._ratios: list[float] = []

    def _add(self, key: int) -> Callable[[Tensor], None]:
        def add(gradient: Tensor) -> None:
            known = self._fresh.get(key)
            self._fresh[key] = gradient.detach().clone() if known is None else known + gradient

        return add

    def _pre(self, *_: object) -> None:
        trial = self._trial
        trial.stepped += 1
        self._before = [p.detach().clone() for p in self._watched]
        for p in self._watched:
            fresh = self._fresh.get(id(p))
            if fresh is None or p.grad is None:
                continue
            length, used = float(fresh.norm()), float(p.grad.norm())
            if not isfinite(length) or not isfinite(used) or length == 0 or used == 0:
                continue
            # Clipping and unscaling leave each number between zero and what was computed.
            within = torch.clamp(p.grad, fresh.clamp(max=0), fresh.clamp(min=0))
            trial.left_over = max(trial.left_over, float((p.grad - within).norm()) / used)
            trial.scaled = min(trial.scaled, used / length)

    def _post(self, *_: object) -> None:
        self._fresh.clear()
        if not self._before:  # watched from within a step on
            return
        for p, before in zip(self._watched, self._before, strict=True):
            step = float((p.detach() - before).norm())
            size = float(before.norm())
            self._trial.unmoved &= step == 0
            if size > 0 and isfinite(step):
                self._ratios.append(step / size)

    def close(self) -> None:
        """Take the hooks away and sum up."""
        for one in self._handles:
            one.remove()
        if self._ratios:
            self._trial.moved = float(torch.tensor(self._ratios).median())


def has_modes(module: torch.nn.Module) -> bool:
    """Whether a layer does something else in eval mode: batch norm, and dropout that drops."""
    if isinstance(module, torch.nn.modules.dropout._DropoutNd):
        return module.p > 0
    return isinstance(module, torch.nn.modules.batchnorm._BatchNorm)


class _Outputs:
    """What the model's forward passes of a step returned, and in which modes its layers were."""

    def __init__(self, made: Made) -> None:
        self._model = made.model
        self._moody = [
            (name, module) for name, module in made.model.named_modules() if has_modes(module)
        ]
        self.last: Any = None
        self.evaluating: tuple[str, ...] = ()
        self._handle = made.model.register_forward_hook(self._seen)

    def _seen(self, _model: object, _inputs: object, outputs: Any) -> None:
        if torch.is_grad_enabled():
            self.last = outputs
            if not self.evaluating:
                self.evaluating = tuple(name for name, one in self._moody if not one.training)

    def close(self) -> None:
        self._handle.remove()


def run_trial(
    made: Made,
    task: Task,
    training: Batches,
    validation: Sequence[Batch],
    steps: int,
    seconds: float,
) -> Trial:
    """Train from where the model stands for so many steps, or as many as the time allows.

    Args:
        made: in its starting state, with whatever repair is in force.
        task: how it is scored.
        training: batches, from the first.
        validation: batches that it is judged on in the end.
        steps: at most.
        seconds: for the steps.
    """
    trial = Trial()
    gradients, outputs = Gradients(made, trial), _Outputs(made)
    began = time.perf_counter()
    try:
        for number in range(steps):
            inputs, targets = training[number]
            trial.rates.append(float(made.optimizer.param_groups[0]["lr"]))
            loss = made.step(made.model, made.loss, made.optimizer, inputs, targets)
            value = _value(loss, made, outputs.last, targets)
            trial.losses.append(value)
            trial.hits.append(hit(task, outputs.last, targets))
            if not isfinite(value):
                trial.broke = f"the loss at step {number + 1}"
                break
            if time.perf_counter() - began > seconds and number >= 4:
                break
    finally:
        trial.seconds = time.perf_counter() - began
        trial.evaluating = outputs.evaluating
        gradients.close()
        outputs.close()
    if not trial.broke:
        broken = [n for n, p in made.model.named_parameters() if not bool(p.isfinite().all())]
        trial.broke = f"the weights {broken[0]} after step {trial.steps}" if broken else ""
    if not trial.broke:
        trial.judged = judge(made, task, validation)
        trial.used = judge(made, task, validation, batch_statistics=False)
    return trial


def _value(loss: Any, made: Made, outputs: Any, targets: Any) -> float:
    """A loss as a number, computed where the loop body returned none."""
    if isinstance(loss, Tensor) and loss.numel() == 1:
        return float(loss.detach())
    if isinstance(loss, int | float):
        return float(loss)
    with torch.no_grad():
        return nan if outputs is None else float(made.loss(outputs, targets))


def hit(task: Task, outputs: Any, targets: Any) -> float:
    """The score of outputs on their batch, 0 at chance; NaN where it cannot be told."""
    if task.kind != "classes" or outputs is None:
        return nan
    labels = labels_of(targets)
    found = task.predict(outputs)
    if labels is None or found.numel() != labels.numel():
        return nan
    return task.learned(float((found.flatten() == labels.flatten()).float().mean()))
