"""A trainer of somebody's own: a function or a command that a cell is, instead of our network.

The record says what is called and where its numbers come from. `Cell.trainer` holds it, or None for
the image classifier that is shipped; `runner.trainers` runs it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ablations.errors import InputError
from runner.content.code import Code
from runner.content.level import Level

FIELD = re.compile(r"\{([^{}]*)\}")
"""A place in a command's template that is filled in: "{lr}"."""

INJECTED = ("seed", "device", "folder", "run")
"""What a function is given by name where its signature has it, as pytest gives fixtures."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """What is called for each cell.

    Attributes:
        kind: a Python function, or a command of any language.
        call: "ABSOLUTE/my_train.py:fit", "package.module:fit"; of a command its template.
        folder: absolute path that a command runs in and that `code` is relative to.
        metrics: of a command, the file that its numbers are read from, a template; "": none.
        stdout: of a command, the regular expression whose groups name numbers it prints; "": none.
        resume: of a command, what is appended once the file it names exists; "": nothing.
        styles: of a command, argument to the option as `--help` spells it, where that is not
            `--NAME` (`runner.trainers.command_line.args_of`).
        unseeded: whether runs that differ by chance alone, without a seed, count as replicates.
        responses: names of the numbers that a cell ends with, the primary one first.
        code: files that a cell's outcome depends on with the digests of their content.
    """

    kind: Literal["function", "command"]
    call: str
    folder: str
    metrics: str = ""
    stdout: str = ""
    resume: str = ""
    styles: Mapping[str, str] = field(default_factory=dict)
    unseeded: bool = False
    responses: tuple[str, ...] = ()
    code: Code = ()

    @property
    def identity(self) -> dict[str, Any]:
        """What of it determines outcomes, its code apart: neither where it lies nor who resumes."""
        file, colon, function = self.call.rpartition(":")
        called = f"{Path(file).name}{colon}{function}" if self.kind == "function" else self.call
        content: dict[str, Any] = {"kind": self.kind, "call": called}
        return content | {
            key: value for key in ("metrics", "stdout") if (value := getattr(self, key))
        }

    @property
    def words(self) -> str:
        """As a sentence names it: function my_train.py:fit, command "python train.py {args}"."""
        call = self.identity["call"]
        return f"function {call}" if self.kind == "function" else f'command "{call}"'

    def check_code(self) -> None:
        """Refuse to train with other code than the cell was planned with; InputError."""
        for name, planned in self.code:
            file = Path(self.folder, name)
            if not file.is_file():
                raise InputError(f"the trainer's file {file} is not on this machine")
            if digest_of(file) != planned:
                raise InputError(
                    f"{file} is not what it was when this was planned: give the grid's command "
                    "again to plan with it as it is now"
                )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return asdict(self)

    @staticmethod
    def from_dict(raw: Mapping[str, Any]) -> Trainer:
        """The inverse of `to_dict`. Raises KeyError, TypeError or ValueError on anything else."""
        if raw["kind"] not in ("function", "command"):
            raise ValueError(raw["kind"])
        return Trainer(
            **{
                **raw,
                "styles": dict(raw["styles"]),
                "responses": tuple(raw["responses"]),
                "code": tuple((name, digest) for name, digest in raw["code"]),
            }
        )


def digest_of(file: Path) -> str:
    """16 hexadecimal digits of the SHA-256 of a file's content."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def given_by(level: Level) -> dict[str, Any]:
    """The arguments that a level of one's own gives: `{as: NAME, set: {...}}` gives several."""
    if "set" in level.parameters:
        return dict(level.parameters["set"])
    return {level.factor: level.parameters["value"]}


def arguments_of(levels: Iterable[Level]) -> dict[str, Any]:
    """The arguments of all levels together, as they are written: dotted names are not taken apart.

    That no two levels give the same one was seen to when the specification was read.
    """
    return {name: value for level in levels for name, value in given_by(level).items()}


def without_arguments(levels: Iterable[Level], names: Iterable[str]) -> tuple[Level, ...]:
    """Levels that no longer give these arguments; one that gave nothing else is left out."""
    taken = set(names)
    left = []
    for level in levels:
        if not taken & set(given_by(level)):
            left.append(level)
        elif "set" in level.parameters:
            kept = {k: v for k, v in level.parameters["set"].items() if k not in taken}
            left.append(replace(level, parameters={"set": kept}))
    return tuple(left)


def with_arguments(
    levels: tuple[Level, ...], held: tuple[Level, ...], values: Iterable[Level]
) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    """Varied and held levels of a cell that is given these values, whatever gave them before.

    A varied level keeps its place and label; what none of them gives is held.
    """
    for value in values:
        name = value.factor
        if any(name in given_by(one) for one in levels):
            levels = tuple(_giving(one, name, value.parameters["value"]) for one in levels)
        else:
            held = (*without_arguments(held, [name]), value)
    return levels, held


def _giving(level: Level, name: str, value: Any) -> Level:
    if name not in given_by(level):
        return level
    if "set" in level.parameters:
        return replace(level, parameters={"set": {**level.parameters["set"], name: value}})
    return replace(level, parameters={"value": value})
