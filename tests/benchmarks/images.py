"""The images: JPEGs of CIFAR-10 from an archive, unpacked outside the repository, once a machine.

The runner reads them as an `image_folder`; the peers get the same three splits as arrays in memory,
which spares them decoding, as torchvision's own CIFAR10 class would.
"""

from __future__ import annotations

import os
import tarfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ablations.errors import InputError
from runner.content.protocol import DataSpec
from runner.data import Images, load
from runner.machine.cache_folder import cache_folder
from tests.benchmarks.workload import Workload

ARCHIVE = "ABLATIONS_BENCH_IMAGES"
DEFAULT_ARCHIVE = Path("../shared/data/cifar10-jpeg.tar.xz")


@dataclass(frozen=True, slots=True)
class Pictures:
    """One selection of the archive, ready for every contestant."""

    data: DataSpec  # for the runner
    arrays: Path  # for the peers: .npz of [N, 32, 32, 3] and labels, three splits
    mean: tuple[float, ...]
    std: tuple[float, ...]


def archive(given: str | None = None) -> Path:
    """The archive's path.

    Raises:
        InputError: there is none.
    """
    path = Path(given or os.environ.get(ARCHIVE) or DEFAULT_ARCHIVE)
    if not path.is_file():
        raise InputError(
            f"no images: {path} is missing; expected an archive of JPEGs named train/CLASS/N.jpg "
            f"and test/CLASS/N.jpg, given with --images or in {ARCHIVE}"
        )
    return path


def prepare(workload: Workload, source: Path) -> Pictures:
    """Unpack as many images as the workload wants and cut them as the runner does."""
    used = workload.train_images + workload.validation_images
    root = cache_folder() / "benchmarks" / f"cifar10-{used}-{workload.test_images}"
    if not (root / "complete").exists():
        _unpack(source, root, {"train": used, "test": workload.test_images})
    spec = DataSpec(
        name="image_folder", root=str(root), validation=workload.validation_images / used
    )
    images = load(spec)
    arrays = root / f"splits-{workload.validation_images}.npz"
    if not arrays.exists():
        _write(arrays, images)
    return Pictures(spec, arrays, images.mean, images.std)


def _unpack(source: Path, root: Path, wanted: dict[str, int]) -> None:
    """Extract the first images of each class, classes filled evenly."""
    taken: Counter[tuple[str, str]] = Counter()
    classes: Counter[str] = Counter()
    with tarfile.open(source) as tar:
        for member in tar:
            parts = Path(member.name).parts
            if len(parts) != 3 or not member.isfile() or parts[0] not in wanted:
                continue
            split, label, _file = parts
            if (split, label) not in taken:
                classes[split] += 1
            # Ten classes; the first ones take what does not divide evenly.
            quota = (wanted[split] + 10 - classes[split]) // 10
            if taken[split, label] < quota:
                taken[split, label] += 1
                tar.extract(member, root, filter="data")
    for split, count in wanted.items():
        found = sum(n for (which, _), n in taken.items() if which == split)
        if found != count:
            raise InputError(f"{source}: wanted {count} {split} images of 10 classes, got {found}")
    (root / "complete").touch()


def _write(path: Path, images: Images) -> None:
    """The three splits, channels last as PIL wants them."""
    arrays = {}
    for split in ("train", "validation", "test"):
        pixels = getattr(images, f"{split}_images")
        arrays[f"{split}_images"] = np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))
        arrays[f"{split}_labels"] = np.asarray(getattr(images, f"{split}_labels"))
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **arrays)
    partial.rename(path)
