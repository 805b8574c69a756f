"""Causes that show while it trains: steps too long, too short, a rate that is gone, weights that
decay takes; dead units.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from runner.doctor.cells.cause import Cause, amount
from runner.doctor.cells.run import Run
from runner.doctor.cells.start import AT_CHANCE, FADED

HOT = 0.5
"""Length of one step of a layer's weights by their own. About 0.001 is usual (Bottou 2012,
Stochastic gradient descent tricks; Karpathy, CS231n): half the weight is no small change of it, and
what the gradient says holds for small ones."""
JUMP = 2.0
"""Largest loss of the first steps by that before the first: a rate that is too high drives the
loss up at once (Smith 2017, section 3.3)."""
FALLEN = 5.0
"""Gradient of the first epoch by that of the last, of a loss that does not move: it was there and
was lost on the way. Where nothing is learned from the start it stays as it is."""
SILENT = 0.7
"""Share of a layer's rectifiers that are zero for every image, as the doctor has it (Lu et al.
2020)."""
ALIVE = 0.3
"""The same before the first step, of a layer that has died since: a step that was too long."""
COLD = 1e-5
"""Longest step of any layer's weights by their own, at all looks: a hundredth of the usual."""
SHRUNK = 0.2
"""Length of the weights at the end by that before the first step. Trainings shrink them too where
batch norm makes their length indifferent (van Laarhoven 2017, L2 regularization versus batch and
weight normalization), and learn; so that it counts only where little was learned."""
EARLY_END, NOTHING_LEFT = 0.25, 0.01
"""Share of the epochs within which the rate must not fall below this share of its largest."""


def too_hot(run: Run) -> Iterator[Cause]:
    """Steps that destroy what was there: the loss jumps, weights move by their own length."""
    if not (run.stuck or run.diverged) or (run.first is not None and run.carried < FADED):
        return
    if run.shrunk < SHRUNK:  # then the gradient is small because the weights are
        return
    signs = [sign for look in (_jumped, _moved, _died, _fallen) for sign in look(run)]
    if signs:
        text = "; ".join(signs[:2])
        yield Cause(
            "learning_rate_too_high", f"{text[:1].upper()}{text[1:]}.", run.evidence is not None
        )


def _jumped(run: Run) -> Iterator[str]:
    """The loss within the first steps."""
    found = run.evidence
    if found is None or not found.losses or not isfinite(found.losses[0]):
        return
    begun, steps = found.losses[0], len(found.losses)
    highest = max(one for one in found.losses if isfinite(one))
    if found.broke is not None and found.broke.step <= steps:
        yield f"the loss is {amount(begun)} in step 1 and not finite in step {found.broke.step}"
    elif highest > JUMP * begun:
        yield f"the loss jumps from {amount(begun)} to {amount(highest)} within {steps} steps"


def _moved(run: Run) -> Iterator[str]:
    """The longest step that was looked at, by the length of the weights it moved."""
    found = run.evidence
    if found is None:
        return
    steps = [
        (value, layer.name, max(look.step, 1))
        for look in found.looks
        for layer, value in found.of(look, "update", "weighted")
    ]
    value, name, step = max(steps, default=(0.0, "", 0))
    if value > HOT:
        yield f"step {step} moves the weights of {name} by {amount(value)} times their length"


def _fallen(run: Run) -> Iterator[str]:
    """The gradient was there and was lost, and the loss stays at that of an answer at random."""
    norms = [one.gradient_norm for one in run.curve if isfinite(one.gradient_norm)]
    if not run.stuck or run.curve[-1].validation_loss < (1 - AT_CHANCE) * run.at_chance:
        return
    if len(norms) > 1 and norms[0] > FALLEN * norms[-1]:
        yield (
            f"the gradient falls from {amount(norms[0])} in the first epoch to "
            f"{amount(norms[-1])} and the loss stays at {amount(run.curve[-1].validation_loss)}"
        )


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


def decayed(run: Run) -> Iterator[Cause]:
    """Weight decay took the weights."""
    found, first, last = run.evidence, run.first, run.last
    if found is None or first is None or last is None or not run.little or run.diverged:
        return
    if run.shrunk < SHRUNK:
        ends = {layer.name: length for layer, length in found.of(last, "weight", "weighted")}
        layer, begun = found.of(first, "weight", "weighted")[0]
        yield Cause(
            "too_strong_regularisation",
            f"The weights shrink, as weight decay makes them: those of {layer.name} from a length "
            f"of {amount(begun)} to {amount(ends[layer.name])}, and most layers to below "
            f"{SHRUNK:.0%} of what they began with.",
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
            f"The learning rate falls from {max(early):.2g} to {early[low]:.2g} by epoch "
            f"{low + 1} of {run.epochs or len(rates)}.",
            seen=False,
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
