"""The arguments of a function or a script, seen in a process of its own.

A function is imported and its signature read. A script is asked for `--help`, and only where it is
seen to use a library that answers it; while it answers, the parser's own records are read, which
know defaults and kinds that a help text need not show. Nothing else of the script is run.
"""

from __future__ import annotations

import argparse
import enum
import inspect
import json
import os
import re
import runpy
import subprocess  # of this module itself, by this Python
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from _ablate import words
from ablations.errors import InputError
from runner.beginning.argument import Argument, Kind
from runner.content.own.trainer import Trainer
from runner.program.wording import printable
from runner.trainers.function import detail_of, load_function
from runner.trainers.look.options import DEADLINE, HYDRA, PARSERS, options_in

_MARK = "\x1earguments:"
"""Begins the line by which the child answers, whatever else is printed."""

_CLICKS = ("click.core", "typer._click.core")
"""Where `Command` is: typer brings a click of its own."""


def of_function(where: str) -> tuple[list[Argument], str]:
    """The parameters of a function, and the file that it stands in.

    Raises:
        InputError: it cannot be imported, or has no signature.
    """
    raw, said = _asked(words(__name__, "function", where), {})
    if raw is None:
        raise InputError(f"{where}: importing it ended the process; {_last(said)}")
    if raw["problem"]:
        raise InputError(f"{where}: {raw['problem']}")
    return _records(raw["arguments"]), raw["file"]


def of_script(script: Path) -> tuple[list[Argument], Mapping[str, Any]]:
    """The options of a script; with Hydra, the leaves of its configuration.

    Returns:
        They, and what was seen: `hydra`, whether it is an application of Hydra.

    Raises:
        InputError: it uses no library that answers `--help`, does not answer, or has sub-commands.
    """
    source = script.read_text("utf-8", "replace")
    if any(sign in source for sign in HYDRA):
        return _of_hydra(script), {"hydra": True}
    if not any(sign in source for sign in PARSERS):
        raise InputError(
            f"{script}: is not seen to read options (argparse, click, typer, Hydra); a function of "
            f"it is named '{script}:FUNCTION'"
        )
    raw, said = _asked(words(__name__, "script", str(script)), {})
    if raw is not None and raw["problem"]:
        raise InputError(f"{script}: {raw['problem']}")
    found = _records(raw["arguments"]) if raw is not None else _of_help(said)
    if not found:
        raise InputError(f"{script}: its --help tells no option; {_last(said)}")
    return found, {"hydra": False}


def _asked(words: list[str], more: Mapping[str, str]) -> tuple[Any, str]:
    """What the child answers, None where nothing, and all that was printed."""
    try:
        done = subprocess.run(  # noqa: S603 - this program's own module, or the person's script
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", timeout=DEADLINE, check=False,
            env={**os.environ, "COLUMNS": "200", **more},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise InputError(f"{words[-1]}: no answer within {DEADLINE:g} s") from None
    _, mark, answer = done.stdout.rpartition(_MARK)
    return (json.loads(answer.splitlines()[0]) if mark else None), done.stdout


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return f"it said last: {printable(lines[-1])[:300]}" if lines else "it said nothing"


def _records(raw: list[dict[str, Any]]) -> list[Argument]:
    return [Argument(**{**one, "choices": tuple(one["choices"])}) for one in raw]


def _of_help(text: str) -> list[Argument]:
    """From the help text alone, of a library whose records are not known here."""
    found = {option.spelled: option for option in options_in(text).values()}
    return [
        Argument(spelled[2:].replace("-", "_"), spelled, "text" if one.takes_value else "flag",
                 None if one.takes_value else False, choices=one.choices)
        for spelled, one in found.items()
        if spelled not in ("--help", "--version")
    ]  # fmt: skip


def _of_hydra(script: Path) -> list[Argument]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    _, said = _asked([sys.executable, str(script), "--cfg", "job"], {})
    try:
        config = YAML(typ="safe").load(said)
    except YAMLError:
        config = None
    if not isinstance(config, dict):
        raise InputError(f"{script}: Hydra shows no configuration (--cfg job); {_last(said)}")
    _, help_text = _asked([sys.executable, str(script), "--help"], {})
    found = [
        Argument(name, name, choices=tuple(choices.split(", ")))
        for name, choices in re.findall(r"^([\w/]+): (\w+(?:, \w+)+)$", help_text, re.MULTILINE)
    ]
    grouped = {one.name for one in found}
    return [*found, *(one for one in _leaves(config) if one.name.split(".")[0] not in grouped)]


def _leaves(config: Mapping[str, Any], before: str = "") -> Iterator[Argument]:
    for key, value in config.items():
        name = f"{before}{key}"
        if isinstance(value, dict):
            yield from _leaves(value, f"{name}.")
        else:
            missing = value == "???"
            yield Argument(name, name, _kind(value), None if missing else _plain(value), missing)


# What runs in the child.


def _kind(value: Any, hint: Any = None) -> Kind:
    """Of the annotation or converter, else of the default."""
    named = getattr(hint, "name", None) or getattr(hint, "__name__", None) or str(hint)
    for names, kind in _KINDS.items():
        if named in names:
            return kind
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "text" if value is None or isinstance(value, str | Path) else "other"


_KINDS: dict[tuple[str, ...], Kind] = {
    ("bool", "boolean"): "flag",
    ("float", "float range"): "number",
    ("int", "integer", "integer range"): "integer",
    ("list", "tuple", "dict", "set"): "other",
}


def _plain(value: Any) -> Any:
    """A value as YAML holds it, else None."""
    if isinstance(value, enum.Enum):
        value = value.value
    return value if isinstance(value, bool | int | float | str | None) else (
        str(value) if isinstance(value, Path) else None
    )  # fmt: skip


def _seen_function(where: str) -> dict[str, Any]:
    file, _, _ = where.rpartition(":")
    call = f"{Path(file).resolve()}:{where.rpartition(':')[2]}" if file.endswith(".py") else where
    try:
        function = load_function(Trainer("function", call, str(Path.cwd())))
        parameters = inspect.signature(function).parameters.values()
    except InputError as error:
        return {"problem": error.problem, "arguments": []}
    except (Exception, SystemExit) as error:
        return {"problem": f"importing it failed: {detail_of(error)}", "arguments": []}
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # an annotation may name what is there for type checkers alone
        hints = {}
    about = _documented(inspect.getdoc(function) or "")
    found = []
    for one in parameters:
        if one.kind in (one.VAR_KEYWORD, one.VAR_POSITIONAL):
            continue
        default = None if one.default is one.empty else one.default
        hint, choices = _without_none(hints.get(one.name))
        found.append(
            Argument(one.name, one.name, _kind(default, hint), _plain(default),
                     one.default is one.empty, choices, help=about.get(one.name, ""))
        )  # fmt: skip
    code = getattr(inspect.unwrap(function), "__code__", None)
    return {
        "problem": "",
        "arguments": [asdict(one) for one in found],
        "file": "" if code is None else code.co_filename,
    }


def _without_none(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """An annotation without `| None`, and the values that a Literal or an Enum lists."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [one for one in typing.get_args(hint) if one is not type(None)]
        hint = rest[0] if len(rest) == 1 else None
    if typing.get_origin(hint) is typing.Literal:
        return None, typing.get_args(hint)
    return hint, ()


def _documented(text: str) -> dict[str, str]:
    """First lines of what a docstring says of parameters (Google, NumPy, Sphinx)."""
    google = re.findall(r"^ +(\w+)(?: ?\([^)]*\))?: (.+)$", text, re.MULTILINE)
    sphinx = re.findall(r"^:param (?:\w+ )?(\w+): (.+)$", text, re.MULTILINE)
    numpy = re.findall(r"^(\w+) ?:[^\n]*\n +(.+)$", text, re.MULTILINE)
    return dict([*numpy, *google, *sphinx])


def _answer(found: Mapping[str, Any]) -> typing.NoReturn:
    print(f"\n{_MARK}{json.dumps(found)}", flush=True)
    os._exit(0)  # nothing more of the script is run


def _several() -> typing.NoReturn:
    said = "has sub-commands, and which one is meant cannot be said here: write the specification "
    _answer({"problem": f"{said}by hand (init --example command shows one)", "arguments": []})


def _of_argparse(parser: argparse.ArgumentParser, *_: Any, **__: Any) -> typing.NoReturn:
    found = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            _several()
        if isinstance(action, argparse._HelpAction | argparse._VersionAction):
            continue
        long = [one for one in action.option_strings if one.startswith("--")]
        spelled = (long or action.option_strings or [action.dest])[0]
        flag = action.nargs == 0
        short = not long and bool(action.option_strings)  # "-lr", which {args} cannot write
        several = short or action.nargs not in (None, "?", 0)
        kind: Kind = "flag" if flag else "other" if several else _kind(action.default, action.type)
        default = None if action.default is argparse.SUPPRESS else _plain(action.default)
        found.append(
            Argument(spelled.lstrip("-").replace("-", "_"), spelled, kind, default,
                     action.required, tuple(map(_plain, action.choices or ())),
                     help=" ".join((action.help or "").split()),
                     positional=not action.option_strings)
        )  # fmt: skip
    _answer({"problem": "", "arguments": [asdict(one) for one in found]})


def _of_click(command: Any, *_: Any, **__: Any) -> typing.NoReturn:
    if hasattr(command, "commands"):
        _several()
    found = []
    for one in command.params:
        option = one.param_type_name == "option"
        if one.name in ("help", "install_completion", "show_completion"):
            continue
        flag = getattr(one, "is_flag", False)
        hint = getattr(one, "type", None) or getattr(one, "bare_type", None)
        default = None if callable(one.default) else _plain(one.default)
        several = one.multiple if option else one.nargs != 1
        kind: Kind = "flag" if flag else "other" if several else _kind(default, hint)
        long = [spelled for spelled in one.opts if spelled.startswith("--")]
        found.append(
            Argument((long or [one.name])[0].lstrip("-").replace("-", "_"), (long or one.opts)[0],
                     kind, default, bool(one.required),
                     _listed(hint) or _listed(type(one.default)),
                     help=" ".join((getattr(one, "help", "") or "").split()),
                     positional=not option)
        )  # fmt: skip
    _answer({"problem": "", "arguments": [asdict(one) for one in found]})


def _listed(hint: Any) -> tuple[Any, ...]:
    """The choices of click's Choice, or of an Enum, which is what typer shows."""
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return tuple(_plain(one) for one in hint)
    return tuple(map(_plain, getattr(hint, "choices", ())))


def _seen_script(script: str) -> None:
    """Run the script with --help; whichever parser is about to answer is read instead."""
    setattr(argparse.ArgumentParser, "print_help", _of_argparse)  # noqa: B010
    source = Path(script).read_text("utf-8", "replace")
    for name in _CLICKS if "click" in source or "typer" in source else ():
        try:
            module: Any = __import__(name, fromlist=["Command"])
        except ImportError:
            continue
        module.Command.get_params = _of_click
    sys.argv = [script, "--help"]
    sys.path.insert(0, str(Path(script).resolve().parent))
    runpy.run_path(script, run_name="__main__")


def main() -> None:
    """Answer for a function or a script, named by the arguments of this process."""
    kind, where = sys.argv[1:]
    if kind == "function":
        _answer(_seen_function(where))
    _seen_script(where)


if __name__ == "__main__":
    main()
