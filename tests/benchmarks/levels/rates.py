"""What each scheduler makes of the learning rate, beside torch's scheduler at its defaults."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch.optim import SGD, Optimizer, lr_scheduler

from ablations import registry
from ablations.scheduler import Stepper

BUDGETS = {"30 epochs of 351 steps": (30, 351), "6 epochs of 22 steps": (6, 22)}
"""Of the cuda profile of the shipped grid, and of its cpu profile."""

BARS = "▁▂▃▄▅▆▇█"

Torch = Callable[[Optimizer, int, int], Stepper]

TORCH: dict[str, tuple[str, Torch | None]] = {
    "constant": ("no scheduler", None),
    "plateau": (
        "ReduceLROnPlateau()",
        lambda o, e, s: Stepper(lr_scheduler.ReduceLROnPlateau(o), "validation_loss"),
    ),
    "cyclic": (
        "CyclicLR(rate / 10, rate)",
        lambda o, e, s: Stepper(lr_scheduler.CyclicLR(o, 0.1, 1.0), "batch"),
    ),
    "cosine": (
        "CosineAnnealingLR(epochs)",
        lambda o, e, s: Stepper(lr_scheduler.CosineAnnealingLR(o, e), "epoch"),
    ),
    "one_cycle": (
        "OneCycleLR(rate)",
        lambda o, e, s: Stepper(lr_scheduler.OneCycleLR(o, 1.0, total_steps=e * s), "batch"),
    ),
    "step": (
        "StepLR(epochs // 3)",
        lambda o, e, s: Stepper(lr_scheduler.StepLR(o, e // 3), "epoch"),
    ),
}
"""The call in words, and torch's scheduler with what has a default left at it."""


def rates(make: Torch | None, epochs: int, steps: int) -> list[float]:
    """The rate of every step, times the base rate, while the validation loss does not move."""
    used = SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0, momentum=0.9)
    stepper = make(used, epochs, steps) if make else None
    found = []
    for _ in range(epochs):
        for _ in range(steps):
            found.append(float(used.param_groups[0]["lr"]))
            used.step()
            if stepper:
                stepper.after_batch()
        if stepper:
            stepper.after_epoch(1.0)
    return found


def shape(found: list[float], places: int = 24) -> str:
    """The rates as bars, one for each 24th of the training: its mean, full at the base rate."""
    edges = [round(len(found) * place / places) for place in range(places + 1)]
    means = [sum(found[a:b]) / (b - a) for a, b in pairwise(edges)]
    return "".join(BARS[min(7, int(8 * mean))] for mean in means)


def _row(words: str, found: list[float]) -> str:
    top = max(found)
    first_top = found.index(top) / len(found)
    numbers = (found[0], top, found[-1], sum(found) / len(found))
    first, highest, last, mean = (f"{number:.2g}" for number in numbers)
    return (
        f"| {words} | {first} | {highest} at {100 * first_top:.0f} % | {last} | {mean} "
        f"| {shape(found)} |"
    )


def table(budgets: dict[str, tuple[int, int]] = BUDGETS) -> str:
    """One table a budget: first, highest, last and mean rate, ours and torch's."""
    lines = [
        "All rates times the optimizer level's own. The validation loss does not move (plateau "
        "then falls as early as it can). Bars: means of 24 equal parts of the training. torch's "
        "defaults: ReduceLROnPlateau bears 10 epochs, CyclicLR rises for 2,000 steps whatever the "
        "budget (the range is its documentation's example), CyclicLR and OneCycleLR move the "
        "momentum against the rate; no level here moves it. StepLR has no default step: a third "
        "is torchvision's reference (30 of 90 epochs).",
    ]
    for budget, (epochs, steps) in budgets.items():
        lines += [
            "",
            f"| {budget} | first | highest | last | mean | shape |",
            "|---|---:|---:|---:|---:|---|",
        ]
        for name, (words, torchs) in TORCH.items():
            function: Any = registry.find("scheduler", name).function
            lines.append(_row(f"**{name}**", rates(function, epochs, steps)))
            lines.append(_row(f"torch: {words}", rates(torchs, epochs, steps)))
    return "\n".join(lines)
