"""Networks before their first step: the loss they begin with and the scale of the signal by layer.

A level of `init` passes where a VGG with batch norm begins below twice the loss of guessing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import log
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ablations import registry
from runner.content.cell import Cell, Level
from runner.content.protocol import DataSpec, ModelSpec, TrainSpec
from runner.data import load
from runner.network.model import build
from runner.training.normalise import Normalise

LIMIT = 2.0
"""Times the loss of guessing, ln(classes), that a network with batch norm may begin with."""

LOST = 1e-3
"""A signal this small before the classifier: the network answers alike whatever it sees."""

Depth = Literal[11, 13, 16, 19]
Network = tuple[Depth, float, int]
"""Depth, width, classes."""

NETWORKS: tuple[Network, ...] = (
    *((16, 1.0, 10), (11, 0.125, 10), (11, 0.125, 7)),
    *((16, 0.25, 100), (19, 0.25, 10), (19, 0.25, 100)),
)
"""Whose first loss is measured: those of the shipped grid's two profiles, and smaller ones."""

PLACEMENTS = ("none", "before", "after")


def shipped(factor: str) -> tuple[str, ...]:
    """The factor's levels without those that a plugin or a benchmark registered."""
    return tuple(n for n in registry.names(factor) if registry.is_built_in(factor, n))


def cell(init: str, placement: str, depth: Depth, width: float, replicate: int = 0) -> Cell:
    """A cell of which only the network counts."""
    chosen = {
        "augmentation": "none",
        "scheduler": "constant",
        "init": init,
        "bn_placement": placement,
        "optimizer": "adam",
    }
    return Cell(
        levels=tuple(
            Level(factor, name, name, registry.resolve(factor, name, {}))
            for factor, name in chosen.items()
        ),
        held=(),
        replicate=replicate,
        data=DataSpec(),
        model=ModelSpec(depth=depth, width=width),
        train=TrainSpec(),
    )


@cache
def images(count: int) -> Tensor:
    """The first training images of digits as a network sees them, float32 [count, 3, 32, 32]."""
    digits = load(DataSpec())
    normalise = Normalise.of(digits.mean, digits.std, TrainSpec(), torch.device("cpu"))
    return normalise(torch.as_tensor(digits.train_images[:count]))


def first_losses(
    init: str, placement: str, network_of: Network, count: int, replicates: int
) -> list[float]:
    """Loss before the first step over ln(classes), by replicate; labels of all classes alike."""
    depth, width, classes = network_of
    found = []
    for replicate in range(replicates):
        network = build(cell(init, placement, depth, width, replicate), classes)
        network.to(memory_format=torch.channels_last)
        with torch.no_grad():
            loss = cross_entropy(network(images(count)), torch.arange(count) % classes)
        found.append(float(loss) / log(classes))
    return found


def in_words(losses: list[float]) -> str:
    """Mean, and in brackets the greatest."""
    return f"{sum(losses) / len(losses):.2f} ({max(losses):.2f})"


@dataclass(frozen=True)
class Layer:
    """Deviation of what a layer hands on, within a channel, and norm of its weights' gradient."""

    name: str
    signal: float
    gradient: float


def layers(init: str, placement: str, depth: Depth, width: float, count: int) -> list[Layer]:
    """Each convolution with the norm, activation and maximum after it, then the classifier."""
    network: Any = build(cell(init, placement, depth, width), 10)
    network.to(memory_format=torch.channels_last)
    blocks = [*network.features, network.classifier]
    signals: list[float] = []
    for block in blocks:
        block.register_forward_hook(lambda _, __, out: signals.append(_deviation(out.detach())))
    loss: Any = cross_entropy(network(images(count)), torch.arange(count) % 10)
    loss.backward()
    weights: list[Any] = [
        m.weight for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)
    ]
    names = [*(f"convolution {number}" for number in range(1, len(blocks))), "classifier"]
    return [
        Layer(name, signal, float(weight.grad.norm()))
        for name, signal, weight in zip(names, signals, weights, strict=True)
    ]


def _deviation(out: Tensor) -> float:
    """Over images and places, as root mean square of the channels: biases are no signal."""
    return float(out.transpose(0, 1).flatten(1).var(1).mean().sqrt())


def measure(
    count: int, replicates: int, networks: tuple[Network, ...] = NETWORKS
) -> dict[str, Any]:
    """All losses and layers; `count` images a batch."""
    inits = shipped("init")
    depth, width, _ = networks[0]
    return {
        "networks": networks,
        "count": count,
        "replicates": replicates,
        "losses": {
            (init, placement, network): first_losses(init, placement, network, count, replicates)
            for init in inits
            for placement in PLACEMENTS
            for network in (networks if placement == "before" else networks[:2])
        },
        "depth": depth,
        "width": width,
        "layers": {
            (init, placement): layers(init, placement, depth, width, count)
            for init in inits
            for placement in PLACEMENTS
        },
    }


def render(found: dict[str, Any]) -> str:
    """Two kinds of tables: first losses by level and network, then layers by batch norm."""
    inits = shipped("init")
    networks, losses = found["networks"], found["losses"]
    others = [(p, n) for p in ("none", "after") for n in networks[:2]]

    def title(network: Network) -> str:
        depth, width, classes = network
        return f"VGG-{depth}, width {width:g}, {classes} classes"

    lines = [
        "Loss before the first step, times ln(classes), the loss of guessing: "
        f"{found['count']} digits in a batch, mean (and greatest) of {found['replicates']} "
        f"replicates. With batch norm before the activation the mean must stay below {LIMIT:g}.",
        "",
        "| init | " + " | ".join(title(n) for n in networks) + " | passes |",
        "|---|" + "---:|" * len(networks) + "---|",
    ]
    for init in inits:
        row = [losses[init, "before", network] for network in networks]
        passes = "yes" if max(sum(one) / len(one) for one in row) < LIMIT else "**no**"
        lines.append(f"| {init} | " + " | ".join(map(in_words, row)) + f" | {passes} |")
    lines += [
        "",
        "The same without batch norm and with it after the activation (no limit is set there):",
        "",
        "| init | " + " | ".join(f"{p}: {title(n)}" for p, n in others) + " |",
        "|---|" + "---:|" * len(others),
    ]
    for init in inits:
        row = [losses[init, p, n] for p, n in others]
        lines.append(f"| {init} | " + " | ".join(map(in_words, row)) + " |")
    lines += [
        "",
        f"Scale by layer, VGG-{found['depth']} of width {found['width']:g}: the deviation, over "
        "images and places, of what the layer hands on (after norm, activation and maximum), and "
        "after the stroke the norm of the gradient of its weights.",
    ]
    for placement in PLACEMENTS:
        lines += ["", *_layer_table(found, inits, placement)]
    return "\n".join(lines)


def _layer_table(found: dict[str, Any], inits: tuple[str, ...], placement: str) -> list[str]:
    columns = [found["layers"][init, placement] for init in inits]
    lines = [
        f"| bn_placement {placement} | " + " | ".join(inits) + " |",
        "|---|" + "---:|" * len(inits),
    ]
    for row in zip(*columns, strict=True):
        cells = " | ".join(f"{layer.signal:.2g} / {layer.gradient:.2g}" for layer in row)
        lines.append(f"| {row[0].name} | {cells} |")
    lost = [init for init, rows in zip(inits, columns, strict=True) if rows[-2].signal < LOST]
    if lost:
        lines += [
            "",
            f"The signal is lost (below {LOST:g} before the classifier): {', '.join(lost)}. That "
            "is what they are compared for.",
        ]
    return lines
