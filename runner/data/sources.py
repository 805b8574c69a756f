"""Reading each built-in data set into arrays, whatever form it comes in.

Each reader gives training and test images as uint8 [N, 3, 32, 32], or of the side that
`data.size` names. Downloads go through torchvision
with its progress bar and checksums; without a network the error names the folder and what else can
be used.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from runner.content.protocol import SIDE, DataSpec
from runner.data.downloads import both_splits
from runner.data.folder import folder_root, list_images
from runner.data.images import DataError, Images, Labels, Pixels
from runner.data.split import cut
from runner.machine.cache_folder import cache_folder
from runner.spec.catalog import DATASETS

if TYPE_CHECKING:
    from PIL import Image


def digits(spec: DataSpec) -> Images:
    """Scikit-learn's 1,797 digits: 8x8 in 17 shades, enlarged bilinearly and repeated thrice."""
    from PIL import Image
    from sklearn.datasets import load_digits

    bunch = load_digits()
    shades = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    size = (SIDE, SIDE)
    planes = [Image.fromarray(one).resize(size, Image.Resampling.BILINEAR) for one in shades]
    pixels = np.repeat(np.stack([np.asarray(one) for one in planes])[:, None], 3, axis=1)
    labels = bunch.target.astype(np.int64)
    train, test = cut(labels, None, 0.2)
    return Images(pixels[train], labels[train], pixels[test], labels[test], tuple("0123456789"))


def image_folder(spec: DataSpec) -> Images:
    """Images under `data.root/train/CLASS` and `data.root/test/CLASS`, resized to `data.size`.

    Raises:
        DataError: an unreadable image, or splits of different classes.
    """
    root = folder_root(spec)
    listed = {split: list(one.files()) for split, one in list_images(root).items()}
    classes = tuple(dict.fromkeys(label for label, _ in listed["train"]))
    number = {label: index for index, label in enumerate(classes)}
    pixels = {
        split: _decode([file.path for _, file in files], spec.side, f"{split} images of {root}")
        for split, files in listed.items()
    }
    labels = {
        split: np.array([number[label] for label, _ in files], dtype=np.int64)
        for split, files in listed.items()
    }
    return Images(pixels["train"], labels["train"], pixels["test"], labels["test"], classes)


def cifar10(spec: DataSpec) -> Images:
    """CIFAR-10 (Krizhevsky, 2009)."""
    from torchvision.datasets import CIFAR10

    return _from_torchvision(CIFAR10, spec)


def cifar100(spec: DataSpec) -> Images:
    """CIFAR-100 (Krizhevsky, 2009)."""
    from torchvision.datasets import CIFAR100

    return _from_torchvision(CIFAR100, spec)


def fashion_mnist(spec: DataSpec) -> Images:
    """Fashion-MNIST (Xiao et al., 2017), 28x28 grey, framed in black to 32x32."""
    from torchvision.datasets import FashionMNIST

    return _from_torchvision(FashionMNIST, spec)


def svhn(spec: DataSpec) -> Images:
    """Street View House Numbers, cropped digits (Netzer et al., 2011)."""
    from torchvision.datasets import SVHN

    class Split(SVHN):  # type: ignore[misc]  # untyped
        """SVHN behind the arguments of the other sets."""

        def __init__(self, root: Path, train: bool, download: bool) -> None:
            super().__init__(root, split="train" if train else "test", download=download)
            self.classes = tuple("0123456789")

    return _from_torchvision(Split, spec)


READERS: dict[str, Callable[[DataSpec], Images]] = {
    reader.__name__: reader
    for reader in (digits, image_folder, cifar10, cifar100, fashion_mnist, svhn)
}


def _from_torchvision(dataset: Callable[..., Any], spec: DataSpec) -> Images:
    """Both splits of one of torchvision's sets, downloaded into the root where missing."""
    root = Path(spec.root).expanduser() if spec.root else cache_folder() / "downloads" / spec.name
    try:
        with _network_timeout(30.0):
            parts = both_splits(dataset, root)
    # torchvision reports a failed download as any of these, depending on the set.
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise DataError(
            f"cannot get {spec.name} ({type(error).__name__}: {error}); put the "
            f"original files into {root} (the folder data.root names), or use "
            "data.name=image_folder with data.root, or data.name=digits, which needs no download",
            "data.name",
        ) from error
    (train_images, train_labels), (test_images, test_labels) = map(_arrays, parts)
    return Images(
        train_images, train_labels, test_images, test_labels, tuple(map(str, parts[0].classes))
    )


def _arrays(part: Any) -> tuple[Pixels, Labels]:
    """Pixels [N, 3, 32, 32] and labels of a torchvision data set, whatever it calls them."""
    pixels = np.asarray(part.data)
    labels = np.asarray(part.targets if hasattr(part, "targets") else part.labels, dtype=np.int64)
    if pixels.ndim == 3:  # grey
        margin = (SIDE - pixels.shape[1]) // 2
        pixels = np.pad(pixels, ((0, 0), (margin, margin), (margin, margin)))
        pixels = np.repeat(pixels[:, None], 3, axis=1)
    elif pixels.shape[-1] == 3:
        pixels = pixels.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(pixels, dtype=np.uint8), labels


def _decode(paths: list[str], side: int, what: str) -> Pixels:
    """Decode image files, several at a time, in order, each resized to `side` by `side`."""
    from rich.console import Console
    from rich.progress import track

    pixels = np.empty((len(paths), 3, side, side), dtype=np.uint8)
    console = Console(stderr=True)
    with ThreadPoolExecutor() as pool:
        decoded = pool.map(partial(_decode_one, side=side), paths)
        for index, image in enumerate(
            track(
                decoded,
                f"Decoding {what}",
                total=len(paths),
                console=console,
                disable=not sys.stderr.isatty(),
            )
        ):
            pixels[index] = image
    return pixels


def _decode_one(path: str, side: int) -> Pixels:
    """The image (of several in one file the first), resized bilinearly with antialiasing."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as file:
            image = _in_eight_bits(file)
            if "transparency" in image.info:  # Pillow warns of leaving it out in one step
                image = image.convert("RGBA")
            image = image.convert("RGB")
            if image.size != (side, side):
                image = image.resize((side, side), Image.Resampling.BILINEAR)
            return np.asarray(image, dtype=np.uint8).transpose(2, 0, 1)
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as error:
        raise DataError(f"cannot read the image {path}: {error}", "data.root") from error


def _in_eight_bits(image: Image.Image) -> Image.Image:
    """A grey image of 16 bits by its upper eight: conversion would make white of all above 255."""
    from PIL import Image

    if not image.mode.startswith("I"):
        return image
    values = np.asarray(image)
    return Image.fromarray((values >> (8 if values.max() > 255 else 0)).astype(np.uint8))


@contextmanager
def _network_timeout(seconds: float) -> Iterator[None]:
    """A network that swallows packets becomes an error instead of a wait without end."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


assert set(READERS) == set(DATASETS)  # noqa: S101 - a reader forgotten shows at import
