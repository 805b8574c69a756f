"""The defaults of each optimizer level beside those of torch, found by looking at both."""

from __future__ import annotations

import inspect
from typing import Any

import torch

from ablations import registry

HOW = ("fused", "foreach", "capturable", "differentiable", "maximize", "decoupled_weight_decay")
"""How a step is computed, not which."""


def made(name: str) -> torch.optim.Optimizer:
    """A level's optimizer with all parameters at their defaults."""
    weight = torch.nn.Parameter(torch.zeros(1))
    parameters = registry.resolve("optimizer", name, {})
    optimizer: torch.optim.Optimizer = registry.find("optimizer", name).function(
        [weight], **parameters
    )
    return optimizer


def compared(name: str) -> dict[str, tuple[Any, Any]]:
    """Each setting of a level's optimizer: its value and torch's default."""
    optimizer = made(name)
    signature = inspect.signature(type(optimizer).__init__).parameters
    return {
        key: (value, signature[key].default)
        for key, value in optimizer.defaults.items()
        if key in signature and key not in HOW
    }


def differing(name: str) -> dict[str, tuple[Any, Any]]:
    """The settings of `compared` in which a level is not torch."""
    return {key: pair for key, pair in compared(name).items() if pair[0] != pair[1]}


def table(names: tuple[str, ...]) -> str:
    """One row a level: its class, what differs (torch's value in brackets), what agrees."""
    lines = ["| optimizer | torch.optim | differs (torch) | as torch |", "|---|---|---|---|"]
    for name in names:
        differs = differing(name)
        apart = ", ".join(f"{key} **{ours}** ({theirs})" for key, (ours, theirs) in differs.items())
        alike = ", ".join(
            f"{key} {ours}" for key, (ours, _) in compared(name).items() if key not in differs
        )
        lines.append(f"| {name} | {type(made(name)).__name__} | {apart or 'nothing'} | {alike} |")
    return "\n".join(lines)
