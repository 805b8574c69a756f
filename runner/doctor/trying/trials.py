"""Repairs run one by one, each from the same start over the same batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import inf, isfinite
from typing import Any

from runner.doctor.causes.changes.named import Change
from runner.doctor.causes.finding import Repair
from runner.doctor.causes.suspects import (
    LARGE_SHARE,
    SMALL_BATCH,
    USUAL_BATCH,
    other_optimizers,
    suspects,
)
from runner.doctor.trying.judging import LEAST_OF_STUCK, Tried, exact
from runner.doctor.trying.rates import RangeTest, rate_repair, rates_to_try
from runner.doctor.watching.batches import Batches, Endless, Regrouped, as_validation
from runner.doctor.watching.evidence import Budget, Evidence
from runner.doctor.watching.made import Made
from runner.doctor.watching.trial import Trial, run_trial

EXTRA_TRIALS = 5
"""Of learning rates, of another optimizer, and of the winner at another seed."""
LONGER = 3
"""Times the planned steps, for a training that was not done."""
PATIENCE = 3
"""Times the steps of a trial, where a training has learned nothing and no exact repair helped."""
FEWEST_STEPS = 25
"""Of a trial, whatever the time: fewer tell nothing."""


def try_repairs(evidence: Evidence, rates: RangeTest | None, clock: Budget) -> Iterator[Tried]:
    """Every repair that is worth it, each over the same first steps."""
    planned: list[Repair] = list(suspects(evidence))
    planned += [rate_repair(evidence, factor) for factor in rates_to_try(rates)]
    as_it_is = evidence.as_it_is
    each = as_it_is.seconds / max(as_it_is.steps, 1)
    share = clock.left / (len(planned) + EXTRA_TRIALS + 1)
    # Where the numbers ended it, a repair gets the steps that it would have had.
    steps = evidence.most if as_it_is.broke else as_it_is.steps
    if clock.steps is None:
        steps = max(min(steps, int(share / max(each, 1e-9) * 0.8)), FEWEST_STEPS)
    if as_it_is.steps > steps and not as_it_is.broke:
        as_it_is = run_from_start(evidence, evidence.made, steps, clock)
    rate_trials: list[Tried] = []
    for repair in planned:
        one = Tried(repair, with_repair(repair, evidence, steps, clock), as_it_is)
        yield one
        if repair.kind.startswith("learning_rate"):
            rate_trials.append(one)
    if clock.allows(share):
        for one in _further(rate_trials, evidence, steps, clock):
            rate_trials.append(one)
            yield one
    size = evidence.batch_size
    few = LARGE_SHARE * size * (evidence.training.per_epoch or inf)
    if (size <= SMALL_BATCH or size >= few) and clock.allows(share):
        yield _other_batches(evidence, steps, clock, as_it_is)
    if evidence.whole and clock.allows(share):
        yield _more_epochs(evidence, clock)
    prepared = as_validation(evidence.made)
    if prepared is not None and clock.allows(share):
        yield _prepared_alike(prepared, evidence, steps, clock, as_it_is)
    if evidence.stuck and max(one.after for one in rate_trials) < LEAST_OF_STUCK:
        for repair in other_optimizers():
            if clock.allows(share):
                yield Tried(repair, with_repair(repair, evidence, steps, clock), as_it_is)


def try_longer(
    evidence: Evidence, tried: Sequence[Tried], good: Sequence[Tried], clock: Budget
) -> tuple[Trial, list[Tried]] | None:
    """The training as it is, the exact repairs and the best of those that helped, for longer.

    A training that has learned nothing yet may be slow and fine, and so may be what a right repair
    makes of one.

    Returns:
        The training as it is over more steps, and the repairs over as many; None where all steps
        were run or the time does not allow it.
    """
    steps = max(one.trial.steps for one in tried) if tried else evidence.as_it_is.steps
    longer = min(PATIENCE * steps, evidence.planned or PATIENCE * steps)
    best = good[:1] or sorted(tried, key=lambda one: -one.after)[:2]
    again = [
        one.repair
        for one in (*filter(exact, tried), *best)
        if not one.repair.once and one.repair.steps is None
    ]
    each = evidence.as_it_is.seconds / max(evidence.as_it_is.steps, 1)
    if longer <= steps or not clock.allows(each * longer * (len(again) + 1)):
        return None
    as_it_is = evidence.as_it_is
    if not as_it_is.broke:
        as_it_is = run_from_start(evidence, evidence.made, longer, clock)
    found = {
        repair.kind + repair.change: Tried(
            repair, with_repair(repair, evidence, longer, clock), as_it_is
        )
        for repair in again
    }
    return as_it_is, list(found.values())


def usual_steps(evidence: Evidence, clock: Budget) -> int:
    """Steps of a trial: those of the training as it is, or where it broke those it was to make."""
    base = evidence.as_it_is
    if not base.broke:
        return base.steps
    few = clock.steps or FEWEST_STEPS
    return max(base.steps, min(few, evidence.planned or few))


def _further(trials: list[Tried], evidence: Evidence, steps: int, clock: Budget) -> Iterator[Tried]:
    """The direction of the best rate some decades further, while that is better still.

    Where no rate has learned yet, the one whose loss ended lowest shows the direction.
    """
    if not trials:
        return
    best = max(trials, key=lambda one: (round(one.after, 1), -_end(one)))
    learned = best.after
    for factor in (0.01, 0.001) if best.repair.kind.endswith("high") else (1e2, 1e3, 1e4):
        repair = rate_repair(evidence, factor)
        one = Tried(repair, with_repair(repair, evidence, steps, clock), best.as_it_is)
        yield one
        if one.after < learned or one.trial.broke or clock.left <= 0:
            return
        learned = one.after


def _end(one: Tried) -> float:
    return one.trial.end if isfinite(one.trial.end) else inf


def _other_batches(evidence: Evidence, steps: int, clock: Budget, as_it_is: Trial) -> Tried:
    """The same examples in batches of the usual size."""
    size, count = evidence.batch_size, _steps_of_the_same(evidence, steps)
    loader = Regrouped(Endless(evidence.training), USUAL_BATCH)
    trial = _of_other_batches(loader, evidence, count, clock)
    repair = Repair(
        "batch_too_small_or_large", "train_loader",
        f"A batch has {size} examples"
        + ("." if size <= SMALL_BATCH else f", an epoch {evidence.training.per_epoch} steps."),
        f"Use batches of about {USUAL_BATCH}.", Change("regrouped", {"size": USUAL_BATCH}), count,
        only_if_stuck=True, once=True,
    )  # fmt: skip
    return Tried(repair, trial, as_it_is)


def _prepared_alike(
    loader: Iterable[Any], evidence: Evidence, steps: int, clock: Budget, as_it_is: Trial
) -> Tried:
    """The training images prepared as the validation images are."""
    trial = _of_other_batches(loader, evidence, steps, clock)
    repair = Repair(
        "too_strong_augmentation", "train_loader",
        "Training and validation images go through different transforms.",
        "Augment less: crops and flips first, then one thing more at a time.",
        Change("training_as_held_out"), once=True,
    )  # fmt: skip
    return Tried(repair, trial, as_it_is)


def _of_other_batches(
    loader: Iterable[Any], evidence: Evidence, steps: int, clock: Budget
) -> Trial:
    """A trial over batches of another loader."""
    batches = Batches(loader, "train_loader", evidence.made.device)
    return run_from_start(replace(evidence, training=batches), evidence.made, steps, clock)


def _steps_of_the_same(evidence: Evidence, steps: int) -> int:
    """Steps in batches of the usual size: of as many examples, or of all planned ones if fewer."""
    size = evidence.batch_size
    if size > USUAL_BATCH:
        return max(steps * size // USUAL_BATCH, 1)
    planned = (evidence.planned or 10 * steps) * size // USUAL_BATCH
    return max(min(evidence.as_it_is.steps, planned), 1)


def _more_epochs(evidence: Evidence, clock: Budget) -> Tried:
    """Three times the steps that are planned."""
    steps = LONGER * evidence.as_it_is.steps
    repair = Repair(
        "too_few_epochs", "epochs",
        f"All {evidence.as_it_is.steps} planned steps were run and the training was not done.",
        f"Train for about {LONGER * (evidence.made.epochs or 1)} epochs or more.",
        Change("longer", {"times": LONGER}), steps, once=True,
    )  # fmt: skip
    return Tried(repair, run_from_start(evidence, evidence.made, steps, clock), evidence.as_it_is)


def with_repair(repair: Repair, evidence: Evidence, steps: int, clock: Budget) -> Trial:
    """A trial from the start with one thing changed; a repair that fails has not helped."""
    evidence.start.again()
    try:
        with repair.applied(evidence.made) as repaired:
            return run_from_start(evidence, repaired, steps, clock, begin=False)
    except (RuntimeError, ValueError, TypeError, IndexError):
        return Trial(broke="the repair could not be run")
    finally:
        evidence.start.again()


def run_from_start(
    evidence: Evidence, made: Made, steps: int, clock: Budget, *, begin: bool = True
) -> Trial:
    """A trial from the start, which is put back afterwards.

    Args:
        evidence: of the training; its batches are trained on.
        made: the training, or a repaired one.
        steps: at most.
        clock: what is left of it bounds the trial.
        begin: whether the start has to be put back first; not where a repair is in force.
    """
    if begin:
        evidence.start.again()
    trial = run_trial(
        made, evidence.task, evidence.training, evidence.validation, steps, max(clock.left, 0.5)
    )
    evidence.start.again()
    return trial
