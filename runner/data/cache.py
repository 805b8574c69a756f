"""Arrays made once a machine: memory-mapped files that every process of it shares.

`cached(key, build)` returns what `build()` made, now or in an earlier process. An entry is written
aside, synced and renamed under a file lock, so two processes that come at once make it once and a
kill leaves nothing half-made. Each entry knows sizes, times and checksums of its files; one that
was damaged is made again. Files that nobody touched are read through only where that is asked for:
a disk may rot without touching a time. Entries lie in the machine's `cache_folder`.
"""

from __future__ import annotations

import json
import logging
import secrets
import shutil
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runner.data.images import DataError
from runner.machine.cache_folder import cache_folder
from runner.program.files import sync

ABOUT = "about.json"

log = logging.getLogger(__name__)

Arrays = Mapping[str, NDArray[Any]]


def holds(key: str) -> bool:
    """Whether there is an entry of that name; `cached` makes it again should it be damaged."""
    try:
        return (cache_folder() / key / ABOUT).is_file()
    except PermissionError:  # what stands in the way is said by `cached`
        return False


def cached(key: str, build: Callable[[], Arrays], *, verify: bool = False) -> Arrays:
    """The arrays stored under `key`, made by `build` if they are not there or damaged.

    Of any shapes; memory-mapped copy-on-write: pages are shared until somebody writes to them.

    Args:
        key: name of the entry.
        build: makes the arrays.
        verify: read all bytes through, also of files whose size and time are what they were.

    Raises:
        DataError: the cache folder cannot be read or written. What `build` raises passes through.
    """
    entry = cache_folder() / key
    try:
        arrays = _read(entry, verify)
    except OSError as error:
        raise DataError(
            f"cannot read the decoded images in {entry}: {error.strerror or error}; ask its owner "
            "for the right to read it, or name another folder in ABLATIONS_CACHE"
        ) from error
    if arrays is not None:
        return arrays
    from filelock import FileLock

    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{entry}.lock"):
            # Another process may have made it while this one waited.
            arrays = _read(entry, verify)
            if arrays is None:
                _write(entry, build())
                arrays = _read(entry, verify)
    except OSError as error:
        raise DataError(
            f"cannot keep decoded images in {entry.parent}: {error.strerror or error}; "
            "free space there or name another folder in ABLATIONS_CACHE"
        ) from error
    if arrays is None:
        raise DataError(f"{entry} cannot be read back after writing; is the disk sound?")
    return arrays


def _read(entry: Path, verify: bool) -> Arrays | None:
    """The arrays of a sound entry, None where there is none."""
    try:
        about = json.loads((entry / ABOUT).read_text())
        if about.keys() != {path.stem for path in entry.glob("*.npy")} or not about:
            raise ValueError(f"{ABOUT} does not name the files beside it")
        arrays = {}
        for name, stamp in about.items():
            path = entry / f"{name}.npy"
            status = path.stat()
            untouched = [status.st_size, status.st_mtime_ns] == [stamp["bytes"], stamp["time"]]
            if (verify or not untouched) and _checksum(path) != stamp["checksum"]:
                raise ValueError(f"{path.name} is not what was written")
            arrays[name] = np.load(path, mmap_mode="c", allow_pickle=False)
    except (FileNotFoundError, NotADirectoryError) as error:
        if entry.exists():
            log.warning("%s is incomplete (%s); making it again", entry, error)
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s is damaged (%s); making it again", entry, error)
        return None
    return arrays


def _write(entry: Path, arrays: Arrays) -> None:
    """Write the arrays aside, then rename the folder into place."""
    for leftover in entry.parent.glob(f"{entry.name}.partial-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    partial = entry.with_name(f"{entry.name}.partial-{secrets.token_hex(4)}")
    partial.mkdir()  # not by tempfile, whose folders are their maker's alone
    try:
        about = {}
        for name, array in arrays.items():
            path = partial / f"{name}.npy"
            np.save(path, array, allow_pickle=False)
            sync(path)
            status = path.stat()
            about[name] = {
                "bytes": status.st_size,
                "time": status.st_mtime_ns,
                "checksum": _checksum(path),
            }
        (partial / ABOUT).write_text(json.dumps(about))
        if entry.is_dir():
            shutil.rmtree(entry)
        else:  # a file of that name is no entry either
            entry.unlink(missing_ok=True)
        partial.rename(entry)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            checksum = zlib.crc32(block, checksum)
    return checksum
