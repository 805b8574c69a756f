"""Regressions: four questions of Stack Overflow, and a loss between shapes that do not fit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tests.benchmarks.doctor.published.data import loaders, split

Training = dict[str, Any]


# --- 48221692: a sigmoid on the output ------------------------------------------------------------


def sigmoid_output(seed: int = 0) -> Training:
    """A line with targets up to 34, and outputs that end in a sigmoid."""
    return _line(seed, nn.Sigmoid())


def sigmoid_output_corrected(seed: int = 0) -> Training:
    """The same with a linear output."""
    return _line(seed)


def _line(seed: int, *end: nn.Module) -> Training:
    torch.manual_seed(seed)
    x = 10 * torch.rand(200, 1)
    y = 3 * x + 4 + torch.randn(200, 1)
    model = nn.Sequential(nn.Linear(1, 5), nn.Sigmoid(), nn.Linear(5, 1), *end)
    return {
        "model": model, "loss": nn.MSELoss(), "epochs": 1000,
        "optimizer": torch.optim.SGD(model.parameters(), 0.01),
        **loaders(*split(x, y, 150, seed), 150),
    }  # fmt: skip


# --- 48934338: a rate of 0.1 ----------------------------------------------------------------------


def rate_of_a_tenth(seed: int = 0) -> Training:
    """A parabola of large targets, SGD at 0.1."""
    return _parabola(seed, 0.1)


def rate_of_a_tenth_corrected(seed: int = 0) -> Training:
    """The same at 0.0001."""
    return _parabola(seed, 1e-4)


def _parabola(seed: int, rate: float) -> Training:
    torch.manual_seed(seed)
    x = torch.arange(0.0, 5.0, 0.1).view(-1, 1)
    held = x + 0.05
    model = nn.Sequential(
        nn.Linear(1, 50), nn.ReLU(), nn.Linear(50, 30), nn.ReLU(), nn.Linear(30, 1)
    )
    return {
        "model": model, "loss": nn.MSELoss(), "epochs": 1000,
        "optimizer": torch.optim.SGD(model.parameters(), rate),
        **loaders((x, _noisy(x)), (held, _noisy(held)), 32),
    }  # fmt: skip


def _noisy(x: Tensor) -> Tensor:
    return 5 * x**2 + torch.randn_like(x) ** 3


# --- 51181393: a rate of 0.001 --------------------------------------------------------------------


def rate_of_a_thousandth(seed: int = 0) -> Training:
    """y = 5 x and one weight, RMSprop at its default of Keras, 0.001."""
    return _proportion(seed, 1e-3)


def rate_of_a_thousandth_corrected(seed: int = 0) -> Training:
    """The same at 0.1."""
    return _proportion(seed, 0.1)


def _proportion(seed: int, rate: float) -> Training:
    torch.manual_seed(seed)
    x = torch.linspace(1, 2, 100).view(-1, 1)
    model = nn.Linear(1, 1)
    return {
        "model": model, "loss": nn.MSELoss(), "epochs": 200,
        "optimizer": torch.optim.RMSprop(model.parameters(), rate, alpha=0.9),
        **loaders(*split(x, 5 * x, 80, seed), 32),
    }  # fmt: skip


# --- 52800582: nothing scaled ---------------------------------------------------------------------


def nothing_scaled(seed: int = 0) -> Training:
    """y = x^4 for x from -100 to 100 as they are."""
    return _fourth_power(seed, scaled=False)


def nothing_scaled_corrected(seed: int = 0) -> Training:
    """The same, inputs and targets standardised."""
    return _fourth_power(seed, scaled=True)


def _fourth_power(seed: int, *, scaled: bool) -> Training:
    torch.manual_seed(seed)
    x = torch.arange(-100.0, 100.0, 0.5).view(-1, 1)
    y = x**4
    if scaled:
        x, y = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    model = nn.Sequential(
        nn.Linear(1, 50), nn.Sigmoid(), nn.Linear(50, 50), nn.ELU(), nn.Linear(50, 1)
    )
    return {
        "model": model, "loss": nn.MSELoss(), "epochs": 1000,
        "optimizer": torch.optim.Adam(model.parameters()),
        **loaders(*split(x, y, 300, seed), 300),
    }  # fmt: skip


# --- FARM 229: (N,) against (N, 1) ----------------------------------------------------------------


class Head(nn.Module):
    """The mean of the words' vectors, one number a text, without its last dimension."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.words = nn.EmbeddingBag(words, 16, mode="mean")
        self.head = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.words(x)).squeeze(1)
        return found


def shapes_that_broadcast(seed: int = 0) -> Training:
    """Outputs (N,), labels (N, 1): the loss compares every output with every label."""
    return _texts(seed, columns=1)


def shapes_that_broadcast_corrected(seed: int = 0) -> Training:
    """Labels (N,) as well."""
    return _texts(seed, columns=0)


def _texts(seed: int, *, columns: int) -> Training:
    torch.manual_seed(seed)
    worth = torch.randn(200)
    x = torch.randint(200, (1500, 16))
    sums = worth[x].sum(1)
    y = (8 + 2 * sums / 4).clamp(0, 16)
    y = y.view(-1, 1) if columns else y
    model = Head(200)
    return {
        "model": model, "loss": nn.MSELoss(), "epochs": 20,
        "optimizer": torch.optim.Adam(model.parameters(), 0.01),
        **loaders(*split(x, y, 1200, seed), 32),
    }  # fmt: skip
