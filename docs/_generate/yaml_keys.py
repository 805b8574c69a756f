"""Every key of a specification: from the pydantic models that read it, with their own sentences."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from docs._generate.markdown import directive, text
from docs._generate.types import default_words, type_words
from runner.spec.reading.json_schema import schema
from runner.spec.spec_file import DESIGNS, SpecFile

Schema = Mapping[str, Any]

INSIDE = {"responses": "NAME", "tune.parameters": "NAME"}
"""Sections that hold one mapping for each name that a person chooses."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the file.

    Attributes:
        path: with dots: "train.epochs", "design.runs (d_optimal)".
        type: in words. default: in words; "" where it must be given.
        about: what it says.
    """

    path: str
    type: str
    default: str
    about: str


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the file with its keys, under a heading of its own."""

    title: str
    about: str
    keys: tuple[Key, ...]


def sections() -> Iterator[Section]:
    """The file's own keys first, then each mapping inside it, in the order of the file."""
    whole = schema() | {"required": SpecFile.model_json_schema()["required"]}
    definitions = whole["$defs"]
    yield Section("The file", "", tuple(_keys("", whole, definitions)))
    for name, field in whole["properties"].items():
        if name == "design":
            continue
        yield from _inside(name, field, definitions)
    for kind, model in DESIGNS.items():
        about = inspect.getdoc(model) or ""
        keys = tuple(_keys("design.", model.model_json_schema(), definitions, f" ({kind})"))
        yield Section(f"design: {kind}", about, keys)
    grown = definitions["Growth"]
    keys = tuple(_keys("design.by.", grown, definitions, " (augmented)"))
    yield Section("design.by", grown["description"], keys)


def _inside(path: str, field: Schema, definitions: Schema) -> Iterator[Section]:
    for name in _models(field):
        model = definitions[name]
        place = f"{path}.{INSIDE[path]}" if path in INSIDE else path
        about = model.get("description", "")
        yield Section(place, about, tuple(_keys(f"{place}.", model, definitions)))
        for key, inner in model["properties"].items():
            yield from _inside(f"{place}.{key}", inner, definitions)


def _models(field: Any) -> Iterator[str]:
    """Names of the models that a field may hold, itself or as the values of its mapping."""
    if isinstance(field, Mapping):
        if field.get("$ref", "").startswith("#/$defs/"):
            yield field["$ref"].rpartition("/")[2]
        for key in ("anyOf", "oneOf", "allOf"):
            for one in field.get(key, []):
                yield from _models(one)
        yield from _models(field.get("additionalProperties"))


def _keys(prefix: str, model: Schema, definitions: Schema, suffix: str = "") -> Iterator[Key]:
    required = model.get("required", [])
    for name, field in model["properties"].items():
        default = "" if name in required else default_words(field)
        kind = type_words(field)
        about = _about(field, definitions)
        if name == "kind" and suffix:
            kind, about = suffix.strip(" ()"), "Names this design."
        yield Key(f"{prefix}{name}{suffix}", kind, default, about)


def _about(field: Schema, definitions: Schema) -> str:
    """Of a key: its own sentence, else that of the section it holds."""
    for one in (field, *field.get("anyOf", [])):
        if "description" in one:
            return str(one["description"])
        if one.get("$ref", "").startswith("#/$defs/"):
            return str(definitions[one["$ref"].rpartition("/")[2]]["description"])
    return ""


def yaml_keys() -> str:
    """All keys as Markdown."""
    found = list(sections())
    parts = ["## All keys", "\n".join(map(_line, found))]
    for section in found:
        parts += [f"## {_title(section)}", text(section.about)]
        parts += [_entry(key) for key in section.keys]
    return "\n\n".join(part for part in parts if part)


def _title(section: Section) -> str:
    return section.title if section.title == "The file" else f"`{section.title}`"


def _line(section: Section) -> str:
    """A section's keys at a glance, each a link to its entry."""
    names = {key.path: key.path.partition(" ")[0].rpartition(".")[2] for key in section.keys}
    links = [f"{{confval}}`{name} <{path}>`" for path, name in names.items()]
    return f"- {_title(section)}: {', '.join(links)}"


def _entry(key: Key) -> str:
    default = f"default: {key.default}" if key.default else "must be given"
    facts = text(f"{key.type}; {default}")
    return directive("confval", key.path, f"{text(key.about)}\n\n*{facts[:1].upper()}{facts[1:]}.*")
