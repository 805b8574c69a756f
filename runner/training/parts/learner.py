"""Everything that changes while a cell trains, and how it is at the start."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ablations import registry
from ablations.scheduler import Stepper
from runner.content.cell import Cell
from runner.content.seeds import generator
from runner.network.model import build, for_images, levels_may_refuse
from runner.training.numerics import memory_format
from runner.training.parts.averaged import Averaged
from runner.training.parts.objective import function_of


@dataclass(frozen=True, slots=True)
class Learner:
    """Everything that changes while a cell trains."""

    network: nn.Module
    optimizer: Optimizer
    stepper: Stepper
    order: torch.Generator
    augmentation: torch.Generator
    mixing: torch.Generator | None = None  # where images are mixed
    average: Averaged | None = None  # where an average of the weights is evaluated

    @property
    def drawing_on_the_device(self) -> tuple[torch.Generator, ...]:
        """The generators that a training step draws from."""
        return (self.augmentation,) if self.mixing is None else (self.augmentation, self.mixing)

    @property
    def judged(self) -> nn.Module:
        """The network that images are judged by: the average where one has begun."""
        average = self.average
        return average.network if average is not None and average.count else self.network


def new_learner(
    cell: Cell, classes: int, pixels: Tensor, steps: int, device: torch.device
) -> Learner:
    """Network, optimizer, scheduler and random streams at the start of the cell.

    Args:
        cell: whose.
        classes: logits that its network gives.
        pixels: uint8 [N, 3, H, W], what it is trained with.
        steps: optimizer steps in an epoch.
        device: where it trains.

    Raises:
        InputError: a level refused its parameters.
    """
    protocol = cell.train
    # What has no generator of its own (dropout, a plugin's layers) draws from torch's.
    torch.manual_seed(cell.stream("dropout"))
    network = _network(cell, classes, pixels, device)
    with levels_may_refuse("optimizer"):
        chosen = cell.level("optimizer")
        make = registry.find("optimizer", chosen.name).function
        parameters = dict(chosen.parameters)
        if protocol.weight_decay is not None:
            parameters["weight_decay"] = protocol.weight_decay
        optimizer = make(list(network.parameters()), **parameters)
    with levels_may_refuse("scheduler"):
        chosen = cell.level("scheduler")
        make = registry.find("scheduler", chosen.name).function
        stepper = make(optimizer, protocol.epochs, steps, **chosen.parameters)
    with levels_may_refuse("averaging"):
        averaging = function_of(cell, "averaging")
        rule = None if averaging is None else averaging(protocol.epochs)
    return Learner(
        network,
        optimizer,
        stepper,
        generator(cell.stream("order")),
        generator(cell.stream("augmentation"), device=str(device)),
        generator(cell.stream("mixing"), device=str(device)) if cell.chosen("mixing") else None,
        rule and Averaged(_network(cell, classes, pixels, device), network, rule),
    )


def _network(cell: Cell, classes: int, pixels: Tensor, device: torch.device) -> nn.Module:
    network = build(cell, classes)
    if not cell.is_of_built_in_network:
        network = for_images(network, pixels)
    return network.to(device).to(memory_format=memory_format(cell.train)).train()
