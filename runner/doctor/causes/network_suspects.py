"""Causes that lie in the network, which the evidence makes likely, each with its repair."""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from runner.doctor.causes.changes.named import Change
from runner.doctor.causes.finding import Repair
from runner.doctor.watching.evidence import Observed
from runner.probe.layers import SATURATING, SOFTMAX, Layer

OFF_BY = 3.0
"""Deviation of weights by what their layer draws by default; He's is 2.45 times it."""
MOMENTA = (0.01, 0.5)
"""Of batch norm, that follow a training within its steps and average over some."""
STRONG_DROPOUT = 0.5
"""He et al. and most after them use less, or none beside batch norm."""
DEEP = 5
"""Weighted layers from which a network without normalisation may lose the signal."""


def _eval_mode(evidence: Observed) -> Iterator[Repair]:
    found = evidence.as_it_is.evaluating
    if found:
        yield Repair(
            "eval_mode_in_training", found[0],
            f"{len(found)} layers of batch norm or dropout were in eval mode while it trained.",
            "Call model.train() before every epoch, after each evaluation.",
            Change("training_mode"), certain=evidence.made.own_step,
        )  # fmt: skip


def _initial_weights(evidence: Observed) -> Iterator[Repair]:
    off = [(one, evidence.look.widths.get(one.name, 1.0)) for one in evidence.look.weighted]
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
        "Draw them by kaiming_normal_ with fan_in, or leave these layers at PyTorch's default.",
        Change("drawn_anew", {"names": [one.name for one, _ in found]}), certain=by == 0,
    )  # fmt: skip


def _statistics(evidence: Observed) -> Iterator[Repair]:
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
            Change("norm_momentum", {"names": [name for name, _ in odd], "momentum": 0.1}),
            judged_as_used=True,
        )  # fmt: skip


def _frozen(evidence: Observed) -> Iterator[Repair]:
    frozen = [n for n, p in evidence.made.model.named_parameters() if not p.requires_grad]
    if frozen:
        yield Repair(
            "frozen_layers", frozen[0],
            f"{len(frozen)} weights ask for no gradient.",
            "Leave requires_grad on where the weights are not pretrained.",
            Change("all_trained"),
        )  # fmt: skip


def _activations(evidence: Observed) -> Iterator[Repair]:
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
        Change("rectified", {"names": [one.name for one in found],
                             "weighted": [x.name for x in evidence.look.weighted]}),
        only_if_stuck=True,
    )  # fmt: skip


def _missing_activations(evidence: Observed) -> Iterator[Repair]:
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
            Change("rectifier_added", {"names": [one.name for one in before]}),
            only_if_stuck=len(before) < len(weighted) - 1,
        )  # fmt: skip


def _dropout(evidence: Observed) -> Iterator[Repair]:
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
            Change("dropout", {"names": [name for name, _ in found], "p": 0.0}),
            only_if_stuck=True,
        )  # fmt: skip


def _no_norm(evidence: Observed) -> Iterator[Repair]:
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
        Change("batch_normalised", {"names": [one.name for one in weighted[:-1]]}),
        only_if_stuck=True,
    )  # fmt: skip


IN_THE_NETWORK = (
    _eval_mode, _initial_weights, _statistics, _frozen, _activations, _missing_activations,
    _dropout, _no_norm,
)  # fmt: skip
"""The rules of this module."""
