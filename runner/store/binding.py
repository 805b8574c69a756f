"""How a function over a connection becomes a method of the store.

    attempts = of_study(reads(read.attempt_rows))

`reads` and `writes` call it in a transaction of their own; `of_study` and `of_lease` let the caller
name a study or a lease where it takes a row's number or a token. Type checkers see what is left of
the function's own signature, people its own documentation: neither is written a second time.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection

from runner.store.cells.leasing import Lease
from runner.store.cells.studies import AnyStudy, StudyKey
from runner.store.database.connections import Database

P = ParamSpec("P")
Result = TypeVar("Result")


class Opened(Protocol):
    """Of a store, what its methods need."""

    database: Database

    def find_key(self, study: AnyStudy) -> StudyKey:
        """The study's number and name."""


def reads(
    query: Callable[Concatenate[Connection, P], Result],
) -> Callable[Concatenate[Opened, P], Result]:
    """A method that runs `query` on one snapshot of the database."""

    def method(self: Opened, /, *args: P.args, **kwargs: P.kwargs) -> Result:
        work = partial(_called, query, args, kwargs)
        return self.database.read(work, study=_study(query, args))

    return _described(method, query, "self")


def writes(
    change: Callable[Concatenate[Connection, P], Result],
) -> Callable[Concatenate[Opened, P], Result]:
    """A method that runs `change`, which must be safe to repeat, and commits it."""

    def method(self: Opened, /, *args: P.args, **kwargs: P.kwargs) -> Result:
        work = partial(_called, change, args, kwargs)
        return self.database.write(work, study=_study(change, args))

    return _described(method, change, "self")


def _called(
    function: Callable[..., Result], args: Any, kwargs: Any, connection: Connection
) -> Result:
    return function(connection, *args, **kwargs)


def _study(function: Callable[..., Any], args: Sequence[Any]) -> int | None:
    """The number of the study that a function over a connection is told first, if it is."""
    told = list(inspect.signature(function).parameters)[1:2] == ["study_id"]
    return args[0] if told and args else None


def of_study(
    numbered: Callable[Concatenate[Opened, int, P], Result],
) -> Callable[Concatenate[Opened, AnyStudy, P], Result]:
    """The same method, told a study instead of its number."""

    def method(self: Opened, study: AnyStudy, /, *args: P.args, **kwargs: P.kwargs) -> Result:
        return numbered(self, self.find_key(study).id, *args, **kwargs)

    return _described(method, numbered, "self", "study")


def of_lease(
    fenced: Callable[Concatenate[Opened, str, P], Result],
) -> Callable[Concatenate[Opened, Lease, P], Result]:
    """The same method, told a lease instead of its token."""

    def method(self: Opened, lease: Lease, /, *args: P.args, **kwargs: P.kwargs) -> Result:
        return fenced(self, lease.token, *args, **kwargs)

    return _described(method, fenced, "self", "lease")


Bound = TypeVar("Bound", bound=Callable[..., Any])


def _described(method: Bound, by: Callable[..., Any], *first: str) -> Bound:
    """The method, documented as the function it calls, whose first parameters it names so."""
    own = inspect.signature(by)
    named = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in first]
    rest = list(own.parameters.values())[len(first) :]
    method.__name__, method.__doc__ = by.__name__, by.__doc__
    vars(method)["__signature__"] = own.replace(parameters=[*named, *rest])
    return method
