"""The options of a command of one's own, read from its `--help`, held against what factors give.

`--help` is asked for only where the script is seen to read its arguments with a library that
answers it: any other script might begin to train.
"""

from __future__ import annotations

import re
import shlex
import subprocess  # the person's own command with --help, split into words, without a shell
import sys
from dataclasses import dataclass
from pathlib import Path

from ablations import registry
from ablations.errors import did_you_mean
from runner.content.cell import Cell
from runner.content.own.trainer import FIELD, Trainer, given_by
from runner.program.wording import listed, printable
from runner.spec.spec import Spec
from runner.trainers.command_line import PYTHON, overrides_of
from runner.trainers.look.signature import levels_of

DEADLINE = 60.0
"""Seconds that a command may take to answer."""

PARSERS = (
    *("argparse", "ArgumentParser", "click", "typer", "tyro", "jsonargparse", "simple_parsing"),
    *("absl.flags", "OptionParser", "docopt", "LightningCLI"),
)
HYDRA = ("hydra.main", "@hydra")

_OPTION = re.compile(r"(?<![\w-])--([A-Za-z][\w.-]*)")
_CHOICES = re.compile(r"\{([^{}]+)\}|\[([^\[\]|]+(?:\|[^\[\]|]+)+)\]")
_REQUIRED = re.compile(r"\[required\]")
_METAVAR = re.compile(r"[A-Z][A-Z0-9_.]*\b|[<\[{(]")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a script.

    Attributes:
        spelled: as it is written: "--weight-decay".
        takes_value: whether a value follows it.
        negated: what says no: "--no-amp"; "" where nothing does.
        choices: values it takes; () where any.
        required: whether click or typer says that it must be given; argparse says so in its usage.
    """

    spelled: str
    takes_value: bool
    negated: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False


def ask(trainer: Trainer, cell: Cell) -> tuple[str, str]:
    """What the command answers to `--help` (or, with Hydra, refuses of a cell's overrides).

    Returns:
        The help text, and why there is none: one of the two is "". Both are where Hydra takes the
        overrides.
    """
    words = _before_fields(trainer)
    script = _script(words, Path(trainer.folder))
    if script is None:
        return "", "only a Python script's arguments can be looked at"
    source = script.read_text("utf-8", "replace")
    if any(sign in source for sign in HYDRA):
        code, said = _run([*words, *overrides_of(cell.arguments), "--cfg", "job"], trainer)
        return "", "" if code == 0 else f"Hydra refuses the first cell's overrides: {_gist(said)}"
    if not any(sign in source for sign in PARSERS):
        return "", f"{script.name} is not seen to use argparse, click or the like"
    code, said = _run([*words, "--help"], trainer)
    if code != 0:
        return "", f"it did not answer --help: {_gist(said)}"
    return said, ""


def _before_fields(trainer: Trainer) -> list[str]:
    """The command up to the first word that is filled in."""
    words = shlex.split(trainer.call)
    first = next((k for k, word in enumerate(words) if FIELD.search(word)), len(words))
    while first > 1 and words[first - 1].startswith("-"):  # "--seed {seed}"
        first -= 1
    words = words[:first]
    return [sys.executable if words[0] in PYTHON else words[0], *words[1:]]


def _script(words: list[str], folder: Path) -> Path | None:
    """The Python file that the words run."""
    if "-m" in words[1:-1]:
        files = registry.plugin_files(words[words.index("-m") + 1])
        return files[-1] if files else None
    for word in words:
        file = folder / word
        if word.endswith(".py") and file.is_file():
            return file
    return None


def _run(words: list[str], trainer: Trainer) -> tuple[int, str]:
    try:
        done = subprocess.run(  # noqa: S603 - as the person wrote it, and no shell
            words,
            cwd=trainer.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=DEADLINE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 1, f"no answer within {DEADLINE:g} s"
    except OSError as error:
        return 1, f"it cannot be run: {error.strerror}"
    return done.returncode, done.stdout


def _gist(said: str) -> str:
    """The line of an answer that says most."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "rror" in line or "not" in line.lower()]
    return printable((telling or lines or ["nothing was said"])[0])[:300]


def options_in(text: str) -> dict[str, Option]:
    """Options by name (dashes as underscores) in the help of argparse, click and typer."""
    found: dict[str, Option] = {}
    for line in text.splitlines():
        bare = line.strip(" \t│|┃*")
        if not bare.startswith("-"):
            continue
        head, _, rest = re.split(r"( {2,}|\t)", bare, maxsplit=1)[:3] if "  " in bare else (
            bare, "", "",
        )  # fmt: skip
        names = _OPTION.findall(head)
        if not names:
            continue
        plain = [name for name in names if not name.startswith("no-")]
        negated = next((f"--{name}" for name in names if name.startswith("no-")), "")
        if not plain:  # "--no-cuda" alone is an option like another
            plain, negated = names, ""
        after = head[head.rindex(f"--{names[-1]}") + len(names[-1]) + 2 :].strip(" ,=")
        takes_value = bool(after) or bool(rest and _is_metavar(rest.strip()))
        choices = _CHOICES.search(after or rest.split("  ")[0])
        listed_choices = () if choices is None else tuple(
            one.strip() for one in re.split(r"[,|]", choices[1] or choices[2])
        )  # fmt: skip
        required = bool(_REQUIRED.search(rest))
        option = Option(f"--{plain[0]}", takes_value, negated, listed_choices, required)
        for name in plain:
            found[_plain(name)] = option
    return found


def _is_metavar(text: str) -> bool:
    """Whether what stands in the next column is a kind of value ("FLOAT"), not a sentence."""
    first = text.split()[0] if text.split() else ""
    return bool(_METAVAR.fullmatch(first)) or first.startswith(("<", "[", "{"))


def required_in(text: str) -> tuple[str, ...]:
    """Options that a usage line of argparse shows without brackets: they must be given."""
    usage = re.search(r"usage:(.*?)(?:\n\s*\n|\Z)", text, re.DOTALL | re.IGNORECASE)
    if usage is None:
        return ()
    bare, depth = "", 0
    for letter in usage[1]:
        depth += (letter == "[") - (letter == "]")
        bare += letter if depth == 0 and letter != "]" else ""
    return tuple(dict.fromkeys(_OPTION.findall(bare)))


def _plain(name: str) -> str:
    return name.replace("-", "_")


def check_options(spec: Spec, text: str) -> dict[str, str]:
    """Hold the options of a help text against the factors; the styles to write them in.

    Raises:
        InputError: an argument that it does not know, a value that is none of its choices, or a
            required option that nothing gives.
    """
    assert spec.trainer is not None  # noqa: S101 - whoever calls has seen it
    options = options_in(text)
    if not options:
        return {}
    script = shlex.split(spec.trainer.call)[1:2] or [spec.trainer.call]
    styles: dict[str, str] = {}
    for path, level in levels_of(spec):
        for argument, value in given_by(level).items():
            option = options.get(_plain(argument))
            if option is None:
                known = [one.spelled.removeprefix("--") for one in options.values()]
                hint = did_you_mean(argument, dict.fromkeys(known))
                raise spec.refuse(path, f"{script[0]} has no option --{argument}; {hint}")
            if option.choices and str(value) not in option.choices and value is not None:
                raise spec.refuse(
                    path, f"{option.spelled} of {script[0]} is one of {listed(option.choices)}, "
                    f"not {value!r}"
                )  # fmt: skip
            styles[argument] = _style(option)
    given = {_plain(name) for name in styles} | _written(spec.trainer)
    required = [one.spelled.removeprefix("--") for one in options.values() if one.required]
    for name in (*required_in(text), *required):
        if _plain(name) not in given:
            raise spec.refuse(
                ("trainer", "command"), f"{script[0]} needs --{name}, which nothing gives it"
            )
    return {name: style for name, style in styles.items() if style != f"--{name}"}


def _style(option: Option) -> str:
    if option.negated:
        return f"{option.spelled}/{option.negated}"
    return f"{option.spelled}=" if option.takes_value else option.spelled


def _written(trainer: Trainer) -> set[str]:
    """Options that the command itself writes out."""
    return {_plain(name) for name in _OPTION.findall(trainer.call)}
