"""Small trainings on scikit-learn's digits, healthy but for what is given."""

from __future__ import annotations

from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from runner.doctor.diagnosis import Diagnosis, diagnose
from runner.doctor.watching.evidence import Budget
from runner.doctor.watching.made import Made, seed_all

STEPS = 80
"""Of a trial: a count, not a time, so that a busy machine gives the same answer."""


def data(*, scale=1 / 16, labels=lambda y: y, held=lambda x: x, batch=32):
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32)[:, None] * scale
    y = torch.tensor(digits.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(5))
    x, y = x[order], y[order]
    train = DataLoader(TensorDataset(x[:1200], labels(y[:1200])), batch, shuffle=True)
    return train, DataLoader(TensorDataset(held(x[1200:]), y[1200:]), 300)


def mlp(activation=nn.ReLU, depth=2, outputs=10, end=(), norm=False, dropout=0.0):
    layers: list[nn.Module] = [nn.Flatten()]
    before = 64
    for _ in range(depth):
        layers.append(nn.Linear(before, 64))
        if norm:
            layers.append(nn.BatchNorm1d(64))
        layers.append(activation())
        before = 64
    return nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(64, outputs), *end)


def made(model=None, *, rate=0.05, decay=0.0, loss=None, step=None, **of_data: Any):
    model = mlp() if model is None else model
    train, held = data(**of_data)
    optimizer = torch.optim.SGD(model.parameters(), rate, momentum=0.9, weight_decay=decay)
    returned = {
        "model": model, "loss": loss or nn.CrossEntropyLoss(), "optimizer": optimizer,
        "train_loader": train, "val_loader": held, "epochs": 10,
    }  # fmt: skip
    return returned | ({"step": step} if step else {})


def found(make, steps=STEPS) -> Diagnosis:
    """Diagnose what `make()` returns, from two seeds."""

    def one(seed: int) -> Made:
        seed_all(seed)
        returned = make()
        return Made(seed=seed, own_step="step" in returned, **returned)

    return diagnose(one(0), one(1), Budget(60.0, steps))


def kinds(diagnosis: Diagnosis) -> list[str]:
    return [cause.kind for cause in diagnosis.causes]
