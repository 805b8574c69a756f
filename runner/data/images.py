"""What a data set is once it is read: arrays of pixels and labels, checked, nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ablations.errors import InputError

Pixels = NDArray[np.uint8]
Labels = NDArray[np.int64]


class DataError(InputError):
    """The images cannot be had: missing, unreadable, or not what a data set must be."""


def _no_pixels() -> Pixels:
    return np.empty((0, 3, 0, 0), dtype=np.uint8)


def _no_labels() -> Labels:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Images:
    """Three splits of images, uint8 [N, 3, H, W], with labels, int64 [N], counted from 0.

    A plugin's data set gives training and test images and the class names; `runner.data.load` cuts
    the validation split from the training images, measures `mean` and `std` where they are left
    out, and repeats the one channel of grey images [N, 1, H, W]. `mean` and `std` are per channel,
    of values scaled to 0..1, over all training images.
    """

    train_images: Pixels
    train_labels: Labels
    test_images: Pixels
    test_labels: Labels
    classes: tuple[str, ...]
    mirror_keeps_labels: bool = True
    validation_images: Pixels = field(default_factory=_no_pixels)
    validation_labels: Labels = field(default_factory=_no_labels)
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    identity: str = ""

    def __post_init__(self) -> None:
        """Refuse arrays that training would choke on, naming the field.

        Raises:
            DataError: wrong type or shape, labels outside the classes, an empty split.
        """
        if len(self.classes) < 2:
            raise DataError(
                "a data set needs at least two classes, which a network is trained to tell apart; "
                f"found {len(self.classes)}"
            )
        for split in ("train", "test", "validation"):
            pixels, labels = getattr(self, f"{split}_images"), getattr(self, f"{split}_labels")
            if not isinstance(pixels, np.ndarray) or not isinstance(labels, np.ndarray):
                kinds = f"{type(pixels).__name__} and {type(labels).__name__}"
                raise DataError(f"{split} images and labels must be NumPy arrays; found {kinds}")
            if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1] not in (1, 3):
                raise DataError(
                    f"{split}_images must be uint8 [N, 3, H, W], or [N, 1, H, W] of grey ones; "
                    f"found {pixels.dtype} {list(pixels.shape)}"
                )
            if labels.dtype != np.int64 or labels.shape != (len(pixels),):
                raise DataError(
                    f"{split}_labels must be int64 [{len(pixels)}], one an image; "
                    f"found {labels.dtype} {list(labels.shape)}"
                )
            if len(labels) and not 0 <= labels.min() <= labels.max() < len(self.classes):
                raise DataError(
                    f"{split}_labels must lie in 0..{len(self.classes) - 1}; "
                    f"found {labels.min()}..{labels.max()}"
                )
        if not len(self.train_images) or not len(self.test_images):
            raise DataError("a data set needs training and test images; one of them is empty")
        if self.train_images.shape[1:] != self.test_images.shape[1:]:
            raise DataError(
                "training and test images must be of one size; found "
                f"{list(self.train_images.shape[1:])} and {list(self.test_images.shape[1:])}"
            )
