"""Causes that show before the first step: weights, signal, outputs; what a curve tells of them."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, sqrt

from runner.doctor.cells.cause import Cause, amount, named
from runner.doctor.cells.run import HALF, Run

FADED, SWOLLEN = 0.01, 100.0
"""Deviation between images of the outputs by that behind the first layer, before the first step.
He's rule keeps it at 1 through any depth (He et al. 2015, section 2.2); at a hundredth the outputs
of different images hardly differ, and so do their gradients."""
HE = sqrt(2)
OFF_BY = 3.0
"""Deviation of weights by He's, sqrt(2 / fan_in), from which their init is what is wrong: torch's
own default lies at 0.41 of it, within; 3 as in the doctor."""
LOUD = 2.0
"""Cross-entropy before the first step by ln(classes), which an untrained network should have
(Karpathy 2019, A recipe for training neural networks: verify loss at init). Outputs of deviation
2, as He's rule draws them on inputs of square mean 2, reach 1.8."""
VERY_LOUD = 10.0
"""The same of a network that did learn a little: the first epochs are spent on making it small."""
FAINT = 0.5
"""Gradient norm of the first epoch, of a loss at ln(classes): that of the output's bias alone is
sqrt((1 - 1/classes) / batch), 0.03 to 0.24 of batches from 1,024 to 16."""
AT_CHANCE = 0.02
"""Cross-entropy within 2 % of ln(classes): an answer that takes no notice of the image."""


def unreached(run: Run) -> Iterator[Cause]:
    """Weights that are not trained."""
    found = run.evidence
    if found is None:
        return
    if found.unreached:
        yield Cause("frozen_layers", f"No gradient reaches {named(found.unreached)}.")
    elif found.frozen:
        yield Cause("frozen_layers", f"{named(found.frozen)} ask for no gradient.")


def signal(run: Run) -> Iterator[Cause]:
    """The signal fades or swells through the depth, by the weights' size or without help."""
    found, first = run.evidence, run.first
    if found is None or first is None or not run.little or not isfinite(run.carried):
        return
    if FADED <= run.carried <= SWOLLEN:
        return
    begins, ends = run.signal
    gains = found.gains(first)
    off = [(one, gain / HE) for one, gain in gains if not 1 / OFF_BY <= gain / HE <= OFF_BY]
    depth = len(gains)
    path = (
        f"before the first step the signal goes from {amount(begins)} behind the first layer to "
        f"{amount(ends)} in the outputs"
    )
    if off:
        layer, by = (min if run.carried < 1 else max)(off, key=lambda pair: pair[1])
        yield Cause(
            "wrong_init",
            f"The weights of {len(off)} of {depth} layers are drawn far from He's rule "
            f"({amount(by)} of it in {layer.name}): {path}.",
        )
    elif not found.normalised:
        yield Cause("no_norm_layers", f"Through {depth} layers without normalisation, {path}.")


def loud_outputs(run: Run) -> Iterator[Cause]:
    """The first loss is far above that of an answer at random."""
    first = run.first
    if first is None:
        return
    bound = LOUD if run.little else VERY_LOUD
    # Dropout of nearly all multiplies what is left, which is no fault of the weights.
    entropy = min(first.entropy, first.entropy_used) if run.dropout >= HALF else first.entropy
    if not entropy > bound * run.at_chance:
        return
    yield Cause(
        "wrong_init",
        f"Before the first step the loss is {amount(entropy)} where an answer at random "
        f"has {run.at_chance:.2f}: the outputs have a deviation of {amount(first.scale)}, and "
        "should begin below 1.",
    )


def loud_at_first(run: Run) -> Iterator[Cause]:
    """By the curve alone: a first epoch far above chance, and nothing learned."""
    if run.evidence is not None or not run.stuck or not run.curve:
        return
    start = run.curve[0].train_loss
    if start > LOUD * run.at_chance:
        yield Cause(
            "wrong_init",
            f"The loss of the first epoch is {amount(start)} where an answer at random has "
            f"{run.at_chance:.2f}: outputs begin too large, or the first steps make them so.",
            seen=False,
        )


def no_signal(run: Run) -> Iterator[Cause]:
    """The loss is that of an answer at random from the first epoch on, with hardly a gradient."""
    if not run.stuck or not run.curve:
        return
    start = run.curve[0]
    flat = all(
        abs(one.validation_loss - run.at_chance) <= AT_CHANCE * run.at_chance for one in run.curve
    )
    if flat and start.gradient_norm < FAINT:
        yield Cause(
            "vanishing_gradient",
            f"From the first epoch on the loss is {start.validation_loss:.3f}, that of an answer "
            f"at random, and the gradient {amount(start.gradient_norm)}, hardly more than the "
            "output's bias has.",
            run.evidence is not None,
        )
