"""What may be wrong with a cell that did not converge, each with its evidence in one sentence.

The first list holds causes, the second states that are named only where no cause is seen. Every
threshold says what it is a bound of and where that is from; none was set on published results.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite, sqrt

from runner.doctor.cells.run import STUCK, Run

FADED, SWOLLEN = 0.01, 100.0
"""Deviation between images of the outputs by that behind the first layer, before the first step. He's rule keeps
it at 1 through any depth (He et al. 2015, section 2.2); at a hundredth the outputs of different
images hardly differ, and so do their gradients."""
HE = sqrt(2)
OFF_BY = 3.0
"""Deviation of weights by He's, sqrt(2 / fan_in), from which their init is what is wrong: torch's
own default lies at 0.41 of it, within; 3 as in the doctor."""
LOUD = 2.0
"""Cross-entropy before the first step by ln(classes), which an untrained network should have
(Karpathy 2019, A recipe for training neural networks: verify loss at init). Outputs of deviation
2, as He's rule draws them on inputs of square mean 2, reach 1.8."""
HOT = 0.5
"""Length of one step of a layer's weights by their own. About 0.001 is usual (Bottou 2012,
Stochastic gradient descent tricks; Karpathy, CS231n): half the weight is no small change of it, and
what the gradient says holds for small ones."""
VERY_LOUD = 10.0
"""The same of a network that did learn a little: the first epochs are spent on making it small."""
JUMP = 2.0
"""Largest loss of the first steps by that before the first: a rate that is too high drives the
loss up at once (Smith 2017, section 3.3)."""
FALLEN = 5.0
"""Gradient of the first epoch by that of the last, of a loss that does not move: it was there and
was lost on the way. Where nothing is learned from the start it stays as it is."""
FAINT = 0.5
"""Gradient norm of the first epoch, of a loss at ln(classes): that of the output's bias alone is
sqrt((1 - 1/classes) / batch), 0.03 to 0.24 of batches from 1,024 to 16."""
AT_CHANCE = 0.02
"""Cross-entropy within 2 % of ln(classes): an answer that takes no notice of the image."""
APART = 0.3
"""Share of the same images that the same weights answer rightly by the batch's statistics and not
by the running ones: three standard errors of a difference on 32 images."""
BY_HEART, LOST = 0.8, 0.25
"""Scores in training and in validation whose gap, by the curve alone, points to running
statistics: a network that learns by heart still finds something in validation."""
SILENT = 0.7
"""Share of a layer's rectifiers that are zero for every image, as the doctor has it (Lu et al.
2020)."""
ALIVE = 0.3
"""The same before the first step, of a layer that has died since: a step that was too long."""
COLD = 1e-5
"""Longest step of any layer's weights by their own, at all looks: a hundredth of the usual."""
FALLING = 0.05
"""Fall of the validation loss over the last quarter of the epochs, two at least, that counts as
still learning."""
EARLY_END, NOTHING_LEFT = 0.25, 0.01
"""Share of the epochs within which the rate must not fall below this share of its largest."""
HEART_SCORE, GAP = 0.95, 0.1
"""Training score of a network that knows its images by heart, and by how much it is ahead."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A cause of one cell.

    Attributes:
        kind: a name of `runner.doctor.causes.kinds.KINDS`.
        evidence: one plain sentence.
        seen: whether its layers show it; False: its curve alone.
    """

    kind: str
    evidence: str
    seen: bool = True


# --- before the first step ------------------------------------------------------------------------


def unreached(run: Run) -> Iterator[Cause]:
    """Weights that are not trained."""
    found = run.evidence
    if found is None:
        return
    if found.unreached:
        yield Cause("frozen_layers", f"No gradient reaches {_named(found.unreached)}.")
    elif found.frozen:
        yield Cause("frozen_layers", f"{_named(found.frozen)} ask for no gradient.")


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
        f"before the first step the signal goes from {begins:.2g} behind the first layer to "
        f"{ends:.2g} in the outputs"
    )
    if off:
        layer, by = (min if run.carried < 1 else max)(off, key=lambda pair: pair[1])
        yield Cause(
            "wrong_init",
            f"The weights of {len(off)} of {depth} layers are drawn far from He's rule ({by:.2g} "
            f"of it in {layer.name}): {path}.",
        )
    elif not found.normalised:
        yield Cause("no_norm_layers", f"Through {depth} layers without normalisation, {path}.")


def loud_outputs(run: Run) -> Iterator[Cause]:
    """The first loss is far above that of an answer at random."""
    first = run.first
    if first is None:
        return
    bound = LOUD if run.little else VERY_LOUD
    if not first.entropy > bound * run.at_chance:
        return
    yield Cause(
        "wrong_init",
        f"Before the first step the loss is {first.entropy:.2g} where an answer at random has "
        f"{run.at_chance:.2f}: the outputs have a deviation of {first.scale:.2g}, and should begin "
        "below 1.",
    )


# --- while it trains ------------------------------------------------------------------------------


def too_hot(run: Run) -> Iterator[Cause]:
    """Steps that destroy what was there: the loss jumps, weights move by their own length."""
    found = run.evidence
    if not (run.stuck or run.diverged) or (run.first is not None and run.carried < FADED):
        return
    signs = []
    if found is not None:
        losses = found.losses
        begun = losses[0] if losses and isfinite(losses[0]) else None
        if begun is not None:
            highest = max((x for x in losses if isfinite(x)), default=begun)
            if found.broke is not None and found.broke.step <= len(losses):
                signs.append(
                    f"the loss is {begun:.3g} in step 1 and not finite in step {found.broke.step}"
                )
            elif highest > JUMP * begun:
                signs.append(
                    f"the loss jumps from {begun:.3g} to {highest:.3g} within {len(losses)} steps"
                )
        steps = [
            (value, layer.name, look.step)
            for look in found.looks
            for layer, value in found.of(look, "update", "weighted")
        ]
        longest = max(steps, default=None)
        if longest is not None and longest[0] > HOT:
            value, name, step = longest
            signs.append(
                f"step {max(step, 1)} moves the weights of {name} by {value:.2g} times their length"
            )
        signs += _died(run)
    sound = [one.gradient_norm for one in run.curve if isfinite(one.gradient_norm)]
    if run.stuck and len(sound) > 1 and sound[0] > FALLEN * sound[-1]:
        signs.append(
            f"the gradient falls from {sound[0]:.2g} in the first epoch to {sound[-1]:.2g} and the "
            f"loss stays at {run.curve[-1].validation_loss:.3g}"
        )
    if signs:
        text = "; ".join(signs[:2])
        yield Cause("learning_rate_too_high", f"{text[:1].upper()}{text[1:]}.", found is not None)


def _died(run: Run) -> Iterator[str]:
    """A layer whose rectifiers fired before the first step and do no more at the end."""
    found, first, last = run.evidence, run.first, run.last
    if found is None or first is None or last is None:
        return
    before = found.of(first, "silent", "rectifier", "norm_rectifier")
    after = dict(
        (one.name, share) for one, share in found.of(last, "silent", "rectifier", "norm_rectifier")
    )
    for layer, share in before:
        if share < ALIVE and after.get(layer.name, 0.0) > SILENT:
            yield (
                f"of the units of {layer.name} {share:.0%} are zero for every image before the "
                f"first step and {after[layer.name]:.0%} at the end"
            )
            return


def too_cold(run: Run) -> Iterator[Cause]:
    """No step moves any layer by a noticeable part of it."""
    found = run.evidence
    if found is None or not run.little or run.diverged:
        return
    steps = [v for look in found.looks for _, v in found.of(look, "update", "weighted")]
    arrives = run.first is not None and not run.carried < FADED
    if steps and arrives and max(steps) < COLD:
        yield Cause(
            "learning_rate_too_low",
            f"No step that was looked at moves a layer's weights by more than {max(steps):.1g} of "
            "their length; about 0.001 is usual.",
        )


def schedule(run: Run) -> Iterator[Cause]:
    """The rate is gone long before the end."""
    rates = [one.learning_rate for one in run.curve]
    early = rates[: max(int(EARLY_END * (run.epochs or len(rates))), 1)]
    if not run.little or len(rates) < 4 or not max(early) > 0:
        return
    low = next((k for k, r in enumerate(early) if r < NOTHING_LEFT * max(early[: k + 1])), None)
    if low is not None:
        yield Cause(
            "schedule_wrong",
            f"The learning rate falls from {max(early):.2g} to {early[low]:.2g} by epoch {low + 1} "
            f"of {run.epochs or len(rates)}.",
            seen=False,
        )


# --- at its end -----------------------------------------------------------------------------------


def running_statistics(run: Run) -> Iterator[Cause]:
    """The same weights and images are right by the batch's statistics and wrong by the running."""
    last = run.last
    if last is not None and run.evidence is not None:
        count = run.evidence.images
        if last.accuracy - last.accuracy_used >= APART:
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
            f"The validation loss still falls, from {before:.3g} to {losses[-1]:.3g} over the last "
            f"{span} of {len(losses)} epochs.",
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


CAUSES = (
    unreached, running_statistics, signal, loud_outputs, too_hot, too_cold, schedule,
    too_few_epochs, by_heart,
)  # fmt: skip
"""The most exact first."""


# --- states, where no cause is seen ---------------------------------------------------------------


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
            f"at random, and the gradient {start.gradient_norm:.2g}, hardly more than the "
            "output's bias has.",
            run.evidence is not None,
        )


def dead(run: Run) -> Iterator[Cause]:
    """Rectifiers that are zero for every image."""
    found, last = run.evidence, run.last
    if not run.stuck or found is None or last is None:
        return
    silent = found.of(last, "silent", "rectifier", "norm_rectifier")
    layer, share = max(silent, key=lambda pair: pair[1], default=(None, 0.0))
    if layer is not None and share > SILENT:
        yield Cause(
            "dead_relu",
            f"At the end {share:.0%} of the units of {layer.name} are zero for every image, and "
            + ("all images get one answer." if last.top == 1 else
               f"{last.top:.0%} of the images get one answer."),
        )  # fmt: skip


def broken(run: Run) -> Iterator[Cause]:
    """A number that was not finite, and where."""
    if not run.diverged:
        return
    broke = None if run.evidence is None else run.evidence.broke
    if broke is not None:
        where = f"; at the end of that epoch {broke.where} is not finite" if broke.where else ""
        yield Cause(
            "exploding_gradient",
            f"The first number that is not finite is the {broke.what} in step {broke.step}{where}.",
        )
        return
    epoch = len(run.curve)
    yield Cause(
        "exploding_gradient", f"A loss or a weight is not finite in epoch {epoch}.", seen=False
    )


def loud_at_first(run: Run) -> Iterator[Cause]:
    """By the curve alone: a first epoch far above chance, and nothing learned."""
    if run.evidence is not None or not run.stuck or not run.curve:
        return
    start = run.curve[0].train_loss
    if start > LOUD * run.at_chance:
        yield Cause(
            "wrong_init",
            f"The loss of the first epoch is {start:.2g} where an answer at random has "
            f"{run.at_chance:.2f}: outputs begin too large, or the first steps make them so.",
            seen=False,
        )


STATES = (loud_at_first, broken, dead, no_signal)


def _named(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} weights ({', '.join(names[:2])}…)"
