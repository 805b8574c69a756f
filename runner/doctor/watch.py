"""`Watch`: the doctor beside a training loop of one's own, three lines of it.

    watch = Watch(model, optimizer, loss, classes=10)
    for x, y in loader:
        ...                              # the loop as it is
        watch.step(x, y, outputs, value)
    print(watch.diagnosis())

What is seen is what `python -m runner doctor` sees; no repair is run, so a cause is seen, not
proven. Close looks are taken at about steps 1, 3, 20, 160, 1300, ... and scores at widening steps:
what that costs stands in docs/decisions/094.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite, nan
from statistics import median
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from runner.doctor.causes.finding import CERTAIN, Finding, Remedy, Repair, by
from runner.doctor.causes.kinds import KINDS
from runner.doctor.causes.mistakes import mistakes
from runner.doctor.causes.remains import remains
from runner.doctor.causes.suspects import suspects
from runner.doctor.trying.judging import TIERS
from runner.doctor.watching.evidence import FLAT, STUCK, Observed
from runner.doctor.watching.facts import (
    LabelFacts,
    LossFacts,
    contradictions,
    inputs_of,
    label_facts,
    labels_in,
    loss_by_value,
    loss_facts,
)
from runner.doctor.watching.layers import FirstLook
from runner.doctor.watching.made import Loss, Made, undisturbed
from runner.doctor.watching.passing import CloseLook, Curve, Kept, copied, first_broken
from runner.doctor.watching.task import Task, task_of, tensor_of, usual_predict
from runner.doctor.watching.trial import Trial, hit
from runner.program.wording import counted

ENOUGH = 25
"""Steps before "it does not learn" is said."""
SUSPECTED = 0.4
"""Confidence of what evidence makes likely and no repair has shown."""
FAST, SLOW = 0.1, 2e-5
"""Length of a step by that of the weights: 0.001 is usual (Karpathy, CS231n notes, "Ratio of
weights:updates"); a hundred times it, or a fiftieth, in a training that does not learn."""
_SHARE = Task("classes", 0, 0.0, usual_predict)
"""Scores as the share that is right, before chance is known."""
WIDER = 8
"""Times the steps until the next close look."""
LEARNS = 0.5
"""Score from which a loss that does not fall is no trouble."""
MOST_CAUSES = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """What passed by says of a training.

    Attributes:
        causes: likeliest first, at most two.
        healthy: whether it learns and nothing was seen.
        steps: that were watched.
    """

    causes: tuple[Finding, ...]
    healthy: bool
    steps: int

    def __str__(self) -> str:
        if self.healthy:
            return f"Healthy: it learns, and nothing was seen in {counted(self.steps, 'step')}."
        if not self.causes:
            few = self.steps < ENOUGH
            how = f"fewer than {ENOUGH} tell little" if few else "nothing that was seen says why"
            return f"Not known: {counted(self.steps, 'step')} seen; {how}."
        lines = []
        for number, one in enumerate(self.causes):
            lead = "" if number == 0 else "Or: "
            lines.append(
                f"{lead}{KINDS[one.kind].title} ({one.where}; confidence {one.confidence:.2f}, "
                "seen, not proven)."
            )
            lines.append(f"  {one.evidence}")
            lines.append(f"  Change: {one.change}")
        lines.append("To prove it: python -m runner doctor FILE.py:make runs the repair.")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Plain values, as `doctor --json` prints them."""
        return {"healthy": self.healthy, "causes": [one.as_json() for one in self.causes]}


@dataclass(frozen=True, slots=True, eq=False)
class _Watched(Observed):
    """Evidence of a loop of one's own: nothing is judged on data that is held out."""

    @property
    def stuck(self) -> bool:
        """Whether it learns nearly nothing, by the scores on its batches, else by its loss."""
        base = self.as_it_is
        score = base.training_score
        if isfinite(score) and (score >= LEARNS or score < 2 * STUCK):
            return score < LEARNS
        return base.end > base.beginning - FLAT * abs(base.beginning)


class Watch:
    """Watches a training; see the module."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        loss: Loss | None = None,
        *,
        classes: int | None = None,
        planned: int | None = None,
    ) -> None:
        """Begin, before the first step.

        Args:
            model: that is trained.
            optimizer: that trains it.
            loss: (outputs, targets) -> scalar, which says what is asked for; None: told by its
                values.
            classes: how many there are; None: as many as labels are seen.
            planned: steps of the whole training; None: not known.
        """
        self._made = Made(
            0, model, loss or _no_loss, optimizer, (), (), own_step=True, classes=classes
        )
        self._planned, self._has_loss = planned, loss is not None
        self._trial = Trial()
        self._kept = Kept()
        self._losses, self._rates = Curve(), Curve()
        self._unread: list[tuple[Tensor | float, Any]] = []
        self._groups = optimizer.param_groups
        self._moved: list[float] = []
        self._look: FirstLook | None = None
        self._newest: FirstLook | None = None
        self._first: tuple[Tensor, Any] | None = None
        self._first_loss = nan
        self._broke = ""
        self._evaluated = False
        self._shares: list[float] = []
        self._next_score, self._next_close = 1, 2
        self.steps = 0
        self._close = CloseLook(self._made, self._trial, first=True)

    @property
    def broke(self) -> str:
        """The first tensor that was not finite, and its step; "": all were."""
        return self._broke

    def begin(self) -> None:
        """Say that a forward pass begins, where the loop does not call the model itself."""
        self._close.begin()

    def step(self, x: Any, y: Any, outputs: Any, loss: Any) -> bool:
        """One batch has passed; anywhere after its loss is known.

        Args:
            x: its inputs.
            y: its targets.
            outputs: what the model returned; None: not known.
            loss: of the batch: a tensor of one element or a number.

        Returns:
            Whether it was looked at: `diagnosis` may say something new.
        """
        self.steps += 1
        value: Any = loss
        if isinstance(loss, Tensor):
            # Where reading a number waits for the device, it is read later, several together.
            value = loss.detach() if loss.is_cuda else loss.item()
        self._unread.append((value, self._groups[0]["lr"]))
        if not isinstance(value, Tensor) and value - value != 0:  # NaN or infinite
            self._read(x, outputs)
        if self.steps < self._next_score:
            if not self._close.over:
                self._close.passed()
            return False
        self._read(x, outputs)
        self._next_score = self.steps + 1 + self.steps // 2
        self._score(x, y, outputs)
        self._close.passed()
        if self._close.over:
            self._take_look()
        return True

    def _read(self, x: Any, outputs: Any) -> None:
        """Losses and rates of the steps since this was last done."""
        for number, (value, rate) in enumerate(self._unread, self.steps - len(self._unread) + 1):
            loss = float(value)
            self._losses.add(loss)
            self._rates.add(float(rate))
            if not isfinite(loss) and not self._broke:
                late = "" if number == self.steps else f", or after it by step {self.steps}"
                self._broke = f"{first_broken(self._made, x, outputs)} at step {number}{late}"
        self._unread.clear()

    def _score(self, x: Any, y: Any, outputs: Any) -> None:
        """The score of a batch, and a copy of it among the first ones."""
        with torch.no_grad():
            self._kept.add(x, y)
            if outputs is None or y is None:
                return
            try:
                found = tensor_of(outputs).detach()
            except TypeError:
                return
            if self._first is None:
                self._first = found.cpu(), copied(y)
                self._first_loss = self._losses.values[-1]
            self._shares.append(hit(_SHARE, found, y))

    def _take_look(self) -> None:
        """Keep what a close look saw, and begin the next where it is due."""
        close = self._close
        if close.layers:
            loss = self._losses.values[-1] if self._losses.values else nan
            self._newest = FirstLook(close.layers, loss, self._outputs, close.widths)
            self._look = self._look or self._newest
            self._evaluated |= close.whole
            self._trial.evaluating = self._trial.evaluating or close.evaluating
            if isfinite(self._trial.moved):
                self._moved.append(self._trial.moved)
            close.layers = ()
        if self.steps >= self._next_close:
            self._next_close = WIDER * self.steps
            self._close = CloseLook(self._made, self._trial, first=False)

    # --- what it says ---------------------------------------------------------------------------

    def diagnosis(self) -> Seen:
        """What was seen so far; it may be asked at any time."""
        if self._unread:
            self._read(None, None)
        if self._close.over:
            self._take_look()
        with undisturbed():
            observed = self._observed()
            found = self._found(observed)
        causes: dict[str, Finding] = {}
        for one in found:
            causes.setdefault(one.kind, one)
        learns = self.steps >= ENOUGH and not self._broke and not observed.stuck
        return Seen(tuple(causes.values())[:MOST_CAUSES], not causes and learns, self.steps)

    def _found(self, observed: _Watched) -> list[Finding]:
        seen = self._look is not None and len(self._kept) > 0
        found = list(mistakes(observed)) if seen else []
        if self._evaluated:
            found += [_suspected(one, CERTAIN) for one in suspects(observed) if one.certain
                      and one.kind == "eval_mode_in_training"]  # fmt: skip
        if observed.as_it_is.broke:
            found += [*self._rate(), self._burst(observed.as_it_is.broke)]
        elif seen and self.steps >= ENOUGH and observed.stuck:
            likely = [*self._rate(), *map(_suspected, suspects(observed))]
            found += sorted(likely, key=lambda one: TIERS.get(one.kind, 1))
            newest = replace(observed, look=self._newest or observed.look)
            found += remains(newest, 0)
        return found

    def _rate(self) -> Iterator[Finding]:
        """A learning rate that the length of its steps shows."""
        rate = max(self._rates.values, default=0.0)
        largest = max(self._moved, default=0.0)
        usual = median(self._moved) if self._moved else nan
        if largest > FAST:
            yield Finding(
                "learning_rate_too_high", SUSPECTED + 0.1, "optimizer",
                f"At a learning rate of {rate:.2g} one step changed weights by "
                f"{100 * largest:,.0f} % of their length; 0.1 % is usual.",
                f"Set the learning rate to about {rate * usual_share(largest):.2g}.",
                remedy=by("rate_times", factor=usual_share(largest)),
            )  # fmt: skip
        elif 0 < usual < SLOW:
            yield Finding(
                "learning_rate_too_low", SUSPECTED + 0.1, "optimizer",
                f"At a learning rate of {rate:.2g} a step changes weights by "
                f"{100 * usual:.1g} % of their length; 0.1 % is usual.",
                f"Set the learning rate to about {rate * 100:.2g}.",
                remedy=by("rate_times", factor=100.0),
            )  # fmt: skip

    def _burst(self, broke: str) -> Finding:
        return Finding(
            "exploding_gradient", SUSPECTED, broke,
            f"First not finite: {broke}.",
            "Lower the rate, clip gradients, and look at what divides or takes a logarithm.",
            remedy=by("clipped", norm=1.0),
        )  # fmt: skip

    def _observed(self) -> _Watched:
        """Everything as the rules of the doctor read it."""
        batches = self._kept.some()
        known = task_of(self._made, (), batches) if batches and self._first is not None else None
        task = known or Task("numbers", 0, 0.0, tensor_of)
        trial = replace(
            self._trial, losses=self._losses.values, rates=self._rates.values, broke=self._broke,
            hits=[task.learned(one) for one in self._shares],
        )  # fmt: skip
        inputs = inputs_of(batches) if batches else None
        labels = LabelFacts()
        if task.kind == "classes" and batches:
            numbers = labels_in(batches)
            labels = label_facts(task, inputs, numbers, None, numbers)
            if inputs is not None and len(inputs.features) == len(numbers):
                labels = replace(labels, contradictions=contradictions(inputs.features, numbers))
        look = self._look or FirstLook((), nan, self._outputs)
        return _Watched(
            self._made, task, self._kept, batches, replace(look, outputs=self._outputs),
            self._loss_facts(task), inputs, None, labels, self._planned, trial,
        )  # fmt: skip

    @property
    def _outputs(self) -> Tensor:
        """Of the first batch."""
        return torch.zeros(0) if self._first is None else self._first[0]

    def _loss_facts(self, task: Task) -> LossFacts:
        if self._first is None:
            return LossFacts("")
        outputs, targets = self._first
        if not self._has_loss:
            return loss_by_value(self._first_loss, outputs, targets)
        return loss_facts(self._made, task, (None, targets), outputs)

    # --- its end --------------------------------------------------------------------------------

    def close(self) -> None:
        """Take all hooks away; `diagnosis` still answers."""
        self._close.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _suspected(repair: Repair, confidence: float = SUSPECTED) -> Finding:
    """What a repair would show, as far as evidence alone says it."""
    remedy = Remedy(repair.applied, as_used=repair.judged_as_used)
    return Finding(
        repair.kind, confidence, repair.where, repair.suspicion, repair.change, remedy=remedy
    )


def usual_share(moved: float) -> float:
    """The factor of a rate whose steps are so long that makes them usual, in round numbers."""
    return float(f"{max(0.001 / moved, 1e-6):.1g}")


def _no_loss(_outputs: Any, _targets: Any) -> Tensor:
    """Where none was given."""
    return torch.tensor(nan)
