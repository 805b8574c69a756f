"""How a cell of one's own is written: the words of its command, and a line for a shell by hand."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from _ablate import ROOT
from runner.content.cell import Cell
from runner.content.own.trainer import FIELD, Trainer
from runner.trainers.place import Place

PYTHON = ("python", "python3")
"""First words of a command that mean the Python that runs the grid."""


def shell_line(cell: Cell, folder: Path, device: str = "cpu") -> str:
    """The line; it begins in the folder that the cell ran in.

    Args:
        cell: whose trainer is a function or a command.
        folder: the cell's own.
        device: "cpu" or "cuda:0".
    """
    trainer = cell.trainer
    assert trainer is not None  # noqa: S101 - whoever calls has seen it
    place = Place(device, folder, Path(), cell.train.threads, cell.train.time_limit)
    begin = f"cd {shlex.quote(trainer.folder)} && OMP_NUM_THREADS={cell.train.threads}"
    if trainer.kind == "command":
        return f"{begin} {shlex.join(command_words(trainer, cell, place))}"
    call = (
        "from runner.trainers.function import call; "
        f"print(call({trainer.call!r}, {cell.arguments!r}, seed={cell.seed}, device={device!r}, "
        f"folder={str(folder)!r}))"
    )
    alone = "" if Path(trainer.folder).resolve() == ROOT else "-P "  # a folder may hold a runner.py
    return f"{begin} {shlex.quote(sys.executable)} {alone}-c {shlex.quote(call)}"


def command_words(trainer: Trainer, cell: Cell, place: Place) -> list[str]:
    """The command of a cell, word by word; `{args}` and `{overrides}` become several."""
    fields = fields_of(cell, place)
    named = set(FIELD.findall(trainer.call))  # what stands in it by itself is not written twice
    rest = {name: value for name, value in cell.arguments.items() if name not in named}
    several = {"args": args_of(rest, trainer.styles), "overrides": overrides_of(rest)}
    joined = {**fields, **{name: shlex.join(words) for name, words in several.items()}}
    words: list[str] = []
    for word in shlex.split(trainer.call):
        whole = FIELD.fullmatch(word)
        if whole is not None and whole[1] in several:
            words += several[whole[1]]
        else:
            words.append(filled(word, joined))
    if trainer.resume and _resumes(trainer, fields):
        words += [filled(word, fields) for word in shlex.split(trainer.resume)]
    if words[0] in PYTHON:
        words[0] = sys.executable
    return words


def _resumes(trainer: Trainer, fields: Mapping[str, str]) -> bool:
    """Whether the file that `resume` names exists: the words of it that hold a place."""
    named = [word for word in shlex.split(trainer.resume) if "{folder}" in word]
    paths = [filled(word, fields).partition("=")[2] or filled(word, fields) for word in named]
    return all(Path(trainer.folder, path).exists() for path in paths)


def fields_of(cell: Cell, place: Place) -> dict[str, str]:
    """What fills the places of a template: the arguments, and what the run gives."""
    return {
        **{name: _word(value) for name, value in cell.arguments.items()},
        "seed": str(cell.seed),
        "folder": str(place.folder),
        "device": place.device,
    }


def filled(text: str, fields: Mapping[str, str]) -> str:
    """A template with its places filled in."""
    return FIELD.sub(lambda found: fields.get(found[1], found[0]), text)


def args_of(arguments: Mapping[str, Any], styles: Mapping[str, str]) -> list[str]:
    """`--lr 0.1 --amp`: options as argparse, click and typer read them.

    Args:
        arguments: by the names in the file.
        styles: argument to the option as the script spells it, with how it takes true and false:
            "--amp" alone, "--amp/--no-amp", or "--amp=" with a value. By default the first.
    """
    words: list[str] = []
    for name, value in arguments.items():
        style = styles.get(name, f"--{name}")
        option, _, no = style.partition("/")
        takes_value = option.endswith("=")
        option = option.rstrip("=")
        if value is None:
            continue
        if isinstance(value, bool) and not takes_value:
            words += [option] if value else [no] if no else []
        elif isinstance(value, list):
            words += [option, *map(_word, value)]
        else:
            words += [option, _word(value)]
    return words


def overrides_of(arguments: Mapping[str, Any]) -> list[str]:
    """`lr=0.1 model.depth=3`: overrides in Hydra's grammar."""
    return [f"{name}={_hydra(value)}" for name, value in arguments.items()]


def _word(value: Any) -> str:
    """A value as one word: text as it is, the rest as JSON has it."""
    return value if isinstance(value, str) else json.dumps(value)


def _hydra(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ",".join(map(_hydra, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_hydra(one)}" for key, one in value.items()) + "}"
    if isinstance(value, str):
        plain = re.fullmatch(r"[\w./:@+-]+", value)
        return value if plain else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return json.dumps(value)
