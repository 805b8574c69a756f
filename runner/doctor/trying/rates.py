"""The learning rate: a range test, and the rates worth a trial.

The range test is that of Smith 2017 (Cyclical learning rates for training neural networks, section
3.3): the rate grows by the same factor each step, and the loss tells where learning begins and
where it bursts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from runner.doctor.causes.changes.named import Change
from runner.doctor.causes.finding import Repair
from runner.doctor.watching.evidence import Evidence
from runner.doctor.watching.trial import run_trial

DOWN, UP = 2.0, 5.0
"""Decades of the rate that are swept, below and above the one in use: it may be far too low, and
the sweep ends where the loss bursts."""
SMOOTHED = 0.8
"""Weight of the losses before in the smoothed loss."""
FALLS = 0.05
"""Of the first loss, that the smoothed one must fall for the sweep to say anything."""
BURST = 1.3
"""Times its least: the smoothed loss has burst."""
BESIDE = 3.0
"""A rate within this factor of the one in use is not worth a trial."""


@dataclass(frozen=True, slots=True)
class RangeTest:
    """Where a network learns.

    Attributes:
        lowest: rate at which the smoothed loss has fallen by a tenth of its whole fall.
        steepest: rate at which it falls fastest.
        burst: rate at which it has burst; None where it never did.
        factor: rate proposed by the rate in use: a tenth of the burst, or the steepest.
    """

    lowest: float
    steepest: float
    burst: float | None
    factor: float


def range_test(evidence: Evidence, steps: int, seconds: float) -> RangeTest | None:
    """Sweep the rate over six decades; None where no step is taken or too few."""
    made = evidence.made
    evidence.start.again()
    base = [group["lr"] for group in made.optimizer.param_groups]
    rate = max(base)
    if rate <= 0:
        return None
    factors = [10 ** (-DOWN + (DOWN + UP) * k / max(steps - 1, 1)) for k in range(steps)]
    taken = iter(factors)

    def put(*_: object) -> None:
        factor = next(taken, factors[-1])
        for group, own in zip(made.optimizer.param_groups, base, strict=True):
            group["lr"] = own * factor

    handle = made.optimizer.register_step_pre_hook(put)
    try:
        few = evidence.validation[:1]
        trial = run_trial(made, evidence.task, evidence.training, few, steps, seconds)
    finally:
        handle.remove()
        evidence.start.again()
    return _read(trial.losses, factors, rate)


def _read(losses: list[float], factors: list[float], rate: float) -> RangeTest | None:
    """The marks of a swept loss."""
    smooth: list[float] = []
    for value in losses:
        if not isfinite(value):
            break
        smooth.append(value if not smooth else SMOOTHED * smooth[-1] + (1 - SMOOTHED) * value)
    if len(smooth) < 10:
        return None
    least = min(range(len(smooth)), key=smooth.__getitem__)
    fall = smooth[0] - smooth[least]
    limit = smooth[least] + (BURST - 1) * abs(smooth[0])
    ended = len(smooth) if len(smooth) < len(losses) else None
    burst = next((k for k in range(least, len(smooth)) if smooth[k] > limit), ended)
    if fall < FALLS * abs(smooth[0]):
        return None
    slopes = [smooth[k] - smooth[k + 1] for k in range(max(least, 1))]
    steepest = max(range(len(slopes)), key=slopes.__getitem__)
    lowest = next(k for k in range(len(smooth)) if smooth[k] <= smooth[0] - 0.1 * fall)
    burst = None if burst is None else min(burst, len(factors) - 1)
    # The smoothed loss lags behind: where it falls fastest, learning is well under way.
    factor = factors[burst] / 10 if burst is not None else factors[steepest]
    return RangeTest(
        rate * factors[lowest],
        rate * factors[steepest],
        None if burst is None else rate * factors[burst],
        factor,
    )


def rates_to_try(found: RangeTest | None) -> Iterator[float]:
    """Factors of the rate: a tenth, ten times, and what the range test proposes."""
    yield 0.1
    yield 10.0
    if found is None:
        return
    proposed = found.factor
    if all(max(proposed / one, one / proposed) > BESIDE for one in (0.1, 1.0, 10.0)):
        yield proposed


def rate_repair(evidence: Evidence, factor: float) -> Repair:
    """The rate times a factor, as a repair."""
    rate = max(evidence.as_it_is.rates, default=0.0)
    other = f"{rate * factor:.2g}"
    high = factor < 1
    return Repair(
        "learning_rate_too_high" if high else "learning_rate_too_low",
        "optimizer",
        f"The learning rate is {rate:.2g}.",
        f"Set the learning rate to about {other}.",
        Change("rate_times", {"factor": factor}),
        only_if_stuck=not high,
    )
