"""Every shipped level of every factor: from the registry, with parameters, bounds and defaults."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from pydantic import TypeAdapter

from ablations import registry
from ablations.registry import FACTORS, OPTIONAL, Registered
from docs._generate.markdown import directive, table, text
from docs._generate.types import type_words
from runner.spec.catalog import DATASETS
from runner.spec.reading.levels import field_factors


def levels() -> str:
    """Registered factors with their levels, then what else may be varied."""
    parts = ["## The five factors", "Each must be varied or stand under `fixed:`."]
    parts += [_factor(name) for name in FACTORS]
    parts += ["## Factors that a file may leave out", "Left out, each is off and costs nothing."]
    parts += [_factor(name) for name in OPTIONAL]
    parts += ["## Fields that may be factors", _fields(), "## Data sets", _datasets()]
    return "\n\n".join(parts)


def _factor(name: str) -> str:
    folder = "" if name in FACTORS else "optional."
    module = importlib.import_module(f"ablations.{folder}{name}")
    first = (inspect.getdoc(module) or "").partition("\n")[0]
    off = f" Left out: `{OPTIONAL[name]}`." if name in OPTIONAL else ""
    about = first.partition(": ")[2]
    links = ", ".join(f"{{level}}`{one} <{name}: {one}>`" for one in shipped(name))
    parts = [f"### `{name}`", f"{about[:1].upper()}{text(about[1:])}{off}", f"Levels: {links}."]
    parts += [_level(registry.find(name, level)) for level in shipped(name)]
    return "\n\n".join(parts)


def shipped(factor: str) -> list[str]:
    """Levels of a factor that come with the program."""
    return [name for name in registry.names(factor) if registry.is_built_in(factor, name)]


def _level(level: Registered) -> str:
    about = " ".join((inspect.getdoc(level.function) or "").split())
    types = registry.parameter_types(level.function)
    rows = [
        (f"`{key}`", text(_type(types.get(key, Any))), f"`{_default(default)}`")
        for key, default in level.defaults.items()
    ]
    parts = [text(about)]
    if rows:
        parts.append(table(("parameter", "type", "default"), rows))
    return directive("level", f"{level.kind}: {level.name}", "\n\n".join(parts))


def _type(annotation: Any) -> str:
    return type_words(TypeAdapter(annotation).json_schema())


def _default(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(list(value)) if isinstance(value, tuple) else str(value)


def _fields() -> str:
    names = ", ".join(f"`{name}`" for name in field_factors())
    return (
        f"{names}; `model.parameters.NAME` and `data.parameters.NAME` of a plugin's; and any "
        "parameter of a factor's levels, such as `optimizer.lr`."
    )


def _datasets() -> str:
    rows = [
        (
            f"`{facts.name}`",
            str(facts.classes or "by the folders"),
            "yes" if facts.mirror_keeps_labels else "no",
            text(facts.note),
        )
        for facts in DATASETS.values()
    ]
    return table(("`data.name`", "classes", "mirrored images keep their class", "images"), rows)
