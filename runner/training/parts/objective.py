"""What a step makes smaller: the loss of a batch, its labels smoothed and mixed as the cell says.

What is true of a batch is int64 [B], the numbers of the classes, until two images are mixed; from
there on it is float32 [B, C], the shares of the classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ablations import registry
from runner.content.cell import Cell

Mix = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True)
class Objective:
    """The loss of logits and what is true, and how two images become one where they do."""

    loss: Callable[[Tensor, Tensor], Tensor]
    mix: Mix | None = None

    @staticmethod
    def of(cell: Cell, classes: int, device: torch.device) -> Objective:
        """As the cell's `loss`, `mixing` and `train.label_smoothing` say."""
        smoothing = cell.train.label_smoothing
        loss, mixing = function_of(cell, "loss"), function_of(cell, "mixing")
        if loss is None:
            loss = partial(functional.cross_entropy, label_smoothing=smoothing)
        if mixing is None and cell.chosen("loss") is None:
            return Objective(loss)
        one_hot = torch.eye(classes, device=device)
        if takes_shares(cell):
            loss = _Shared(loss, one_hot, smoothing)
        return Objective(loss, None if mixing is None else _Mixed(mixing, one_hot))


def function_of(cell: Cell, factor: str) -> Callable[..., Any] | None:
    """The level's function with its parameters; None where it means what leaving it out means."""
    level = cell.chosen(factor)
    if level is None:
        return None
    return partial(registry.find(factor, level.name).function, **level.parameters)


def takes_shares(cell: Cell) -> bool:
    """Whether the cell's loss is one of shares of classes; torch's cross-entropy takes either."""
    level = cell.chosen("loss")
    return level is not None and not registry.find("loss", level.name).facts.get("hard_labels")


def right_answers(logits: Tensor, truth: Tensor) -> Tensor:
    """How many of the batch are answered rightly; of a mixed image, the share of the answer."""
    answers = logits.argmax(1)
    if truth.is_floating_point():
        return truth.gather(1, answers[:, None]).sum()
    return (answers == truth).sum()


@dataclass(frozen=True, slots=True)
class _Shared:
    """A loss of shares of classes, given labels or shares; label smoothing is done here."""

    loss: Callable[[Tensor, Tensor], Tensor]
    one_hot: Tensor  # float32 [C, C]
    smoothing: float

    def __call__(self, logits: Tensor, truth: Tensor) -> Tensor:
        targets = truth if truth.is_floating_point() else self.one_hot.index_select(0, truth)
        if self.smoothing:  # as torch's cross-entropy smooths (Szegedy et al., 2016, section 7)
            targets = targets * (1 - self.smoothing) + self.smoothing / targets.shape[1]
        return self.loss(logits, targets)


@dataclass(frozen=True, slots=True)
class _Mixed:
    """A level of `mixing`, given labels."""

    level: Mix
    one_hot: Tensor

    def __call__(
        self, images: Tensor, labels: Tensor, draw: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        return self.level(images, self.one_hot.index_select(0, labels), draw)
