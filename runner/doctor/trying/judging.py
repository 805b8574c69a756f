"""Whether a repair helped, and which of those that did is the cause."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from runner.doctor.causes.finding import Repair
from runner.doctor.watching.trial import Trial

LEAST_GAIN = 0.08
"""Of the score (0 chance, 1 all right): five standard errors of 1,024 examples at chance."""
TIMES = 1.5
"""How many times the score of the training as it is a repair must reach in its first steps."""
STUCK_SHARE = 0.25
"""The training as it is has learned less than this of what the repair has: it is stuck."""
LEAST_OF_STUCK = 0.15
"""Score that a repair must reach that is tried because the training is stuck."""
OF_THE_GAP = 0.25
"""Share of what is missing that a repair must give where the whole training was run."""
MOST_OF_THE_GAP = 0.5
"""The same, of a training that was not run to its end."""
NEARLY_AS_GOOD = 0.7
"""A more exact cause comes first where its repair reaches this share of the best one's score."""
HALF_AS_GOOD = 0.5
"""The same, where the best is a remedy that speeds up nearly any network."""

TIERS = {
    "learning_rate_too_high": 2, "learning_rate_too_low": 2, "wrong_activation": 2,
    "too_strong_regularisation": 2, "batch_too_small_or_large": 3, "wrong_optimizer": 3,
    "frozen_layers": 2, "too_strong_augmentation": 3, "no_norm_layers": 4, "too_few_epochs": 2,
}  # fmt: skip
"""How exact a cause is; 1 where nothing is said: shown by evidence of its own."""
EXACT, GENERAL_REMEDY = 2, 4


@dataclass(frozen=True, slots=True)
class Tried:
    """A repair with what it did."""

    repair: Repair
    trial: Trial
    as_it_is: Trial

    @property
    def before(self) -> float:
        """Score without it, at least 0."""
        return max(_score(self.as_it_is, self.repair), 0.0)

    @property
    def after(self) -> float:
        """Score with it, at least 0."""
        return max(_score(self.trial, self.repair), 0.0)


def _score(trial: Trial, repair: Repair) -> float:
    if not repair.judged_as_used:
        return trial.score
    return trial.used.score if isfinite(trial.used.score) and not trial.broke else -1.0


def helped(tried: Tried, *, whole: bool) -> bool:
    """Whether a repair made the training clearly better.

    Args:
        tried: the repair and both trials, over the same batches.
        whole: whether these are all steps that the training has.
    """
    before, after = tried.before, tried.after
    if after - before < LEAST_GAIN:
        return False
    if tried.repair.judged_as_used:
        # What running statistics cost: the same weights score more by the batch.
        return after - before >= MOST_OF_THE_GAP * (tried.as_it_is.score - before)
    if whole:
        return after - before >= OF_THE_GAP * (1 - before)
    if tried.repair.only_if_stuck:
        return before < STUCK_SHARE * after and after >= LEAST_OF_STUCK
    return after >= TIMES * before or after - before >= MOST_OF_THE_GAP * (1 - before)


def exact(tried: Tried) -> bool:
    """Whether it is tried for evidence of its own, and is not one of the rates tried with all."""
    kind = tried.repair.kind
    return TIERS.get(kind, 1) <= EXACT and not kind.startswith("learning_rate")


def ranked(tried: list[Tried]) -> list[Tried]:
    """Repairs that helped: first the most exact among those nearly as good as the best."""
    best = max(tried, key=lambda one: one.after, default=None)
    general = best is not None and TIERS.get(best.repair.kind, 1) >= GENERAL_REMEDY

    def key(one: Tried) -> tuple[bool, int, float]:
        share = HALF_AS_GOOD if general and exact(one) else NEARLY_AS_GOOD
        far = best is not None and one.after < share * best.after
        return far, TIERS.get(one.repair.kind, 1), -one.after

    return sorted(tried, key=key)
