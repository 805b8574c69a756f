"""The section `trainer`: what is called, and the files whose content is part of what a cell is.

No code of the user's is run here. A function is found as the file that defines it; whether it has
the arguments of the factors is looked at in a process of its own (`runner.trainers.looked_at`).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from _ablate import OWN
from ablations import registry
from ablations.errors import did_you_mean
from runner.content.level import Factor, Level
from runner.content.own.trainer import FIELD, Trainer, arguments_of, digest_of, given_by
from runner.program.wording import counted
from runner.spec.node import Node
from runner.spec.reading.files.source import relative_to_file
from runner.spec.spec_file import TrainerSpec

ALL_ARGUMENTS = ("args", "overrides")
PLACES = ("seed", "folder", "device")
MOST_FILES = 10_000


def read_trainer(
    root: Node,
    given: TrainerSpec,
    factors: Sequence[Factor],
    fixed: Sequence[Level],
    responses: Iterable[str],
    replicates: int,
) -> Trainer:
    """The trainer of a file.

    Raises:
        InputError: a file or function that is not there, a field of the command that nobody fills,
            a factor that it does not take, or replicates without a seed.
    """
    names = tuple(dict.fromkeys(arguments_of((*fixed, *(lv for f in factors for lv in f.levels)))))
    if given.function is not None:
        trainer = _function(root, given.function)
    else:
        trainer = _command(root, given, names, factors)
        if "{seed}" not in trainer.call and replicates > 1 and not given.unseeded:
            raise root.refuse(
                ("trainer", "command"),
                f"takes no seed, so that {counted(replicates, 'replicate')} would be copies: add "
                "{seed} where it takes it; or write 'replicates: 1', or 'unseeded: true' where "
                "its runs differ anyway",
            )
    code = sorted(_digests(root, trainer, given))
    return replace(trainer, responses=tuple(responses), unseeded=given.unseeded, code=tuple(code))


def _function(root: Node, call: str) -> Trainer:
    path = ("trainer", "function") if isinstance(root.get("trainer").value, dict) else ("trainer",)
    where, colon, name = call.rpartition(":")
    if not colon or not where or not name.isidentifier():
        raise root.refuse(
            path, f"{call!r}: expected FILE.py:FUNCTION or package.module:FUNCTION; a command "
            "stands under 'command'"
        )  # fmt: skip
    if where.endswith(".py"):
        file = Path(relative_to_file(root, path, where))
        if not file.is_file():
            raise root.refuse(path, f"there is no file {file}")
        return Trainer("function", f"{file}:{name}", str(file.parent))
    if not all(part.isidentifier() for part in where.split(".")):
        raise root.refuse(path, f"{call!r}: {where!r} is neither a Python file nor a module's name")
    files = registry.plugin_files(where)
    # A module of the program itself may be one, as that of a repair's grid is.
    if where in OWN or (where.partition(".")[0] in OWN and not files):
        raise root.refuse(
            path,
            f"{where!r} is a package of this program; name a file, such as '{where}.py:{name}'",
        )
    if not files:
        hint = f"; did you mean '{where}.py:{name}'?" if Path(f"{where}.py").is_file() else ""
        raise root.refuse(path, f"there is no module {where!r} that Python finds here{hint}")
    return Trainer("function", call, str(Path.cwd()))


def _command(
    root: Node, given: TrainerSpec, names: Sequence[str], factors: Sequence[Factor]
) -> Trainer:
    command = given.command or ""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise root.refuse(("trainer", "command"), f"cannot be read: {error}") from None
    if not words:
        raise root.refuse(("trainer", "command"), "is empty; expected such as 'python train.py'")
    metrics, stdout = "", ""
    if isinstance(given.metrics, dict):
        stdout = given.metrics.get("stdout", "")
        _check_regex(root, stdout)
    elif given.metrics is not None:
        metrics = given.metrics
    for key, text in (("command", command), ("metrics", metrics), ("resume", given.resume or "")):
        known = (*names, *PLACES, *(ALL_ARGUMENTS if key == "command" else ()))
        for field in FIELD.findall(text):
            if field not in known:
                raise root.refuse(
                    ("trainer", key), f"nobody fills {{{field}}}; {did_you_mean(field, known)}"
                )
    fields = set(FIELD.findall(command))
    if not fields & set(ALL_ARGUMENTS):
        for factor in factors:
            for argument in dict.fromkeys(n for level in factor.levels for n in given_by(level)):
                if argument not in fields:
                    raise root.refuse(
                        ("factors", factor.name),
                        f"the command does not take {argument!r}: add {{{argument}}} to it, or "
                        "{args} (--lr 0.1) or {overrides} (lr=0.1) for all",
                    )
    return Trainer(
        "command", command, str(Path.cwd()), metrics=metrics, stdout=stdout,
        resume=given.resume or "",
    )  # fmt: skip


def _check_regex(root: Node, text: str) -> None:
    path = ("trainer", "metrics", "stdout")
    try:
        groups = re.compile(text).groupindex
    except re.error as error:
        raise root.refuse(path, f"{text!r} is no regular expression: {error}") from None
    if not set(groups) - {"epoch", "step"}:
        raise root.refuse(
            path, r"expected a named group for each number, such as 'acc (?P<accuracy>\S+)'"
        )


def _digests(root: Node, trainer: Trainer, given: TrainerSpec) -> Iterator[tuple[str, str]]:
    """Files with their digests: those named under `code`, and what the call itself names."""
    base = Path(trainer.folder)
    found: dict[str, Path] = {}
    if trainer.kind == "function":
        where = trainer.call.rpartition(":")[0]
        file = Path(where) if where.endswith(".py") else registry.plugin_files(where)[-1]
        found[_name(file, base)] = file
    else:
        for word in shlex.split(trainer.call):
            file = base / word
            if not FIELD.search(word) and not Path(word).is_absolute() and file.is_file():
                found[_name(file, base)] = file
    for position, pattern in enumerate(given.code):
        path = ("trainer", "code", position)
        if Path(pattern).is_absolute() or not pattern.strip():
            raise root.refuse(path, f"{pattern!r}: expected a path relative to {base}")
        files = [one for one in sorted(base.glob(pattern)) if one.is_file()]
        if not files:
            raise root.refuse(path, f"{pattern!r} fits no file in {base}")
        if len(files) > MOST_FILES:
            raise root.refuse(
                path, f"{pattern!r} fits {len(files):,} files; expected at most {MOST_FILES:,}"
            )
        found |= {_name(one, base): one for one in files}
    for name, file in found.items():
        yield name, digest_of(file)


def _name(file: Path, base: Path) -> str:
    """The file as seen from the folder where that can be: it means the same on another machine."""
    file = file.absolute()
    return str(file.relative_to(base)) if file.is_relative_to(base) else str(file)
