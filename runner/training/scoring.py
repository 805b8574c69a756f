"""How well a network does on a split, and whether that is better than guessing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from runner.content.outcome import Status
from runner.content.protocol import SIDE, TrainSpec
from runner.training.normalise import Normalise
from runner.training.numerics import autocast

ALPHA = 0.05
"""Level of the one-sided test that tells learning from guessing."""


@dataclass(frozen=True, slots=True)
class Score:
    """Mean cross-entropy in nats and number of right answers over `images` images."""

    loss: float
    correct: int
    images: int

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return self.correct / self.images


@torch.no_grad()
def score(
    network: nn.Module, images: Tensor, labels: Tensor, normalise: Normalise, train: TrainSpec
) -> Score:
    """Evaluate in large batches; one value travels to the host, at the end.

    Cross-entropy without label smoothing, so that splits compare across protocols.

    Args:
        network: what is evaluated; afterwards in training or evaluation mode as before.
        images: uint8 [N, 3, H, W].
        labels: int64 [N].
        normalise: as the network was trained with.
        train: the protocol; its precision.
    """
    # On the CPU a batch should fit the cache; a GPU wants to be filled. Of larger images fewer fit.
    usual, (height, width) = 2048 if images.is_cuda else 256, images.shape[2:]
    batch = max(1, min(usual, usual * SIDE * SIDE // (height * width)))
    training = network.training
    network.eval()
    loss = torch.zeros((), dtype=torch.float64, device=images.device)
    correct = torch.zeros((), dtype=torch.int64, device=images.device)
    for pixels, truth in zip(torch.split(images, batch), torch.split(labels, batch), strict=True):
        with autocast(train, images.device):
            logits = network(normalise(pixels))
        logits = logits.float()
        loss += functional.cross_entropy(logits, truth, reduction="sum")
        correct += (logits.argmax(1) == truth).sum()
    network.train(training)
    return Score(float(loss) / len(labels), int(correct), len(labels))


def verdict(correct: int, labels: Tensor) -> Status:
    """Learned or stalled: an exact one-sided binomial test of `correct` against guessing.

    `labels` are those of the split, int64 [N]. Guessing is always answering the most frequent class
    of the split: 1/classes where classes are equally frequent, more where they are not, so that a
    constant answer never counts as learning.
    """
    # The survival function of the binomial distribution, without the second it takes to import
    # scipy.stats in every cell's process.
    from scipy.special import bdtrc

    share = float(labels.bincount().max()) / len(labels)
    p_value = 1.0 if correct == 0 else float(bdtrc(correct - 1, len(labels), share))
    return Status.LEARNED if p_value < ALPHA else Status.STALLED
