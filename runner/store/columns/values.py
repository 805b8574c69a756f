"""Values as every database takes them, so that the two say the same."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, func


def now(connection: Connection) -> ColumnElement[datetime] | datetime:
    """The moment by PostgreSQL's clock, on SQLite by this machine's: for people, not leases."""
    if connection.dialect.name == "postgresql":
        return func.clock_timestamp()
    return datetime.now(UTC)


def number(value: float | None) -> float | None:
    """NaN is kept as "absent": SQLite has none."""
    return None if value is None or math.isnan(value) else float(value)


def clean(value: str | None) -> str | None:
    """Text every database takes: no NUL, no half of a surrogate pair."""
    if value is None:
        return None
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
