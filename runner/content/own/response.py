"""The record of a response that a specification declares, from the file or from a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.content.response import ACCURACY, Direction, Response, Words, direction_of

UNITS: dict[str, dict[str, Any]] = {
    "share": {"unit": "%", "difference": "points", "scale": 100.0, "digits": 1},
    "seconds": {"unit": "s", "difference": "s"},
}
"""Units that are shown otherwise than they are written."""


def declared(name: str, about: Mapping[str, Any]) -> Response:
    """The record of a response.

    Args:
        name: of the response and of its column.
        about: what the file says of it: better, low, high, unit, equivalent; the rest is no
            business of a record's.
    """
    better: Direction = about.get("better") or direction_of(name) or "higher"
    unit = about.get("unit", "")
    shown = UNITS.get(unit, {"unit": unit, "difference": unit})
    low, high = about.get("low"), about.get("high")
    if unit == "share":
        low, high = 0.0 if low is None else low, 1.0 if high is None else high
    up, down = ("better", "worse") if better == "higher" else ("worse", "better")
    if unit == "share":
        words = Words(more=up, less=down, unit="points")
    elif unit == "seconds":
        words = Words("takes", "does not take", "longer", "less time", "s")
    else:
        words = Words(unit=unit, higher_is=up, lower_is=down)
    equivalent = about.get("equivalent", 0.005 if unit == "share" else None)
    return Response(
        name, name, key=name, claimed=name, better=better, low=low, high=high,
        equivalent=equivalent, words=words, **shown,
    )  # fmt: skip


def value_if_diverged(about: Mapping[str, Any]) -> float | None:
    """What a run that diverged counts as: the worst value, else that of guessing, else nothing."""
    worst = about.get("worst")
    return about.get("chance") if worst is None else worst


@dataclass(frozen=True, slots=True)
class Primary:
    """The response of a study that comes first: the value of its trials.

    Attributes:
        name: of it.
        lower: whether less is better.
        if_diverged: its value in a run that diverged, where none is stored; None: it has none.
        curve: what its progress is called.
    """

    name: str
    lower: bool
    if_diverged: float | None
    curve: str


SHIPPED = Primary(ACCURACY.column, lower=False, if_diverged=None, curve="validation_accuracy")
"""Of the shipped classifier: what it stores of a run that diverged is its accuracy, of guessing."""


VALIDATION = Primary(
    "final_validation_accuracy", lower=False, if_diverged=None, curve="validation_accuracy"
)
"""Of the shipped classifier's tuning: test images have no part in it."""


def primary_of(spec: Mapping[str, Any]) -> Primary:
    """The first response that a stored specification declares, or the shipped trainer's."""
    if "trainer" not in spec:
        return VALIDATION if "tuning" in spec else SHIPPED
    name, about = next(iter(spec["responses"].items()))
    lower = not declared(name, about).higher_is_better
    return Primary(name, lower, value_if_diverged(about), curve=name)
