"""What the data and the loss are, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf, nan
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from runner.doctor.watching.batches import Batch
from runner.doctor.watching.made import Made
from runner.doctor.watching.task import Task, labels_of


@dataclass(frozen=True, slots=True)
class Inputs:
    """The numbers that go in, over some batches.

    Attributes:
        mean: of all.
        deviation: of all.
        largest: by size.
        spread: largest by smallest deviation among columns of a table (2-D inputs); 1 of images.
        features: examples by features, each example flattened, for the checks of labels.
    """

    mean: float
    deviation: float
    largest: float
    spread: float
    features: Tensor


def inputs_of(batches: Sequence[Batch]) -> Inputs | None:
    """None where inputs are no floating-point tensors."""
    found = [inputs for inputs, _ in batches]
    if not all(isinstance(one, Tensor) and one.is_floating_point() for one in found):
        return None
    if len({one.shape[1:] for one in found}) > 1:
        return None
    whole = torch.cat(found).detach().float().cpu()
    spread = 1.0
    if whole.ndim == 2:
        deviations = whole.std(0)
        varying = deviations[deviations > 0]
        spread = float(varying.max() / varying.min()) if len(varying) > 1 else 1.0
    return Inputs(
        float(whole.mean()), float(whole.std()), float(whole.abs().max()), spread, whole.flatten(1)
    )


def labels_in(batches: Sequence[Batch]) -> Tensor:
    """Labels of batches, flat."""
    found = [labels_of(targets) for _, targets in batches]
    return torch.cat([one.flatten() for one in found if one is not None]).cpu()


# --- the loss -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LossFacts:
    """What a loss computes of outputs and targets, told by its values.

    Attributes:
        kind: "cross_entropy", "nll", "nll_of_probabilities", "mse_of_labels", "mse_one_hot",
            "mae_one_hot", "bce", "bce_logits", "negative" (of a known one) or "" (not known).
    """

    kind: str


def _one_hot(outputs: Tensor, targets: Tensor, labels: Tensor) -> Tensor:
    if targets.shape == outputs.shape:
        return targets.to(outputs)
    return F.one_hot(labels.clamp(0, outputs.shape[1] - 1), outputs.shape[1]).to(outputs)


_KNOWN: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "cross_entropy": lambda o, t, y: F.cross_entropy(o, y),
    "nll": lambda o, t, y: F.nll_loss(o, y),
    "nll_of_probabilities": lambda o, t, y: F.nll_loss(o.clamp(min=1e-12).log(), y),
    "mse_of_labels": lambda o, t, y: F.mse_loss(o.mean(1), y.to(o)),
    "mse_one_hot": lambda o, t, y: F.mse_loss(o, _one_hot(o, t, y)),
    "mae_one_hot": lambda o, t, y: F.l1_loss(o, _one_hot(o, t, y)),
    "bce": lambda o, t, y: F.binary_cross_entropy(o, _one_hot(o, t, y)),
    "bce_logits": lambda o, t, y: F.binary_cross_entropy_with_logits(o, _one_hot(o, t, y)),
}


def loss_facts(made: Made, task: Task, batch: Batch, outputs: Tensor) -> LossFacts:
    """Compare the loss with those of torch on outputs drawn at random, and on their negatives.

    Shares are drawn where the model's own outputs are shares: some losses take nothing else.
    """
    if task.kind != "classes" or outputs.ndim != 2:
        return LossFacts("")
    targets = batch[1]
    labels = labels_of(targets)
    if labels is None or labels.ndim != 1 or len(labels) != len(outputs):
        return LossFacts("")
    draws = torch.Generator().manual_seed(0)
    drawn = torch.randn(outputs.shape, generator=draws).to(outputs)
    if in_unit_interval(outputs):
        drawn = drawn.sigmoid() if outputs.shape[1] == 1 else drawn.softmax(1)
    return LossFacts(_kind_of(_value(made.loss, drawn, targets), drawn, targets, labels))


def loss_by_value(value: float, outputs: Tensor, targets: Any) -> LossFacts:
    """The same where the loss is no function: by its value on what a model returned."""
    labels = labels_of(targets)
    if outputs.ndim != 2 or labels is None or labels.shape != outputs.shape[:1]:
        return LossFacts("")
    return LossFacts(_kind_of(value, outputs, targets, labels))


def _kind_of(value: float, drawn: Tensor, targets: Any, labels: Tensor) -> str:
    """The loss of torch that has this value."""
    wide = drawn.shape[1] > 1
    for kind, known in _KNOWN.items():
        if not wide and kind not in ("bce", "bce_logits", "mse_of_labels"):
            continue
        expected = _value(partial(_of_labels, known, labels), drawn, targets)
        tolerance = 1e-4 * max(abs(expected), 1e-3)
        if abs(value - expected) <= tolerance:
            return kind
        if abs(value + expected) <= tolerance and kind != "nll":
            return "negative"
    return ""


def _of_labels(
    known: Callable[[Tensor, Tensor, Tensor], Tensor], labels: Tensor, outputs: Tensor, targets: Any
) -> Tensor:
    return known(outputs, targets, labels)


def _value(loss: Callable[[Any, Any], Any], outputs: Tensor, targets: Any) -> float:
    try:
        with torch.no_grad():
            return float(loss(outputs, targets))
    except (RuntimeError, ValueError, TypeError, IndexError):
        return nan


def in_unit_interval(outputs: Tensor) -> bool:
    """Whether all numbers are shares."""
    return bool(((outputs >= 0) & (outputs <= 1)).all())


def sums_to_one(outputs: Tensor) -> bool:
    """Whether every row is a distribution over classes: a softmax was taken."""
    wide = outputs.ndim == 2 and outputs.shape[1] > 1
    return wide and in_unit_interval(outputs) and bool(((outputs.sum(1) - 1).abs() < 1e-3).all())


# --- labels and inputs, without the network -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """Whether a plain linear classifier finds the labels in the inputs: 0 chance, 1 all right.

    Attributes:
        training: learned from one half of the training data, scored on the other.
        validation: the same of the validation data.
        across: learned from training, scored on validation.
        across_own_scale: the same, each set standardised by itself.
        error: standard error of a score at chance.
        smallest: examples of the scarcest label of the training data by the mean of all labels.
        contradictions: share of training examples whose inputs are there with another label.
        constant: whether the training data have one label only.
    """

    training: float = nan
    validation: float = nan
    across: float = nan
    across_own_scale: float = nan
    error: float = inf
    smallest: float = 1.0
    contradictions: float = 0.0
    constant: bool = False


def label_facts(
    task: Task, train: Inputs | None, train_labels: Tensor, held: Inputs | None, held_labels: Tensor
) -> LabelFacts:
    """Ridge regression on standardised inputs to one column a class, as a yardstick."""
    classes = task.classes
    counts = torch.bincount(train_labels.clamp(min=0), minlength=classes).float()
    there = torch.bincount(held_labels.clamp(min=0), minlength=classes) > 0
    smallest = float(counts[: len(there)][there].min() / counts.mean()) if there.any() else 1.0
    constant = int((counts > 0).sum()) < 2
    if (
        train is None
        or held is None
        or len(train.features) != len(train_labels)
        or len(held.features) != len(held_labels)
        or train.features.shape[1:] != held.features.shape[1:]
    ):
        return LabelFacts(smallest=smallest, constant=constant)
    a, b = train.features, held.features
    own_a, own_b = _standard(a, a), _standard(b, b)
    return LabelFacts(
        training=_halves(own_a, train_labels, classes),
        validation=_halves(own_b, held_labels, classes),
        across=_score(own_a, train_labels, _standard(b, a), held_labels, classes),
        across_own_scale=_score(own_a, train_labels, own_b, held_labels, classes),
        error=(task.chance * (1 - task.chance) / max(len(held_labels) / 2, 1)) ** 0.5
        / (1 - task.chance)
        if task.chance < 1
        else inf,
        smallest=smallest,
        contradictions=contradictions(a, train_labels),
        constant=constant,
    )


def _standard(features: Tensor, of: Tensor) -> Tensor:
    return (features - of.mean(0)) / of.std(0).clamp(min=1e-6)


def _halves(features: Tensor, labels: Tensor, classes: int) -> float:
    """Both halves learned from and scored on in turn."""
    half = len(features) // 2
    if half < 2 * classes:
        return nan
    one = _score(features[:half], labels[:half], features[half:], labels[half:], classes)
    other = _score(features[half:], labels[half:], features[:half], labels[:half], classes)
    return (one + other) / 2


def _score(features: Tensor, labels: Tensor, others: Tensor, wanted: Tensor, classes: int) -> float:
    """Ridge regression, its penalty a tenth of the mean eigenvalue, in the form with one row an
    example (Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 18.3.5).
    """
    found = F.one_hot(labels.clamp(0, classes - 1), classes).double()
    middle = found.mean(0)
    rows = features.double()
    gram = rows @ rows.T
    penalty = 0.1 * float(gram.diagonal().mean()) + 1e-9
    weights = torch.linalg.solve(gram + penalty * torch.eye(len(gram)).double(), found - middle)
    predicted = (others.double() @ rows.T @ weights + middle).argmax(1)
    counts = torch.bincount(wanted.clamp(min=0))
    chance = float(counts.max() / counts.sum())
    accuracy = float((predicted == wanted).float().mean())
    return (accuracy - chance) / (1 - chance) if chance < 1 else nan


def contradictions(features: Tensor, labels: Tensor) -> float:
    """Share of examples that are there again, bit for bit, with another label."""
    seen: dict[bytes, set[int]] = {}
    keys = [one.numpy().tobytes() for one in features]
    for key, label in zip(keys, labels.tolist(), strict=True):
        seen.setdefault(key, set()).add(label)
    return sum(len(seen[key]) > 1 for key in keys) / max(len(keys), 1)
