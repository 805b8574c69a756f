"""Levels with the parameters that cells run with, for tables of what a level is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from runner.content.level import Factor, Level
from runner.spec.spec import Spec


def levels_as_run(spec: Spec) -> dict[str, tuple[Level, ...]]:
    """Factor to its levels, parameters as tuned; one that differs between cells is left out."""
    return {
        factor.name: tuple(_as_run(spec, factor, level) for level in factor.levels)
        for factor in spec.factors
    }


def _as_run(spec: Spec, factor: Factor, level: Level) -> Level:
    values: dict[str, set[Any]] = {}
    for one in spec.found:
        if dict(one.group).get(factor.name, level.label) == level.label:
            for name, value in one.values.items():
                values.setdefault(name, set()).add(value)
    if spec.trainer is not None:
        if "set" not in level.parameters:
            return level
        return replace(level, parameters={"set": _settled(level.parameters["set"], values)})
    own = f"{factor.name}."
    given = {name.removeprefix(own): one for name, one in values.items() if name.startswith(own)}
    for other in spec.factors:
        if other.name.startswith(own):  # varied as a factor of its own
            given[other.name.removeprefix(own)] = set()
    return replace(level, parameters=_settled(level.parameters, given))


def _settled(parameters: Any, values: dict[str, set[Any]]) -> dict[str, Any]:
    kept = {name: value for name, value in parameters.items() if name not in values}
    single = {
        name: next(iter(found))
        for name, found in values.items()
        if name in parameters and len(found) == 1
    }
    return {name: {**kept, **single}[name] for name in parameters if name in kept or name in single}
