"""The signature of a function of one's own, held against what the factors give.

`seen` runs in a process of its own, because importing a module runs it; `problems` reads what it
found, as plain values, and needs none of the user's code.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess  # of this module itself, by this Python
import sys
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from _ablate import words
from ablations.errors import InputError, did_you_mean, import_hint
from runner.content.level import Level
from runner.content.own.trainer import INJECTED, Trainer, given_by
from runner.program.wording import counted, printable
from runner.spec.spec import Spec
from runner.trainers.function import detail_of, load_function, nested

SHARED = (
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "pandas",
    "sklearn",
    "lightning",
    "transformers",
)
"""Libraries that a fork server may import for its children: they start no threads at import that
a fork would lose."""

DEADLINE = 120.0
"""Seconds that importing a function's module may take."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What importing a function told, as plain values.

    Attributes:
        problem: why it cannot be called; "" where it can.
        where: "my_train.py:12".
        required, optional: names of its parameters without and with a default.
        open: whether it takes any keyword (`**kwargs`).
        wrong: argument, value and what was expected, of values that do not fit the annotation.
        libraries: of `SHARED`, those that were imported with it.
    """

    problem: str = ""
    where: str = ""
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    open: bool = False
    wrong: tuple[tuple[str, Any, str], ...] = field(default=())
    libraries: tuple[str, ...] = ()


def seen(trainer: Trainer, values: Sequence[tuple[str, Any]]) -> Seen:
    """Import the function and look at its signature.

    Args:
        trainer: whose function.
        values: arguments and values that levels give, dotted names taken apart.
    """
    try:
        function = load_function(trainer)
        parameters = inspect.signature(function).parameters
    except InputError as error:
        return Seen(problem=error.problem)
    except (Exception, SystemExit) as error:
        said = f"{detail_of(error)}{_line_of(error)}{import_hint(error)}"
        return Seen(problem=f"importing it failed: {said}")
    named = [one for one in parameters.values() if one.kind not in (one.VAR_KEYWORD,)]
    positional = [one.name for one in named if one.kind in (one.POSITIONAL_ONLY,)]
    if positional:
        return Seen(problem=f"{positional[0]!r} can only be given by position; name it")
    named = [one for one in named if one.kind is not one.VAR_POSITIONAL]
    code = getattr(inspect.unwrap(function), "__code__", None)
    where = f"{code.co_filename}:{code.co_firstlineno}" if code is not None else trainer.call
    return Seen(
        where=where,
        required=tuple(one.name for one in named if one.default is one.empty),
        optional=tuple(one.name for one in named if one.default is not one.empty),
        open=any(one.kind is one.VAR_KEYWORD for one in parameters.values()),
        wrong=tuple(_wrong(function, values)),
        libraries=tuple(name for name in SHARED if name in sys.modules),
    )


def _line_of(error: BaseException) -> str:
    """Where in the user's code it was raised, to end a sentence."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        place = f" ({trace.tb_frame.f_code.co_filename}:{trace.tb_lineno})"
        trace = trace.tb_next
    return place


def _wrong(
    function: Callable[..., Any], values: Sequence[tuple[str, Any]]
) -> Iterator[tuple[str, Any, str]]:
    """Values that do not fit the annotation of their parameter, where pydantic can read it."""
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except Exception:  # an annotation may name what is there for type checkers alone
        return
    for name, value in values:
        if name not in hints:
            continue
        try:
            TypeAdapter(hints[name], config=ConfigDict(strict=True)).validate_python(value)
        except ValidationError as error:
            first = error.errors()[0]
            yield name, value, first["msg"].replace("Input should be", "expected")
        except (PydanticUserError, TypeError, AttributeError):
            continue  # a class of one's own, which may take anything


def look(trainer: Trainer, values: Sequence[tuple[str, Any]]) -> Seen:
    """What `seen` finds, in a process of its own with a deadline; never raises."""
    asked = json.dumps({"trainer": trainer.to_dict(), "values": values})
    try:
        done = subprocess.run(  # noqa: S603 - this program's own module
            words(__name__),
            input=asked, capture_output=True, text=True, timeout=DEADLINE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Seen(problem=f"importing it took longer than {DEADLINE:g} s; do no work at import")
    try:
        raw = json.loads(done.stdout)
    except ValueError:
        said = [line for line in done.stderr.splitlines() if line.strip()][-1:]
        last = f"; it said last: {printable(said[0].strip())[:300]}" if said else ""
        return Seen(problem=f"importing it ended the process (exit code {done.returncode}){last}")
    raw["wrong"] = [tuple(one) for one in raw["wrong"]]
    plain: dict[str, Any] = {
        k: tuple(one) if isinstance(one, list) else one for k, one in raw.items()
    }
    return Seen(**plain)


def values_of(spec: Spec) -> list[tuple[str, Any]]:
    """Every argument with every value that a level or `fixed` gives it; nested ones as a whole."""
    levels = [*spec.fixed, *(level for factor in spec.factors for level in factor.levels)]
    pairs = [pair for level in levels for pair in given_by(level).items() if "." not in pair[0]]
    return pairs


def check_signature(spec: Spec, found: Seen) -> None:
    """Hold a signature against the factors.

    Raises:
        InputError: it cannot be called; an argument nobody takes, a missing one, a value of another
            type, or replicates although it takes no seed. The sentence names file and line.
    """
    trainer = ("trainer",)
    if found.problem:
        raise spec.refuse(trainer, found.problem)
    takes = (*found.required, *found.optional)
    name = f"{spec.trainer.call.rpartition(':')[2]}()" if spec.trainer else ""
    asked = [one for one in takes if one not in INJECTED]
    for path, level in levels_of(spec):
        for argument in given_by(level):
            top = argument.partition(".")[0]
            if top not in takes and not found.open:
                hint = did_you_mean(top, asked) if asked else "it takes none"
                raise spec.refuse(
                    path, f"{name} of {found.where} takes no argument {top!r}; {hint}"
                )
    for argument in found.required:
        if argument in INJECTED:
            continue
        if (lacking := _lacking(spec, argument)) is not None:
            raise spec.refuse(
                lacking, f"{name} of {found.where} needs {argument!r}, which nothing gives it"
                + ("" if lacking == trainer else " with this level")
            )  # fmt: skip
    for argument, value, expected in found.wrong:
        path = next(p for p, level in levels_of(spec) if given_by(level).get(argument) == value)
        raise spec.refuse(
            path, f"{argument} = {value!r} does not fit {name} of {found.where}: {expected}"
        )
    if "seed" not in takes and spec.replicates > 1 and not _is_unseeded(spec):
        raise spec.refuse(
            trainer,
            f"{name} of {found.where} takes no seed, so that "
            f"{counted(spec.replicates, 'replicate')} would be copies: add a parameter 'seed' and "
            "use it; or write 'replicates: 1', or 'unseeded: true' beside 'function' where its "
            "runs differ anyway",
        )


def _is_unseeded(spec: Spec) -> bool:
    return spec.trainer is not None and spec.trainer.unseeded


def levels_of(spec: Spec) -> Iterator[tuple[tuple[str | int, ...], Level]]:
    """Every level of the file with its place, those that are fixed first."""
    tune = spec.tune
    tuned = set() if tune is None else {one.name for one in tune.ranges}
    trial = set() if tune is None else {one.factor for one in tune.trial}
    for one in spec.fixed:
        if one.factor in tuned:
            yield ("tune", "parameters", one.factor), one
        elif one.factor in trial:
            yield ("tune", "set", one.factor), one
        else:
            yield ("fixed", one.factor), one
    for factor in spec.factors:
        for position, level in enumerate(factor.levels):
            yield ("factors", factor.name, position), level


def _lacking(spec: Spec, argument: str) -> tuple[str | int, ...] | None:
    """Where a cell does not get the argument: the level of the factor that others give it by."""

    def gives(level: Level) -> bool:
        return argument in nested(given_by(level))

    if any(gives(one) for one in spec.fixed):
        return None
    for factor in spec.factors:
        giving = [gives(level) for level in factor.levels]
        if all(giving):
            return None
        if any(giving):
            return "factors", factor.name, giving.index(False)
    return ("trainer",)


def main() -> None:
    """Look at the function that standard input names; write what is `seen` where it was asked for.

    What the user's module prints goes to standard error.
    """
    answer = os.dup(1)
    os.dup2(2, 1)
    asked = json.load(sys.stdin)
    values = [(name, value) for name, value in asked["values"]]
    found = seen(Trainer.from_dict(asked["trainer"]), values)
    with os.fdopen(answer, "w") as file:
        json.dump(asdict(found), file)


if __name__ == "__main__":
    main()
