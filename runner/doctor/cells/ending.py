"""Causes that show at the end: running statistics, too few epochs, images known by heart."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

from runner.doctor.cells.cause import Cause, amount
from runner.doctor.cells.run import STUCK, Run

APART = 3.0
"""Standard errors, sqrt(0.5 / images) at most, by which the share of right answers of the same
weights on the same images differs between the batch's statistics and the running ones."""
BY_HEART, LOST = 0.8, 0.25
"""Scores in training and in validation whose gap, by the curve alone, points to running
statistics: a network that learns by heart still finds something in validation."""
FALLING = 0.05
"""Fall of the validation loss over the last quarter of the epochs, two at least, that counts as
still learning."""
HEART_SCORE, GAP = 0.95, 0.1
"""Training score of a network that knows its images by heart, and by how much it is ahead."""


def running_statistics(run: Run) -> Iterator[Cause]:
    """The same weights and images are right by the batch's statistics and wrong by the running."""
    last = run.last
    if last is not None and run.evidence is not None:
        count = run.evidence.images
        if last.accuracy - last.accuracy_used >= APART * sqrt(0.5 / count):
            yield Cause(
                "norm_statistics_wrong",
                f"Of the same {count} training images the final weights get "
                f"{round(last.accuracy * count)} right by the batch's statistics and "
                f"{round(last.accuracy_used * count)} by the running ones.",
            )
        return
    if not run.curve:
        return
    end = run.curve[-1]
    fails = run.score(end.train_accuracy) >= BY_HEART and run.validation_score <= LOST
    if fails and not end.validation_loss <= run.at_chance:
        yield Cause(
            "norm_statistics_wrong",
            f"At the end {end.train_accuracy:.0%} are right in training, where batch norm uses the "
            f"batch's statistics, and {end.validation_accuracy:.0%} in validation, where it uses "
            "the running ones.",
            seen=False,
        )


def too_few_epochs(run: Run) -> Iterator[Cause]:
    """It was still learning when it ended."""
    losses = [one.validation_loss for one in run.curve]
    if len(losses) < 4 or run.validation_score < STUCK or run.diverged:
        return
    span = max(len(losses) // 4, 2)
    before = losses[-1 - span]
    if losses[-1] < (1 - FALLING) * before and losses[-1] <= min(losses):
        yield Cause(
            "too_few_epochs",
            f"The validation loss still falls, from {amount(before)} to {amount(losses[-1])} over "
            f"the last {span} of {len(losses)} epochs.",
            seen=False,
        )


def by_heart(run: Run) -> Iterator[Cause]:
    """Right in training, not in validation, whichever statistics are used."""
    if not run.curve or run.diverged:
        return
    end = run.curve[-1]
    ahead = run.score(end.train_accuracy) - run.score(end.validation_accuracy)
    statistics = any(True for _ in running_statistics(run))  # then validation says nothing of it
    if run.score(end.train_accuracy) >= HEART_SCORE and ahead > GAP and not statistics:
        yield Cause(
            "overfitting",
            f"At the end {end.train_accuracy:.0%} are right in training and "
            f"{end.validation_accuracy:.0%} in validation.",
            seen=False,
        )
