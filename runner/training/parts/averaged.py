"""A second network whose weights are an average of the first one's, as the cell's level says.

It is no part of the training step: a step that is recorded is the same with it and without.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from ablations.optional.averaging import Average

BATCHES = 20
"""That batch norms are measured on, at most: as precise as torch's running means (momentum 0.1),
whose variance is that of a mean of 19. 5 % of an epoch of CIFAR-10 at batch 128."""


class Averaged:
    """The running mean of a network's weights, and the network that has them.

    Args:
        mean: a network like `of`; its weights become the mean.
        of: the network that is trained.
        rule: which of its weights enter the mean, and by which share.
    """

    def __init__(self, mean: nn.Module, of: nn.Module, rule: Average) -> None:
        self.network, self.of, self.rule = mean, of, rule
        self.count = 0  # of weights that entered
        self._mean = [p.detach() for p in mean.parameters()]
        self._new = [p.detach() for p in of.parameters()]

    def after_batch(self, epoch: int) -> None:
        """An optimizer step of this epoch was taken; waits for nothing."""
        if self.rule.per == "batch":
            self._enter(epoch)

    def after_epoch(self, epoch: int) -> None:
        """The epoch ended."""
        if self.rule.per == "epoch":
            self._enter(epoch)

    def _enter(self, epoch: int) -> None:
        if epoch >= self.rule.first:
            self.count += 1
            torch._foreach_lerp_(self._mean, self._new, self.rule.share(self.count))

    def settle(self, batches: Iterable[Tensor]) -> nn.Module:
        """The network of the mean, its batch norms measured on these normalised batches.

        Whatever else it holds besides weights is what the trained network holds. torch's default
        random numbers, which dropout draws, are as they were.
        """
        for mine, new in zip(self.network.buffers(), self.of.buffers(), strict=True):
            mine.copy_(new)
        devices = {p.device for p in self._mean if p.is_cuda}
        with torch.random.fork_rng(devices=list(devices)):
            update_bn(batches, self.network)
        return self.network

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: it is settled anew before it is used."""
        return {"weights": self._mean, "count": self.count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""
        for mine, kept in zip(self._mean, state["weights"], strict=True):
            mine.copy_(kept)
        self.count = int(state["count"])
