"""What makes two reads of a data set the same images, found without decoding any.

A built-in set is its name and version; a folder is its files, their names, sizes and first bytes,
whatever their times; a plugin's set is its name and the text of the plugin. Part of a cell's
identity, so the planner asks for it: no torch, and about a second for 60,000 files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from ablations import registry
from ablations.errors import InputError, did_you_mean
from runner.content.protocol import DataSpec
from runner.data.images import DataError
from runner.spec.catalog import DATASETS

VERSION = 1
"""Raised by hand whenever a built-in set is decoded or split differently."""

HEAD_BYTES = 4096
"""Read of each file of a folder: all of a 32x32 JPEG, and where a larger image's pixels begin."""

SUFFIXES = (".jpg", ".jpeg", ".png")


def data_identity(spec: DataSpec) -> str:
    """A short text that changes when the images do.

    Raises:
        DataError: an image folder is missing, holds no images or one class, or has a class to
            test that it has none to train with.
        InputError: no data set of that name.
    """
    if spec.name == "image_folder":
        return f"image_folder/{VERSION}/{_listing_digest(folder_root(spec))}"
    if spec.name in DATASETS:
        return f"{spec.name}/{VERSION}"
    known = (*DATASETS, *registry.names("dataset"))
    if spec.name not in known:
        hint = did_you_mean(spec.name, known)
        raise InputError(f"no data set {spec.name!r}; {hint}", "data.name")
    return f"{spec.name}/{registry.find('dataset', spec.name).digest[:16]}"


def folder_root(spec: DataSpec) -> Path:
    """The folder of an `image_folder`, made absolute.

    Raises:
        DataError: `data.root` is not given or is no folder.
    """
    if spec.root is None:
        raise DataError("is missing; image_folder needs the folder of its images", "data.root")
    root = Path(spec.root).expanduser().absolute()
    for split in ("train", "test"):
        if not (root / split).is_dir():
            raise DataError(
                f"no folder {root / split}; "
                "expected ROOT/train/CLASS/*.jpg and ROOT/test/CLASS/*.jpg",
                "data.root",
            )
    return root


def list_images(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Class name and file of every image in `folder/CLASS/`, in sorted order."""
    with os.scandir(folder) as entries:
        classes = sorted((e for e in entries if e.is_dir()), key=lambda e: e.name)
    for one in classes:
        with os.scandir(one.path) as entries:
            files = sorted(
                (e for e in entries if e.name.lower().endswith(SUFFIXES)), key=lambda e: e.name
            )
        for file in files:
            yield one.name, file


def _listing_digest(root: Path) -> str:
    digest = hashlib.sha256()
    classes: dict[str, set[str]] = {}
    for split in ("train", "test"):
        classes[split] = set()
        for label, file in list_images(root / split):
            classes[split].add(label)
            line = f"{split}/{label}/{file.name}\0{file.stat().st_size}\n"
            digest.update(line.encode(errors="surrogateescape"))
            digest.update(_head(file.path))
    if not classes["train"] or not classes["test"]:
        split = "test" if classes["train"] else "train"
        raise DataError(f"no jpg or png images under {root / split}/CLASS", "data.root")
    if len(classes["train"]) < 2:
        raise DataError(
            f"{root / 'train'} holds the class {min(classes['train'])!r} alone; "
            "expected two or more",
            "data.root",
        )
    if unknown := sorted(classes["test"] - classes["train"]):
        raise DataError(
            f"{root / 'test'} holds the class {unknown[0]!r}, {root / 'train'} does not",
            "data.root",
        )
    return digest.hexdigest()[:16]


def _head(path: str) -> bytes:
    """The first bytes of a file; what cannot be opened is said when it is to be decoded."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(handle, HEAD_BYTES)
    finally:
        os.close(handle)
