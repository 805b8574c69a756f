"""Column types that read what the store wrote and refuse anything else: the decoding boundary.

Each says in words what its column holds. A value that is not that, whatever put it there (a bit
that flipped, an editor, another program), raises `DamagedValue` when its row is read, so that
nothing behind the store meets it. Which row it is in is found out afterwards
(`runner.store.database.damage`): a row that is whole costs no more than the look at its values.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Float, Integer, String, Text, TypeDecorator

UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What Python's own reading of a damaged value raises."""


class DamagedValue(Exception):
    """A column holds what the store never writes.

    Attributes:
        table, column: which.
        value: as the database's driver gave it.
        expected: what a column of that name holds.
        row: the row's `id` where whoever read it knows; None: it is looked for by the value.
    """

    def __init__(
        self, table: str, column: str, value: object, expected: str, row: int | None = None
    ) -> None:
        super().__init__(table, column, value, expected, row)
        self.table, self.column, self.value, self.expected = table, column, value, expected
        self.row = row


class Checked(TypeDecorator[Any]):
    """A column whose values are looked at when they are read."""

    impl: Any = Text
    cache_ok = True
    expected = "text in UTF-8"
    place = ("", "")
    """Table and column; `tables` fills it in."""

    def __init_subclass__(cls) -> None:
        cls.cache_ok = True  # asked of each class itself: what makes them differ is their arguments

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Read as the type says, and refuse what cannot be read so."""
        read = super().result_processor(dialect, coltype)

        def checked(value: Any) -> Any:
            if value is None:
                return None
            try:
                return value if read is None else read(value)
            except UNREADABLE:
                raise DamagedValue(*self.place, value, self.expected) from None

        return checked


class Words(Checked):
    """Text, every character of it."""

    def __init__(self, length: int | None = None) -> None:
        super().__init__()
        self.length = length
        if length is not None:
            self.impl = String(length)

    def process_result_value(self, value: Any, dialect: Dialect) -> str:
        """Refuse bytes that are no UTF-8, which SQLite hands over as halves of surrogate pairs."""
        if not value.isascii():
            value.encode("utf-8")
        return str(value)


class OneOf(Checked):
    """One of the words of an enumeration."""

    def __init__(self, words: type[StrEnum], length: int) -> None:
        super().__init__()
        self.words = words
        self.length = length
        self.impl = String(length)
        self.expected = "one of " + ", ".join(words)
        self._known = frozenset(words)

    def process_result_value(self, value: Any, dialect: Dialect) -> str:
        """Refuse a word that the enumeration does not know, by an older name neither."""
        if value not in self._known:
            self.words(value)
        return str(value)


class Count(Checked):
    """A whole number, not below the least."""

    impl = Integer

    def __init__(self, least: int = 0) -> None:
        super().__init__()
        self.least = least
        self.expected = f"a whole number from {least}"

    def process_result_value(self, value: Any, dialect: Dialect) -> int:
        """Refuse text, fractions and what is below."""
        if not isinstance(value, int) or value < self.least:
            raise ValueError(value)
        return value


class BigCount(Count):
    """The same, beyond two thousand million."""

    impl = BigInteger


class Real(Checked):
    """A number, within limits where it has some; infinity is one, as of a loss that exploded."""

    impl = Float

    def __init__(self, least: float = -math.inf, most: float = math.inf) -> None:
        super().__init__()
        self.least, self.most = least, most
        ends = [
            f"{word} {end:g}"
            for word, end in (("from", least), ("to", most))
            if abs(end) < math.inf
        ]
        self.expected = " ".join(["a number", *ends])

    def process_result_value(self, value: Any, dialect: Dialect) -> float:
        """Refuse text and what is beyond the limits."""
        if not self.least <= value <= self.most:
            raise ValueError(value)
        return float(value)


class UtcTime(Checked):
    """An aware datetime in UTC on every database; SQLite has no time zones of its own."""

    impl = DateTime(timezone=True)
    expected = "a moment as YYYY-MM-DD HH:MM:SS"

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store in UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime:
        """Read as aware UTC."""
        found: datetime = value
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


class JsonText(Checked):
    """A value kept as JSON text, which reads the same in every database and by eye."""

    def __init__(self, expected: str, fits: Callable[[Any], bool]) -> None:
        super().__init__()
        self.expected = expected
        self.fits = fits

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Store as compact JSON."""
        return None if value is None else json_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Read back; refuse another shape."""
        found = json.loads(value)
        if not self.fits(found):
            raise ValueError(value)
        return found


def json_text(value: Any) -> str:
    """A value as the store keeps it: compact JSON."""
    return json.dumps(value, separators=(",", ":"))


# -- shapes of JSON ---------------------------------------------------------------------------


def are_texts(value: Any) -> bool:
    """A list of texts."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def are_labels(value: Any) -> bool:
    """Factor to the label of its level."""
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def are_factors(value: Any) -> bool:
    """Pairs of a factor and the labels of its levels, as declared."""
    return isinstance(value, list) and all(
        isinstance(one, list) and len(one) == 2 and isinstance(one[0], str) and are_texts(one[1])
        for one in value
    )


def are_levels(value: Any) -> bool:
    """Factor to label to the level's name and parameters."""
    return isinstance(value, dict) and all(
        isinstance(levels, dict) and all(_is_level(level) for level in levels.values())
        for levels in value.values()
    )


def _is_level(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("name"), str)
        and isinstance(value.get("parameters"), dict)
    )


def is_specification(value: Any) -> bool:
    """Sections by name, those of the protocol among them."""
    return isinstance(value, dict) and all(
        isinstance(value.get(section), dict) for section in ("data", "model", "train")
    )


def is_provenance(value: Any) -> bool:
    """Commit, versions and whatever else is known of where an attempt ran."""
    return isinstance(value, dict) and isinstance(value.get("versions", {}), dict)
