"""`doctor FILE.py:make`: why one training does not converge, proven by running the repair."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablations.errors import InputError, OptionError
from runner.commands.diagnosing.words import tell
from runner.program.answers import add_json, print_answer
from runner.program.needs import need
from runner.program.wording import brief, printable

if TYPE_CHECKING:
    from runner.doctor.diagnosis import Diagnosis
    from runner.doctor.watching.made import Made

EXAMPLES = """examples:
  python -m runner doctor my_train.py:make
  python -m runner doctor my_train.py:make --seconds 20 --json
  python -m runner doctor my_train.py:make --steps 200     the same answer on a slow machine
  python -m runner doctor my_train.py:make --repair        writes the grid that could refute it
  python -m runner doctor my_train.py:make --repair --run  and runs it

  make(seed=0) returns a mapping with `model`, `loss` (outputs, targets -> scalar), `optimizer`,
  `train_loader` and `val_loader`; where wanted `epochs`, `classes`,
  `step(model, loss, optimizer, x, y) -> loss` (the whole loop body) and
  `predict(outputs) -> classes`.

exit codes: 0 healthy, 3 a cause found or nothing learned, 2 what was given cannot be used
"""

FOUND = 3
FEWEST_SECONDS = 1.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("what", metavar="FILE.py:make", help="or package.module:make")
    parser.add_argument(
        "--seconds", type=float, default=60.0, metavar="S", help="to spend, about (default: 60)"
    )
    parser.add_argument(
        "--steps", type=int, metavar="N",
        help="of each trial, however long they take, in place of --seconds",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="given to make (default: 0)")
    parser.add_argument(
        "--repair", action="store_true",
        help="write the smallest grid that could refute the diagnosis, beside the file",
    )  # fmt: skip
    parser.add_argument("--run", action="store_true", help="with --repair: run that grid as well")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    if not arguments.seconds >= FEWEST_SECONDS:
        raise OptionError("--seconds", arguments.seconds, f"expected {FEWEST_SECONDS:g} or more")
    if arguments.steps is not None and arguments.steps < 1:
        raise OptionError("--steps", arguments.steps, "expected 1 or more")
    if arguments.run and not arguments.repair:
        raise InputError("--run goes with --repair: it runs the grid that --repair writes")
    where, colon, name = arguments.what.rpartition(":")
    if not colon or not name.isidentifier():
        raise InputError(f"{arguments.what}: expected FILE.py:make or package.module:make")
    if where.endswith(".py"):
        where = str(Path(where).absolute())
    need("doctor", "torch")
    said = sys.stdout
    if arguments.json:  # what somebody's own code prints is no part of the answer
        sys.stdout = sys.stderr
    try:
        examined = _examined(f"{where}:{name}", arguments)
        diagnosis = examined.diagnosis
        if not arguments.json:
            tell(diagnosis)
        repair = _repair(examined, arguments) if arguments.repair else {}
    finally:
        sys.stdout = said
    code = repair.pop("code", 0)
    if arguments.json:
        more = {"repair": repair} if repair else {}
        print_answer("doctor", diagnosis.as_json() | more)
    return code or (0 if diagnosis.healthy else FOUND)


@dataclass(frozen=True, slots=True)
class Examined:
    """A training and what was found; `again` is the training of another seed."""

    diagnosis: Diagnosis
    again: Made
    file: Path


def _repair(examined: Examined, arguments: argparse.Namespace) -> dict[str, Any]:
    """Write the grid, and run it where that is asked for; what a program is told."""
    from runner.commands.diagnosing import repair_file
    from runner.doctor.diagnosis import tried_remedy
    from runner.doctor.watching.evidence import Budget

    diagnosis = examined.diagnosis
    if not diagnosis.causes:
        print("No grid: no cause was named that one could refute.")
        return {}
    found = next((one for one in diagnosis.causes if one.remedy is not None), None)
    if diagnosis.causes[0].remedy is None:
        print(printable(repair_file.by_hand(diagnosis.causes)))
    if found is None or diagnosis.evidence is None:
        return {"by_hand": diagnosis.causes[0].change}
    budget = Budget(arguments.seconds, arguments.steps)
    found = tried_remedy(found, diagnosis.evidence, examined.again, budget)
    where, _, name = arguments.what.rpartition(":")
    make = f"{os.path.relpath(where)}:{name}" if where.endswith(".py") else arguments.what
    question = repair_file.Question(found, diagnosis.evidence.task, make, examined.file)
    target = repair_file.write_repair(question)
    command = repair_file.command_of(target)
    print(printable(f"Could refute it: {os.path.relpath(target)} (written)"))
    told: dict[str, Any] = {"file": str(target), "command": command}
    if not arguments.run:
        print(printable(f"  run: {command}"))
        return told
    from runner.commands.diagnosing.repair_run import run_repair

    code, answer = run_repair(target)
    if answer is not None:
        print(printable(answer.sentence))
        told |= answer.as_json()
    return told | {"code": code}


def _examined(call: str, arguments: argparse.Namespace) -> Examined:
    from runner.content.own.trainer import Trainer
    from runner.doctor.diagnosis import diagnose
    from runner.doctor.lines import with_lines
    from runner.doctor.watching.evidence import Budget
    from runner.doctor.watching.made import make_training

    trainer = Trainer("function", call, os.getcwd())
    budget = Budget(arguments.seconds, arguments.steps)
    doing = "it"
    try:
        made = make_training(trainer, arguments.seed)
        again = make_training(trainer, arguments.seed + 1)
        doing = "its first steps"
        found = diagnose(made, again, budget)
    except InputError:
        raise
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        raise InputError(
            f"{trainer.words}: {doing} failed: "
            f"{brief(printable(f'{type(error).__name__}: {first}'))}"
        ) from error
    file = call.rpartition(":")[0]
    if not file.endswith(".py"):
        file = str(sys.modules[file].__file__)
    placed = replace(found, causes=with_lines(found.causes, Path(file)))
    return Examined(placed, again, Path(file))
