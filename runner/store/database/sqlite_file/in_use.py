"""The file that a process has open at a store's path, and whether it still lies there.

A deleted file goes on taking what is written into it, and all of it is gone when the last process
that has it open ends: every transaction asks first, by device and inode, and once more after it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from runner.store.database.outages import StoreGone


class FileInUse:
    """The file at a path, from the first connection on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._identity: tuple[int, int] | None = None

    def connect(self, busy_seconds: float) -> sqlite3.Connection:
        """A connection to this very file; makes none.

        Raises:
            StoreGone: another lies there by now, or none.
            sqlite3.OperationalError: there was none from the beginning.
        """
        self.check()
        # "rw" and not the default: an empty file must not take the place of a deleted one.
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode=rw",
            uri=True,
            timeout=busy_seconds,
            check_same_thread=False,  # the pool gives a connection to one thread at a time
        )
        if self._identity is None:
            self._identity = self._found()
        try:
            self.check()
        except StoreGone:
            connection.close()
            raise
        return connection

    def check(self) -> None:
        """Raise StoreGone where the file no longer lies at its path."""
        if self._identity is None or (found := self._found()) == self._identity:
            return
        fate = "deleted" if found is None else "replaced by another file"
        raise StoreGone(f"the store {self.path} was {fate} while it was in use")

    def _found(self) -> tuple[int, int] | None:
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):  # with its folder perhaps
            return None
        return status.st_dev, status.st_ino
