"""What a cell ends as: an outcome is data, never an exception.

`Status` says how the training ended, `Reason` why a cell that did not end by itself failed. Whether
a run reached its target is told when it is read (`told`): the target is no part of what is learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How a cell ended.

    Training says LEARNED, STALLED, DIVERGED, TIMEOUT or FAILED, a trainer of one's own FINISHED
    instead of the first two; with a target, whoever reads says REACHED or SHORT instead.
    """

    REACHED = "reached"  # validation was at or above the target after some epoch
    SHORT = "short"  # better than guessing, but it never got there
    LEARNED = "learned"  # above chance by an exact one-sided binomial test (alpha 0.05)
    FINISHED = "finished"  # a function or command of one's own came to its end with its responses
    STALLED = "stalled"  # finite to the end, but not above chance
    DIVERGED = "diverged"  # a loss or a weight stopped being finite: a result, not an error
    TIMEOUT = "timeout"  # passed train.time_limit
    FAILED = "failed"  # the machine or the code failed, `reason` says which

    @classmethod
    def _missing_(cls, value: object) -> Status | None:
        return cls.LEARNED if value == OLD_LEARNED else None


OLD_LEARNED = "converged"
"""What stores and outcome files of version 1 call LEARNED."""


@dataclass(frozen=True, slots=True)
class Target:
    """The validation accuracy that counts as reached, or the value of a response of one's own.

    Attributes:
        accuracy: a share; of a response of one's own its value.
        derived: the file names none, so that it lies half way from chance to the best combination
            of levels, by the mean of its runs' best validation accuracies.
        response: whose value it is; "" for the validation accuracy.
        lower: whether a value at or below it reaches it.
        share: whether it is shown in percent.
    """

    accuracy: float
    derived: bool = False
    response: str = ""
    lower: bool = False
    share: bool = True

    @property
    def amount(self) -> str:
        """The value as it is shown: "90%", "0.35"."""
        return percent(self.accuracy) if self.share else f"{self.accuracy:g}"

    @property
    def words(self) -> str:
        """As a sentence names it: "90% validation accuracy", "loss 0.35"."""
        if self.share:
            return f"{self.amount} {self.response or 'validation accuracy'}"
        return f"{self.response} {self.amount}"

    def reached_by(self, best_validation_accuracy: float | None) -> bool:
        """Whether a run with this best validation accuracy got there."""
        best = best_validation_accuracy
        return best is not None and best >= self.accuracy

    @staticmethod
    def between(chance: float, best: float) -> Target | None:
        """Half way from chance to the best, to a tenth of a percent; None where nothing learned."""
        return Target(round((chance + best) / 2, 3), derived=True) if best > chance else None


def percent(share: float) -> str:
    """A share to a tenth of a percent: 90%, 62.5%."""
    return f"{round(100 * share, 1):g}%"


def told(status: Status, reached: bool | None) -> Status:
    """The status as people read it, once it is known whether validation reached the target.

    A run that diverged did not reach it, whatever it had touched before: it ended without a
    network.

    Args:
        status: as training left it.
        reached: whether it got there; None where a trainer of one's own has no target.
    """
    if status not in (Status.LEARNED, Status.STALLED, Status.FINISHED) or reached is None:
        return status
    if reached:
        return Status.REACHED
    return Status.SHORT if status in (Status.LEARNED, Status.FINISHED) else status


class Reason(StrEnum):
    """Why a cell failed. Retried without being asked only where the machine is to blame."""

    OOM = "oom"  # out of memory: once more, with fewer slots on that device
    CUDA = "cuda"  # the device failed: retried, bounded
    TIMEOUT = "timeout"  # passed its time limit
    KILLED = "killed"  # a signal ended the process: retried, bounded
    LOST = "lost"  # its worker vanished: claimed again after the lease
    BAD_LEVEL = "bad_level"  # a level refused its parameters: never retried
    BUG = "bug"  # an exception in the training code or a plugin: never retried
    INTERRUPTED = "interrupted"  # the user stopped the run: waiting again
    DATA = "data"  # the data set could not be read: never retried
    NO_RESPONSE = "no_response"  # it ended well and gave no number to analyse: never retried
    AGAIN = "again"  # it asked to be tried again (exit code 75): retried, bounded


@dataclass(frozen=True, slots=True)
class Epoch:
    """One row of a learning curve. Losses in nats, accuracies as shares in 0..1."""

    epoch: int  # 1-based
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float  # of the first parameter group, at the epoch's last step
    gradient_norm: float  # mean over the epoch's steps of the global L2 norm
    seconds: float  # training and validation of this epoch
    images_per_second: float  # training images over training seconds

    @property
    def step(self) -> int:
        """How far the training is, as its progress is shown."""
        return self.epoch

    @property
    def headline(self) -> float:
        """The number that its progress is shown by."""
        return self.validation_accuracy


@dataclass(frozen=True, slots=True)
class Point:
    """One row of the curves that a trainer of one's own reports."""

    step: int  # an epoch, an iteration: whatever it counts
    values: Mapping[str, float]

    @property
    def headline(self) -> float | None:
        """The number that its progress is shown by: the first."""
        return next(iter(self.values.values()), None)


Advance = Epoch | Point
"""How far a training is, as it tells while it runs: both have a `step` and a `headline`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything a finished training says. `None` where a quantity does not exist."""

    status: Status
    test_accuracy: float | None = None  # share; exactly 1/classes for a diverged cell
    test_loss: float | None = None
    test_correct: int | None = None
    n_test: int | None = None
    classes: int | None = None
    best_validation_accuracy: float | None = None
    final_validation_accuracy: float | None = None
    epochs_to_target: int | None = None  # in outcomes of version 1; else told when it is read
    epochs_run: int = 0
    epochs_budget: int = 0
    diverged_epoch: int | None = None
    reason: Reason | None = None
    detail: str | None = None  # one line for a person
    seconds: float = 0.0  # wall time of the training, start-up left out
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None
    parameters: int | None = None  # trainable weights
    train_images: int | None = None
    notes: tuple[str, ...] = ()  # e.g. "horizontal flip left out: mirroring changes labels"
    curve: tuple[Epoch, ...] = field(default=())
    # Of a trainer of one's own: every number it ended with by name, and its curves.
    responses: Mapping[str, float] = field(default_factory=dict)
    points: tuple[Point, ...] = ()
    # Of the shipped trainer: what its layers did, as `runner.probe.record` reads it.
    evidence: Mapping[str, Any] | None = None

    def number(self, name: str) -> float | None:
        """The response of that name, of whichever trainer."""
        if name in self.responses:
            return self.responses[name]
        return getattr(self, name) if name in _NUMBERS else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return asdict(self)

    @staticmethod
    def from_dict(raw: dict[str, Any]) -> Outcome:
        """The inverse of `to_dict`. Raises ValueError or KeyError or TypeError on anything else."""
        return Outcome(
            **raw
            | {
                "status": Status(raw["status"]),
                "reason": None if raw["reason"] is None else Reason(raw["reason"]),
                "notes": tuple(raw["notes"]),
                "curve": tuple(Epoch(**row) for row in raw["curve"]),
                "responses": dict(raw.get("responses", {})),
                "points": tuple(Point(**row) for row in raw.get("points", ())),
            }
        )


_NUMBERS = frozenset(
    one.name
    for one in fields(Outcome)
    if one.type in ("float", "int", "float | None", "int | None")
)
"""What the shipped classifier ends with, by name."""
