"""Tables and loaders of the cases: small, synthetic or scikit-learn's own, no download."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

Loader = DataLoader[tuple[Tensor, ...]]


Table = tuple[Tensor, Tensor]


def loaders(train: Table, held: Table, batch: int) -> dict[str, Loader]:
    """Training data shuffled, validation data not."""
    return {
        "train_loader": DataLoader(TensorDataset(*train), batch, shuffle=True),
        "val_loader": DataLoader(TensorDataset(*held), 256),
    }


def split(x: Tensor, y: Tensor, trained: int, seed: int) -> tuple[Table, Table]:
    """So many rows drawn for training, and the others."""
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    kept, held = order[:trained], order[trained:]
    return (x[kept], y[kept]), (x[held], y[held])


def digits() -> Table:
    """scikit-learn's 1,797 images of 8 by 8, as shares, and their labels."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
