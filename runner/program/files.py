"""Files that are there whole or not at all: written aside, then renamed into their place.

Whoever opens the file sees the old one or the new one, whatever kills the writer. With `synced`
that holds for a power cut too: the content is on the disk before the name is, and the name before
the call returns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def aside_of(path: Path) -> Path:
    """Where this process writes what is to become `path`; in one folder, so that it is a rename."""
    return path.with_name(f"{path.name}.{os.getpid()}.partial")


@contextmanager
def replacing(path: Path, *, synced: bool = False) -> Iterator[BinaryIO]:
    """A file to write into, which takes the place of `path` when the block ends.

    Args:
        path: What it becomes; its folder exists.
        synced: Whether it must survive a power cut once this returns.

    Raises:
        OSError: the folder is full or not writable. After this or any other error `path` is as it
            was, and nothing lies beside it.
    """
    aside = aside_of(path)
    try:
        with aside.open("wb") as file:
            yield file
            if synced:
                file.flush()
                os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    if synced:
        sync(path.parent)  # the rename is the folder's to remember


def write_whole(path: Path, text: str, *, synced: bool = False) -> None:
    """Write a text as UTF-8; see `replacing`."""
    with replacing(path, synced=synced) as file:
        file.write(text.encode("utf-8"))


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, would survive a power cut."""
    if os.name == "nt" and path.is_dir():  # Windows opens none, and keeps names by itself
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
