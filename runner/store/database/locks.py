"""Locks for what is done once a database: making tables, and writing Optuna's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock
from sqlalchemy import Connection, text

from ablations.errors import InputError
from runner.store.database.address import Address

ADVISORY_LOCK = 0x41424C41
"""PostgreSQL's number of the lock ("ABLA")."""


@contextmanager
def sqlite_lock(address: Address) -> Iterator[None]:
    """Held over several transactions of a SQLite store; nothing on PostgreSQL."""
    if address.path is None:
        yield
        return
    try:
        with FileLock(f"{address.path}.lock"):
            yield
    except OSError as error:
        raise InputError(
            f"cannot write in the folder of the store {address}: {error.strerror or error}"
        ) from None


def postgresql_lock(connection: Connection, *, wait: bool = True) -> bool:
    """Held to the end of the transaction on PostgreSQL; nothing on SQLite.

    Args:
        connection: A transaction.
        wait: False comes back at once, with False where another program holds the lock.
    """
    if connection.dialect.name != "postgresql":
        return True
    lock = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    got = connection.scalar(text(f"SELECT {lock}(:key)"), {"key": ADVISORY_LOCK})
    return got is not False  # the one that waits returns nothing
