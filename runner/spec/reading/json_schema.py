"""The JSON Schema of the specification file, for editors: completion, bounds, descriptions.

Made from the pydantic models and the registry's levels, so that it cannot fall behind; the one of
the built-in levels is committed as `ablations/schema.json`. It is looser than `load_spec` in one
way: it knows no plugins, so levels by other names pass.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from ablations import registry
from ablations.registry import FACTORS, OPTIONAL
from runner.content.protocol import NOT_IDENTITY
from runner.spec.reading.levels import field_factors
from runner.spec.spec_file import SpecFile

OWN: dict[str, Any] = {"type": "object"}
"""Factors and arguments of a trainer of one's own: any name, any value."""

ALIAS = {"type": "string", "description": "The level's own label, when its name is not unique."}


def schema() -> dict[str, Any]:
    """The schema as plain values (JSON Schema, draft 2020-12)."""
    whole = SpecFile.model_json_schema()
    whole["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    whole["title"] = "Specification of an ablation grid"
    properties = whole["properties"]
    # As the file may write them: a function's name alone, responses without a word about them.
    properties["trainer"]["anyOf"].insert(0, {"type": "string"})
    about = properties["responses"].pop("additionalProperties")
    names: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
    either: dict[str, Any] = {
        "type": "object",
        "additionalProperties": {"anyOf": [about, {"type": "null"}]},
    }
    properties["responses"] = {"description": properties["responses"]["description"],
                               "anyOf": [either, names, {"type": "string"}]}  # fmt: skip
    per = whole["$defs"]["TuneSpec"]["properties"]["per"]
    whole["$defs"]["TuneSpec"]["properties"]["per"] = {
        "description": per["description"],
        "anyOf": [{"type": "string"}, {"type": "array", "items": per["items"]}],
    }
    registered = (*FACTORS, *OPTIONAL)
    for name in registered:
        whole["$defs"][f"level-{name}"] = _named_level(name)
    for name in field_factors():
        whole["$defs"][f"level-{name}"] = _field_level(name, whole)
    levels = {name: {"$ref": f"#/$defs/level-{name}"} for name in (*registered, *field_factors())}
    properties["factors"] = {
        "type": "object",
        "description": "What is varied: factor to its levels, two or more.",
        "properties": {name: _varied(level) for name, level in levels.items()},
        "patternProperties": {
            r"^(model|data)\.parameters\.[^.]+$": _varied({}),
            rf"^({'|'.join(registered)})\.[^.]+$": _varied({}),  # a parameter of its levels
        },
        "additionalProperties": False,
        "minProperties": 1,
    }
    properties["fixed"] = {
        "type": "object",
        "description": "Factors held at one level each.",
        "properties": {name: levels[name] for name in registered},
        "additionalProperties": False,
    }
    whole |= _by_trainer(properties, whole["$defs"])
    predicate = {
        "type": "object",
        "description": "Factor to a level or a list of levels; all of them must match.",
        "minProperties": 1,
    }
    for name in ("exclude", "only"):
        properties[name] = {"type": "array", "items": predicate} | {
            key: value for key, value in properties[name].items() if key == "description"
        }
    overrides: dict[str, Any] = {
        key: {"$ref": f"#/properties/{key}"}
        for key in properties
        if key not in ("profiles", "extends")
    }
    overrides["factors"] = {"anyOf": [_removable(whole["$defs"]["factors"]), OWN]}
    overrides["fixed"] = {"anyOf": [_removable(whole["$defs"]["fixed"]), OWN]}
    properties["profiles"] = {
        "type": "object",
        "description": properties["profiles"]["description"],
        "propertyNames": {"not": {"enum": ["auto", "default"]}},
        "additionalProperties": {
            "anyOf": [
                {"type": "null"},
                {"type": "object", "properties": overrides, "additionalProperties": False},
            ]
        },
    }
    whole["required"] = []  # an extended file may hold what this one leaves out
    # A key with nothing behind it counts as absent.
    whole["properties"] = {
        key: {"anyOf": [value, {"type": "null"}]} if key != "name" else value
        for key, value in properties.items()
    }
    _relink(whole["properties"]["profiles"])
    return whole


def _by_trainer(properties: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Factors as the shipped trainer knows them, or any names where the file names a trainer."""
    for name in ("factors", "fixed"):
        definitions[name] = properties[name]
        properties[name] = {"type": "object", "description": properties[name]["description"]}
    definitions["own-factors"] = {
        "type": "object",
        "additionalProperties": {"type": "array", "minItems": 2},
        "minProperties": 1,
    }
    named = {"type": ["string", "object"]}
    return {
        "if": {"required": ["trainer"], "properties": {"trainer": named}},
        "then": {"properties": {"factors": _or_null("own-factors")}},
        "else": {"properties": {name: _or_null(name) for name in ("factors", "fixed")}},
    }


def _or_null(definition: str) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/$defs/{definition}"}, {"type": "null"}]}


def _relink(node: Any) -> None:
    """Point references at a property's schema, which now stands beside null."""
    if isinstance(node, dict):
        reference = node.get("$ref", "")
        if reference.startswith("#/properties/") and reference != "#/properties/name":
            node["$ref"] = f"{reference}/anyOf/0"
        for inner in node.values():
            _relink(inner)
    elif isinstance(node, list):
        for inner in node:
            _relink(inner)


def _varied(level: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 2, "items": level}


def _removable(section: dict[str, Any]) -> dict[str, Any]:
    """The section as a profile may hold it: null takes a factor away."""
    either = {
        name: {"anyOf": [level, {"type": "null"}]} for name, level in section["properties"].items()
    }
    rest = {key: value for key, value in section.items() if key != "minProperties"}
    return {**rest, "properties": either}


def _named_level(factor: str) -> dict[str, Any]:
    """A level of the registry's: a name, a name with parameters, an alias for one."""
    known = registry.names(factor)
    forms: list[dict[str, Any]] = [
        {"const": name, "description": registry.find(factor, name).summary} for name in known
    ]
    forms.append({"type": "string", "description": "A level that a plugin registers."})
    parameters = {name: {"anyOf": [_parameters(factor, name), {"type": "null"}]} for name in known}
    forms.append(
        {
            "type": "object",
            "description": "A level with parameters, under an alias of its own if wanted.",
            "properties": {"as": ALIAS, **parameters},
            "additionalProperties": {"type": ["object", "null"]},
            "minProperties": 1,
            "maxProperties": 2,
        }
    )
    return {"anyOf": forms}


def _parameters(factor: str, name: str) -> dict[str, Any]:
    level = registry.find(factor, name)
    types = registry.parameter_types(level.function)
    properties: dict[str, Any] = {}
    for key, default in level.defaults.items():
        one = TypeAdapter(types.get(key, Any)).json_schema()
        properties[key] = {**one, "default": default}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _field_level(name: str, whole: dict[str, Any]) -> dict[str, Any]:
    """A value of a protocol field, or an alias for one."""
    section, _, field = name.partition(".")
    definition = {"data": "DataSpec", "model": "ModelSpec", "train": "TrainSpec"}[section]
    assert field not in NOT_IDENTITY[section]  # field_factors promises  # noqa: S101
    value = dict(whole["$defs"][definition]["properties"][field])
    value.pop("default", None)
    return {
        "anyOf": [
            value,
            {
                "type": "object",
                "properties": {"as": ALIAS, "value": value},
                "required": ["value"],
                "additionalProperties": False,
            },
        ]
    }
