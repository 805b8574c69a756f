"""The training that tutorials teach, shared by every peer: one image at a time, fp32.

After PyTorch's "Training a classifier" and torchvision's transforms: PIL transforms in a
DataLoader, `loss.item()` each step, evaluation after each epoch. Network, optimizer, augmentation,
batch and epochs are those of the runner's cells; nothing here is made slower than its documentation
has it.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms


def vgg11(channels: list[int], classes: int = 10) -> nn.Sequential:
    """VGG-11 with batch norm before each ReLU; `channels` of its five stages."""
    layers: list[nn.Module] = []
    inputs = 3
    for repeats, outputs in zip((1, 1, 2, 2, 2), channels, strict=True):
        for _ in range(repeats):
            layers += [
                nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]
            inputs = outputs
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs, classes))


class Pictures(Dataset[tuple[Tensor, int]]):
    """Images in memory, each made a PIL image when asked for, as torchvision's CIFAR10 does."""

    def __init__(self, pixels: Any, labels: Any, transform: transforms.Compose) -> None:
        self.pixels, self.labels, self.transform = pixels, labels, transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image: Tensor = self.transform(Image.fromarray(self.pixels[index]))
        return image, int(self.labels[index])


def strong(mean: list[float], std: list[float]) -> transforms.Compose:
    """Augmentation level `strong`, from torchvision."""
    return transforms.Compose(
        [
            transforms.RandomCrop(32, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.RandomRotation(15),
            transforms.ColorJitter(brightness=0.2, contrast=0.2, saturation=0.2, hue=0.1),
            transforms.ToTensor(),
            transforms.RandomErasing(p=0.5),
            transforms.Normalize(mean, std),
        ]
    )


def train_cell(workload: dict[str, Any], lr: float, seed: int, loader_workers: int = 0) -> float:
    """Train one cell, leave a record of it and return its test accuracy."""
    began, cpu_began = time.time(), time.process_time()
    torch.manual_seed(seed)
    device = workload["device"]
    arrays = np.load(workload["images"])
    mean, std = workload["mean"], workload["std"]
    plain = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean, std)])
    batch = workload["batch_size"]

    def loader(split: str, transform: transforms.Compose, shuffle: bool) -> DataLoader[Any]:
        pictures = Pictures(arrays[f"{split}_images"], arrays[f"{split}_labels"], transform)
        return DataLoader(pictures, batch_size=batch, shuffle=shuffle, num_workers=loader_workers)

    train, validation = loader("train", strong(mean, std), True), loader("validation", plain, False)
    network = vgg11(workload["channels"]).to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), lr=lr, momentum=0.9, weight_decay=5e-4)
    train_seconds = 0.0
    for _epoch in range(workload["epochs"]):
        epoch_began = time.perf_counter()
        running_loss = 0.0
        for inputs, labels in train:
            inputs, labels = inputs.to(device), labels.to(device)
            optimizer.zero_grad()
            outputs = network(inputs)
            loss = criterion(outputs, labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        train_seconds += time.perf_counter() - epoch_began
        evaluate(network, validation, device)
    accuracy = evaluate(network, loader("test", plain, False), device)
    record = {
        "lr": lr,
        "seed": seed,
        "accuracy": accuracy,
        "began": began,
        "ended": time.time(),
        "train_seconds": train_seconds,
        "train_images": workload["epochs"] * len(arrays["train_labels"]),
        "cpu_seconds": time.process_time() - cpu_began,
        "parameters": sum(p.numel() for p in network.parameters()),
    }
    folder = Path(workload["records"])
    name = f"{lr}-{seed}-{os.getpid()}-{time.time_ns()}.json"
    (folder / name).write_text(json.dumps(record))
    return accuracy


@torch.no_grad()
def evaluate(network: nn.Module, loader: DataLoader[Any], device: str) -> float:
    """Share of right answers."""
    network.eval()
    correct = total = 0
    for inputs, labels in loader:
        predicted = network(inputs.to(device)).argmax(1)
        correct += int((predicted == labels.to(device)).sum().item())
        total += len(labels)
    network.train()
    return correct / total
