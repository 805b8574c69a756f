"""A JSON Schema's type and default in words: "whole number, at least 1", "text or null"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
}

_BOUNDS = {
    "exclusiveMinimum": "above",
    "minimum": "at least",
    "exclusiveMaximum": "below",
    "maximum": "at most",
}


def type_words(field: Mapping[str, Any]) -> str:
    """What a value may be."""
    for key in ("anyOf", "oneOf"):
        if key in field:
            words = [type_words(one) for one in field[key]]
            kept = list(dict.fromkeys(one for one in words if one != "null"))
            return (", or " if any("," in one for one in kept) else " or ").join(kept)
    if "const" in field:
        return _spelt(field["const"])
    if "enum" in field:
        return "one of " + ", ".join(_spelt(one) for one in field["enum"])
    kind = field.get("type")
    if kind == "array":
        items = field.get("items", {})
        if not items:
            return "list"
        one = type_words(items)
        return f"list of {one}s" if one == "mapping" else f"list of {one}"
    if kind == "object" or "$ref" in field:
        return "mapping"
    if kind is None:
        return "any value"
    return ", ".join([_TYPES[kind], *_bounds(field)])


def _bounds(field: Mapping[str, Any]) -> list[str]:
    """Its limits: "1 to 10", "above 0 and below 1"."""
    if "minimum" in field and "maximum" in field:
        return [f"{_number(field['minimum'])} to {_number(field['maximum'])}"]
    limits = [f"{words} {_number(field[key])}" for key, words in _BOUNDS.items() if key in field]
    if "maxLength" in field:
        limits.append(f"at most {field['maxLength']} letters")
    return [" and ".join(limits)] if limits else []


def default_words(field: Mapping[str, Any]) -> str:
    """What leaving a key out means."""
    if "default" in field:
        return "absent" if field["default"] is None else _spelt(field["default"])
    kinds = [field, *field.get("anyOf", [])]
    kinds += [inner for one in kinds[1:] for inner in one.get("anyOf", [])]
    for one in kinds[1:]:
        if "default" in one:
            return default_words(one)
    if any(one.get("type") in ("array", "object") for one in kinds):
        return "empty"
    return "that of each of its keys"


def _number(value: float) -> str:
    if value == 2**63:
        return "2^63"
    whole = float(value).is_integer() and abs(value) < 1e15
    return f"{int(value):,}" if whole else f"{value:g}"


def _spelt(value: Any) -> str:
    if isinstance(value, float):
        return _number(value)
    return value if isinstance(value, str) else json.dumps(value)
