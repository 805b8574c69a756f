"""The numbers that a trainer of one's own ends with, as their records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ablations import registry
from runner.content.level import Factor
from runner.content.own.response import declared
from runner.content.response import Response, direction_of
from runner.spec.node import Node
from runner.spec.spec_file import ResponseSpec

TAKEN = ("cell", "replicate", "status")
"""Columns that every table of runs has."""


def read_responses(
    root: Node, given: Mapping[str, ResponseSpec], factors: Sequence[Factor]
) -> dict[str, Response]:
    """Name to record, the primary one first.

    Raises:
        InputError: none, a name that is taken, a direction that nobody says, or a target of
            another than the first.
    """
    if not given:
        raise root.refuse(
            ("responses",) if "responses" in root.plain else (),
            "'responses' is missing: name the numbers that the trainer ends with, such as "
            "'responses: {accuracy: {better: higher}}'",
        )
    records = {}
    for position, (name, one) in enumerate(given.items()):
        path = ("responses", name)
        if registry.has_control(name) or not name.strip() or len(name) > 100:
            raise root.refuse(path, f"{name[:120]!r} cannot name a response; expected plain text")
        if name in TAKEN or name in {factor.name for factor in factors}:
            of = "is a factor" if name not in TAKEN else "is a column of every table of runs"
            raise root.refuse(path, f"{name!r} {of}; give the response another name")
        if one.better is None and direction_of(name) is None:
            raise root.refuse(
                path, f"which is better of {name!r}? write '{name}: {{better: higher}}' or lower"
            )
        if one.target is not None and position:
            raise root.refuse(
                (*path, "target"), f"only the first response, {next(iter(given))!r}, has a target"
            )
        records[name] = declared(name, one.model_dump(exclude_none=True))
    return records
