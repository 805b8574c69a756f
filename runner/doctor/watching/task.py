"""What a training is asked to learn, seen from one batch: classes or numbers, and how to score it.

A score is 0 at chance and 1 where everything is right, whatever the loss is: losses of two
repairs cannot be compared, scores can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from runner.doctor.watching.batches import Batch
from runner.doctor.watching.made import Made

NORMS = (nn.modules.batchnorm._BatchNorm,)
"""Layers whose running statistics lag behind the weights in the first steps."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is learned.

    Attributes:
        kind: "classes": one label of several; "numbers": a regression.
        classes: how many labels there are; 0 of a regression.
        chance: the share of the commonest label, which a constant answer gets right.
        predict: outputs -> labels.
    """

    kind: str
    classes: int
    chance: float
    predict: Callable[[Any], Tensor]

    def learned(self, accuracy: float) -> float:
        """An accuracy, 0 at chance and 1 where all is right."""
        return (accuracy - self.chance) / (1 - self.chance) if self.chance < 1 else nan


@dataclass(frozen=True, slots=True)
class Judged:
    """How well a network does on data that it does not train on.

    Attributes:
        score: 0 at chance, 1 all right; of a regression the share of variance explained.
        loss: the person's own.
        commonest: share of the predictions that are the commonest one; NaN of a regression.
    """

    score: float
    loss: float
    commonest: float


def tensor_of(outputs: Any) -> Tensor:
    """The tensor among what a model returns: itself, `.logits`, or the first."""
    if isinstance(outputs, Tensor):
        return outputs
    for name in ("logits", "out"):
        found = outputs.get(name) if isinstance(outputs, dict) else getattr(outputs, name, None)
        if isinstance(found, Tensor):
            return found
    if isinstance(outputs, tuple | list) and outputs:
        return tensor_of(outputs[0])
    raise TypeError(f"the model returned {type(outputs).__name__}; expected a tensor")


def usual_predict(outputs: Any) -> Tensor:
    """Labels of outputs: the largest of several, or which side of the middle a single one is."""
    found = tensor_of(outputs).detach()
    if found.ndim >= 2 and found.shape[1] > 1:
        return found.argmax(1)
    single = found.flatten()
    shares = bool(((single >= 0) & (single <= 1)).all())
    return (single > (0.5 if shares else 0.0)).long()


def labels_of(targets: Any) -> Tensor | None:
    """Targets as whole labels; None where they are numbers."""
    if not isinstance(targets, Tensor):
        return None
    if not targets.is_floating_point():
        flat = targets.ndim == 2 and targets.shape[1] == 1
        if targets.ndim == 2 and targets.shape[1] > 1 and _one_hot(targets):
            return targets.argmax(1)
        return targets.flatten().long() if flat else targets.long()
    if targets.ndim == 2 and targets.shape[1] > 1:
        return targets.argmax(1) if _one_hot(targets) else None
    flat_targets = targets.flatten()
    return flat_targets.long() if bool(((flat_targets == 0) | (flat_targets == 1)).all()) else None


def _one_hot(targets: Tensor) -> bool:
    return bool(((targets == 0) | (targets == 1)).all() and (targets.sum(1) == 1).all())


def task_of(made: Made, training: Sequence[Batch], validation: Sequence[Batch]) -> Task:
    """What the batches ask for."""
    predict = made.predict or usual_predict
    labels = [labels_of(targets) for _, targets in (*training, *validation)]
    if any(one is None for one in labels):
        return Task("numbers", 0, 0.0, predict)
    held_out = torch.cat([one.flatten() for one in labels[len(training) :] if one is not None])
    every = torch.cat([one.flatten() for one in labels if one is not None])
    counts = torch.bincount(held_out.clamp(min=0))
    classes = made.classes or max(int(every.max()) + 1, 2)
    return Task("classes", classes, float(counts.max() / counts.sum()), predict)


@contextmanager
def eval_mode(model: nn.Module, *, batch_statistics: bool) -> Iterator[None]:
    """The model as it is used, every module's mode and statistics put back afterwards.

    Args:
        model: judged.
        batch_statistics: let batch norm go by the batch: its running statistics lag behind in
            the first steps of any training.
    """
    modes = [(module, module.training) for module in model.modules()]
    buffers = [(one, one.detach().clone()) for one in model.buffers()]
    model.eval()
    if batch_statistics:
        for module in model.modules():
            if isinstance(module, NORMS):
                module.training = True
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        with torch.no_grad():
            for one, value in buffers:
                one.copy_(value)


def judge(
    made: Made, task: Task, batches: Sequence[Batch], *, batch_statistics: bool = True
) -> Judged:
    """Score the model on batches; NaN where its outputs are not finite."""
    losses, weights, predicted, actual = [], [], [], []
    error = spread = 0.0
    with eval_mode(made.model, batch_statistics=batch_statistics), torch.no_grad():
        for inputs, targets in batches:
            outputs = made.model(inputs)
            losses.append(float(made.loss(outputs, targets)))
            weights.append(len(targets))
            if task.kind == "classes":
                labels = labels_of(targets)
                found = task.predict(outputs)
                if labels is not None and found.numel() == labels.numel():
                    predicted.append(found.flatten())
                    actual.append(labels.flatten())
            else:
                numbers = tensor_of(outputs).flatten()
                wanted = torch.as_tensor(targets).to(numbers).flatten()
                if len(wanted) == len(numbers):
                    error += float(F.mse_loss(numbers, wanted, reduction="sum"))
                    spread += float(((wanted - wanted.mean()) ** 2).sum())
    loss = sum(a * w for a, w in zip(losses, weights, strict=True)) / max(sum(weights), 1)
    if task.kind == "numbers":
        score = 1 - error / spread if spread > 0 and isfinite(error) else nan
        return Judged(max(score, -1.0) if isfinite(score) else nan, loss, nan)
    if not predicted:
        return Judged(nan, loss, nan)
    found, labels = torch.cat(predicted), torch.cat(actual)
    accuracy = float((found == labels).float().mean())
    commonest = float(torch.bincount(found.clamp(min=0)).max() / len(found))
    return Judged(task.learned(accuracy) if isfinite(loss) else nan, loss, commonest)


def score_words(task: Task, score: float) -> str:
    """A score as people say it: 41 % right; of a regression 80 % of the variance explained."""
    if task.kind == "classes":
        return f"{100 * (task.chance + max(score, 0.0) * (1 - task.chance)):.0f} % right"
    return f"{100 * max(score, 0.0):.0f} % of the variance explained"
