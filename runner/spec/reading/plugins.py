"""The plugins of a file: those it names, and those that installed distributions offer for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ablations import registry
from ablations.errors import InputError
from ablations.plugins.offered import offered
from runner.spec.catalog import DATASETS
from runner.spec.node import Node
from runner.spec.reading.files.source import relative_to_file

MODELS = ("vgg",)
"""Built-in networks; others are registered by plugins."""

FIELDS = {"model.name": "model", "data.name": "dataset"}
"""Factors whose levels are names of another kind than the factor."""


def load_plugins_of(root: Node) -> tuple[str, ...]:
    """Import the plugins; their absolute paths or modules, so that another process finds them."""
    plugins: list[str] = []
    entries = root.get("plugins").value
    for position, node in enumerate(entries if isinstance(entries, list) else []):
        place = ("plugins", position)
        name = str(node.value)
        if name.endswith(".py"):
            name = relative_to_file(root, place, name)
        try:
            registry.load_plugins((name,))
        except InputError as error:
            raise root.refuse(place, error.problem) from None
        plugins.append(name)
    for path, kind, name in _used(root):
        plugins += _offered(root, path, kind, name)
    for kind, built_in in (("model", MODELS), ("dataset", tuple(DATASETS))):
        for taken in set(built_in) & set(registry.names(kind)):
            where = registry.find(kind, taken).source
            raise root.refuse(
                ("plugins",),
                f"{kind} {taken!r} of {where} has the name of a built-in one; rename it",
            )
    return tuple(dict.fromkeys(plugins))


def _offered(root: Node, path: tuple[str, ...], kind: str, name: str) -> list[str]:
    """The module of a distribution that offers the name, imported; none where nobody need."""
    known = {"model": MODELS, "dataset": tuple(DATASETS)}.get(kind, ())
    if name in known or registry.is_built_in(kind, name):
        return []
    try:
        offer = offered(kind, name)
        if offer is None:
            return []
        if name not in registry.names(kind):
            registry.load_plugins((offer.module,))
        if name not in registry.names(kind):
            raise InputError(
                f"the distribution {offer.distribution} offers {kind} {name!r} in its module "
                f"{offer.module}, which registers none of that name"
            )
    except InputError as error:
        raise root.refuse(path, error.problem) from None
    is_its = registry.find(kind, name).function.__module__ == offer.module
    return [offer.module] if is_its else []  # else a plugin that the file names has it


def _used(root: Node) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Where in the file, kind and name of all that might be a level, a model or a data set."""
    for section in ("factors", "fixed"):
        given = root.get(section).plain
        for factor, value in given.items() if isinstance(given, dict) else ():
            kind = FIELDS.get(factor, factor)
            if kind in registry.KINDS:
                yield from (((section, factor), kind, name) for name in _texts(value))
    for section, kind in (("model", "model"), ("data", "dataset")):
        name = root.get(section).get("name").plain
        if isinstance(name, str):
            yield (section, "name"), kind, name


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, dict):
        yield from map(str, value)
