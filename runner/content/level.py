"""Levels and factors, and how a level of a field is put into its section or another level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ablations import registry
from runner.content.protocol import DataSpec, ModelSpec, TrainSpec


@dataclass(frozen=True, slots=True)
class Level:
    """A level as the design uses it: label for people, name and parameters for the registry."""

    factor: str  # one of the registry's, or a protocol field such as "model.depth"
    label: str  # unique within its factor: "sgd_hot", "adam", "16"
    name: str  # registered name: "sgd_momentum"; for a protocol field the label
    parameters: Mapping[str, Any]  # complete, defaults included; for a field {"value": ...}

    @property
    def is_field(self) -> bool:
        """Whether the level is a value of a protocol field, or of another level's parameter
        (`optimizer.lr`), not a function of the registry.
        """
        return "." in self.factor

    @property
    def is_as_left_out(self) -> bool:
        """Whether a file that does not name the factor means this level."""
        return registry.OPTIONAL.get(self.factor) == self.name

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return {
            "factor": self.factor,
            "label": self.label,
            "name": self.name,
            "parameters": dict(self.parameters),
        }


@dataclass(frozen=True, slots=True)
class Factor:
    """What is varied: a name and its levels in the order of the file."""

    name: str
    levels: tuple[Level, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The levels' labels in declared order."""
        return tuple(level.label for level in self.levels)


Sections = tuple[DataSpec, ModelSpec, TrainSpec]
SECTIONS: tuple[str, ...] = ("data", "model", "train")


def apply_fields(sections: Sections, levels: tuple[Level, ...]) -> Sections:
    """The three sections with the values of all field levels put in.

    A field is `section.field`, or `section.parameters.key` for a plugin's parameter. Values were
    checked when the specification was read, so nothing is validated again.
    """
    by_name = dict(zip(SECTIONS, sections, strict=True))
    for level in levels:
        if not level.is_field or level.factor.partition(".")[0] not in SECTIONS:
            continue
        section, _, field = level.factor.partition(".")
        value = level.parameters["value"]
        field, _, key = field.partition(".")
        if key:
            value = {**getattr(by_name[section], field), key: value}
        by_name[section] = by_name[section].model_copy(update={field: value})
    return by_name["data"], by_name["model"], by_name["train"]  # type: ignore[return-value]  # as zipped


def with_parameters(levels: tuple[Level, ...], values: tuple[Level, ...]) -> tuple[Level, ...]:
    """Levels with the parameters that others, such as one of `optimizer.lr`, give them.

    Args:
        levels: all of a cell's.
        values: of them those are put in whose factor is `FACTOR.PARAMETER`; other levels, fields of
            the protocol and parameters that a level does not have are left alone.
    """
    given: dict[str, dict[str, Any]] = {}
    for one in values:
        owner, _, name = one.factor.partition(".")
        if one.is_field and owner not in SECTIONS:
            given.setdefault(owner, {})[name] = one.parameters["value"]
    return tuple(
        replace(one, parameters={**one.parameters, **_of(one, given[one.factor])})
        if one.factor in given
        else one
        for one in levels
    )


def _of(level: Level, given: Mapping[str, Any]) -> dict[str, Any]:
    """Of the values those that the level has a parameter for."""
    return {name: value for name, value in given.items() if name in level.parameters}
