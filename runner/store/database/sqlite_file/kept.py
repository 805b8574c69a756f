"""A copy of what a store held whose file was deleted or replaced while a run used it.

It is made through a connection that still has the file open, lies beside the store's path, and is
whole or not there. Where the file was deleted, the next command that may make a store takes the
copy for it; where another file lies there by now, that one is somebody's, and a person decides.
"""

from __future__ import annotations

import logging
import sqlite3
from itertools import count
from pathlib import Path

from runner.program.files import aside_of, sync

log = logging.getLogger(__name__)


def kept_of(path: Path) -> Path:
    """Where the copy of a deleted store lies."""
    return path.with_name(f"{path.name}.kept")


def keep(connection: sqlite3.Connection, path: Path) -> str:
    """Copy what the connection sees; returns where it is, in words that end a sentence.

    Raises:
        OSError, sqlite3.Error: there is no room, say; nothing is left behind.
    """
    kept = kept_of(path)
    kept.parent.mkdir(parents=True, exist_ok=True)  # which `git clean` takes along
    is_next = not path.exists() and not kept.exists()
    if not is_next:
        numbered = (kept.with_name(f"{kept.name}-{number}") for number in count(1))
        kept = next(one for one in numbered if not one.exists())
    _copy(connection, kept)
    if is_next:
        return f"all it held is kept in {kept}, and the next `grid` goes on with that"
    if path.exists():
        return f"all it held is kept in {kept}: to go on with that, move it to {path}"
    first = kept_of(path)  # by another command that had the same file in use, most likely
    return f"all it held is kept in {kept}; the next `grid` goes on with what is kept in {first}"


def take_up(path: Path) -> bool:
    """Put the copy of a deleted store, if there is one, in its place."""
    kept = kept_of(path)
    if not kept.exists():
        return False
    into_place(kept, path)
    log.warning("the store %s was deleted while a run used it: what it held was kept", path)
    return True


def into_place(whole: Path, path: Path) -> None:
    """Rename a whole database to where none is; what a deleted one left there is no part of it."""
    for left in logs_of(path):
        left.unlink(missing_ok=True)
    whole.rename(path)
    sync(path.parent)


def logs_of(path: Path) -> tuple[Path, Path]:
    """SQLite's two files beside an open database."""
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def _copy(connection: sqlite3.Connection, kept: Path) -> None:
    aside = aside_of(kept)
    try:
        target = sqlite3.connect(aside)
        try:
            connection.backup(target)
        finally:
            target.close()
        sync(aside)
        aside.rename(kept)
    finally:
        for left in (aside, *logs_of(aside)):
            left.unlink(missing_ok=True)
