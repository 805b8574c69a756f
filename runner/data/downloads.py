"""Downloading torchvision's sets: once, whoever comes first, and nothing half-made in the way.

torchvision checks what it downloads by MD5 and fetches again what is damaged. Two things it does
not see to: processes that download into one folder at the same time, and Fashion-MNIST's unpacked
files, of which it asks only whether they are there.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOCK = ".download.lock"


def both_splits(dataset: Callable[..., Any], root: Path) -> list[Any]:
    """Training and test split of one of torchvision's sets, downloaded into `root` where missing.

    Other processes that want the same folder wait meanwhile. A folder that cannot be written is
    read all the same: the images may lie there already.

    Raises:
        OSError, RuntimeError, EOFError, ValueError: what torchvision says of a failed download.
    """
    from filelock import FileLock

    with contextlib.ExitStack() as locks:
        with contextlib.suppress(OSError):
            root.mkdir(parents=True, exist_ok=True)
            locks.enter_context(FileLock(root / LOCK))
        for file in root.glob("*/raw/*-ubyte"):
            if not _is_whole(file):
                file.unlink()  # torchvision unpacks it again
        return [dataset(root, train=train, download=True) for train in (True, False)]


def _is_whole(file: Path) -> bool:
    """Whether a file in MNIST's format is as long as its head says (LeCun et al., the IDX format).

    Two zero bytes, the type (8: bytes), the number of dimensions, each dimension as a big-endian
    32-bit number, then the values.
    """
    size = file.stat().st_size
    with file.open("rb") as opened:
        head = opened.read(4)
        if len(head) < 4 or head[2] != 8:
            return False
        shape = opened.read(4 * head[3])
    if len(shape) < 4 * head[3]:
        return False
    values = 1
    for length in struct.unpack(f">{head[3]}i", shape):
        values *= length
    return size == 4 + len(shape) + values
