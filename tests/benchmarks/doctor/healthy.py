"""Ordinary trainings that work: fast and slow, with and without batch norm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tests.benchmarks.doctor.mutants import training
from tests.benchmarks.doctor.networks import Transformer, mlp, resnet, vgg

Made = Callable[[str], dict[str, Any]]


def _with(model: nn.Module, root: str, of: Callable[[Any], Any], epochs: int = 5) -> dict[str, Any]:
    made = training(root, model, epochs=epochs)
    return made | {"optimizer": of(model.parameters())}


HEALTHY: dict[str, Made] = {
    "VGG, BN, SGD 0.05": lambda r: training(r, epochs=10),
    "VGG, BN, SGD 0.01": lambda r: training(r, rate=0.01, epochs=10),
    "VGG, BN, SGD 0.1, decay": lambda r: training(r, rate=0.1, epochs=10),
    "VGG, BN, Adam 0.001": lambda r: _with(vgg(), r, lambda p: torch.optim.Adam(p, 1e-3)),
    "VGG, BN, Adam 0.0003": lambda r: _with(vgg(), r, lambda p: torch.optim.Adam(p, 3e-4), 20),
    "VGG, BN, AdamW 0.003": lambda r: _with(vgg(), r, lambda p: torch.optim.AdamW(p, 3e-3)),
    "VGG, BN, RMSprop": lambda r: _with(vgg(), r, lambda p: torch.optim.RMSprop(p, 1e-3)),
    "VGG, BN, dropout 0.3": lambda r: training(r, vgg(dropout=0.3), epochs=10),
    "VGG, BN, dropout 0.5": lambda r: training(r, vgg(dropout=0.5), epochs=10),
    "VGG, no BN, SGD 0.05": lambda r: training(r, vgg(norm=False), epochs=20),
    "VGG, no BN, Adam 0.001": lambda r: _with(
        vgg(norm=False), r, lambda p: torch.optim.Adam(p, 1e-3)
    ),
    "VGG of 6, BN": lambda r: training(r, vgg(convolutions=6), epochs=10),
    "VGG, BN, Tanh": lambda r: training(r, vgg(activation=nn.Tanh), epochs=10),
    "VGG, BN, GELU": lambda r: training(r, vgg(activation=nn.GELU), epochs=10),
    "VGG, width 8": lambda r: training(r, vgg(width=8), epochs=10),
    "VGG, label smoothing": lambda r: training(
        r, loss=nn.CrossEntropyLoss(label_smoothing=0.1), epochs=10
    ),
    "VGG, shares as inputs": lambda r: training(
        r, prepared=lambda x: x, held=lambda x: x, epochs=10
    ),
    "VGG, batch 16": lambda r: training(r, batch=16, rate=0.02, epochs=10),
    "VGG, batch 256": lambda r: training(r, batch=256, rate=0.1, epochs=20),
    "ResNet, SGD 0.1": lambda r: training(r, resnet(), rate=0.1, epochs=10),
    "ResNet, SGD 0.02": lambda r: training(r, resnet(), rate=0.02, epochs=10),
    "ResNet, Adam 0.001": lambda r: _with(resnet(), r, lambda p: torch.optim.Adam(p, 1e-3)),
    "MLP, SGD 0.01": lambda r: training(r, mlp(), rate=0.01, epochs=10),
    "MLP, Adam 0.0005": lambda r: _with(mlp(), r, lambda p: torch.optim.Adam(p, 5e-4)),
    "MLP, Tanh": lambda r: training(r, mlp(nn.Tanh), rate=0.01, epochs=10),
    "Transformer, AdamW 0.001": lambda r: _with(
        Transformer(), r, lambda p: torch.optim.AdamW(p, 1e-3), 20
    ),
    "Transformer, Adam 0.0003": lambda r: _with(
        Transformer(), r, lambda p: torch.optim.Adam(p, 3e-4), 30
    ),
}
"""By name, each with the epochs that its person has in mind."""
