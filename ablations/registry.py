"""Where levels are found by name: the `@level` decorator, look-up, parameters, plugins.

A level is one function. Its keyword-only arguments with defaults are the level's parameters: they
are what a YAML file may set, with the types of their annotations. `@model` and `@dataset` register
a user's own network and images in the same way. This module imports no torch: the functions it
holds import it when they are called.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ablations.errors import InputError, did_you_mean

FACTORS = ("augmentation", "scheduler", "init", "bn_placement", "optimizer")
"""The five factors, each the name of a module beside this one that holds its levels."""

KINDS = (*FACTORS, "model", "dataset")

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Registered:
    """A function found by (kind, name): a level, a model or a data set."""

    kind: str
    name: str
    function: Callable[..., Any]
    source: str
    facts: Mapping[str, Any]

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    @property
    def defaults(self) -> dict[str, Any]:
        """Parameter names with their default values: the keyword-only arguments."""
        return {
            p.name: p.default
            for p in inspect.signature(self.function).parameters.values()
            if p.kind is p.KEYWORD_ONLY
        }


_registered: dict[tuple[str, str], Registered] = {}
_plugins: dict[str, ModuleType] = {}


def level(factor: str, name: str | None = None) -> Callable[[Function], Function]:
    """Register the decorated function as a level of `factor`, under `name` or its own name.

    What the function is called with and what it returns is the factor's contract, stated at the top
    of the factor's module (`ablations/optimizer.py` and its four neighbours).
    """
    if factor not in FACTORS:
        raise InputError(f"@level: unknown factor {factor!r}; {did_you_mean(factor, FACTORS)}")
    return lambda function: _register(factor, name, function, {})


def model(name: str | None = None) -> Callable[[Function], Function]:
    """Register `(classes, convolution_block, *, parameters...) -> torch.nn.Module` as a model."""
    return lambda function: _register("model", name, function, {})


def dataset(
    name: str | None = None, *, mirror_keeps_labels: bool = True
) -> Callable[[Function], Function]:
    """Register `(root, *, parameters...) -> runner.data.Images` as a data set.

    `mirror_keeps_labels` is False where a mirrored image may belong to another class (digits).
    """
    facts = {"mirror_keeps_labels": mirror_keeps_labels}
    return lambda function: _register("dataset", name, function, facts)


def _register(
    kind: str, name: str | None, function: Function, facts: Mapping[str, Any]
) -> Function:
    name = name or function.__name__
    source = inspect.getsourcefile(function) or "?"
    known = _registered.get((kind, name))
    if known is not None and known.source != source:
        raise InputError(
            f"{kind} {name!r} is registered twice: in {known.source} and in {source}; rename one"
        )
    _registered[kind, name] = Registered(kind, name, function, source, facts)
    return function


def names(kind: str) -> tuple[str, ...]:
    """Registered names of a kind, in the order they were defined."""
    _load_factors()
    return tuple(name for k, name in _registered if k == kind)


def find(kind: str, name: str) -> Registered:
    """The function registered as (kind, name); InputError with the nearest name otherwise."""
    _load_factors()
    try:
        return _registered[kind, name]
    except KeyError:
        hint = did_you_mean(name, names(kind))
        raise InputError(f"{kind} has no level {name!r}; {hint}") from None


def is_built_in(kind: str, name: str) -> bool:
    """Whether (kind, name) is registered, and by this package rather than by a plugin."""
    _load_factors()
    found = _registered.get((kind, name))
    return found is not None and Path(found.source).parent == Path(__file__).parent


def resolve(kind: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a level: its defaults, overridden by `given`, checked by annotation.

    Raises:
        InputError: an unknown parameter, a value of the wrong type, or one left without a value.
    """
    found = find(kind, name)
    parameters = found.defaults
    hints = parameter_types(found.function)
    for key, value in given.items():
        if key not in parameters:
            hint = did_you_mean(key, parameters) if parameters else "it takes no parameters"
            raise InputError(f"{kind} {name!r} has no parameter {key!r}; {hint}")
        adapter: TypeAdapter[Any] = TypeAdapter(
            hints.get(key, Any), config=ConfigDict(strict=True, allow_inf_nan=False)
        )
        try:
            # As JSON, strict: a whole number is a float and a list a tuple, but "0.1" is no number.
            parameters[key] = adapter.validate_json(json.dumps(value))
        except ValidationError as error:
            problem = error.errors()[0]["msg"]
            raise InputError(f"{kind} {name!r}: {key} = {value!r}: {problem}") from None
    for key, value in parameters.items():
        if value is inspect.Parameter.empty:
            raise InputError(f"{kind} {name!r} needs a value for {key!r}")
    return parameters


def parameter_types(function: Callable[..., Any]) -> dict[str, Any]:
    """Types of the keyword-only arguments alone: the others may name torch, which is not loaded."""
    annotations = {
        p.name: p.annotation
        for p in inspect.signature(function).parameters.values()
        if p.kind is p.KEYWORD_ONLY and p.annotation is not p.empty
    }
    holder = type("Parameters", (), {"__annotations__": annotations})
    namespace = getattr(function, "__globals__", {})
    return get_type_hints(holder, globalns=namespace, include_extras=True)


def load_plugins(plugins: tuple[str, ...], base: Path | None = None) -> None:
    """Import each plugin: a `.py` file (relative to `base`) or a dotted module name.

    Importing runs the plugin's code: only names from the user's own file may reach this function.
    """
    _load_factors()  # built-in levels come first, whoever asks for names
    for plugin in plugins:
        if plugin.endswith(".py"):
            _load_file((base or Path.cwd()) / plugin)
        else:
            try:
                importlib.import_module(plugin)
            except ImportError as error:
                raise InputError(f"plugins: cannot import {plugin!r}: {error}") from error


def _load_file(path: Path) -> None:
    path = path.resolve()
    if str(path) in _plugins:
        return
    if not path.is_file():
        raise InputError(f"plugins: no file {path}")
    name = f"ablations_plugin_{path.stem}_{len(_plugins)}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"plugins: {path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"plugins: {path}: {type(error).__name__}: {error}") from error
    _plugins[str(path)] = module


def _load_factors() -> None:
    for factor in FACTORS:
        importlib.import_module(f"ablations.{factor}")
