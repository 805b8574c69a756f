"""What later rooms give a study, by name: `study.plot`, `study.document`, as pandas has accessors.

A study knows neither figures nor documents; whoever makes them is named here by the package, and
imported when a person first asks.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES: dict[str, tuple[str, str]] = {}


def register_accessor(name: str, module: str, attribute: str) -> None:
    """Let `study.NAME` be what `attribute` of a module makes of the study."""
    _HOMES[name] = module, attribute


def accessors() -> list[str]:
    """Names that are registered."""
    return sorted(_HOMES)


def access(name: str, study: Any) -> Any:
    """What is registered under a name, made for this study; AttributeError where nothing is."""
    if name not in _HOMES:
        raise AttributeError(f"{type(study).__name__!r} object has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)(study)
