"""Why the file of a store cannot grow: SQLite often says no more than "disk I/O error"."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

LEAST_BYTES = 65536
"""What is tried to be written: SQLite's shared-memory file alone takes 32 KiB."""

REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota of this user is used up",
    errno.EFBIG: "a limit on the size of files is reached (`ulimit -f` shows it)",
}


def no_room(path: Path) -> str | None:
    """Why a file as long as the store's cannot grow in its folder; None where one can."""
    try:
        with tempfile.TemporaryFile(dir=path.parent) as probe:
            os.pwrite(probe.fileno(), bytes(LEAST_BYTES), _longest(path))
            os.fsync(probe.fileno())
    except OSError as error:
        return REASONS.get(error.errno or 0)
    return None


def _longest(path: Path) -> int:
    """Bytes of the longer of the file and its write-ahead log."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return max((one.stat().st_size for one in files if one.exists()), default=0)
