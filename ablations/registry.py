"""Where levels are found by name: the `@level` decorator, look-up, parameters, plugins.

A level is one function. Its keyword-only arguments with defaults are the level's parameters: they
are what a YAML file may set, with the types and bounds of their annotations. `@model` and
`@dataset` register a user's own network and images in the same way. This module imports no torch:
the functions it holds import it when they are called.

What a plugin gets wrong is one `InputError`, found when it is loaded. Each registered function
knows the digest of the file that defines it, which is part of what a cell is.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import json
import os
import sys
import traceback
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from _ablate import looking_here_first
from ablations.bounds import in_words
from ablations.errors import InputError, did_you_mean, import_hint

FACTORS = ("augmentation", "scheduler", "init", "bn_placement", "optimizer")
"""The five factors, each the name of a module beside this one that holds its levels."""

OPTIONAL = {
    "loss": "cross_entropy",
    "mixing": "none",
    "clipping": "none",
    "averaging": "none",
    "warmup": "none",
}
"""Factors that a file may leave out, with the level that leaving out means; in `optional/`."""

KINDS = (*FACTORS, *OPTIONAL, "model", "dataset")

CONFINED_TO = "ABLATIONS_PLUGINS"
"""Variable that names the one folder whose plugins may be run; unset or empty: any may."""

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Registered:
    """A function found by (kind, name): a level, a model or a data set."""

    kind: str
    name: str
    function: Callable[..., Any]
    source: str
    facts: Mapping[str, Any]
    digest: str  # SHA-256 of the file that defines it, as it was when it was loaded
    built_in: bool  # by this package rather than by a plugin

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


class ParameterError(InputError):
    """A level's parameter that cannot be had; `parameter` names it."""

    def __init__(self, problem: str, parameter: str) -> None:
        super().__init__(problem)
        self.parameter = parameter
        self.args = (problem, parameter)


_registered: dict[tuple[str, str], Registered] = {}
_plugins: dict[str, ModuleType] = {}
_digests: dict[str, str] = {}  # of files as they were run


def level(
    factor: str, name: str | None = None, *, hard_labels: bool = False
) -> Callable[[Function], Function]:
    """Register the decorated function as a level of `factor`, under `name` or its own name.

    What the function is called with and what it returns is the factor's contract, stated at the top
    of the factor's module (`ablations/optimizer.py` and its neighbours, `ablations/optional/`).
    `hard_labels` is True of a `loss` that takes the number of a class and no shares of classes.
    """
    if not isinstance(factor, str):
        raise InputError("@level stands without its factor; write such as @level('optimizer')")
    if factor not in (*FACTORS, *OPTIONAL):
        hint = did_you_mean(factor, (*FACTORS, *OPTIONAL))
        raise InputError(f"@level: unknown factor {factor!r}; {hint}")
    if hard_labels and factor != "loss":
        raise InputError(f"@level: hard_labels is said of a loss, not of {factor!r}")
    return lambda function: _register(
        factor, name, function, {"hard_labels": True} if hard_labels else {}
    )


def model(name: str | None = None) -> Callable[[Function], Function]:
    """Register `(classes, convolution_block, *, parameters...) -> torch.nn.Module` as a model."""
    _check_called("model", name)
    return lambda function: _register("model", name, function, {})


def dataset(
    name: str | None = None, *, mirror_keeps_labels: bool = True
) -> Callable[[Function], Function]:
    """Register `(root, *, parameters...) -> runner.data.Images` as a data set.

    `mirror_keeps_labels` is False where a mirrored image may belong to another class (digits).
    """
    _check_called("dataset", name)
    facts = {"mirror_keeps_labels": mirror_keeps_labels}
    return lambda function: _register("dataset", name, function, facts)


def _check_called(decorator: str, name: object) -> None:
    if name is not None and not isinstance(name, str):
        raise InputError(f"@{decorator} stands without parentheses; write @{decorator}()")


def has_control(text: str) -> bool:
    """Whether a label holds what no label may: a control, a mark that turns the direction of text.

    Labels are printed in terminals, drawn, and written into files whose formats forbid them.
    """
    return any(unicodedata.category(one)[0] == "C" for one in text)


def _register(
    kind: str, name: str | None, function: Function, facts: Mapping[str, Any]
) -> Function:
    name = name or function.__name__
    source = inspect.getsourcefile(function) or "?"
    if has_control(name):
        raise InputError(f"{kind} {name!r} in {source} has a control character in its name")
    known = _registered.get((kind, name))
    if known is not None and known.source != source:
        raise InputError(
            f"{kind} {name!r} is registered twice: in {known.source} and in {source}; rename one"
        )
    home = Path(__file__).parent
    built_in = Path(source).parent in (home, home / "optional")
    _registered[kind, name] = Registered(
        kind, name, function, source, facts, _digest_of(source), built_in
    )
    return function


def _digest_of(source: str) -> str:
    if source not in _digests:
        path = Path(source)
        _digests[source] = hashlib.sha256(path.read_bytes() if path.is_file() else b"").hexdigest()
    return _digests[source]


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
    registered = _registered.get((kind, name))
    return registered is not None and registered.built_in


def code_digest(kind: str, name: str) -> str | None:
    """Digest of the plugin file that defines (kind, name); None for what is built in or unknown."""
    if not _registered:
        _load_factors()
    registered = _registered.get((kind, name))
    return None if registered is None or registered.built_in else registered.digest


def resolve(kind: str, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a level: its defaults, overridden by `given`, checked by annotation.

    Raises:
        ParameterError: an unknown parameter, a value of the wrong type or out of bounds, or one
            left without a value.
        InputError: no such level, or annotations that cannot be read.
    """
    registered = find(kind, name)
    parameters = registered.defaults
    for key in given:
        if key not in parameters:
            hint = did_you_mean(key, parameters) if parameters else "it takes no parameters"
            raise ParameterError(f"{kind} {name!r} has no parameter {key!r}; {hint}", key)
    hints = parameter_types(registered.function)
    for key, default in parameters.items():
        value = given.get(key, default)
        if value is inspect.Parameter.empty:
            raise ParameterError(f"{kind} {name!r} needs a value for {key!r}", key)
        try:
            parameters[key] = _checked(value, hints.get(key, Any))
        except ValueError as problem:
            whose = "" if key in given else "the default "
            shown = f"{key} = {value!r}"[:200]
            raise ParameterError(f"{kind} {name!r}: {whose}{shown}: {problem}", key) from None
    return parameters


def _checked(value: Any, annotation: Any) -> Any:
    """The value as its type; ValueError says what was expected."""
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(
            annotation, config=ConfigDict(strict=True, allow_inf_nan=False)
        )
    except PydanticUserError:
        raise ValueError(f"a parameter cannot be of the type {annotation!r}") from None
    try:
        # As JSON, strict: a whole number is a float and a list a tuple, but "0.1" is no number.
        # What JSON cannot hold (a function, nan) could neither be written down nor hashed.
        text = json.dumps(value, allow_nan=False)
    except TypeError:
        raise ValueError("expected a number, text, true, false, null or a list of them") from None
    except ValueError:
        raise ValueError("expected a finite number") from None
    try:
        return adapter.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] in BOUNDS:
            bounds = in_words(get_args(annotation)[1:])
            raise ValueError(f"expected {bounds}" if bounds else first["msg"]) from None
        raise ValueError(first["msg"].replace("Input should be", "expected")) from None


BOUNDS = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
"""What pydantic calls a number out of bounds."""


def parameter_types(function: Callable[..., Any]) -> dict[str, Any]:
    """Types of the keyword-only arguments alone: the others may name torch, which is not loaded.

    Raises:
        InputError: an annotation names what is not there when the program runs.
    """
    annotations = {
        p.name: p.annotation
        for p in inspect.signature(function).parameters.values()
        if p.kind is p.KEYWORD_ONLY and p.annotation is not p.empty
    }
    holder = type("Parameters", (), {"__annotations__": annotations})
    namespace = getattr(function, "__globals__", {})
    try:
        return get_type_hints(holder, globalns=namespace, include_extras=True)
    except (NameError, AttributeError, TypeError, SyntaxError) as error:
        name = getattr(function, "__name__", "?")
        raise InputError(
            f"{name}: the types of its parameters cannot be read ({error}); what they name must "
            "be imported when the program runs, not only for type checkers"
        ) from None


def load_plugins(plugins: tuple[str, ...]) -> None:
    """Import each plugin: the path of a `.py` file or a dotted module name.

    Importing runs the plugin's code: its name is the user's own, or a store's that the user trusts.
    Where $ABLATIONS_PLUGINS names a folder, none is run that lies elsewhere.

    Raises:
        InputError: it may not be run, it cannot be imported, or what it registers cannot be used.
    """
    check_confined(plugins)
    _load_factors()  # built-in levels come first, whoever asks for names
    for plugin in plugins:
        before = dict(_registered)
        try:
            if plugin.endswith(".py"):
                _load_file(Path(plugin))
            else:
                _load_module(plugin)
            for key, registered in _registered.items():
                if key not in before:
                    _check_parameters(registered)
        except BaseException:
            _registered.clear()
            _registered.update(before)
            raise


def check_confined(plugins: tuple[str, ...]) -> None:
    """Refuse plugins outside the folder that $ABLATIONS_PLUGINS names, before any of them is run.

    Raises:
        InputError: one lies elsewhere, or there is no such folder.
    """
    wanted = os.environ.get(CONFINED_TO)
    if not wanted or not plugins:
        return
    folder = Path(wanted).expanduser().resolve()
    if not folder.is_dir():
        raise InputError(f"plugins are confined to {folder}, which is no folder", "plugins")
    for plugin in plugins:
        files = plugin_files(plugin)
        outside = [file for file in files if not file.is_relative_to(folder)]
        if outside or not files:
            where = outside[0] if outside else f"the module {plugin!r}, which is found nowhere"
            raise InputError(
                f"plugins are confined to {folder}: {where} is not in it and is not run", "plugins"
            )


def plugin_files(plugin: str) -> list[Path]:
    """Files that importing a plugin runs: the packages around it, then its own.

    Nothing is run to find them, unlike by `importlib.util.find_spec`. Empty: it is not found.
    """
    if plugin.endswith(".py"):
        return [Path(plugin).resolve()]
    files: list[Path] = []
    places, parts = None, plugin.split(".")
    for depth in range(len(parts)):
        with looking_here_first():
            found = PathFinder.find_spec(".".join(parts[: depth + 1]), places)
        if found is None:
            return []
        if found.has_location and found.origin:  # else a folder without __init__.py: runs nothing
            files.append(Path(found.origin).resolve())
        places = found.submodule_search_locations or []
    return files


def _check_parameters(registered: Registered) -> None:
    """Defaults that fit their types and can be written down: found now, not in the first cell."""
    try:
        needed = [
            key for key, value in registered.defaults.items() if value is inspect.Parameter.empty
        ]
        if needed:  # a value may come from the file: types are checked, defaults then
            parameter_types(registered.function)
        else:
            resolve(registered.kind, registered.name, {})
    except InputError as error:
        raise InputError(f"{registered.source}: {error}", "plugins") from None


def _load_module(name: str) -> None:
    try:
        with looking_here_first():
            importlib.import_module(name)
    except ModuleNotFoundError as error:
        said = f"cannot import {name!r}: {error}{import_hint(error)}"
        raise InputError(said, "plugins") from error
    except InputError as error:
        raise InputError(f"{name}: {error}", "plugins") from error
    except (Exception, SystemExit) as error:
        raise InputError(f"{name}: {_in_a_line(error, None)}", "plugins") from error


class _Source(SourceFileLoader):
    """Reads the file once: what runs is what was hashed, never an older compiled copy."""

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_data(self.path)
        _digests[self.path] = hashlib.sha256(source).hexdigest()
        code: CodeType = self.source_to_code(source, self.path)
        return code


def _load_file(path: Path) -> None:
    path = path.resolve()
    if str(path) in _plugins:
        return
    if not path.is_file():
        raise InputError(f"no file {path}", "plugins")
    name = f"ablations_plugin_{path.stem}_{len(_plugins)}"
    loader = _Source(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader)
    if spec is None:
        raise InputError(f"{path} is not a Python file", "plugins")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with looking_here_first():
            loader.exec_module(module)
    except InputError as error:
        raise InputError(f"{path}: {error}", "plugins") from error
    except (Exception, SystemExit) as error:  # a file may call sys.exit
        raise InputError(_in_a_line(error, path), "plugins") from error
    _plugins[str(path)] = module


def _in_a_line(error: BaseException, path: Path | None) -> str:
    """An exception of a plugin as one line, with the line of its file it left."""
    message = " ".join(str(error).split())
    if isinstance(error, SystemExit):
        message = f"it ends the program ({message or 0}); a plugin only defines"
    text = f"{type(error).__name__}: {message}{import_hint(error)}"
    if path is None:
        return text
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    at = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    return f"{path}: {text}" if at is None else f"{path}:{at}: {text}"


def _load_factors() -> None:
    for factor in FACTORS:
        importlib.import_module(f"ablations.{factor}")
    for factor in OPTIONAL:
        importlib.import_module(f"ablations.optional.{factor}")
