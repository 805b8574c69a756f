"""Connections and transactions: the one place that knows how each database behaves.

Every transaction of the store runs through `Database.read` or `Database.write`, which repeat it
with bounded back-off when the database is locked, restarting or out of reach, and turn what then
remains into one clear sentence. Knows no table: `damage` does, where a row of one is damaged.

SQLite: WAL with synchronous=FULL (loses nothing acknowledged, even at power loss), BEGIN IMMEDIATE
for writers (a claim's check and set cannot be torn apart). PostgreSQL: time zone UTC; a
connection that a restart has cut is found out by its first statement, and the transaction repeated;
a transaction whose program went silent is ended by the server.
"""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ablations.errors import InputError
from runner.store.columns.checked import DamagedValue
from runner.store.database.address import Address
from runner.store.database.damage import damage_words, damaged, is_damage
from runner.store.database.outages import (
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreUnavailable,
    Waiting,
)
from runner.store.database.sqlite_file.in_use import FileInUse
from runner.store.database.sqlite_file.kept import keep
from runner.store.database.sqlite_file.room import no_room

Result = TypeVar("Result")

BUSY_SECONDS = 60.0
"""How long a connection outside this class waits for another process's write lock on SQLite."""

ANSWER_SECONDS = 2.0
"""How long SQLite itself waits for it before it says "locked", which is then said and repeated."""

WRITE_PATIENCE = 300.0
READ_PATIENCE = 30.0
NETWORK = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,  # milliseconds
}
"""A server behind a cut cable is noticed within about 25 s, not after TCP's quarter of an hour."""

IDLE_SECONDS = 60
"""PostgreSQL ends a transaction whose program says nothing for so long, and frees what it locks.

A host that is cut off between two statements would else keep its rows locked until the server's
own keep-alive ends the connection, two hours later by default, and none of the others could take
its cells.
"""

CONNECTIONS = 8
"""At most so many connections a process: threads queue for them, the server is not flooded."""


class Database:
    """Engines of one address, made when first needed, anew in a forked child."""

    def __init__(
        self,
        address: Address,
        *,
        write_patience: float = WRITE_PATIENCE,
        read_patience: float = READ_PATIENCE,
    ) -> None:
        self.address = address
        self.write_patience = write_patience
        self.read_patience = read_patience
        self._forget()

    def _forget(self) -> None:
        self._engine: Engine | None = None
        self._file: FileInUse | None = None  # of SQLite
        self._waiting = {writes: Waiting(self.address) for writes in (False, True)}
        self._pid = 0
        self._making = threading.Lock()
        # SQLite has one writer. Its own waiting is polling, up to 100 ms apart and unfair: threads
        # of one process queue here instead.
        self._writer = threading.RLock()

    def __getstate__(self) -> dict[str, Any]:
        """Only where and how patient: engines and locks belong to a process."""
        return {
            "address": self.address,
            "write_patience": self.write_patience,
            "read_patience": self.read_patience,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    @property
    def engine(self) -> Engine:
        """The process's engine. After a fork the parent's connections are left untouched."""
        if self._engine is not None and self._pid != os.getpid():
            self._engine.dispose(close=False)
            self._forget()  # a lock that was held while the process forked would hang for ever
        with self._making:
            if self._engine is None:
                path = self.address.path
                self._file = None if path is None else FileInUse(path)
                self._engine = _engine(self.address, self._file, self.write_patience)
                self._pid = os.getpid()
            return self._engine

    def close(self) -> None:
        """Close all connections of this process; the next use opens new ones."""
        with self._making:
            if self._engine is not None:
                self._engine.dispose(close=self._pid == os.getpid())
            self._engine = None

    def read(self, work: Callable[[Connection], Result], *, study: int | None = None) -> Result:
        """Run `work` in a transaction that changes nothing: one snapshot of the database.

        Raises:
            StoreUnavailable: no answer within the patience.
            StoreDamaged: what was read is not what was written, in a row of the `study` if its
                number is given.
        """
        return self._patiently(work, self.read_patience, writes=False, study=study)

    def write(
        self,
        work: Callable[[Connection], Result],
        *,
        patience: float | None = None,
        study: int | None = None,
    ) -> Result:
        """Run `work` in a transaction that holds the right to write, and commit it.

        `work` is called again after an outage, also when a commit went through and only its
        acknowledgement was lost: it must be safe to repeat.

        Raises:
            StoreUnavailable: no answer within the patience.
            StoreFull: no space left.
            StoreDamaged: as of `read`; nothing is changed.
        """
        patience = patience or self.write_patience
        return self._patiently(work, patience, writes=True, study=study)

    def _patiently(
        self,
        work: Callable[[Connection], Result],
        patience: float,
        *,
        writes: bool,
        study: int | None,
    ) -> Result:
        began = time.monotonic()
        pause = 0.02
        while True:
            try:
                with self._transaction(writes) as connection:
                    result = work(connection)
                self._waiting[writes].is_over()
                return result
            except DamagedValue as met:
                raise self._damaged(met, study) from None
            except (DBAPIError, PoolTimeout) as error:
                self.raise_final(error)
                if not is_passing(error):
                    raise
                waited = time.monotonic() - began
                problem = sentence(error)
                if waited + pause > patience:
                    raise StoreUnavailable(
                        f"the store {self.address} did not answer for {patience:.0f} s: {problem}"
                    ) from None
                self._waiting[writes].goes_on(waited, patience, problem)
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  jitter, not a secret
            pause = min(pause * 2, 2.0)

    def _damaged(self, met: DamagedValue, study: int | None) -> StoreDamaged:
        """The error that names the row, looked for in a transaction of its own."""
        with self._transaction(writes=False) as connection:
            return damaged(self.address, damage_words(connection, met, study))

    def raise_final(self, error: Exception) -> None:
        """Raise what a database's error means where waiting will not help.

        Raises:
            StoreFull: no space left, whichever limit it is.
            StoreDamaged: the file or a table is not what it was.
            InputError: the database can never be used.
        """
        problem = sentence(error)
        path = self.address.path
        full = problem if is_full(error) else None
        if is_io_error(error) and path is not None:
            full = no_room(path)
        if full:
            raise StoreFull(f"no space left for the store {self.address}: {full}") from None
        if is_damage(error) or is_corrupt(error):
            raise damaged(self.address, problem) from None
        if is_unusable(error):
            raise InputError(f"{self.address} cannot be used: {problem}") from None

    def keep_aside(self) -> str:
        """Copy what a SQLite file held that is gone; says where it is, or why it is nowhere."""
        path = self.address.path
        if path is None:
            raise ValueError(f"{self.address} is no file")
        try:
            connection = self.engine.raw_connection()
            try:
                return keep(connection.driver_connection, path)  # type: ignore[arg-type]
            finally:
                connection.close()
        except (OSError, sqlite3.Error, DBAPIError, PoolTimeout, StoreError) as error:
            return f"what it held could not be kept: {sentence(error)}"

    @contextmanager
    def _transaction(self, writes: bool) -> Iterator[Connection]:
        engine = self.engine.execution_options(immediate=writes)
        if self._file is None:
            with engine.begin() as connection:
                yield connection
            return
        self._file.check()
        with self._writer if writes else nullcontext(), engine.begin() as connection:
            yield connection
        self._file.check()  # what went into a deleted file is not committed


def _engine(address: Address, file: FileInUse | None, patience: float) -> Engine:
    if file is None:
        return create_engine(
            address.url,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_timeout=READ_PATIENCE,
            connect_args={"options": _session_options(), "connect_timeout": 10, **NETWORK},
        )
    busy_seconds = min(ANSWER_SECONDS, patience)
    engine = create_engine(
        address.url,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=min(BUSY_SECONDS, patience),
        creator=lambda: file.connect(busy_seconds),
    )
    event.listen(engine, "connect", prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _session_options() -> str:
    """What a PostgreSQL server is told of each connection of the store."""
    settings = {
        "timezone": "utc",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
        "tcp_keepalives_idle": 60,  # seconds; a vanished host's connection is given up after 90
        "tcp_keepalives_interval": 10,
        "tcp_keepalives_count": 3,
    }
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


def prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    """Give a new SQLite connection the store's settings."""
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says
    # Bytes that are no UTF-8 are read, for the columns' types to refuse: SQLite's own refusal names
    # neither table nor row, and looks like an outage.
    connection.text_factory = _text
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def sentence(error: BaseException) -> str:
    """What the driver said, in one line, without the statement and its parameters."""
    cause = getattr(error, "orig", None) or error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return lines[0] if lines else type(cause).__name__


def is_full(error: BaseException) -> bool:
    """Whether the disk (or the server's) is full."""
    cause = getattr(error, "orig", None)
    if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
        return True
    return getattr(cause, "sqlstate", None) == "53100"


def is_io_error(error: BaseException) -> bool:
    """Whether SQLite could not read or write its files."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_IOERR


def is_corrupt(error: Exception) -> bool:
    """Whether SQLite found its own file not to be what it wrote."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_CORRUPT


UNUSABLE_SQLITE = {
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
}

REFUSALS = (
    *("authentication failed", "does not exist", "no pg_hba.conf entry", "permission denied"),
    *("invalid ", "bad value for"),  # of an option of the address
)
"""What a PostgreSQL server, or its client, says when waiting will not help."""


def is_unusable(error: BaseException) -> bool:
    """Whether the database answered that it cannot be used, now or later."""
    cause = getattr(error, "orig", None)
    code = getattr(cause, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in UNUSABLE_SQLITE
    on_connect = isinstance(error, OperationalError | ProgrammingError)
    if getattr(cause, "sqlstate", None) is not None or not on_connect:
        return False
    return any(refusal in str(cause) for refusal in REFUSALS)  # psycopg gives no code on connect


PASSING_STATES = ("08", "25P03", "40", "57P", "53", "55P")
"""SQLSTATEs that pass: connection, idle too long, serialization, deadlock, shutdown, resources,
locks."""


def is_passing(error: BaseException) -> bool:
    """Whether the same transaction may succeed a moment later."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR)
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state).startswith(PASSING_STATES)
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
