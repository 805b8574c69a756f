"""A training watched: at counted steps a look that leaves no trace, and which step broke first.

Stands beside the steps, never in them: a recorded step is the same with it and without, and so are
all numbers of the outcome. What fails here ends the watching, not the training.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from math import nan
from typing import Any

import torch
from torch import Tensor, nn

from runner.probe.moments import allowed, images, moments
from runner.probe.probe import Sight, look_at, weights_of
from runner.probe.record import Broke, Evidence
from runner.training.numerics import autocast
from runner.training.step import Step

logger = logging.getLogger(__name__)

FIRST = 20
"""Steps whose loss and gradient are kept one by one."""
DROPOUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout)
NAMED = 8
"""Weights without a gradient that are named."""


class Watch:
    """What is seen of one training, from its first step or where a checkpoint left it."""

    def __init__(
        self, step: Step, classes: int, steps: int, epochs: int, batch: int, *, copied: bool
    ) -> None:
        self._network = step.learner.network
        self._tally = step.tally
        self._steps = steps
        self._moments = frozenset(moments(epochs, steps, batch))
        count = images(epochs * steps, batch)
        device, total = step.images.device, len(step.labels)
        # Evenly through the training images: they may lie sorted by class. No number is drawn.
        index = (torch.arange(count) * total // count).to(device)
        self._sight = Sight(
            step.normalise(step.images.index_select(0, index)),
            step.labels.index_select(0, index),
            step.objective.loss,
            lambda: autocast(step.train, device),
            copied,
        )
        asked = [(name, p.requires_grad) for name, p in self._network.named_parameters()]
        frozen = tuple(name for name, trained in asked if not trained)
        few = allowed(epochs * steps, batch) < 2
        note = f"{epochs * steps} steps are too few for more than two looks" if few else ""
        taken = [one.p for one in self._network.modules() if isinstance(one, DROPOUT)]
        self._kept = Evidence(
            *(count, batch, classes),
            frozen=frozen[:NAMED],
            note=note,
            dropout=max(taken, default=0.0),
        )
        self._history = torch.zeros(steps, len(step.tally), dtype=torch.float64, device=device)
        self._before: dict[str, Tensor] = {}
        self._failed = False

    @property
    def evidence(self) -> dict[str, Any]:
        """All that was seen, as an outcome and a checkpoint hold it."""
        return self._kept.to_plain()

    def resume(self, plain: dict[str, Any] | None) -> None:
        """Go on where a checkpoint left off."""
        if plain:
            self._kept = Evidence.from_plain(plain)

    def begin(self) -> None:
        """Before the first step."""
        if 0 in self._moments and not self._kept.looks:
            self._look(0, 0)

    def before_step(self, number: int) -> None:
        """Before the step of this number, from 1: keeps the weights where it will be looked at."""
        if (number == 1 or number in self._moments) and not self._failed:
            self._before = {n: w.detach().clone() for n, w in weights_of(self._network).items()}

    def after_step(self, number: int) -> None:
        """After it; waits for the device only where it is looked at."""
        self._history[(number - 1) % self._steps].copy_(self._tally)
        if number == 1 and self._kept.first is not None:
            self._first_step()
        if number in self._moments:
            self._look(number, number // self._steps)
        if self._before:
            self._before = {}

    def end_epoch(self, number: int, *, finite: bool) -> None:
        """After an epoch, from 1; `finite`: whether its losses and the weights are."""
        if number == 1:
            rows = self._history[:FIRST].diff(dim=0, prepend=self._history.new_zeros(1, 3))
            losses, _, norms = rows.T.tolist()
            self._kept = replace(self._kept, losses=tuple(losses), gradient_norms=tuple(norms))
        if not finite and self._kept.broke is None:
            self._kept = replace(self._kept, broke=self._broken(number))

    def _look(self, step: int, epoch: int) -> None:
        if self._failed:
            return
        try:
            seen = look_at(self._network, self._sight, step, epoch, self._moved())
        except Exception as error:  # of a network that takes no smaller batch, or memory
            self._failed = True
            why = (str(error) or type(error).__name__).splitlines()[0]
            logger.warning("the training goes on without a look at its layers: %s", why)
            self._kept = replace(self._kept, note=f"not looked at after step {step}: {why}")
            return
        self._kept = replace(
            self._kept,
            layers=self._kept.layers or seen.layers,
            looks=(*self._kept.looks, seen.look),
            unreached=seen.unreached[:NAMED] if step == 0 else self._kept.unreached,
        )

    def _first_step(self) -> None:
        """The look before the first step gets the length of that step."""
        first, *rest = self._kept.looks
        moved = self._moved()
        lengths = tuple(moved.get(one.name, nan) for one in self._kept.layers)
        first = replace(first, columns={**first.columns, "update": lengths})
        self._kept = replace(self._kept, looks=(first, *rest))

    def _moved(self) -> dict[str, float]:
        """Length of the last step of each weight by the weight's own before it."""
        if not self._before:
            return {}
        now = weights_of(self._network)
        with torch.no_grad():
            shares = torch.stack(
                [(now[n] - old).norm() / old.norm() for n, old in self._before.items()]
            )
        return dict(zip(self._before, shares.tolist(), strict=True))

    def _broken(self, epoch: int) -> Broke:
        """The first step of the epoch whose loss or gradient was not finite, and what is now."""
        finite = self._history.isfinite().tolist()
        where = next((n for n, p in self._network.named_parameters() if not _sound(p)), "")
        for place, (loss, _, norm) in enumerate(finite):
            if not loss or not norm:
                step = (epoch - 1) * self._steps + place + 1
                return Broke(step, "gradient" if loss else "loss", where)
        if where:
            return Broke(epoch * self._steps, "weight", where)
        where = next((n for n, one in self._network.named_buffers() if not _sound(one)), "")
        return Broke(epoch * self._steps, "running statistics" if where else "loss", where)


def _sound(tensor: Tensor) -> bool:
    return bool(tensor.isfinite().all())
