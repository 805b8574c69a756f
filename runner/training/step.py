"""One optimizer step: choose images, augment, normalise, forward, backward, update, count.

Nothing in a step waits for the device: what an epoch reports is added up there, in float64, and
read once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils import get_total_norm

from runner.content.protocol import TrainSpec
from runner.training.checkpoint import Learner
from runner.training.normalise import Normalise
from runner.training.numerics import autocast


@dataclass(frozen=True, slots=True)
class Step:
    """Calling it with the indices of a batch, int64 [B] on the device, trains on that batch."""

    learner: Learner
    augment: Callable[[Tensor, torch.Generator], Tensor]
    normalise: Normalise
    images: Tensor  # uint8 [N, 3, H, W], all training images, on the device
    labels: Tensor  # int64 [N]
    train: TrainSpec
    tally: Tensor  # float64 [3]: summed loss, right answers, summed gradient norm of the epoch
    parameters: list[Tensor]  # of the network; listing them takes longer than it looks

    def __call__(self, index: Tensor) -> None:
        """Take one step on the batch `images[index]`."""
        network, optimizer = self.learner.network, self.learner.optimizer
        batch = self.augment(self.images.index_select(0, index), self.learner.augmentation)
        truth = self.labels.index_select(0, index)
        with autocast(self.train, self.images.device):
            logits = network(self.normalise(batch))
        logits = logits.float()
        loss = functional.cross_entropy(logits, truth, label_smoothing=self.train.label_smoothing)
        for parameter in self.parameters:
            parameter.grad = None
        loss.backward()  # type: ignore[no-untyped-call]  # torch's
        norm = get_total_norm([p.grad for p in self.parameters if p.grad is not None])
        optimizer.step()
        with torch.no_grad():
            correct = (logits.argmax(1) == truth).sum()
            news = torch.stack([loss.detach().double(), correct.double(), norm.double()])
            self.tally.add_(news)
