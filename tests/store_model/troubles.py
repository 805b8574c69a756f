"""What may go wrong at a commit, and how the store is made to meet it.

`Commits` stands where the store's transactions end. It lets each be refused, be made without being
acknowledged, or be the last thing a process does; and while a process waits, others may act.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from runner.store.database.connections import Database
from tests.store_model.model import Steps


class Kind(StrEnum):
    """What happens at a commit."""

    REFUSED = "refused"  # it is undone, and tried again
    UNHEARD = "unheard"  # it is made, its acknowledgement is lost, and it is tried again
    PAUSED = "paused"  # the process is slow to go on
    DIES_BEFORE = "dies before"
    DIES_AFTER = "dies after"


@dataclass(frozen=True)
class Trouble:
    """At which of an operation's commits what happens."""

    kind: Kind
    at: int  # 0 is the first

    def __repr__(self) -> str:
        return f"Trouble(Kind.{self.kind.name}, {self.at})"


class Died(BaseException):
    """The process was killed: nothing of it runs after this."""


class Operation:
    """One call of the store, and the model's account of it, kept in step commit by commit."""

    def __init__(
        self, steps: Steps, drawn: list[str], trouble: Trouble | None, others: Callable[[], None]
    ) -> None:
        self.drawn = drawn  # tokens, as the store draws them
        self._steps = steps
        self._trouble = trouble
        self._others = others
        self._commits = 0
        self._change: Callable[[], Any] | None = None
        self._result: Any = None
        self._repeats = False
        self._waits = False

    def before_commit(self) -> None:
        """Called inside the transaction, after its last statement."""
        if not self._repeats:
            self._change = _next_of(self._steps, self._result)
        self._repeats = False
        if self._is_struck(Kind.DIES_BEFORE):
            raise Died
        if self._is_struck(Kind.REFUSED):
            self._be_away()

    def after_commit(self) -> None:
        """Called when the transaction is made."""
        assert self._change is not None
        self._result = self._change()
        if self._is_struck(Kind.DIES_AFTER):
            raise Died
        if self._is_struck(Kind.UNHEARD):
            self._be_away()
        if self._is_struck(Kind.PAUSED):
            self._others()
        self._commits += 1

    def wait(self) -> None:
        """Called where the store waits before it tries again."""
        if self._waits:
            self._waits = False
            self._others()

    def check(self, got: Any) -> None:
        """Hold what the call returned against what the model says."""
        wanted = _end_of(self._steps, self._result)
        assert got == wanted, f"the store says {got}, the model {wanted}"

    def _is_struck(self, kind: Kind) -> bool:
        struck = self._trouble == Trouble(kind, self._commits)
        if struck:
            self._trouble = None
        return struck

    def _be_away(self) -> None:
        self._repeats = self._waits = True
        raise OperationalError("COMMIT", None, _locked())


def _next_of(steps: Steps, result: Any) -> Callable[[], Any]:
    """The model's next transaction."""
    try:
        return steps.send(result)
    except StopIteration:
        raise AssertionError("the store made more transactions than the model") from None


def _end_of(steps: Steps, result: Any) -> Any:
    """What the model returns."""
    try:
        steps.send(result)
    except StopIteration as end:
        return end.value
    raise AssertionError("the store made fewer transactions than the model")


def _locked() -> sqlite3.OperationalError:
    cause = sqlite3.OperationalError("database is locked")
    cause.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return cause


class Commits:
    """A database whose writing transactions are watched by the operation under way."""

    def __init__(self, database: Database) -> None:
        self.under_way: list[Operation] = []
        self._database = database
        self._original = database._transaction
        database._transaction = self._transaction  # type: ignore[method-assign]

    def close(self) -> None:
        """Watch no more."""
        del self._database._transaction

    @contextmanager
    def _transaction(self, writes: bool) -> Iterator[Connection]:
        operation = self.under_way[-1] if writes and self.under_way else None
        with self._original(writes) as connection:
            yield connection
            if operation is not None:
                operation.before_commit()
        if operation is not None:
            operation.after_commit()
