"""A function of one's own as the trainer: keyword arguments in, numbers out.

The convention of Sacred and SEML. `seed`, `device`, `folder` and `run` are given by name where the
signature has them. The working directory is left as it is; the function's folder is importable.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from _ablate import here_first
from ablations.errors import InputError, did_you_mean
from ablations.registry import check_confined
from runner.content.cell import Cell
from runner.content.outcome import Outcome, Reason
from runner.content.own.trainer import INJECTED, Trainer
from runner.program.wording import printable
from runner.trainers.endings import TRY_AGAIN, Clock, diverged, ended, failed, out_of_time
from runner.trainers.failure import reason_of
from runner.trainers.place import Place, Report
from runner.trainers.run import Diverged, OutOfTime, Run


def train(cell: Cell, place: Place, report: Report) -> Outcome:
    """Call the function of a cell; what it returns, or how it failed."""
    trainer = cell.trainer
    assert trainer is not None  # noqa: S101 - whoever calls has seen it
    clock = Clock()
    run = Run(place, cell.seed, report)
    try:
        cell.check_code()
        prepare(place)
        function = load_function(trainer)
        given = call_arguments(function, cell.arguments, run)
        clock = Clock()  # importing is no training
        returned = function(**given)
    except Diverged as end:
        return diverged(end.name, end.step, run.points, clock.costs())
    except OutOfTime:
        return out_of_time(place.seconds, run.points, clock.costs())
    except SystemExit as error:
        return _exited(error, run, clock)
    except Exception as error:
        traceback.print_exc()
        return failed(reason_of(error), detail_of(error), run.points, clock.costs())
    named = as_named(returned, trainer.responses[0])
    if named is None:
        shown = f"it returned {printable(repr(returned))[:80]}; expected a number, or a mapping"
        return failed(Reason.NO_RESPONSE, shown, run.points, clock.costs())
    return ended(named, trainer.responses, run.points, clock.costs())


def _exited(error: SystemExit, run: Run, clock: Clock) -> Outcome:
    if error.code == TRY_AGAIN:
        detail = f"asked to be tried again (exit code {TRY_AGAIN})"
        return failed(Reason.AGAIN, detail, run.points, clock.costs())
    if error.code in (None, 0):
        detail = "it ended the program without an error and returned nothing"
        return failed(Reason.NO_RESPONSE, detail, run.points, clock.costs())
    traceback.print_exc()
    return failed(Reason.BUG, detail_of(error), run.points, clock.costs())


def prepare(place: Place) -> None:
    """The environment that a cell of one's own trains in."""
    place.folder.mkdir(parents=True, exist_ok=True)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(place.threads)
    if place.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if "torch" in sys.modules:  # it read the variable when the fork server imported it
        sys.modules["torch"].set_num_threads(place.threads)


def load_function(trainer: Trainer) -> Callable[..., Any]:
    """Import the function.

    Raises:
        InputError: it is not there; the sentence names the nearest.
        Exception: whatever importing its module raises.
    """
    where, _, name = trainer.call.rpartition(":")
    check_confined((where,))
    here_first()
    if where.endswith(".py"):
        module = _module_of(Path(where))
    else:
        if trainer.folder not in sys.path:
            sys.path.insert(0, trainer.folder)
        module = importlib.import_module(where)
    try:
        function = getattr(module, name)
    except AttributeError:
        there = [key for key, one in vars(module).items() if callable(one) and key[0] != "_"]
        raise InputError(
            f"{where} has no function {name!r}; {did_you_mean(name, there)}", "trainer"
        ) from None
    if not callable(function):
        raise InputError(f"{name!r} of {where} is no function, it is {function!r}"[:300], "trainer")
    return function  # type: ignore[no-any-return]  # seen to be one


def _module_of(file: Path) -> Any:
    """The module of a file, found by its own name by what it imports and by pickle."""
    if not file.is_file():
        raise InputError(f"there is no file {file}", "trainer")
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    known = sys.modules.get(file.stem)
    if known is not None and getattr(known, "__file__", None) == str(file):
        return known
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise InputError(f"{file} is not a Python file", "trainer")
    module = importlib.util.module_from_spec(spec)
    if known is None:  # a library of that name stays what others find
        sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def call_arguments(
    function: Callable[..., Any], arguments: Mapping[str, Any], run: Run
) -> dict[str, Any]:
    """What the function is called with: the levels' arguments, and what it asks for by name."""
    injected = {"seed": run.seed, "device": run.device, "folder": run.folder, "run": run}
    wanted = inspect.signature(function).parameters
    asked = {name: injected[name] for name in INJECTED if name in wanted}
    return {**nested(arguments), **asked}


def call(where: str, arguments: Mapping[str, Any], *, seed: int, device: str, folder: str) -> Any:
    """Call a function as a cell does, by hand: what `show CELL --command` prints.

    Args:
        where: "my_train.py:fit" or "package.module:fit".
        arguments: by the names in the file of the study.
        seed: given by name where the signature has it, as the other two.
        device: "cpu" or "cuda:0".
        folder: of the cell.

    Returns:
        What it returns. What it reports is printed.
    """
    place = Place(device, Path(folder), Path(), 1, float("inf"))
    place.folder.mkdir(parents=True, exist_ok=True)
    function = load_function(Trainer("function", where, str(Path.cwd())))
    return function(**call_arguments(function, arguments, Run(place, seed, print)))


def nested(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted names taken apart: {"model.depth": 3, "model": {"width": 2}} is one `model`."""
    whole: dict[str, Any] = {}
    for name in sorted(arguments, key=lambda name: name.count(".")):
        value = arguments[name]
        *steps, last = name.split(".")
        place = whole
        for step in steps:
            inner = place.get(step)
            place[step] = dict(inner) if isinstance(inner, dict) else {}
            place = place[step]
        place[last] = value
    return whole


def as_named(returned: Any, primary: str) -> Mapping[str, Any] | None:
    """What a function returned, by name: a bare number is the primary response; None: neither."""
    if isinstance(returned, Mapping):
        return returned
    if returned is None or isinstance(returned, str | bytes):
        return None
    try:
        return {primary: float(returned)}
    except (TypeError, ValueError, RuntimeError):
        return None


def detail_of(error: BaseException) -> str:
    """What ended a cell, in one line that every terminal and file takes."""
    first_line = (str(error).splitlines() or [""])[0]
    return printable(f"{type(error).__name__}: {first_line}")[:500]
