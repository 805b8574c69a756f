"""Loop bodies with a mistake: gradients kept, eval mode left on, a schedule stepped each batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import StepLR

from tests.benchmarks.doctor.published.data import digits, loaders, split

Training = dict[str, Any]
Loss = Callable[[Any, Any], Tensor]


# --- aihwkit 446: gradients are never cleared -----------------------------------------------------


def gradients_kept(seed: int = 0) -> Training:
    """One layer that sums its inputs, its gradients never cleared."""

    def step(model: nn.Module, loss: Loss, optimizer: Optimizer, x: Tensor, y: Tensor) -> Tensor:
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        return value

    return _sums(seed) | {"step": step}


def gradients_kept_corrected(seed: int = 0) -> Training:
    """The usual loop body."""
    return _sums(seed)


def _sums(seed: int) -> Training:
    """Two sums of four inputs; a table of 300 rows in place of the example's two."""
    torch.manual_seed(seed)
    x = 0.5 * torch.rand(300, 4)
    y = torch.stack([x.sum(1), x[:, 1:3].sum(1)], 1)
    model = nn.Linear(4, 2)
    return {
        "model": model, "loss": nn.MSELoss(), "epochs": 100,
        "optimizer": torch.optim.SGD(model.parameters(), 0.1),
        **loaders(*split(x, y, 200, seed), 200),
    }  # fmt: skip


# --- pytorch-fcn 57: eval mode is left on ---------------------------------------------------------


def eval_left_on(seed: int = 0) -> Training:
    """Each validation between two steps leaves the model in eval mode."""
    return _validated(seed, put_back=False)


def eval_left_on_corrected(seed: int = 0) -> Training:
    """Training mode is put back after it."""
    return _validated(seed, put_back=True)


def _validated(seed: int, *, put_back: bool) -> Training:
    torch.manual_seed(seed)
    train, held = split(*digits(), 1400, seed)
    layers: list[nn.Module] = []
    for width in (64, *[48] * 7):
        layers += [nn.Linear(width, 48), nn.BatchNorm1d(48), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(48, 10))

    def step(model: nn.Module, loss: Loss, optimizer: Optimizer, x: Tensor, y: Tensor) -> Tensor:
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            loss(model(held[0]), held[1])
        if put_back:
            model.train()
        return value

    return {
        "model": model, "loss": nn.CrossEntropyLoss(), "epochs": 10, "step": step,
        "optimizer": torch.optim.SGD(model.parameters(), 0.1, momentum=0.9),
        **loaders(train, held, 64),
    }  # fmt: skip


# --- SRGAN-PyTorch 1: a schedule of epochs stepped each batch -------------------------------------


def schedule_each_batch(seed: int = 0) -> Training:
    """Images made twice as large; a schedule that counts epochs is stepped each batch."""
    return _enlarged(seed, each_epoch=False)


def schedule_each_batch_corrected(seed: int = 0) -> Training:
    """Its period counts the batches of so many epochs."""
    return _enlarged(seed, each_epoch=True)


def _enlarged(seed: int, *, each_epoch: bool) -> Training:
    torch.manual_seed(seed)
    epochs = 20
    large = digits()[0].view(-1, 1, 8, 8)
    small = nn.functional.avg_pool2d(large, 2)
    made = loaders(*split(small, large, 1400, seed), 64)
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(),
        nn.Conv2d(32, 4, 3, padding=1), nn.PixelShuffle(2),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    batches = len(made["train_loader"]) if each_epoch else 1
    schedule = StepLR(optimizer, step_size=epochs // 2 * batches, gamma=0.1)

    def step(model: nn.Module, loss: Loss, optimizer: Optimizer, x: Tensor, y: Tensor) -> Tensor:
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        schedule.step()
        return value

    return {
        "model": model, "loss": nn.MSELoss(), "epochs": epochs, "step": step,
        "optimizer": optimizer, **made,
    }  # fmt: skip
