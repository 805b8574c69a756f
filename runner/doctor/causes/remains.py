"""What can be said where no repair helped: of the labels, and of the network in general words."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from runner.doctor.causes.finding import Finding, by
from runner.doctor.watching.evidence import Observed
from runner.doctor.watching.task import score_words
from runner.probe.layers import RECTIFYING

FOUND = 4.0
"""Standard errors by which a linear classifier must find labels for its word to count."""
LOST = 0.3
"""Share of what it finds in one set that it finds in the other."""
SCARCE = 0.05
"""Examples of the scarcest label by the mean of all."""
SILENT = 0.7
FAINT = 1e-3
SHORT, ALIKE = 0.8, 0.1
"""Score that falls short, and what training may be ahead of validation."""
GENERAL = 0.4
"""Confidence where the state is seen and its cause is not."""


def from_labels(evidence: Observed) -> list[Finding]:
    """Labels that do not belong to their inputs, by a linear classifier."""
    facts = evidence.labels
    sure = FOUND * facts.error
    change = "Look at a few training inputs beside their labels; see where both are read."
    if facts.smallest < SCARCE:
        return [Finding(
            "labels_wrong", 0.8, "train_loader",
            f"A label of the validation data has {100 * facts.smallest:.0f} % as many training "
            "examples as the others have.", "Balance the training data, or weigh the loss.",
        )]  # fmt: skip
    if not facts.validation > sure:
        return []
    if facts.training < LOST * facts.validation:
        return [Finding(
            "labels_wrong", 0.8, "train_loader",
            "A linear classifier finds the labels of the validation data in their inputs, those "
            "of the training data hardly: trained on half of each, it is right beyond chance by "
            f"{100 * facts.validation:.0f} and {100 * max(facts.training, 0):.0f} % of what is "
            "possible.", change,
        )]  # fmt: skip
    across = max(facts.across, facts.across_own_scale)
    if facts.training > sure and across < LOST * min(facts.training, facts.validation):
        return [Finding(
            "labels_wrong", 0.85, "train_loader, val_loader",
            "Training and validation data each have labels that a linear classifier finds, and "
            "they are not the same ones: learned from training, it fails on validation.",
            "See that both are numbered alike: class folders in the same order, no shift by one.",
        )]  # fmt: skip
    return []


def remains(evidence: Observed, tried: int) -> Iterator[Finding]:
    """The state of a network that does not learn, where no repair made it."""
    base, look = evidence.as_it_is, evidence.look
    if base.broke:
        yield Finding(
            "exploding_gradient", GENERAL, base.broke,
            f"Not finite: {base.broke}; none of {tried} repairs prevented it.",
            "Clip gradients, lower the rate, and look at what divides or takes a logarithm.",
            remedy=by("clipped", norm=1.0),
        )  # fmt: skip
        return
    if not evidence.stuck:
        yield from _too_small(evidence)
        return
    silent = [x for x in look.layers if isinstance(x.module, RECTIFYING) and x.silent > SILENT]
    if silent:
        yield Finding(
            "dead_relu", GENERAL, silent[0].name,
            f"{100 * silent[0].silent:.0f} % of the units of {silent[0].name} are zero for every "
            "example of a batch.",
            "Lower the learning rate, draw the weights by He's rule, or use LeakyReLU.",
        )  # fmt: skip
    elif isfinite(look.gradient_ratio) and look.gradient_ratio < FAINT:
        yield Finding(
            "vanishing_gradient", GENERAL, look.weighted[0].name,
            f"By its weights, the first layer's gradient is {look.gradient_ratio:.1g} of the last "
            "hidden one's.",
            "Use ReLU, He's initialisation, batch norm or skip connections.",
        )  # fmt: skip


def _too_small(evidence: Observed) -> Iterator[Finding]:
    """Training and validation fall short alike, and a straight line does as well."""
    base, line = evidence.as_it_is, evidence.labels.across
    gap = base.training_score - base.score
    if evidence.whole and base.score < SHORT and gap < ALIKE and line > base.score:
        weights = sum(p.numel() for p in evidence.made.model.parameters())
        yield Finding(
            "too_small_network", GENERAL, "model",
            f"After all planned steps {score_words(evidence.task, base.training_score)} in "
            f"training and {score_words(evidence.task, base.score)} in validation; a linear "
            f"classifier is better. The network has {weights:,} weights.",
            "Give it more units or layers.",
        )  # fmt: skip
