"""Causes that show at the end: running statistics, what holds the training back, too few epochs,
images known by heart.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan, sqrt

from runner.doctor.cells.cause import Cause, amount
from runner.doctor.cells.run import HALF, STUCK, Run

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
"""Training score of a network that knows its images by heart, and by how much it is ahead; by as
much it is behind where something holds the training back."""


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


def held_back(run: Run) -> Iterator[Cause]:
    """Images that it never saw go better than those it is trained on, as it is trained on them.

    What is between is dropout or augmentation, both against images learned by heart: of these there
    is no sign. An epoch's training accuracy is of all its steps, hence the lesser of two
    validations, before it and after it.
    """
    if isnan(run.dropout) or run.stuck or run.diverged or len(run.curve) < 2:
        return
    trained = run.curve[-1].train_accuracy
    unseen = min(one.validation_accuracy for one in run.curve[-2:])
    if run.score(unseen) - run.score(trained) <= GAP:
        return
    if run.dropout >= HALF:
        yield Cause(
            "too_strong_regularisation",
            f"Dropout takes {run.dropout:.0%} of a layer's inputs: with it {trained:.0%} of the "
            f"training images are right in the last epoch, without it {unseen:.0%} of the "
            "validation images, so that it keeps nothing from being learned by heart.",
        )
    else:
        yield Cause(
            "too_strong_augmentation",
            f"As augmentation changes them {trained:.0%} of the training images are right in the "
            f"last epoch, and {unseen:.0%} of the validation images, which it leaves alone: it "
            "keeps nothing from being learned by heart.",
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
