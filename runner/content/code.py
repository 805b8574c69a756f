"""Which plugin code a specification or a cell depends on, by digests of the files that define it.

What those files import is not covered, unless a distribution offers it: then its version is part of
the code. A data set's file is in the `data_identity`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ablations import registry
from ablations.errors import InputError
from ablations.plugins.offered import offered, version_of
from runner.content.level import Level

Code = tuple[tuple[str, str], ...]
"""("optimizer nadam", 16 digits of the SHA-256 of its file), sorted; empty: all is built in.

Beside what a distribution offers stands ("distribution NAME", its version)."""

DISTRIBUTION = "distribution"


def code_of(levels: Iterable[Level], *models: str) -> Code:
    """Digests of the plugin files that define these levels and models, as they were loaded."""
    used = {(one.factor, one.name) for one in levels if not one.is_field}
    used |= {("model", name) for name in models}
    digests = ((f"{kind} {name}", registry.code_digest(kind, name)) for kind, name in used)
    found = {(name, digest[:16]) for name, digest in digests if digest}
    return tuple(sorted(found | set(_distributions(used)))) if found else ()


def _distributions(used: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The distributions that offer what is used, with their versions."""
    for kind, name in used:
        one = offered(kind, name) if registry.code_digest(kind, name) else None
        if one is not None and registry.find(kind, name).function.__module__ == one.module:
            yield f"{DISTRIBUTION} {one.distribution}", one.version


def files_of(plugins: Iterable[str]) -> Code:
    """Digests of the plugins' own files as they lie here; nothing is run. ("/a/own.py", digest)."""
    found = ((plugin, registry.plugin_files(plugin)[-1:]) for plugin in plugins)
    return tuple((plugin, _digest(file)) for plugin, files in found for file in files)


def check_files(planned: Code) -> None:
    """Hold the plugins' files against those of the plan, before any of them is run.

    Raises:
        InputError: one is missing or is not what it was; the sentence says which.
    """
    for plugin, digest in planned:
        for _, here in files_of([plugin]) or ((plugin, ""),):
            if not here:
                raise InputError(f"the study's plugin {plugin} is not on this machine")
            if here != digest:
                raise _other_than_planned(f"the plugin {plugin}")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.is_file() else ""


def check_code(planned: Code) -> None:
    """Hold what was planned against the plugins as this process has loaded them.

    Raises:
        InputError: a plugin's file is not what it was; the sentence says which.
    """
    for name, digest in planned:
        kind, _, of = name.partition(" ")
        if kind == DISTRIBUTION:
            if (here := version_of(of)) != digest:
                raise _other_than_planned(f"the distribution {of} ({here or 'none'}, not {digest})")
        elif (registry.code_digest(kind, of) or "")[:16] != digest:
            raise _other_than_planned(f"the plugin that defines {name}")


def _other_than_planned(plugin: str) -> InputError:
    return InputError(
        f"{plugin} is not the one this was planned with: give the grid's command again to plan "
        "with the plugin as it is now"
    )
