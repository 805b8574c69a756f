"""From a data section to three splits: read or fetched from the cache, limited, split, measured."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from ablations import registry
from ablations.errors import raised_in
from runner.content.protocol import SIDE, DataSpec
from runner.data.cache import Arrays, cached, holds
from runner.data.identity import data_identity
from runner.data.images import DataError, Images, Pixels
from runner.data.sources import READERS
from runner.data.split import cut
from runner.spec.catalog import DATASETS


def load(spec: DataSpec, planned: str = "", *, verify: bool = False) -> Images:
    """The images of a study: the same three splits in every process and for every cell.

    A built-in set is decoded once a machine; later calls memory-map the result. A plugin's set is
    called each time: only its author knows what it depends on.

    Args:
        spec: which images.
        planned: the `data_identity` a cell was planned for. Where this machine holds the images of
            that identity they are taken as they are: a folder of 60,000 files is not listed again
            for each cell, and a folder that changed since does not change the cell.
        verify: hold what was decoded against its checksums. For once a session and not once a cell:
            it reads all of it.

    Raises:
        DataError: the images cannot be read or downloaded.
        InputError: no data set of that name.
    """
    if spec.name not in DATASETS:
        return _finish(_from_plugin(spec), spec, data_identity(spec))
    at_hand = planned and holds(_key(planned, spec.side))
    identity = planned if at_hand else data_identity(spec)
    key = _key(identity, spec.side)
    whole = cached(key, lambda: _whole(_read(spec, identity)), verify=verify)
    limit = spec.limit if spec.limit and spec.limit < len(whole["train_labels"]) else None
    parts = cached(
        f"{key}-{limit or 'all'}-{spec.validation}",
        lambda: _parts(whole, limit, spec.validation),
        verify=verify,
    )
    mean, std = (tuple(map(float, row)) for row in whole["statistics"])
    keeps = DATASETS[spec.name].mirror_keeps_labels
    if spec.mirror_keeps_labels is not None:
        keeps = spec.mirror_keeps_labels
    return Images(
        parts["train_images"],
        parts["train_labels"],
        whole["test_images"],
        whole["test_labels"],
        tuple(map(str, whole["classes"])),
        keeps,
        parts["validation_images"],
        parts["validation_labels"],
        mean,
        std,
        identity,
    )


def is_at_hand(spec: DataSpec, identity: str) -> bool:
    """Whether this machine holds the decoded images of that identity; False of a plugin's set."""
    return spec.name in DATASETS and holds(_key(identity, spec.side))


def _read(spec: DataSpec, identity: str) -> Images:
    """The images of that identity and no others, whatever came in between."""
    images = READERS[spec.name](spec)
    if (present := data_identity(spec)) != identity:
        raise DataError(f"the images changed: expected {identity}, found {present}")
    return images


def _key(identity: str, side: int = SIDE) -> str:
    """A folder name for an identity, decoded to images of `side` pixels a side."""
    name, _, rest = identity.partition("/")
    sized = "" if side == SIDE else f"-{side}"
    return f"{name}-{hashlib.sha256(rest.encode()).hexdigest()[:16]}{sized}"


def _whole(images: Images) -> Arrays:
    """Everything a reader gave, as arrays for the cache."""
    return {
        "train_images": images.train_images,
        "train_labels": images.train_labels,
        "test_images": images.test_images,
        "test_labels": images.test_labels,
        "classes": np.array(images.classes),
        "statistics": np.array(_statistics(images.train_images)),
    }


def _parts(whole: Arrays, limit: int | None, validation: float) -> Arrays:
    """Training and validation images, each contiguous, so that processes share their pages."""
    training_indices, validation_indices = cut(whole["train_labels"], limit, validation)
    return {
        "train_images": whole["train_images"][training_indices],
        "train_labels": whole["train_labels"][training_indices],
        "validation_images": whole["train_images"][validation_indices],
        "validation_labels": whole["train_labels"][validation_indices],
    }


def _from_plugin(spec: DataSpec) -> Images:
    reader = registry.find("dataset", spec.name)
    root = Path(spec.root).expanduser() if spec.root else None
    try:
        images = reader.function(root, **spec.parameters)
    except DataError as error:
        raise DataError(error.problem, error.key or "data.name") from None
    except Exception as error:  # whatever a plugin's code raises
        raise DataError(
            f"data set {spec.name!r} cannot be read: {raised_in(error, reader.source)}", "data.name"
        ) from error
    if not isinstance(images, Images):
        raise DataError(
            f"data set {spec.name!r} returned {type(images).__name__}; expected runner.data.Images",
            "data.name",
        )
    keeps = images.mirror_keeps_labels and reader.facts["mirror_keeps_labels"]
    images = replace(images, mirror_keeps_labels=keeps)
    return images if images.train_images.shape[1] == 3 else _in_three_channels(images)


def _in_three_channels(images: Images) -> Images:
    """Grey images as augmentations and networks take them: the channel three times."""

    def thrice(pixels: Pixels) -> Pixels:
        return np.repeat(pixels, 3, axis=1) if pixels.shape[1] == 1 else pixels

    return replace(
        images,
        train_images=thrice(images.train_images),
        test_images=thrice(images.test_images),
        validation_images=thrice(images.validation_images),
        mean=images.mean * (3 // (len(images.mean) or 3)),
        std=images.std * (3 // (len(images.std) or 3)),
    )


def _finish(images: Images, spec: DataSpec, identity: str) -> Images:
    """Cut the validation split and measure mean and deviation where a plugin left them out."""
    if not images.mean:
        mean, std = _statistics(images.train_images)
        images = replace(images, mean=mean, std=std)
    if not len(images.validation_images):
        pixels, labels = images.train_images, images.train_labels
        training_indices, validation_indices = cut(labels, spec.limit, spec.validation)
        images = replace(
            images,
            train_images=pixels[training_indices],
            train_labels=labels[training_indices],
            validation_images=pixels[validation_indices],
            validation_labels=labels[validation_indices],
        )
    return replace(images, identity=identity)


def _statistics(pixels: Pixels) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel of all training images, values scaled to 0..1."""
    values = np.arange(256) / 255
    means, deviations = [], []
    for channel in range(pixels.shape[1]):
        # Counting the 256 values is exact and needs no copy in floating point.
        share = np.bincount(pixels[:, channel].ravel(), minlength=256) / pixels[:, channel].size
        mean = float(share @ values)
        means.append(mean)
        deviations.append(float(np.sqrt(share @ (values - mean) ** 2)))
    return tuple(means), tuple(deviations)
