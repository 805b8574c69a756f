"""`doctor FILE.py:make`: why one training does not converge, proven by running the repair."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ablations.errors import InputError, OptionError
from runner.program.answers import add_json, print_answer
from runner.program.needs import need
from runner.program.wording import brief, counted, printable

if TYPE_CHECKING:
    from runner.doctor.causes.finding import Finding
    from runner.doctor.diagnosis import Diagnosis
    from runner.doctor.trying.rates import RangeTest
    from runner.doctor.watching.evidence import Evidence

EXAMPLES = """examples:
  python -m runner doctor my_train.py:make
  python -m runner doctor my_train.py:make --seconds 20 --json
  python -m runner doctor my_train.py:make --steps 200     the same answer on a slow machine

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
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    if not arguments.seconds >= FEWEST_SECONDS:
        raise OptionError("--seconds", arguments.seconds, f"expected {FEWEST_SECONDS:g} or more")
    if arguments.steps is not None and arguments.steps < 1:
        raise OptionError("--steps", arguments.steps, "expected 1 or more")
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
        diagnosis = _diagnosis(f"{where}:{name}", arguments)
    finally:
        sys.stdout = said
    if arguments.json:
        print_answer("doctor", diagnosis.as_json())
    else:
        _tell(diagnosis)
    return 0 if diagnosis.healthy else FOUND


def _diagnosis(call: str, arguments: argparse.Namespace) -> Diagnosis:
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
    return replace(found, causes=with_lines(found.causes, Path(file)))


def _tell(diagnosis: Diagnosis) -> None:
    """The answer, and then what it rests on."""
    from runner.doctor.causes.kinds import KINDS

    evidence = diagnosis.evidence
    if diagnosis.healthy:
        print("Healthy: it learns, and no repair that was tried makes it clearly better.")
    elif evidence is not None and not diagnosis.causes:
        print(
            "Not known: it learns nearly nothing in "
            f"{counted(evidence.as_it_is.steps, 'step')}, and no repair that was tried changes "
            "that; more time (--seconds) may."
        )
    for number, cause in enumerate(diagnosis.causes):
        lead = "" if number == 0 else "Or: "
        print(printable(f"{lead}{KINDS[cause.kind].title} ({cause.where}; {_sure(cause)})."))
        print(printable(f"  {cause.evidence}"))
        print(printable(f"  Change: {cause.change}"))
    if evidence is None:
        return
    print(printable(_end_words(evidence)))
    if diagnosis.rates is not None:
        print(_range_words(diagnosis.rates, evidence))
    if diagnosis.tried:
        print(f"Tried: {counted(len(diagnosis.tried), 'repair')}, each from the same start.")


def _end_words(evidence: Evidence) -> str:
    """How the training ended as it is."""
    from runner.doctor.watching.task import score_words

    base = evidence.as_it_is
    whole = "all planned steps" if evidence.whole else counted(base.steps, "step")
    if base.broke:
        return f"As it is, {whole}: no longer finite: {base.broke}."
    right = score_words(evidence.task, base.score)
    return (
        f"As it is, {whole}: {right} on validation data, loss {base.losses[0]:.3g} to "
        f"{base.end:.3g}."
    )


def _sure(cause: Finding) -> str:
    how = "its repair was run and helps" if cause.proven else "seen"
    return f"confidence {cause.confidence:.2f}, {how}"


def _range_words(found: RangeTest, evidence: Evidence) -> str:
    own = max(evidence.as_it_is.rates, default=0.0)
    burst = "" if found.burst is None else f", bursts at {found.burst:.2g}"
    return (
        f"Range test of the learning rate: learns from {found.lowest:.2g}, fastest at "
        f"{found.steepest:.2g}{burst}; yours is {own:.2g}."
    )
