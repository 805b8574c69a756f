"""Random streams: one seed for each purpose of each replicate, never for a cell.

Cells of one replicate draw the same initial weights, the same order of images and the same
augmentation numbers, so their outcomes are paired. Purposes do not share numbers: a level that
draws more of one leaves the others as they were.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Purpose = Literal[
    "init", "order", "augmentation", "mixing", "averaging", "dropout", "split", "trainer"
]


def stream(seed: int, replicate: int, purpose: Purpose, index: int = 0) -> int:
    """A seed of 63 bits from SHA-256 of its arguments: the same on every machine.

    Args:
        seed: `train.seed`, the base of the study.
        replicate: number of the replicate.
        purpose: what the numbers are for.
        index: which of several streams of one purpose, such as the layer whose weights they are.
    """
    text = f"{seed}/{replicate}/{purpose}/{index}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(
    seed: int, replicate: int, purpose: Purpose, index: int = 0, device: str = "cpu"
) -> torch.Generator:
    """A torch generator on `device` at the start of a stream."""
    import torch

    return torch.Generator(device=device).manual_seed(stream(seed, replicate, purpose, index))
