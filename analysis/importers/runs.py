"""What a reader of a tool's files hands over: every run with its parameters and its metrics."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from ablations.errors import InputError

FINISHED = "finished"
"""How a run ended that has results; any other word is why it has none: "failed", "pruned"."""
UNFINISHED = ("running", "waiting")
"""Words for runs that may still get results."""


@dataclass(frozen=True)
class Run:
    """One run of another tool.

    Attributes:
        name: as its tool shows it, for messages.
        params: what was varied or held, dotted names to values; one that is absent was not set.
        metrics: results as numbers, of a history the last.
        ended: `FINISHED`, or why there is no result.
        others: what else is known of it (tags, attributes): no factor unless named as one.
    """

    name: str
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    ended: str = FINISHED
    others: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Runs:
    """The runs of one sweep.

    Attributes:
        where: how messages name the source: "study 'x' of 'sqlite:///a.db'".
        name: of the study that they become.
        each: what the tool calls one run: "trial".
        runs: in the order in which they began.
        responses: metrics that were asked for by the runs themselves (an objective); where there
            is one it is the outcome unless another is named.
        higher_is_better: of those, where the tool was told.
        notes: what a reader of the results must know.
        order: of parameters that are choices among texts, these in the order that they were given.
        told_apart: False where parameters and metrics stand in one list (a CSV export): factors and
            outcome must then be named.
    """

    where: str
    name: str
    each: str
    runs: tuple[Run, ...]
    responses: tuple[str, ...] = ()
    higher_is_better: Mapping[str, bool] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    told_apart: bool = True


def flat(values: Mapping[Any, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Nested mappings as dotted names: {"model": {"depth": 2}} is model.depth = 2."""
    for key, value in values.items():
        name = f"{above}.{key}" if above else str(key)
        if isinstance(value, Mapping) and value:
            yield from flat(value, name)
        else:
            yield name, value


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Those of the values that are numbers; yes and no count as 1 and 0."""
    there = {}
    for name, value in values.items():
        if isinstance(value, str):
            value = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}.get(value)
        if value is not None and isinstance(value, (int, float)):
            there[name] = float(value)
    return there


def library(module: str, package: str, what: str) -> Any:
    """A tool's own library.

    Args:
        module: to import.
        package: what pip calls it.
        what: cannot be read without it.

    Raises:
        InputError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError(
            f"{what} cannot be read without {package}, which is not installed "
            f"({error}): pip install {package}"
        ) from None
