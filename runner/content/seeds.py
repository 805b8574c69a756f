"""Random streams: one seed for each purpose of each run.

A cell draws numbers of its own: they come from the seed of the study, the cell's combination, its
replicate and the purpose, so that all runs are independent. Where a study shares its seeds, the
combination is left out, and cells of one replicate draw the same initial weights, the same order of
images and the same augmentation numbers. Purposes do not share numbers either way: a level that
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

Seeds = Literal["own", "shared"]
"""Whether each cell draws its own numbers, or all cells of a replicate the same."""


def stream(
    seed: int, replicate: int, purpose: Purpose, index: int = 0, combination: str = ""
) -> int:
    """A seed of 63 bits from SHA-256 of its arguments: the same on every machine.

    Args:
        seed: `train.seed`, the base of the study.
        replicate: number of the replicate.
        purpose: what the numbers are for.
        index: which of several streams of one purpose, such as the layer whose weights they are.
        combination: key of the combination of levels; "" for a stream that all of them share.
    """
    key = f"{combination}/" if combination else ""
    text = f"{key}{seed}/{replicate}/{purpose}/{index}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(start: int, device: str = "cpu") -> torch.Generator:
    """A torch generator on `device` at the start of a stream."""
    import torch

    return torch.Generator(device=device).manual_seed(start)
