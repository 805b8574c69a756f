"""The batches that every trial sees, in the same order: what differs between trials is the repair.

They are read from the loader as a training would, epoch after epoch, and kept; where they would
take too much memory the kept ones are gone through again.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sized
from itertools import count
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ablations.errors import InputError
from runner.doctor.watching.made import Made

MOST_BYTES = 512 * 2**20
"""Of batches that are kept."""
LOOKED_AT = 1024
"""Examples that a network is judged on: the standard error of a share is below 1.6 points."""

Batch = tuple[Any, Any]


class Batches:
    """Batches of a loader by number, read when they are first asked for."""

    def __init__(self, loader: Iterable[Any], name: str, device: torch.device) -> None:
        self._loader, self._name, self._device = loader, name, device
        self._kept: list[Batch] = []
        self._bytes = 0
        self._reader: Iterator[Any] | None = None
        self._full = False
        self.per_epoch = len(loader) if isinstance(loader, Sized) else None

    def __getitem__(self, number: int) -> Batch:
        """Batch `number`, counted from 0 over all epochs."""
        while number >= len(self._kept) and not self._full:
            self._read()
        return self._kept[number % len(self._kept)]

    def _read(self) -> None:
        batch = self._next()
        self._kept.append(batch)
        self._bytes += sum(one.nbytes for one in batch if isinstance(one, Tensor))
        self._full = self._bytes > MOST_BYTES

    def _next(self) -> Batch:
        for _ in range(2):
            if self._reader is None:
                self._reader = iter(self._loader)
            for batch in self._reader:
                return self._pair(batch)
            if self.per_epoch is None:
                self.per_epoch = len(self._kept)
            self._reader = None
        raise InputError(f"{self._name} yields no batch")

    def _pair(self, batch: Any) -> Batch:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise InputError(
                f"{self._name} yields {type(batch).__name__}; expected pairs (inputs, targets)"
            )
        inputs, targets = (to_device(one, self._device) for one in batch)
        return inputs, targets

    def some(self, examples: int = LOOKED_AT) -> list[Batch]:
        """The first batches of one epoch, at least so many examples where there are."""
        found: list[Batch] = []
        seen = 0
        while seen < examples and (self.per_epoch is None or len(found) < self.per_epoch):
            found.append(self[len(found)])
            seen += size_of(found[-1])
            if self._full and len(found) >= len(self._kept):
                break
        return found


class Endless:
    """Batches by number as a loader: one after the other, without an end."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[Batch]:
        return (self._batches[number] for number in count())


class Regrouped:
    """The examples of a loader, in its order, in batches of another size; the last may be small.

    Args:
        loader: of pairs of tensors (inputs, targets).
        size: of each batch.
    """

    def __init__(self, loader: Iterable[Any], size: int) -> None:
        self._loader, self._size = loader, size

    def __iter__(self) -> Iterator[Batch]:
        left: list[Batch] = []
        for inputs, targets in self._loader:
            left.append((inputs, targets))
            if sum(len(x) for x, _ in left) >= self._size:
                x, y = torch.cat([x for x, _ in left]), torch.cat([y for _, y in left])
                whole = len(x) // self._size * self._size
                for at in range(0, whole, self._size):
                    yield x[at : at + self._size], y[at : at + self._size]
                left = [(x[whole:], y[whole:])] if whole < len(x) else []
        if left:
            yield torch.cat([x for x, _ in left]), torch.cat([y for _, y in left])


def as_validation(made: Made) -> Iterable[Any] | None:
    """The training data read through the validation data's transform; None where both are one.

    For data sets with a `transform`, as those of torchvision.
    """
    train, held = (getattr(one, "dataset", None) for one in (made.train_loader, made.val_loader))
    own, other = (getattr(one, "transform", None) for one in (train, held))
    if own is None or other is None or own is other or repr(own) == repr(other):
        return None
    plain = copy.copy(train)
    plain.transform = other  # type: ignore[union-attr]  # it has one
    size = getattr(made.train_loader, "batch_size", None) or 1
    return DataLoader(plain, batch_size=size, shuffle=True)  # type: ignore[arg-type]


def to_device(one: Any, device: torch.device) -> Any:
    """A tensor, or mapping or sequence of tensors, on a device."""
    if isinstance(one, Tensor):
        return one.to(device)
    if isinstance(one, dict):
        return {name: to_device(value, device) for name, value in one.items()}
    if isinstance(one, tuple | list):
        return type(one)(to_device(value, device) for value in one)
    return one


def size_of(batch: Batch) -> int:
    """Examples of a batch."""
    targets = batch[1]
    return len(targets) if isinstance(targets, Tensor) and targets.ndim else 1
