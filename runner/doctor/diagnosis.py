"""From a training to at most two causes: look, run it as it is, try repairs, believe what helped.

A cause is believed because its repair was run from the same start over the same batches and helped,
or because it is wrong by definition. Where a repair decides, it is run again from another seed
while time is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from runner.doctor.causes.finding import CERTAIN, Finding, Remedy, Repair
from runner.doctor.causes.mistakes import before_the_first_step, mistakes
from runner.doctor.causes.remains import from_labels, remains
from runner.doctor.trying.judging import Tried, exact, helped, ranked
from runner.doctor.trying.rates import RangeTest, range_test
from runner.doctor.trying.trials import (
    FEWEST_STEPS,
    run_from_start,
    try_longer,
    try_repairs,
    usual_steps,
    with_repair,
)
from runner.doctor.watching.evidence import Budget, Evidence, gather
from runner.doctor.watching.made import Made, Start
from runner.doctor.watching.task import score_words

MOST_CAUSES = 2
PROVEN_TWICE, PROVEN_ONCE, SPOKEN_AGAINST = 0.9, 0.75, 0.4
"""Confidence of a repair that helped at two seeds, at the one tried, at one of two."""
SHARE_OF_RANGE_TEST = 0.08
SWEPT = 100
"""Steps of the range test at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosis:
    """What is wrong, as far as it was found out.

    Attributes:
        causes: likeliest first, at most two; () where none was found.
        healthy: whether it learns and nothing was found.
        evidence: what was seen; None where not one step could be made.
        rates: the range test; None where it could not be made.
        tried: every repair that was run.
    """

    causes: tuple[Finding, ...]
    healthy: bool
    evidence: Evidence | None
    rates: RangeTest | None
    tried: tuple[Tried, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values, as `--json` prints them."""
        return {"healthy": self.healthy, "causes": [one.as_json() for one in self.causes]}


def diagnose(made: Made, again: Made | None, clock: Budget) -> Diagnosis:
    """Find out what is wrong with a training.

    Args:
        made: what `make(seed)` returned, untouched.
        again: the same of another seed, for repairs that decide; None: not run again.
        clock: what may be spent.

    Raises:
        Exception: whatever the model or the loss raises on the first batch.
    """
    try:
        evidence = gather(made, clock)
    except (RuntimeError, ValueError, IndexError):
        reason = before_the_first_step(made)
        if reason is None:
            raise
        return Diagnosis((reason,), False, None, None, ())
    found = list(mistakes(evidence))
    swept = min(SWEPT, max(evidence.as_it_is.steps, FEWEST_STEPS))
    rates = range_test(evidence, swept, clock.share(SHARE_OF_RANGE_TEST))
    if found:
        return _said(found, evidence, rates, ())
    tried = list(try_repairs(evidence, rates, clock))
    whole = evidence.whole and all(one.as_it_is.steps == evidence.as_it_is.steps for one in tried)
    good = ranked([one for one in tried if helped(one, whole=whole) or one.repair.certain])
    if _too_early(evidence, good):
        longer = try_longer(evidence, tried, good, clock)
        if longer is not None:
            evidence, tried = replace(evidence, as_it_is=longer[0]), longer[1]
            whole = evidence.whole
            good = ranked([one for one in tried if helped(one, whole=whole)])
    for one in good[:MOST_CAUSES]:
        found.append(_finding(one, evidence, again, clock, whole=whole))
    found += from_labels(evidence) if not found or evidence.as_it_is.score < 0.5 else []
    if not found:
        found = list(remains(evidence, len(tried)))
    return _said(found, evidence, rates, tried)


def _too_early(evidence: Evidence, good: Sequence[Tried]) -> bool:
    """Whether more steps may change the answer: it and its exact repairs learned nothing yet."""
    if evidence.stuck or evidence.as_it_is.broke:
        return not any(exact(one) for one in good)
    return bool(good) and good[0].repair.only_if_stuck


def _said(
    found: Sequence[Finding], evidence: Evidence, rates: RangeTest | None, tried: Sequence[Tried]
) -> Diagnosis:
    causes: dict[str, Finding] = {}
    for one in found:
        causes.setdefault(one.kind, one)
    # As they were ranked, but for what the other seed spoke against.
    likeliest = sorted(causes.values(), key=lambda one: one.confidence < PROVEN_ONCE)[:MOST_CAUSES]
    learns = not evidence.stuck and not evidence.as_it_is.broke
    return Diagnosis(tuple(likeliest), not likeliest and learns, evidence, rates, tuple(tried))


# --- findings -------------------------------------------------------------------------------------


def _finding(
    tried: Tried, evidence: Evidence, again: Made | None, clock: Budget, *, whole: bool
) -> Finding:
    """What a repair that helped shows, tried at another seed while there is time."""
    repair = tried.repair
    confidence = CERTAIN if repair.certain else PROVEN_ONCE
    scores = [(tried.before, tried.after)]
    needed = 2 * tried.trial.seconds
    if again is not None and not repair.certain and not repair.once and clock.allows(needed):
        other = replace(evidence, made=again, start=Start(again))
        base = run_from_start(other, again, tried.trial.steps, clock)
        second = Tried(repair, with_repair(repair, other, tried.trial.steps, clock), base)
        confidence = PROVEN_TWICE if helped(second, whole=whole) else SPOKEN_AGAINST
        scores.append((second.before, second.after))
    said = (
        f"{repair.suspicion} Changed, {tried.trial.steps} steps give "
        f"{score_words(evidence.task, tried.after)} instead of "
        f"{score_words(evidence.task, tried.before)}."
        if isfinite(tried.trial.judged.score)
        else repair.suspicion
    )
    if confidence == SPOKEN_AGAINST:
        said += " At another seed it did not help."
    proven = not repair.certain and confidence > SPOKEN_AGAINST
    return Finding(
        repair.kind, confidence, repair.where, said, repair.change, proven,
        Remedy(repair.applied, _steps_beside(tried), repair.steps, repair.judged_as_used,
               tuple(scores)),
    )  # fmt: skip


def _steps_beside(tried: Tried) -> int:
    """Steps of the training as it is beside a trial: those planned where it broke before."""
    return (
        tried.as_it_is.steps if tried.repair.steps else max(tried.as_it_is.steps, tried.trial.steps)
    )


def tried_remedy(found: Finding, evidence: Evidence, again: Made | None, clock: Budget) -> Finding:
    """The finding with its remedy run at both seeds, where no trial of it was made.

    Args:
        found: with a remedy.
        evidence: of the training.
        again: the training of another seed, or None.
        clock: what may be spent.
    """
    remedy = found.remedy
    if remedy is None or remedy.scores:
        return found
    repair = Repair(found.kind, found.where, "", "", remedy.change, judged_as_used=remedy.as_used)
    steps = usual_steps(evidence, clock)
    scores = []
    for made in (evidence.made, again):
        if made is None:
            continue
        other = replace(evidence, made=made, start=Start(made))
        base = run_from_start(other, made, steps, clock)
        one = Tried(repair, with_repair(repair, other, steps, clock), base)
        scores.append((one.before, one.after))
    return replace(found, remedy=replace(remedy, ran=steps, scores=tuple(scores)))
