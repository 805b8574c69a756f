"""A cell as it is judged: how it ended, its curve, and what its layers did where that was kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log, nan
from statistics import median

from runner.content.outcome import Epoch
from runner.probe.record import Evidence, Look

STUCK = 0.1
"""Score (0 at chance, 1 all right) that counts as nothing learned: twice the doctor's bound for a
training's first steps, because a whole training ends here."""
LITTLE = 0.5
"""Share of the score that the target asks for below which a cell has learned little, so that what
was wrong from the start may be why."""
HALF = 0.5
"""Share that a dropout layer takes, as the doctor has it: what Srivastava et al. (2014) chose."""


@dataclass(frozen=True, slots=True)
class Run:
    """One cell that ended.

    Attributes:
        status: how, in the words of `runner.content.outcome.Status`.
        classes: of its data set.
        curve: its epochs; () where none was kept.
        target: validation accuracy that counts as converged; None unknown.
        epochs: that were planned; 0 unknown.
        evidence: what its layers did; None of an older store or another trainer.
    """

    status: str
    classes: int
    curve: Sequence[Epoch] = ()
    target: float | None = None
    epochs: int = 0
    evidence: Evidence | None = None

    @property
    def at_chance(self) -> float:
        """The cross-entropy in nats of an answer at random, ln(classes)."""
        return log(max(self.classes, 2))

    def score(self, accuracy: float) -> float:
        """0 at chance, 1 all right."""
        chance = 1 / max(self.classes, 2)
        return (accuracy - chance) / (1 - chance)

    @property
    def training_score(self) -> float:
        """Best epoch, on training images as they were trained on; NaN without a curve."""
        return max((self.score(one.train_accuracy) for one in self.curve), default=nan)

    @property
    def validation_score(self) -> float:
        """Best epoch, on validation images; NaN without a curve."""
        return max((self.score(one.validation_accuracy) for one in self.curve), default=nan)

    @property
    def diverged(self) -> bool:
        """Whether a loss or a weight stopped being finite."""
        return self.status == "diverged"

    @property
    def stuck(self) -> bool:
        """Whether it learned nothing, on the images that it was trained with neither."""
        if self.diverged:
            return False
        return self.training_score < STUCK and self.validation_score < STUCK

    @property
    def little(self) -> bool:
        """Whether it learned so little that what was wrong from the start may be why."""
        asked = self.score(self.target) if self.target is not None else 1.0
        return self.diverged or not self.validation_score >= LITTLE * asked

    @property
    def first(self) -> Look | None:
        """Before its first step."""
        return None if self.evidence is None else self.evidence.first

    @property
    def last(self) -> Look | None:
        """After its last step, or as late as it was looked at."""
        return None if self.evidence is None else self.evidence.last

    @property
    def dropout(self) -> float:
        """Largest share that a dropout layer takes; NaN where that was not told."""
        told = None if self.evidence is None else self.evidence.dropout
        return nan if told is None else told

    @property
    def signal(self) -> tuple[float, float]:
        """Deviation between images behind the first weighted layer, and of the outputs.

        Before the first step; NaN where that was not seen.
        """
        if self.evidence is None or self.first is None:
            return nan, nan
        found = self.evidence.of(self.first, "varied", "weighted")
        return (found[0][1], found[-1][1]) if len(found) > 1 else (nan, nan)

    @property
    def carried(self) -> float:
        """The outputs' deviation by that behind the first layer; NaN unknown."""
        begins, ends = self.signal
        return ends / begins if begins > 0 and isfinite(ends) else nan

    @property
    def shrunk(self) -> float:
        """Length of the weights at the last look by that before the first step, of the middle
        layer; NaN unknown.
        """
        found, first, last = self.evidence, self.first, self.last
        if found is None or first is None or last is None or last.step == first.step:
            return nan
        ends = {layer.name: length for layer, length in found.of(last, "weight", "weighted")}
        ratios = [
            ends[layer.name] / length
            for layer, length in found.of(first, "weight", "weighted")
            if length > 0 and layer.name in ends
        ]
        return median(ratios) if ratios else nan
