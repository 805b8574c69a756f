"""Small networks and a part of CIFAR-10, as people write them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
"""Of the training images, by channel."""
TRAINED, HELD_OUT = 4000, 1000
"""Images that are used."""
BATCH = 64


@cache
def images(root: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Training and validation images as shares with their labels, the same ones every time."""
    from torchvision.datasets import ImageFolder
    from torchvision.transforms.functional import pil_to_tensor

    folder = ImageFolder(str(Path(root) / "train"))
    order = torch.randperm(len(folder), generator=torch.Generator().manual_seed(0))
    chosen = order[: TRAINED + HELD_OUT].tolist()
    whole = torch.stack([pil_to_tensor(folder[k][0]) for k in chosen]).float() / 255
    labels = torch.tensor([folder.targets[k] for k in chosen])
    return whole[:TRAINED], labels[:TRAINED], whole[TRAINED:], labels[TRAINED:]


def normalised(pixels: Tensor) -> Tensor:
    """By channel."""
    mean, deviation = (torch.tensor(one).view(1, 3, 1, 1) for one in (MEAN, DEVIATION))
    return (pixels - mean) / deviation


def loaders(
    root: str,
    *,
    prepared: Callable[[Tensor], Tensor] = normalised,
    held: Callable[[Tensor], Tensor] = normalised,
    labels: Callable[[Tensor], Tensor] = lambda y: y,
    batch: int = BATCH,
) -> tuple[DataLoader[tuple[Tensor, ...]], DataLoader[tuple[Tensor, ...]]]:
    """Training data shuffled, validation data not."""
    x, y, held_x, held_y = images(root)
    return (
        DataLoader(TensorDataset(prepared(x), labels(y)), batch, shuffle=True, drop_last=True),
        DataLoader(TensorDataset(held(held_x), held_y), 250),
    )


def vgg(
    *,
    width: int = 16,
    convolutions: int = 4,
    norm: bool = True,
    activation: Callable[[], nn.Module] = nn.ReLU,
    dropout: float = 0.0,
    outputs: int = 10,
    end: tuple[nn.Module, ...] = (),
) -> nn.Sequential:
    """Pairs of convolutions, a pool after each pair, one linear layer."""
    layers: list[nn.Module] = []
    before = 3
    for number in range(convolutions):
        layers.append(nn.Conv2d(before, width, 3, padding=1))
        if norm:
            layers.append(nn.BatchNorm2d(width))
        layers.append(activation())
        if number % 2 and number < 8:
            layers.append(nn.MaxPool2d(2))
        before = width
    layers += [nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(16 * width, outputs), *end)


class Residual(nn.Module):
    """Two convolutions around which the input goes."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.two = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        inner = self.norms[0](self.one(x)).relu()
        out: Tensor = (x + self.norms[1](self.two(inner))).relu()
        return out


def resnet(width: int = 16, blocks: int = 3) -> nn.Sequential:
    """A stem, blocks, a mean over places, one linear layer."""
    return nn.Sequential(
        nn.Conv2d(3, width, 3, stride=2, padding=1), nn.BatchNorm2d(width), nn.ReLU(),
        *(Residual(width) for _ in range(blocks)),
        nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16 * width, 10),
    )  # fmt: skip


class Transformer(nn.Module):
    """Patches of 4 by 4, two encoder layers, the mean over patches."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, stride=4)
        self.places = nn.Parameter(0.02 * torch.randn(1, 64, width))
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, 0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.places
        out: Tensor = self.head(self.encoder(tokens).mean(1))
        return out


def mlp(activation: Callable[[], nn.Module] = nn.ReLU, depth: int = 2) -> nn.Sequential:
    """Linear layers of 128 units."""
    layers: list[nn.Module] = [nn.Flatten()]
    before = 3072
    for _ in range(depth):
        layers += [nn.Linear(before, 128), activation()]
        before = 128
    return nn.Sequential(*layers, nn.Linear(before, 10))
