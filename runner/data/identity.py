"""What makes two reads of a data set the same images, found without decoding any.

A built-in set is its name and version; a folder is its files, their names, sizes and first bytes,
whatever their times; a plugin's set is its name and the text of the plugin. Part of a cell's
identity, so the planner asks for it: no torch, and about a second for 60,000 files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from ablations import registry
from ablations.errors import InputError, did_you_mean
from runner.content.protocol import DataSpec
from runner.data.folder import folder_root, list_images
from runner.spec.catalog import DATASETS

VERSION = 1
"""Raised by hand whenever a built-in set is decoded or split differently."""

HEAD_BYTES = 4096
"""Read of each file of a folder: all of a 32x32 JPEG, and where a larger image's pixels begin."""


_seen: ContextVar[dict[Path, str] | None] = ContextVar("folders of one look", default=None)


@contextmanager
def one_look() -> Iterator[None]:
    """Within the block every folder is read once, however many designs are made of its images."""
    token = _seen.set({})
    try:
        yield
    finally:
        _seen.reset(token)


def data_identity(spec: DataSpec) -> str:
    """A short text that changes when the images do.

    Raises:
        DataError: an image folder is missing, holds no images or one class, or its splits have
            different classes.
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


def _listing_digest(root: Path) -> str:
    seen = _seen.get()
    if seen is None:
        return _read_listing(root)
    if root not in seen:
        seen[root] = _read_listing(root)
    return seen[root]


def _read_listing(root: Path) -> str:
    digest = hashlib.sha256()
    for split, found in list_images(root).items():
        for label, file in found.files():
            line = f"{split}/{label}/{file.name}\0{file.stat().st_size}\n"
            digest.update(line.encode(errors="surrogateescape"))
            digest.update(_head(file.path))
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
