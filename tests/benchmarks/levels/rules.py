"""What `he` might have been: four rules the field writes, trained side by side on digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Any

from torch import nn

from ablations import registry
from runner.content.cell import Level
from runner.content.protocol import DataSpec, TrainSpec
from runner.data import load
from runner.training import train
from tests.benchmarks.levels.untrained import Depth, cell, first_losses, in_words

Layer = nn.Conv2d | nn.Linear


def _fan_in(layer: Layer) -> int:
    return layer.weight[0].numel()


def _fan_out(layer: Layer) -> int:
    return layer.weight.shape[0] * layer.weight[0, 0].numel()


RULES: dict[str, Callable[[Layer], float]] = {
    "fan_out in every layer": lambda layer: sqrt(2 / _fan_out(layer)),
    "fan_out on convolutions, classifier 0.01 (torchvision's VGG)": lambda layer: (
        sqrt(2 / _fan_out(layer)) if isinstance(layer, nn.Conv2d) else 0.01
    ),
    "fan_out on convolutions, fan_in on the classifier": lambda layer: sqrt(
        2 / (_fan_out if isinstance(layer, nn.Conv2d) else _fan_in)(layer)
    ),
    "fan_in in every layer (Keras, torch's default mode)": lambda layer: sqrt(2 / _fan_in(layer)),
}
"""A rule in words, and the deviation it draws a layer's weights with."""


@dataclass(frozen=True)
class Training:
    """Of one network on digits, at a constant rate and without augmentation."""

    depth: Depth
    width: float
    placement: str
    optimizer: str
    given: dict[str, float] = field(default_factory=dict)
    epochs: int = 6

    def __str__(self) -> str:
        rate = f" {self.given['lr']:g}" if self.given else ""
        return (
            f"VGG-{self.depth}, width {self.width:g}, bn {self.placement}, {self.optimizer}{rate}, "
            f"{self.epochs} epochs"
        )


HOT, WARM = {"lr": 0.1}, {"lr": 0.05}
TRAININGS = (
    Training(11, 0.125, "none", "adam"),
    Training(11, 0.125, "before", "adam"),
    Training(11, 0.125, "before", "sgd_momentum", HOT),
    Training(11, 0.125, "after", "sgd_momentum", HOT),
    Training(16, 0.25, "before", "sgd_momentum", WARM, epochs=4),
)


def register() -> None:
    """Make a level of `init` of each rule, called by its words."""

    def level_of(deviation: Callable[[Layer], float]) -> Callable[[Any, Any], None]:
        def fill(layer: Any, draw: Any) -> None:
            """One of RULES."""
            nn.init.normal_(layer.weight, std=deviation(layer), generator=draw)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)

        return fill

    for words, deviation in RULES.items():
        registry.level("init", words)(level_of(deviation))


def accuracies(rule: str, training: Training, replicates: int, limit: int | None) -> list[float]:
    """Test accuracy of each replicate, shares."""
    resolved = registry.resolve("optimizer", training.optimizer, training.given)
    step = Level("optimizer", training.optimizer, training.optimizer, resolved)
    found = []
    for replicate in range(replicates):
        base = cell(rule, training.placement, training.depth, training.width, replicate)
        trained = replace(
            base,
            levels=(*base.levels[:-1], step),
            train=TrainSpec(epochs=training.epochs, batch_size=64),
        )
        found.append(train(trained, load(DataSpec(limit=limit))).test_accuracy or 0.0)
    return found


def table(
    replicates: int,
    trainings: tuple[Training, ...] = TRAININGS,
    width: float = 1.0,
    limit: int | None = None,
) -> str:
    """Train and render: a row a rule, its first loss, mean and least accuracy of each training."""
    register()
    lines = [
        f"First loss: of a VGG-16 of width {width:g} with batch norm before the activation, times "
        "ln 10, mean (and greatest). Then test accuracy on digits in %, mean (and least) of "
        f"{replicates} replicates, constant rate, no augmentation.",
        "",
        "| rule | first loss | " + " | ".join(map(str, trainings)) + " |",
        "|---|" + "---:|" * (1 + len(trainings)),
    ]
    for rule in RULES:
        cells = [in_words(first_losses(rule, "before", (16, width, 10), 128, replicates))]
        for training in trainings:
            got = accuracies(rule, training, replicates, limit)
            cells.append(f"{100 * sum(got) / len(got):.1f} ({100 * min(got):.1f})")
        lines.append(f"| {rule} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
