"""Texts as word numbers: embeddings that grow after the optimizer was made."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tests.benchmarks.doctor.published.data import loaders, split

Training = dict[str, Any]
KNOWN, ADDED, TOPICS = 200, 80, 10
"""Words of the first vocabulary, words added to it, and topics that the added ones tell."""


class Classifier(nn.Module):
    """The mean of the words' vectors, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.EmbeddingBag(KNOWN, 6, mode="mean")
        self.head = nn.Linear(6, TOPICS)

    def grow(self) -> None:
        """A larger table in place of the old one, whose rows it takes over."""
        larger = nn.EmbeddingBag(KNOWN + ADDED, 6, mode="mean")
        with torch.no_grad():
            larger.weight[:KNOWN] = self.words.weight
        self.words = larger

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.words(x))
        return found


def embeddings_grown_too_late(seed: int = 0) -> Training:
    """The optimizer holds the table that was replaced."""
    return _topics(seed, grown_first=False)


def embeddings_grown_too_late_corrected(seed: int = 0) -> Training:
    """The table grows first."""
    return _topics(seed, grown_first=True)


def _topics(seed: int, *, grown_first: bool) -> Training:
    torch.manual_seed(seed)
    y = torch.randint(TOPICS, (2000,))
    each = ADDED // TOPICS
    telling = KNOWN + each * y.view(-1, 1) + torch.randint(each, (2000, 4))
    x = torch.cat([torch.randint(KNOWN, (2000, 6)), telling], 1)
    model = Classifier()
    if grown_first:
        model.grow()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    if not grown_first:
        model.grow()
    return {
        "model": model, "loss": nn.CrossEntropyLoss(), "epochs": 20, "optimizer": optimizer,
        **loaders(*split(x, y, 1600, seed), 32),
    }  # fmt: skip
