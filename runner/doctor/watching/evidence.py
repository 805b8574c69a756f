"""Everything that is known of a training before a repair is tried: one look, one trial as it is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log

from runner.doctor.watching.batches import Batch, Batches, size_of
from runner.doctor.watching.facts import (
    Inputs,
    LabelFacts,
    LossFacts,
    inputs_of,
    label_facts,
    labels_in,
    loss_facts,
)
from runner.doctor.watching.layers import FirstLook, first_look
from runner.doctor.watching.made import Made, Start
from runner.doctor.watching.task import Task, task_of
from runner.doctor.watching.trial import Trial, run_trial

SHARE_AS_IT_IS = 0.3
"""Of the time, for the training as it is."""
MOST_STEPS = 3000
"""Of one trial: a small network on a small table is done by then."""
STUCK, FLAT = 0.05, 0.01
"""Score below which, or share of the loss's fall below which, a training has learned nothing."""


class Budget:
    """What a diagnosis may spend: seconds, or so many steps a trial however long they take.

    Attributes:
        steps: of one trial; None where the time decides, so that a slow machine sees fewer.
    """

    def __init__(self, seconds: float, steps: int | None = None) -> None:
        self.steps = steps
        self._seconds = inf if steps is not None else seconds
        self._until = time.perf_counter() + self._seconds

    def share(self, of_all: float) -> float:
        """Seconds of a share of the whole."""
        return of_all * self._seconds

    def allows(self, seconds: float) -> bool:
        """Whether so much more may be spent."""
        return self.steps is not None or self.left > seconds

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return max(self._until - time.perf_counter(), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """What is known of a training, run by the doctor or watched in a loop of one's own.

    Attributes:
        made: the training.
        task: what is learned.
        training: batches that all trials train on.
        validation: batches that all are judged on.
        look: the first forward and backward pass.
        loss: what the loss computes.
        inputs: of training; None where they are no numbers.
        held: inputs of validation.
        labels: whether they belong to the inputs.
        planned: steps of the whole training; None where it is not known.
        as_it_is: the training as it is, for a while.
    """

    made: Made
    task: Task
    training: Batches
    validation: Sequence[Batch]
    look: FirstLook
    loss: LossFacts
    inputs: Inputs | None
    held: Inputs | None
    labels: LabelFacts
    planned: int | None
    as_it_is: Trial

    @property
    def whole(self) -> bool:
        """Whether the planned training was run to its end."""
        return self.planned is not None and self.as_it_is.steps >= self.planned

    @property
    def stuck(self) -> bool:
        """Whether it learned nearly nothing, on either data."""
        base = self.as_it_is
        if base.score < STUCK and not base.training_score > 2 * STUCK:
            return True
        return base.end > base.beginning - FLAT * abs(base.beginning)

    @property
    def at_chance(self) -> float:
        """The cross-entropy of an answer at random: the loss to begin with."""
        return log(max(self.task.classes, 2))

    @property
    def batch_size(self) -> int:
        """Examples of the first batch."""
        return size_of(self.training[0])


@dataclass(frozen=True, slots=True, eq=False)
class Evidence(Observed):
    """What one look and one trial showed.

    Attributes:
        start: puts the training back there.
        most: steps that a trial may have.
    """

    start: Start
    most: int


def gather(made: Made, budget: Budget) -> Evidence:
    """Look at a training and run it for a while.

    Args:
        made: what `make` returned, untouched.
        budget: of the whole diagnosis.

    Raises:
        Exception: whatever the model or the loss raises on the first batch.
    """
    start = Start(made)
    training = Batches(made.train_loader, "train_loader", made.device)
    held_out = Batches(made.val_loader, "val_loader", made.device)
    some, validation = training.some(), held_out.some()
    task = task_of(made, some, validation)
    look = first_look(made, training[0])
    loss = loss_facts(made, task, training[0], look.outputs)
    inputs, held = inputs_of(some), inputs_of(validation)
    labels = LabelFacts()
    if task.kind == "classes":
        labels = label_facts(task, inputs, labels_in(some), held, labels_in(validation))
    start.again()
    planned = None
    if made.epochs is not None and training.per_epoch is not None:
        planned = made.epochs * training.per_epoch
    steps = min(planned or MOST_STEPS, budget.steps or MOST_STEPS)
    as_it_is = run_trial(made, task, training, validation, steps, budget.share(SHARE_AS_IT_IS))
    start.again()
    return Evidence(
        made, task, training, validation, look, loss, inputs, held, labels, planned, as_it_is,
        start, steps,
    )  # fmt: skip
