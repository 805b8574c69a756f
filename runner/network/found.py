"""What trying a cell's network on one batch found, as plain values that cross to another process.

Imports no torch: whoever reads it need not load it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Found:
    """Of one network: why it cannot be trained, or what it is made of.

    Attributes:
        problem: a sentence; "" where it can be trained.
        about: what the problem lies in.
        layers: kinds of modules with weights of their own, and how many of each there are.
        weights: trainable ones.
        calls_block: whether it makes convolutions with the `block` it is given.
        filled: layers that an `init` level fills.
        left: kinds of modules with weights that no level fills.
        brings_weights: whether layers that a level would fill come with weights that no random
            number made.
        digest: of its weights, and of its outputs and gradients on the batch.
        advice: sentences on what is allowed and hardly meant.
    """

    problem: str = ""
    about: Literal["model", "data"] = "model"
    layers: tuple[tuple[str, int], ...] = ()
    weights: int = 0
    calls_block: bool = False
    filled: int = 0
    left: tuple[str, ...] = ()
    brings_weights: bool = False
    digest: str = ""
    advice: tuple[str, ...] = ()
