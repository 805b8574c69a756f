"""Causes that are so by definition, seen in the first look and the first steps."""

from __future__ import annotations

from collections.abc import Iterator
from math import e, inf, log

import torch
from torch import Tensor, nn

from runner.doctor.causes.finding import CERTAIN, Finding, Remedy, by
from runner.doctor.watching.batches import to_device
from runner.doctor.watching.evidence import Observed
from runner.doctor.watching.facts import labels_in, sums_to_one
from runner.doctor.watching.made import Made
from runner.doctor.watching.task import labels_of, tensor_of
from runner.probe.layers import RECTIFYING, SATURATING, SOFTMAX, Layer

LEFT_OVER = 0.2
"""Share of a gradient that was there before: clipping and rounding leave none."""
CONTRADICTING = 0.05
"""Share of examples that are there under two labels: a public image set has below 0.01."""
SCARCE = 0.05
"""Examples of a label by the mean of all labels."""


_LIMITS: tuple[tuple[tuple[type[nn.Module], ...], tuple[float, float]], ...] = (
    ((nn.Sigmoid, nn.Hardsigmoid, nn.Softmax), (0.0, 1.0)),
    ((nn.Tanh, nn.Hardtanh, nn.Softsign), (-1.0, 1.0)),
    ((nn.ReLU, nn.Softplus), (0.0, inf)),
    ((nn.ReLU6,), (0.0, 6.0)),
)
"""What activations can return."""


def mistakes(evidence: Observed) -> Iterator[Finding]:
    """What is certainly wrong."""
    yield from _weights(evidence)
    yield from _outputs(evidence)
    yield from _numbers(evidence)
    yield from _labels(evidence)


def _weights(evidence: Observed) -> Iterator[Finding]:
    made, trial = evidence.made, evidence.as_it_is
    held = {id(p) for group in made.optimizer.param_groups for p in group["params"]}
    named = list(made.model.named_parameters())
    outside = [name for name, p in named if id(p) not in held and p.requires_grad]
    if named and all(id(p) not in held for _, p in named):
        yield Finding(
            "optimizer_without_parameters", CERTAIN, "optimizer",
            f"None of the model's {len(named)} weights is in the optimizer's groups.",
            "Make the optimizer of model.parameters() of this very model, after it is on its "
            "device.", remedy=by("all_trained"),
        )  # fmt: skip
        return
    if trial.stepped == 0:
        yield Finding(
            "weights_not_updated", CERTAIN, "step",
            f"In {trial.steps} steps of the loop optimizer.step() was never called.",
            "Call optimizer.step() after loss.backward().", remedy=by("usual_step"),
        )  # fmt: skip
        return
    if outside:
        yield Finding(
            "frozen_layers", CERTAIN, _names(outside),
            f"{len(outside)} of the model's {len(named)} weights ask for gradients and are not in "
            "the optimizer's groups.",
            "Give the optimizer model.parameters().", remedy=by("all_trained"),
        )  # fmt: skip
    if trial.unmoved and not trial.broke and not outside:
        rates = trial.rates
        kind = "learning_rate_too_low" if max(rates) == 0 else "weights_not_updated"
        unreached = not any(one.reached for one in evidence.look.weighted)
        reason = (
            "the learning rate is 0" if max(rates) == 0
            else "no gradient reaches them" if unreached
            else "the steps are too small to change a single bit"
        )  # fmt: skip
        yield Finding(
            kind, CERTAIN, "optimizer",
            f"The weights are bit for bit the same after {trial.steps} steps: {reason}.",
            "Set a learning rate above 0." if max(rates) == 0
            else "See that the loss depends on the model's outputs, without detach() or no_grad()."
            if unreached else "Set a larger learning rate.",
            remedy=by("usual_step") if unreached and made.own_step else None,
        )  # fmt: skip
        return
    if trial.left_over > LEFT_OVER:
        yield Finding(
            "missing_zero_grad", CERTAIN, "step",
            f"Up to {100 * min(trial.left_over, 1):.0f} % of the gradient that a step used was "
            "left over from steps before it.",
            "Call optimizer.zero_grad() before loss.backward() in every step.",
            remedy=by("cleared_gradients"),
        )  # fmt: skip


def _outputs(evidence: Observed) -> Iterator[Finding]:
    look, task = evidence.look, evidence.task
    if task.kind != "classes":
        return
    outputs = look.outputs
    last = look.layers[-1] if look.layers else None
    where = last.name if last is not None else "the model's outputs"
    if sums_to_one(outputs) and evidence.loss.kind == "cross_entropy":
        named = isinstance(last.module, SOFTMAX) if last is not None else False
        yield Finding(
            "softmax_before_cross_entropy", CERTAIN, where if named else "the model's outputs",
            "Each row of the outputs sums to 1, and the loss takes a softmax of its own: "
            "it can never fall below "
            f"{_lowest_of_two_softmaxes(task.classes):.2f}, and gradients shrink.",
            "Return the logits, without a softmax; take it only to show probabilities.",
            remedy=_without(last) if named else by("logarithm_taken"),
        )  # fmt: skip
    elif (
        outputs.ndim == 2 and outputs.shape[1] == 1 and isinstance(look.layers[-1].module, SOFTMAX)
    ):
        yield Finding(
            "wrong_activation", CERTAIN, where,
            "A softmax over one output is 1 whatever it is given.",
            "Use a sigmoid with binary_cross_entropy, or return the logit and use "
            "binary_cross_entropy_with_logits.",
        )  # fmt: skip
    elif evidence.loss.kind == "cross_entropy" and _ends_in_an_activation(evidence):
        yield Finding(
            "wrong_activation", CERTAIN, where,
            f"The outputs pass through {type(look.layers[-1].module).__name__} and are then taken "
            "as logits by the cross-entropy.",
            f"Return what {where} is given.", remedy=_without(last),
        )  # fmt: skip
    if outputs.ndim == 2 and outputs.shape[1] == 1 and task.classes > 2:
        yield Finding(
            "wrong_output_layer", CERTAIN, where,
            f"One output stands for {task.classes} classes.",
            f"Give the last layer {task.classes} outputs, and take cross_entropy as the loss.",
        )  # fmt: skip
    if evidence.loss.kind == "nll" and not _log_shares(evidence):
        yield Finding(
            "wrong_loss", CERTAIN, "loss",
            "nll_loss is given outputs that are no log-probabilities: it falls without limit "
            "while nothing is learned.",
            "Use cross_entropy, or end the model with log_softmax.",
            remedy=by("cross_entropy"),
        )  # fmt: skip
    if evidence.loss.kind == "negative":
        yield Finding(
            "wrong_loss", CERTAIN, "loss",
            "The loss has the wrong sign: smaller is worse.",
            "Take away the minus.", remedy=by("other_sign"),
        )  # fmt: skip


def _without(last: Layer | None) -> Remedy | None:
    """The model without its last layer."""
    return None if last is None else by("left_out", names=[last.name])


def _ends_in_an_activation(evidence: Observed) -> bool:
    layers = evidence.look.layers
    return bool(layers) and isinstance(layers[-1].module, (*SATURATING, *RECTIFYING))


def _log_shares(evidence: Observed) -> bool:
    outputs = evidence.look.outputs
    return bool(((outputs.exp().sum(1) - 1).abs() < 1e-3).all())


def _lowest_of_two_softmaxes(classes: int) -> float:
    """The cross-entropy of softmax(one-hot): log(1 + (classes - 1) / e)."""
    return log(1 + (classes - 1) / e)


def _numbers(evidence: Observed) -> Iterator[Finding]:
    """A regression whose last activation cannot reach its targets."""
    layers, task = evidence.look.layers, evidence.task
    if task.kind != "numbers" or not layers:
        return
    limits = next((found for kinds, found in _LIMITS if isinstance(layers[-1].module, kinds)), None)
    targets = [one.float() for _, one in evidence.validation if isinstance(one, Tensor)]
    if limits is None or not targets:
        return
    low, high = (
        float(of(torch.cat([one.flatten() for one in targets]))) for of in (torch.min, torch.max)
    )
    if low < limits[0] or high > limits[1]:
        last = layers[-1]
        yield Finding(
            "wrong_activation", CERTAIN, last.name,
            f"The outputs end in {type(last.module).__name__}, from {limits[0]:g} to "
            f"{limits[1]:g}; the targets go from {low:.3g} to {high:.3g}.",
            f"Return what {last.name} is given.", remedy=_without(last),
        )  # fmt: skip


def _labels(evidence: Observed) -> Iterator[Finding]:
    facts = evidence.labels
    if evidence.task.kind != "classes":
        return
    if facts.constant:
        label = int(labels_in(evidence.training.some())[0])
        yield Finding(
            "labels_wrong", CERTAIN, "train_loader",
            f"All training labels looked at are {label}.",
            "See where the labels are read; shuffle the training data if it is sorted by label.",
        )  # fmt: skip
    elif facts.contradictions > CONTRADICTING:
        yield Finding(
            "labels_wrong", CERTAIN, "train_loader",
            f"{100 * facts.contradictions:.0f} % of the training inputs looked at are there again "
            "with another label.",
            "Take away the copies, or find which label is right.",
        )  # fmt: skip


def before_the_first_step(made: Made) -> Finding | None:
    """Why the first step fails, where labels and outputs do not fit; None: of something else."""
    inputs, targets = next(iter(made.train_loader))
    labels = labels_of(targets)
    try:
        with torch.no_grad():
            outputs = tensor_of(made.model(to_device(inputs, made.device)))
    except (RuntimeError, ValueError, TypeError, IndexError):
        return None
    if labels is None or outputs.ndim < 2 or outputs.shape[1] < 2:
        return None
    width, low, high = outputs.shape[1], int(labels.min()), int(labels.max())
    if low >= 0 and high < width:
        return None
    shifted = low == 1 and high == width
    return Finding(
        "labels_wrong" if shifted or low < 0 else "wrong_output_layer", CERTAIN,
        "train_loader" if shifted or low < 0 else "the last layer",
        f"Labels go from {low} to {high}, and {width} outputs stand for 0 to {width - 1}.",
        "Number the classes from 0." if shifted or low < 0
        else f"Give the last layer {high + 1} outputs.",
    )  # fmt: skip


def _names(names: list[str]) -> str:
    """A few names, and how many more."""
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")
