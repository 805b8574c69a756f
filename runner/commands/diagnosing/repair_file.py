"""The smallest grid that could refute a diagnosis, as a YAML file beside the person's own.

One factor of two levels, the training as given and with the repair, and one claim: that the repair
gives at least what the doctor asks of a trial (`judging.LEAST_GAIN`).
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import escape
from math import sqrt
from pathlib import Path
from statistics import fmean, variance
from typing import TYPE_CHECKING, Any

from ablations.errors import InputError
from runner.program.files import write_whole

if TYPE_CHECKING:
    from runner.doctor.causes.finding import Finding, Remedy
    from runner.doctor.watching.task import Task

MOST_REPLICATES = 5
SPREAD, LEAST_SPREAD = 0.05, 0.02
"""Standard deviation of a share between seeds: where one seed was tried, and at the least, that of
1,024 examples being 0.016 at most."""
POWER = 0.8
AS_GIVEN = "as given"


@dataclass(frozen=True, slots=True)
class Question:
    """What the grid asks.

    Attributes:
        finding: the cause that it could refute; it has a remedy.
        task: of the training.
        make: "FILE.py:make", or "package.module:make".
        file: that defines it.
    """

    finding: Finding
    task: Task
    make: str
    file: Path

    @property
    def remedy(self) -> Remedy:
        """What a program can run."""
        assert self.finding.remedy is not None  # noqa: S101 - whoever makes a question has seen it
        return self.finding.remedy

    @property
    def share(self) -> float:
        """What a whole score is of the outcome: of classes, all above chance."""
        return 1 - self.task.chance

    @property
    def least_gain(self) -> float:
        """What the repair must add to the outcome for the diagnosis to stand."""
        from runner.doctor.trying.judging import LEAST_GAIN

        return round(LEAST_GAIN * self.share, 3)

    @property
    def gain(self) -> float:
        """What it added in the doctor's own trials."""
        gains = [after - before for before, after in self.remedy.scores]
        return self.share * (fmean(gains) if gains else 0.0)

    @property
    def spread(self) -> float:
        """Standard deviation of one run: of the trials at both seeds, bounded from below."""
        if len(self.remedy.scores) < 2:
            return SPREAD
        both = [variance(side) for side in zip(*self.remedy.scores, strict=True)]
        return max(self.share * sqrt(fmean(both)), LEAST_SPREAD)


def replicates_for(question: Question) -> tuple[int, bool]:
    """Seeds of each level, and whether so many decide a difference as large as the doctor's own.

    The fewest, to `MOST_REPLICATES`, that have 80 % power by Welch's t test with the fewest degrees
    of freedom that it can have. Two never decide so small a grid (`analysis.few_runs`).
    """
    from analysis.few_runs import FEW_REPLICATES
    from analysis.verdicts.replicates import t_power

    distance = question.gain - question.least_gain
    for count in range(FEW_REPLICATES + 1, MOST_REPLICATES + 1):
        error = question.spread * (2 / count) ** 0.5
        if distance > 0 and t_power(distance, error, count - 1) >= POWER:
            return count, True
    return MOST_REPLICATES, False


def write_repair(question: Question) -> Path:
    """Write the file under a name that is free; one that says the same stays.

    Raises:
        InputError: the folder cannot be written into.
    """
    folder = question.file.parent if question.make.partition(":")[0].endswith(".py") else Path()
    stem = f"{question.file.stem}-{question.finding.kind}"
    for name in _names(stem):
        target = folder / f"{name}.yaml"
        text = yaml_of(question, re.sub(r"\W+", "_", name), target)
        if target.exists() and target.read_text("utf-8") != text:
            continue
        try:
            write_whole(target, text)
        except OSError as error:
            raise InputError(f"{target}: cannot be written: {error.strerror}") from None
        return target
    raise AssertionError("names do not end")


def _names(stem: str) -> Iterator[str]:
    yield stem
    number = 2
    while True:
        yield f"{stem}-{number}"
        number += 1


def command_of(target: Path) -> str:
    """What runs the grid, from the folder that this program was started in."""
    return f"python -m runner grid {shlex.quote(os.path.relpath(target))}"


def yaml_of(question: Question, name: str, target: Path) -> str:
    """The whole file.

    Args:
        question: what it asks.
        name: of the study.
        target: where it is written.
    """
    return "\n".join([*_head(question, target), f"name: {_quoted(name)}", *_body(question), ""])


def _head(question: Question, target: Path) -> Iterator[str]:
    from runner.doctor.causes.kinds import KINDS

    yield f"# Could refute: {KINDS[question.finding.kind].title[0].lower()}" + (
        f"{KINDS[question.finding.kind].title[1:]} ({question.make})."
    )
    yield "# Written by `python -m runner doctor --repair`; in the folder where that was called:"
    yield f"#   {command_of(target)}"


def _body(question: Question) -> Iterator[str]:
    from runner.doctor.repairing import CALL, outcome_name

    remedy, change = question.remedy, question.remedy.change
    count, enough = replicates_for(question)
    where = question.make.rpartition(":")[0]
    code = escape(where) if where.endswith(".py") else ""
    yield f"trainer: {{function: {_quoted(CALL)}" + (
        f", code: [{_quoted(code)}]}}" if code else "}"
    )
    given: dict[str, Any] = {}
    repaired: dict[str, Any] = {"repair": change.plain()}
    fixed: dict[str, Any] = {"make": question.make, "as_used": remedy.as_used}
    if remedy.steps is None:
        fixed["steps"] = remedy.ran
    else:
        given["steps"], repaired["steps"] = remedy.ran, remedy.steps
    yield "factors:"
    yield f"  {_quoted(change.factor)}:"
    yield f"    - {{as: {_quoted(AS_GIVEN)}, set: {json.dumps(given)}}}"
    yield f"    - {{as: {_quoted(change.level)}, set: {json.dumps(repaired)}}}"
    yield f"fixed: {json.dumps(fixed, ensure_ascii=False)}"
    yield f"replicates: {count}  # {_why(question, enough=enough)}"
    chance = round(question.task.chance, 4)
    yield "responses:"
    yield (
        f"  {outcome_name(question.task)}: {{better: higher, low: 0, high: 1, chance: {chance}, "
        + ("unit: share}")
    )
    yield f"claims: [{json.dumps(claim_of(question), ensure_ascii=False)}]"


def _why(question: Question, *, enough: bool) -> str:
    found = f"the doctor's trials differ by {100 * question.gain:+.0f} points"
    if enough:
        return f"the fewest that decide it: {found}, seeds by about {100 * question.spread:.0f}"
    return f"perhaps too few: {found}, seeds by about {100 * question.spread:.0f}"


def claim_of(question: Question) -> str:
    """That the repair gives at least what the doctor asks of it, in points."""
    change = question.remedy.change
    least = f"{100 * question.least_gain:.3g}"
    return f"{change.factor}: {json.dumps(change.level)} > {json.dumps(AS_GIVEN)} by {least} points"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def by_hand(findings: Sequence[Finding]) -> str:
    """Why there is no grid, one sentence: what has to be changed by hand."""
    first = findings[0]
    return (
        f"No grid: a program cannot make this change ({first.kind}). By hand: {first.change} Then "
        "run doctor again."
    )
