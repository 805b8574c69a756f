"""One optimizer step: choose images, augment, normalise, forward, backward, update, count.

Between them, where a cell says so, images are mixed and gradients clipped.

Nothing in a step waits for the device: what an epoch reports is added up there, in float64, and
read once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm

from runner.content.protocol import TrainSpec
from runner.training.normalise import Normalise
from runner.training.numerics import autocast
from runner.training.parts.learner import Learner
from runner.training.parts.objective import Objective, right_answers


@dataclass(frozen=True, slots=True)
class Step:
    """Calling it with the indices of a batch, int64 [B] on the device, trains on that batch."""

    learner: Learner
    augment: Callable[[Tensor, torch.Generator], Tensor]
    normalise: Normalise
    images: Tensor  # uint8 [N, 3, H, W], all training images, on the device
    labels: Tensor  # int64 [N]
    train: TrainSpec
    objective: Objective
    clip: Callable[[list[Tensor], Tensor], None] | None
    tally: Tensor  # float64 [3]: summed loss, right answers, summed gradient norm of the epoch
    parameters: list[Tensor]  # of the network; listing them takes longer than it looks

    def __call__(self, index: Tensor) -> None:
        """Take one step on the batch `images[index]`."""
        network, optimizer = self.learner.network, self.learner.optimizer
        batch, truth = self.drawn(index, self.learner.augmentation, self.learner.mixing)
        with autocast(self.train, self.images.device):
            logits = network(self.normalise(batch))
        logits = logits.float()
        loss = self.objective.loss(logits, truth)
        for parameter in self.parameters:
            parameter.grad = None
        loss.backward()  # type: ignore[no-untyped-call]  # torch's
        norm = get_total_norm([p.grad for p in self.parameters if p.grad is not None])
        if self.clip is not None:
            self.clip(self.parameters, norm)
        optimizer.step()
        with torch.no_grad():
            correct = right_answers(logits, truth)
            news = torch.stack([loss.detach().double(), correct.double(), norm.double()])
            self.tally.add_(news)

    def drawn(
        self, index: Tensor, augmentation: torch.Generator, mixing: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        """The batch `images[index]` as training sees it, 0..255, and what is true of it."""
        batch = self.augment(self.images.index_select(0, index), augmentation)
        truth = self.labels.index_select(0, index)
        if self.objective.mix is None or mixing is None:
            return batch, truth
        return self.objective.mix(batch, truth, mixing)
