"""What makes two reads of a data set the same images, found without decoding any.

A built-in set is its name and version; a folder is the listing of its files, names and sizes; a
plugin's set is its name and the text of the plugin. Part of a cell's identity, so the planner asks
for it: no torch, and under a second for 60,000 files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from ablations import registry
from ablations.errors import InputError, did_you_mean
from runner.data.images import DataError
from runner.spec.catalog import DATASETS
from runner.spec.protocol import DataSpec

VERSION = 1
"""Raised by hand whenever a built-in set is decoded or split differently."""

SUFFIXES = (".jpg", ".jpeg", ".png")


def data_identity(spec: DataSpec) -> str:
    """A short text that changes when the images do.

    Raises:
        DataError: an image folder is missing or holds no images.
        InputError: no data set of that name.
    """
    if spec.name == "image_folder":
        return f"image_folder/{VERSION}/{_listing_digest(folder_root(spec))}"
    if spec.name in DATASETS:
        return f"{spec.name}/{VERSION}"
    known = (*DATASETS, *registry.names("dataset"))
    if spec.name not in known:
        raise InputError(f"data.name: no data set {spec.name!r}; {did_you_mean(spec.name, known)}")
    source = Path(registry.find("dataset", spec.name).source)
    text = source.read_bytes() if source.is_file() else b""
    return f"{spec.name}/{hashlib.sha256(text).hexdigest()[:16]}"


def folder_root(spec: DataSpec) -> Path:
    """The folder of an `image_folder`, made absolute.

    Raises:
        DataError: `data.root` is not given or is no folder.
    """
    if spec.root is None:
        raise DataError("data.name is image_folder, so data.root must name the folder of images")
    root = Path(spec.root).expanduser().absolute()
    for split in ("train", "test"):
        if not (root / split).is_dir():
            raise DataError(
                f"data.root: no folder {root / split}; "
                "expected ROOT/train/CLASS/*.jpg and ROOT/test/CLASS/*.jpg"
            )
    return root


def list_images(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Class name and file of every image in `folder/CLASS/`, in sorted order."""
    with os.scandir(folder) as found:
        classes = sorted((e for e in found if e.is_dir()), key=lambda e: e.name)
    for one in classes:
        with os.scandir(one.path) as found:
            files = sorted(
                (e for e in found if e.name.lower().endswith(SUFFIXES)), key=lambda e: e.name
            )
        for file in files:
            yield one.name, file


def _listing_digest(root: Path) -> str:
    digest, count = hashlib.sha256(), 0
    for split in ("train", "test"):
        for label, file in list_images(root / split):
            line = f"{split}/{label}/{file.name}\0{file.stat().st_size}\n"
            digest.update(line.encode(errors="surrogateescape"))
            count += 1
    if not count:
        raise DataError(f"data.root: no jpg or png images under {root}/train/CLASS or test/CLASS")
    return digest.hexdigest()[:16]
