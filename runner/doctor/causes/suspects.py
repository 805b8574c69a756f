"""Causes that the evidence makes likely, each with the repair that would prove it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from runner.doctor.causes import changes
from runner.doctor.causes.finding import Repair
from runner.doctor.watching.evidence import Evidence
from runner.doctor.watching.facts import Inputs, in_unit_interval, sums_to_one
from runner.doctor.watching.layers import SATURATING, SOFTMAX, Layer

LARGE, WIDE, NARROW, UNLIKE = 10.0, 5.0, 0.02, 100.0
"""Inputs: largest number, largest and least deviation, ratio of deviations of a table's columns."""
OFF_BY = 3.0
"""Deviation of weights by what their layer draws by default; He's is 2.45 times it."""
MOMENTA = (0.01, 0.5)
"""Of batch norm, that follow a training within its steps and average over some."""
STRONG_DROPOUT = 0.5
"""He et al. and most after them use less, or none beside batch norm."""
SHRUNK = 0.05
"""Of a weight, taken by decay in 100 steps."""
SMALL_BATCH, LARGE_SHARE, USUAL_BATCH = 4, 0.25, 32
DEEP = 5
"""Weighted layers from which a network without normalisation may lose the signal."""
FALLEN, EARLY = 0.01, 0.1
"""The rate by its largest, and the share of the planned steps that it must not fall so in."""


def suspects(evidence: Evidence) -> Iterator[Repair]:
    """Repairs worth a trial, the most exact first; the learning rate is tried by itself."""
    for rule in (
        _eval_mode, _inputs, _two_preparations, _initial_weights, _loss, _schedule, _statistics,
        _frozen, _activations, _missing_activations, _dropout, _decay, _no_norm,
    ):  # fmt: skip
        yield from rule(evidence)


def other_optimizers() -> Iterator[Repair]:
    """What most trainings begin with, for one that none of its own rates makes learn."""
    for words, of in (
        ("Adam at 0.001", lambda weights: torch.optim.Adam(weights, lr=1e-3)),
        ("SGD at 0.05 with momentum 0.9",
         lambda weights: torch.optim.SGD(weights, lr=0.05, momentum=0.9)),
    ):  # fmt: skip
        yield Repair(
            "wrong_optimizer", "optimizer",
            "No learning rate of its own makes this optimizer learn.",
            f"Use {words} to begin with.", changes.other_optimizer(of), only_if_stuck=True,
        )  # fmt: skip


def _eval_mode(evidence: Evidence) -> Iterator[Repair]:
    found = evidence.as_it_is.evaluating
    if found:
        yield Repair(
            "eval_mode_in_training", found[0],
            f"{len(found)} layers of batch norm or dropout were in eval mode while it trained.",
            "Call model.train() before every epoch, after each evaluation.",
            changes.training_mode, certain=evidence.made.own_step,
        )  # fmt: skip


def _inputs(evidence: Evidence) -> Iterator[Repair]:
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
        changes.prepared_inputs(partial(_standardised, of=found)),
    )  # fmt: skip


def _standardised(inputs: Tensor, of: Inputs) -> Tensor:
    """By column where the inputs are a table."""
    if inputs.ndim == 2:
        mean, deviation = of.features.mean(0), of.features.std(0).clamp(min=1e-8)
        return (inputs - mean.to(inputs)) / deviation.to(inputs)
    return (inputs - of.mean) / max(of.deviation, 1e-8)


def _two_preparations(evidence: Evidence) -> Iterator[Repair]:
    train, held = evidence.inputs, evidence.held
    if train is None or held is None:
        return
    shift = abs(train.mean - held.mean) / max(train.deviation, 1e-8)
    ratio = held.deviation / max(train.deviation, 1e-8)
    if shift <= 0.5 and 1 / 1.5 <= ratio <= 1.5:
        return

    def brought(inputs: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            return inputs
        return (inputs - held.mean) / max(held.deviation, 1e-8) * train.deviation + train.mean

    yield Repair(
        "preprocessing_mismatch", "val_loader",
        f"Training inputs have mean {train.mean:.3g} and deviation {train.deviation:.3g}, "
        f"validation inputs {held.mean:.3g} and {held.deviation:.3g}.",
        "Prepare the validation inputs as the training inputs are.",
        changes.prepared_inputs(brought), judged_as_used=True,
    )  # fmt: skip


def _initial_weights(evidence: Evidence) -> Iterator[Repair]:
    off = [(one, _off(one.module)) for one in evidence.look.weighted]
    found = [(one, by) for one, by in off if not 1 / OFF_BY <= by <= OFF_BY]
    if not found:
        return
    layer, by = max(found, key=lambda pair: max(pair[1], 1 / max(pair[1], 1e-9)))
    how = "all equal" if by == 0 else f"{by:.2g} times as wide as its own default draws them"
    more = f" ({len(found)} layers are off)" if len(found) > 1 else ""
    yield Repair(
        "wrong_init", layer.name,
        f"The weights of {layer.name} are {how}{more}; the first loss is "
        f"{evidence.look.loss:.3g}"
        + (f", {evidence.at_chance:.2f} is an answer at random."
           if evidence.task.kind == "classes" else "."),
        "Leave these layers at PyTorch's default, or draw them by kaiming_normal_ with fan_in.",
        changes.drawn_anew([one.name for one, _ in found]), certain=by == 0,
    )  # fmt: skip


def _off(module: nn.Module) -> float:
    """Deviation of a layer's weights by what its own `reset_parameters` draws; 1 of few."""
    weight = getattr(module, "weight", None)
    if not isinstance(weight, Tensor) or weight.numel() < 8:
        return 1.0
    fresh = copy.deepcopy(module)
    with torch.random.fork_rng(devices=[]):
        fresh.reset_parameters()  # type: ignore[operator]  # every weighted layer has it
    own, usual = float(weight.detach().std()), float(fresh.weight.detach().std())  # type: ignore[operator]
    return own / usual if usual > 0 else 1.0


def _loss(evidence: Evidence) -> Iterator[Repair]:
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
    instead = changes.cross_entropy_of_shares if shares else changes.cross_entropy
    yield Repair(
        "wrong_loss", "loss", said.get(kind, "The loss is none of the usual ones for classes."),
        "Use cross_entropy" + (" on the logits, before the softmax." if sums_to_one(outputs)
                               else "."),
        changes.other_loss(instead), only_if_stuck=kind != "mse_of_labels",
    )  # fmt: skip


def _schedule(evidence: Evidence) -> Iterator[Repair]:
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
        changes.constant_rate,
    )  # fmt: skip


def _statistics(evidence: Evidence) -> Iterator[Repair]:
    norms = [
        (name, one) for name, one in evidence.made.model.named_modules()
        if isinstance(one, nn.modules.batchnorm._BatchNorm) and one.momentum is not None
    ]  # fmt: skip
    odd = [(n, one) for n, one in norms if not MOMENTA[0] <= (one.momentum or 0.0) <= MOMENTA[1]]
    if odd:
        name, one = odd[0]
        yield Repair(
            "norm_statistics_wrong", name,
            f"{len(odd)} batch norm layers have a momentum of {one.momentum:g}: in PyTorch the "
            "share of the new batch, usually 0.1.",
            "Set momentum=0.1.",
            changes.with_setting([name for name, _ in odd], "momentum", 0.1),
            judged_as_used=True,
        )  # fmt: skip


def _frozen(evidence: Evidence) -> Iterator[Repair]:
    frozen = [n for n, p in evidence.made.model.named_parameters() if not p.requires_grad]
    if frozen:
        yield Repair(
            "frozen_layers", frozen[0],
            f"{len(frozen)} weights ask for no gradient.",
            "Leave requires_grad on where the weights are not pretrained.",
            changes.all_trained,
        )  # fmt: skip


def _activations(evidence: Evidence) -> Iterator[Repair]:
    found = [
        one for one in evidence.look.layers[:-1] if isinstance(one.module, (*SATURATING, *SOFTMAX))
    ]
    if not found:
        return
    worst = max(found, key=lambda one: one.saturated)
    ratio = evidence.look.gradient_ratio
    yield Repair(
        "wrong_activation", found[0].name,
        f"{len(found)} hidden activations are {type(found[0].module).__name__}"
        + (f", {100 * worst.saturated:.0f} % of {worst.name} is saturated"
           if worst.saturated > 0.2 else "")
        + (f"; the first layer's gradient is {ratio:.1g} of the last hidden one's"
           if ratio < 0.1 else "") + ".",
        "Use ReLU for hidden layers, with He's initialisation.",
        changes.rectified([one.name for one in found], [x.name for x in evidence.look.weighted]),
        only_if_stuck=True,
    )  # fmt: skip


def _missing_activations(evidence: Evidence) -> Iterator[Repair]:
    weighted = evidence.look.weighted
    before: list[Layer] = [
        weighted[k - 1] for k, one in enumerate(weighted) if k and one.from_weighted
    ]
    if before:
        yield Repair(
            "wrong_activation", before[0].name,
            f"Nothing lies between {before[0].name} and the next weighted layer: together they "
            "are one linear layer"
            + (f" ({len(before)} such places)." if len(before) > 1 else "."),
            "Put an activation after it.",
            changes.after([one.name for one in before], F.relu),
            only_if_stuck=len(before) < len(weighted) - 1,
        )  # fmt: skip


def _dropout(evidence: Evidence) -> Iterator[Repair]:
    found = [
        (name, one) for name, one in evidence.made.model.named_modules()
        if isinstance(one, nn.modules.dropout._DropoutNd) and one.p >= STRONG_DROPOUT
    ]  # fmt: skip
    if found:
        name, one = max(found, key=lambda pair: pair[1].p)
        yield Repair(
            "too_strong_regularisation", name,
            f"{name} drops {100 * one.p:.0f} % of its inputs.",
            "Drop less, 10 to 30 %, or nothing beside batch norm.",
            changes.with_setting([name for name, _ in found], "p", 0.0), only_if_stuck=True,
        )  # fmt: skip


def _decay(evidence: Evidence) -> Iterator[Repair]:
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
            changes.no_decay,
        )  # fmt: skip


def _no_norm(evidence: Evidence) -> Iterator[Repair]:
    weighted = evidence.look.weighted
    if evidence.look.normalised or len(weighted) < DEEP:
        return
    first, last = weighted[0].deviation, weighted[-2].deviation
    yield Repair(
        "no_norm_layers", weighted[0].name,
        f"Over {len(weighted)} weighted layers without normalisation the signal goes from "
        f"{first:.2g} to {last:.2g}.",
        "Put batch norm after every convolution or linear layer but the last, or initialise by "
        "He with fan_in.",
        changes.after([one.name for one in weighted[:-1]], changes.batch_normalised),
        only_if_stuck=True,
    )  # fmt: skip
