"""Making the store's tables once, under a lock, and refusing whatever is not a store.

A new SQLite file is made aside and renamed, so that a file that exists is complete. Tables of other
programs beside ours are left alone. Nothing is ever overwritten.
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Connection, insert, inspect, select, update

from ablations.errors import InputError
from runner.program.files import aside_of, sync
from runner.store.database.address import Address, default_path
from runner.store.database.connections import Database
from runner.store.database.damage import damaged
from runner.store.database.locks import postgresql_lock, sqlite_lock
from runner.store.database.sqlite_file.kept import into_place, kept_of, logs_of, take_up
from runner.store.database.tables import SINCE_3, metadata, version

SCHEMA_VERSION = 3
READABLE = (2, 3)
"""Versions that are read as they are; a command that may write brings an older one up."""


def prepare(database: Database, *, create: bool) -> None:
    """Make sure the database is a store of this version; make it one if `create` says so.

    Safe when many processes call it at one instant on a database that does not exist yet.

    Raises:
        InputError: it is not there (and `create` is False), not a database, read-only (and
            `create` is True), of another version, or holds other tables under our names.
        StoreDamaged: it is truncated or torn.
    """
    path = database.address.path
    if path is not None:
        _check_folder(path, create)
        if not path.exists():
            if not create:
                raise InputError(
                    f"there is no store at {path}; `python -m runner grid FILE` makes one, "
                    f"--storage or --results names another{_kept_words(path)}"
                )
            with sqlite_lock(database.address):
                if not path.exists() and not take_up(path):
                    _make_file(path)
        _check_file(path)
    if _is_store(database, create):
        return
    if not create:
        raise InputError(
            f"{database.address} is a database but not a store: it holds no studies of this runner"
        )
    with sqlite_lock(database.address):
        if not _is_store(database, create):
            if path is not None:  # a database of someone else's, to which the store is added
                _switch_to_wal(path)
            database.write(_make_tables)


def _kept_words(path: Path) -> str:
    """What is said beside a store that is not there, where a run has kept what it held."""
    kept = kept_of(path)
    return f"; {kept} is what a run kept of one that was deleted" if kept.exists() else ""


def _check_folder(path: Path, create: bool) -> None:
    try:
        there, is_folder = path.parent.is_dir(), path.is_dir()
    except OSError as error:  # a folder above it that may not be entered
        raise InputError(f"cannot read the store {path}: {error.strerror}") from None
    if there:
        if is_folder:
            raise InputError(f"the store {path} is a folder; expected a file")
        return
    if path == default_path().absolute():  # that nobody named: its folder is made with it
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
        return
    raise InputError(f"the folder of the store {path} does not exist")


def _make_file(path: Path) -> None:
    """Make a complete store beside `path` and rename it: no half-made one is ever seen."""
    aside = aside_of(path)
    database = Database(Address(URL.create("sqlite", database=str(aside))))
    try:
        _switch_to_wal(aside)
        database.write(_make_tables)
        database.close()  # the last connection folds the write-ahead log into the file
        sync(aside)
        into_place(aside, path)
    except (OSError, sqlite3.Error) as error:
        raise InputError(f"cannot make the store {path}: {error}") from None
    finally:
        database.close()
        for left in (aside, *logs_of(aside)):
            left.unlink(missing_ok=True)


def _switch_to_wal(path: Path) -> None:
    """Write-ahead logging is a property of the file: set once, not by every connection."""
    with sqlite3.connect(path, timeout=60, isolation_level=None) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


def _check_file(path: Path) -> None:
    """Refuse what SQLite would only notice later, or take for an empty database."""
    try:
        if path.stat().st_size == 0:
            raise InputError(f"the store {path} is an empty file (0 bytes); move it away")
        if _is_read(path):
            return
        with path.open("rb") as file:
            header = file.read(100)
    except OSError as error:
        raise InputError(f"cannot read the store {path}: {error.strerror}") from None
    if not header.startswith(b"SQLite format 3\0") or len(header) < 100:
        raise InputError(f"{path} is not a SQLite database")
    page: int = struct.unpack(">H", header[16:18])[0] or 1
    page = 65536 if page == 1 else page
    pages: int = struct.unpack(">I", header[28:32])[0]
    if _lacks(path, pages * page):
        size = path.stat().st_size
        raise damaged(path, f"it is truncated, {size} of {pages * page} bytes are there")


def _lacks(path: Path, whole: int) -> bool:
    """Whether the file has less than these bytes, and no write-ahead log holds the rest.

    The log first: whoever folds it into the file meanwhile makes the file longer.
    """
    log = path.with_name(path.name + "-wal")
    return not (log.exists() and log.stat().st_size > 0) and path.stat().st_size < whole


def _is_read(path: Path) -> bool:
    """Whether SQLite reads the whole file, or will once others let it.

    It is asked first, as whoever opens and closes the file by itself drops every lock that this
    process holds on it (sqlite.org/howtocorrupt.html, 2.2): another program that ends then takes
    itself for the last and deletes the write-ahead log under those who still write into it.
    """
    try:
        with closing(sqlite3.connect(path, timeout=1)) as connection:
            ((page,), (pages,)) = (
                connection.execute(f"PRAGMA {one}").fetchone()
                for one in ("page_size", "page_count")
            )
            if _lacks(path, page * pages):
                return False
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY,
                                                            sqlite3.SQLITE_LOCKED)  # fmt: skip
    return True


def _is_store(database: Database, create: bool) -> bool:
    """Whether the tables are there, in this version."""

    def look(connection: Connection) -> tuple[bool, list[int]]:
        if inspect(connection).has_table(version.name):
            return True, list(connection.scalars(select(version.c.version)))
        return False, []

    there, versions = database.read(look)
    if there and not versions:
        raise damaged(database.address, f"table {version.name} is empty")
    if there and (len(versions) > 1 or versions[0] not in READABLE):
        version_found = max(versions)
        advice = (
            "install a newer version" if version_found > SCHEMA_VERSION else "start a new store"
        )
        raise InputError(
            f"the store {database.address} has schema version {version_found}, this program reads "
            f"{SCHEMA_VERSION}; {advice}"
        )
    if there and create:
        # A file that may only be read shows it at the first write: before any training, that is.
        database.write(_bring_up)
    return there


def _bring_up(connection: Connection) -> None:
    """Make what came after the store was made; programs of before refuse it from then on.

    Version 3: the tables of responses and points of trainers of one's own.
    """
    postgresql_lock(connection)
    metadata.create_all(connection, tables=SINCE_3)
    connection.execute(update(version).values(version=SCHEMA_VERSION))


def _make_tables(connection: Connection) -> None:
    postgresql_lock(connection)
    if inspect(connection).has_table(version.name):  # made by another while this one waited
        return
    taken = sorted(set(metadata.tables) & set(inspect(connection).get_table_names()))
    if taken:
        raise InputError(
            f"{connection.engine.url.render_as_string(hide_password=True)} already has a table "
            f"{taken[0]!r} that is not this program's; choose another database"
        )
    metadata.create_all(connection, checkfirst=False)
    connection.execute(insert(version).values(version=SCHEMA_VERSION))
