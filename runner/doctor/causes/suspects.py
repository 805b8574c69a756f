"""Causes that the evidence makes likely, each with the repair that would prove it.

Of the data, the loss and the optimizer here; those of the network are in `network_suspects`.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from runner.doctor.causes.changes.named import Change
from runner.doctor.causes.changes.of_learning import OPTIMIZERS
from runner.doctor.causes.finding import Repair
from runner.doctor.causes.network_suspects import IN_THE_NETWORK
from runner.doctor.watching.evidence import Observed
from runner.doctor.watching.facts import in_unit_interval, sums_to_one

LARGE, WIDE, NARROW, UNLIKE = 10.0, 5.0, 0.02, 100.0
"""Inputs: largest number, largest and least deviation, ratio of deviations of a table's columns."""
FAR = 10.0
"""Deviation of the targets of a regression, and their mean by it."""
SHRUNK = 0.05
"""Of a weight, taken by decay in 100 steps."""
SMALL_BATCH, LARGE_SHARE, USUAL_BATCH = 4, 0.25, 32
FALLEN, EARLY = 0.01, 0.1
"""The rate by its largest, and the share of the planned steps that it must not fall so in."""


def suspects(evidence: Observed) -> Iterator[Repair]:
    """Repairs worth a trial, the most exact first; the learning rate is tried by itself."""
    for rule in (
        _inputs, _targets, _two_preparations, _loss, _schedule, _decay, *IN_THE_NETWORK,
    ):  # fmt: skip
        yield from rule(evidence)


def other_optimizers() -> Iterator[Repair]:
    """What most trainings begin with, for one that none of its own rates makes learn."""
    for kind, words in zip(OPTIMIZERS, _RATES, strict=True):
        yield Repair(
            "wrong_optimizer", "optimizer",
            "No learning rate of its own makes this optimizer learn.",
            f"Use {kind} {words} to begin with.", Change("other_optimizer", {"kind": kind}),
            only_if_stuck=True,
        )  # fmt: skip


_RATES = ("at 0.001", "at 0.05 with momentum 0.9")
"""As `changes.of_learning.OPTIMIZERS` have them."""


def _inputs(evidence: Observed) -> Iterator[Repair]:
    found = evidence.inputs
    if found is None:
        return
    odd = found.largest > LARGE or found.deviation > WIDE or found.deviation < NARROW
    if not odd and found.spread <= UNLIKE:
        return
    of = f"mean {found.mean:.3g}, deviation {found.deviation:.3g}, largest {found.largest:.3g}"
    if found.spread > UNLIKE:
        of += f"; deviations of columns differ {found.spread:,.0f} times"
    yield Repair(
        "no_normalisation", "train_loader",
        f"The inputs are far from mean 0 and deviation 1: {of}.",
        "Standardise the inputs: subtract the mean and divide by the deviation of the training "
        "data" + (", column by column." if found.spread > UNLIKE else "."),
        Change("standardised_inputs"),
    )  # fmt: skip


def _targets(evidence: Observed) -> Iterator[Repair]:
    """Targets of a regression that are far from 0 or wide: the first steps only find their mean."""
    if evidence.task.kind != "numbers":
        return
    found = [
        one.float().flatten() for _, one in evidence.training.some() if isinstance(one, Tensor)
    ]
    if not found:
        return
    targets = torch.cat(found)
    mean, deviation = float(targets.mean()), max(float(targets.std()), 1e-8)
    if deviation <= FAR and abs(mean) <= FAR * max(deviation, 1.0):
        return
    yield Repair(
        "no_normalisation", "targets",
        f"The targets are far from mean 0 and deviation 1: mean {mean:.3g}, deviation "
        f"{deviation:.3g}.",
        "Standardise the targets, and undo it on what the model returns.",
        Change("standardised_targets", {"mean": mean, "deviation": deviation}),
    )  # fmt: skip


def _two_preparations(evidence: Observed) -> Iterator[Repair]:
    train, held = evidence.inputs, evidence.held
    if train is None or held is None:
        return
    shift = abs(train.mean - held.mean) / max(train.deviation, 1e-8)
    ratio = held.deviation / max(train.deviation, 1e-8)
    if shift <= 0.5 and 1 / 1.5 <= ratio <= 1.5:
        return

    scales = {"mean": held.mean, "deviation": max(held.deviation, 1e-8),
              "to_mean": train.mean, "to_deviation": train.deviation}  # fmt: skip
    yield Repair(
        "preprocessing_mismatch", "val_loader",
        f"Training inputs have mean {train.mean:.3g} and deviation {train.deviation:.3g}, "
        f"validation inputs {held.mean:.3g} and {held.deviation:.3g}.",
        "Prepare the validation inputs as the training inputs are.",
        Change("held_out_as_training", scales), judged_as_used=True,
    )  # fmt: skip


def _loss(evidence: Observed) -> Iterator[Repair]:
    task, kind = evidence.task, evidence.loss.kind
    if task.kind != "classes" or kind in ("cross_entropy", "nll", "negative"):
        return
    outputs = evidence.look.outputs
    if outputs.ndim != 2 or (outputs.shape[1] == 1 and task.classes > 2):
        return
    shares = in_unit_interval(outputs)
    if kind == "nll_of_probabilities" or (outputs.shape[1] == 1 and kind.startswith("bce")):
        return
    said = {
        "mse_of_labels": "The loss takes the number of a class for a quantity.",
        "mse_one_hot": "The loss is the squared error of one-hot labels.",
        "mae_one_hot": "The loss is the absolute error of one-hot labels.",
        "bce": "The loss judges each class by itself (binary cross-entropy).",
        "bce_logits": "The loss judges each class by itself (binary cross-entropy).",
    }
    instead = "cross_entropy_of_shares" if shares else "cross_entropy"
    yield Repair(
        "wrong_loss", "loss", said.get(kind, "The loss is none of the usual ones for classes."),
        "Use cross_entropy" + (" on the logits, before the softmax." if sums_to_one(outputs)
                               else "."),
        Change(instead), only_if_stuck=kind != "mse_of_labels",
    )  # fmt: skip


def _schedule(evidence: Observed) -> Iterator[Repair]:
    rates = evidence.as_it_is.rates
    planned = evidence.planned or 10 * (evidence.training.per_epoch or len(rates))
    early = rates[: max(int(EARLY * planned), 2)]
    if not early or max(early) <= 0:
        return
    low = next((k for k, rate in enumerate(early) if rate < FALLEN * max(early[: k + 1])), None)
    if low is None:
        return
    yield Repair(
        "schedule_wrong", "scheduler",
        f"The learning rate falls from {early[0]:.2g} to {early[low]:.2g} by step {low + 1} of "
        f"about {planned:,} planned.",
        "Step the scheduler once an epoch, or give it the number of batches that it is stepped "
        "for.",
        Change("constant_rate"),
    )  # fmt: skip


def _decay(evidence: Observed) -> Iterator[Repair]:
    group = max(
        evidence.made.optimizer.param_groups, key=lambda one: float(one.get("weight_decay", 0.0))
    )
    decay, rate = float(group.get("weight_decay", 0.0)), float(group["lr"])
    coupled = isinstance(evidence.made.optimizer, torch.optim.Adam) and not isinstance(
        evidence.made.optimizer, torch.optim.AdamW
    )
    if 1 - (1 - min(rate * decay, 1.0)) ** 100 > SHRUNK or (coupled and decay >= 0.01):
        yield Repair(
            "too_strong_regularisation", "optimizer",
            f"Weight decay of {decay:g} at a rate of {rate:g}.",
            "Use a weight decay of 0.0001 to 0.0005 with SGD, 0.01 with AdamW.",
            Change("no_decay"),
        )  # fmt: skip
