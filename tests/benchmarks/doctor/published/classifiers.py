"""Classifiers: AutoTrainer's own example, sensors under two softmaxes, labels of another order."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import torch
from torch import nn

from tests.benchmarks.doctor.published.data import digits, loaders, split

Training = dict[str, Any]


# --- AutoTrainer: eight layers of five sigmoids ---------------------------------------------------


def circle_of_sigmoids(seed: int = 0) -> Training:
    """Two circles, eight hidden layers of five sigmoids."""
    return _circle(seed, nn.Sigmoid)


def circle_of_sigmoids_corrected(seed: int = 0) -> Training:
    """AutoTrainer's repair: SELU, and LeCun's uniform initial weights."""
    return _circle(seed, nn.SELU)


def _circle(seed: int, activation: type[nn.Module]) -> Training:
    from sklearn.datasets import make_circles

    torch.manual_seed(seed)
    points, labels = make_circles(n_samples=1000, noise=0.1, random_state=1)
    x = torch.tensor(points, dtype=torch.float32)
    y = torch.tensor(labels, dtype=torch.float32).view(-1, 1)
    layers: list[nn.Module] = []
    for width in (2, *[5] * 7):
        layers += [nn.Linear(width, 5), activation()]
    model = nn.Sequential(*layers, nn.Linear(5, 1), nn.Sigmoid())
    if activation is nn.SELU:
        for one in model:
            if isinstance(one, nn.Linear):
                limit = sqrt(3 / one.in_features)
                nn.init.uniform_(one.weight, -limit, limit)
                nn.init.zeros_(one.bias)
    return {
        "model": model, "loss": nn.BCELoss(), "epochs": 300,
        "optimizer": torch.optim.Adam(model.parameters(), 0.001),
        **loaders((x[:700], y[:700]), (x[700:], y[700:]), 128),
    }  # fmt: skip


# --- Deep-learning-activity-recognition 10: two softmaxes -----------------------------------------


def sensors_two_softmaxes(seed: int = 0) -> Training:
    """Activities from windows of sensors: a softmax, then a cross-entropy."""
    return _sensors(seed, nn.Softmax(1))


def sensors_two_softmaxes_corrected(seed: int = 0) -> Training:
    """The logits are returned."""
    return _sensors(seed)


def _sensors(seed: int, *end: nn.Module) -> Training:
    torch.manual_seed(seed)
    channels, length, activities = 3, 64, 6
    y = torch.randint(activities, (1500,))
    times = torch.arange(length).view(1, 1, -1) / length
    phases = 2 * pi * torch.rand(1500, channels, 1)
    waves = torch.sin(2 * pi * (2 + y.view(-1, 1, 1)) * times + phases)
    x = waves + 0.7 * torch.randn(1500, channels, length)
    model = nn.Sequential(
        nn.Conv1d(channels, 32, 9), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(32, 64, 9), nn.ReLU(), nn.MaxPool1d(2),
        nn.Flatten(), nn.Linear(640, 100), nn.ReLU(), nn.Linear(100, activities), *end,
    )  # fmt: skip
    return {
        "model": model, "loss": nn.CrossEntropyLoss(), "epochs": 10,
        "optimizer": torch.optim.SGD(model.parameters(), 0.01, momentum=0.9),
        **loaders(*split(x, y, 1200, seed), 64),
    }  # fmt: skip


# --- GaNDLF 870: labels in another order ----------------------------------------------------------


def labels_shuffled_alone(seed: int = 0) -> Training:
    """Inputs and labels of the training data, each shuffled by itself."""
    return _shuffled(seed, together=False)


def labels_shuffled_alone_corrected(seed: int = 0) -> Training:
    """Shuffled together."""
    return _shuffled(seed, together=True)


def _shuffled(seed: int, *, together: bool) -> Training:
    torch.manual_seed(seed)
    (x, y), held = split(*digits(), 1400, seed)
    order = torch.randperm(len(x))
    other = order if together else torch.randperm(len(x))
    model = _perceptron()
    return {
        "model": model, "loss": nn.CrossEntropyLoss(), "epochs": 30,
        "optimizer": torch.optim.Adam(model.parameters(), 0.001),
        **loaders((x[order], y[other]), held, 32),
    }  # fmt: skip


def _perceptron() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
    )
