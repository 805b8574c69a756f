"""What a number of a run is: its column, name, unit, direction, limits and words, in one record.

Claims, the answer, tables, figures, the page, the dashboard and effects.json read it here, so that
they agree; a further one is one more entry of `RESPONSES`. A column of somebody's own table gets a
record of its own (`response_of`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import floor, log10
from typing import Any, Literal

Direction = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Words:
    """How a difference is said: "adam **is** 3 points **better** than sgd".

    Attributes:
        verb, denied: what a level does, and does not.
        more, less: how one with a higher or a lower value compares.
        unit: of a difference in a sentence, behind the number.
        higher_is, lower_is: "better" or "worse" where `more` and `less` do not say it.
    """

    verb: str = "is"
    denied: str = "is not"
    more: str = "higher"
    less: str = "lower"
    unit: str = ""
    higher_is: str = ""
    lower_is: str = ""

    def than(self, difference: float) -> str:
        """How a level compares that differs by so much: "better", "lower (better)"."""
        word, judged = (self.more, self.higher_is) if difference > 0 else (self.less, self.lower_is)
        return f"{word} ({judged})" if judged else word


@dataclass(frozen=True, slots=True)
class Response:
    """One outcome of a run, as it is stored and as people read it.

    Attributes:
        column: of the table of runs.
        name: in sentences and on axes.
        key: what a command or a page calls it; the column where it has no other name.
        claimed: what a claim writes after "on"; "" where claims cannot be about it.
        better: the direction of improvement.
        unit, difference: of shown values and of their differences.
        scale: shown number over stored number.
        digits: decimals of a shown number.
        low, high: what no value, mean or interval lies beyond, as stored; None where unbounded.
        chance: the column whose inverse is the value of guessing, "" where there is none.
        equivalent: half width of differences that would hardly matter, as stored; None: unknown.
        words: how differences are said.
        some: whether only some of the finished runs have it.
        offered: whether a reader may switch to it (`--outcome`, the page).
        kept_digits: decimals of stored numbers that a page keeps.
    """

    column: str
    name: str
    key: str = ""
    claimed: str = ""
    better: Direction = "higher"
    unit: str = ""
    difference: str = ""
    scale: float = 1.0
    digits: int = 3
    low: float | None = None
    high: float | None = None
    chance: str = ""
    equivalent: float | None = None
    words: Words = Words()
    some: bool = False
    offered: bool = True
    kept_digits: int = 4

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher value is an improvement."""
        return self.better == "higher"

    @property
    def sign(self) -> float:
        """+1 where higher is better, -1 where lower is: times a value, more is better."""
        return 1.0 if self.higher_is_better else -1.0

    @property
    def worse_end(self) -> str:
        """What a bad mean is: "low", or "high" where lower is better."""
        return "low" if self.higher_is_better else "high"

    @property
    def known_direction(self) -> bool:
        """Whether somebody, or the name, says which direction is better."""
        judged = bool(self.words.higher_is) or self.words.more in ("better", "worse")
        return self.column in _BY_COLUMN or judged

    @property
    def share(self) -> bool:
        """Whether it is a share of images or runs, shown in percent."""
        return self.unit == "%"

    @property
    def unit_interval(self) -> bool:
        """Whether it is a share shown as it is stored, between 0 and 1."""
        return (self.low, self.high, self.scale) == (0.0, 1.0, 1.0)

    @property
    def title(self) -> str:
        """The name at the head of a column; somebody's own column as it is written."""
        return self.name if self.name == self.column else self.name.capitalize()

    @property
    def axis(self) -> str:
        """Label of an axis that shows the outcome."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def difference_axis(self) -> str:
        """Label of an axis that shows a difference of two means."""
        text = f"difference in {self.name}"
        return f"{text} ({self.difference})" if self.difference else text

    def within(self, values: Any) -> Any:
        """Means, numbers or arrays, cut where none can lie: a prediction knows no limits."""
        if self.low is None and self.high is None:
            return values
        import numpy as np  # not at import: a claim is read without it

        return np.clip(values, self.low, self.high)

    def interval(self, low: Any, high: Any) -> tuple[Any, Any]:
        """Ends of the interval of a mean, numbers or arrays, cut where no mean can lie beyond."""
        if self.low is None and self.high is None:
            return low, high
        import numpy as np  # not at import: a claim is read without it

        return np.clip(low, self.low, self.high), np.clip(high, self.low, self.high)


_SHARE: dict[str, Any] = {
    "unit": "%", "difference": "points", "scale": 100.0, "digits": 1, "low": 0.0, "high": 1.0,
    "equivalent": 0.005,
}  # fmt: skip
"""A share, shown in percent; half a percentage point hardly matters."""

ACCURACY = Response(
    "test_accuracy", "test accuracy", "accuracy", "accuracy", **_SHARE, chance="classes",
    words=Words(more="better", less="worse", unit="points"),
)  # fmt: skip
CONVERGED = Response(
    "converged", "runs that reached the target", "converged", "convergence", **_SHARE,
    words=Words("reaches the target", "does not reach it", "more often", "less often", "points"),
)  # fmt: skip
LEARNED = Response(
    "better_than_guessing", "runs better than guessing", "learned", **_SHARE,
    words=Words("is better than guessing", "is not better than guessing", "more often",
                "less often", "points"),
)  # fmt: skip
EPOCHS = Response(
    "restricted_epochs", "epochs to target", "epochs", "epochs", better="lower", unit="epochs",
    difference="epochs", digits=1, some=True, kept_digits=2,
    words=Words("reaches the target", "does not reach it", "later", "earlier", "epochs"),
)  # fmt: skip
GIVEN_CONVERGED = Response(
    "accuracy_given_converged", "test accuracy given that the target was reached",
    "given_converged", **_SHARE,
    words=Words(more="better", less="worse", unit="points"), some=True,
)  # fmt: skip
SECONDS = Response(
    "seconds", "training time", "seconds", better="lower", unit="s", difference="s",
    kept_digits=2, words=Words("takes", "does not take", "longer", "less time", "s"),
)  # fmt: skip

RESPONSES = (ACCURACY, CONVERGED, LEARNED, EPOCHS, GIVEN_CONVERGED, SECONDS)
"""Of a study in a store, in the order they are offered."""

REACHED = Response(
    "epochs_to_target", "epochs_to_target", "epoch", better="lower", some=True, offered=False
)  # fmt: skip
"""The epoch of the target itself, which only runs that got there have."""

_BY_COLUMN = {one.column: one for one in (*RESPONSES, REACHED)}


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


LOWER_IS_BETTER = _listed(
    "loss losses error errors err perplexity ppl rmse mse mae mape smape msle rmsle nrmse rrmse "
    "nll logloss xent nlpd crps wer cer ter eer fid fvd kid lpips latency delay time runtime "
    "walltime seconds secs duration ece brier regret bpb bpc fpr fnr mistakes "
    "misclassified misclassification gap cost costs memory vram kl kld divergence failures "
    "violations overhead lag"
)
"""Words of somebody's column of which less is better."""
HIGHER_IS_BETTER = _listed(
    "accuracy accuracies acc top1 top5 correct right success f1 auc auroc auprc recall "
    "precision iou miou map bleu rouge r2 reward return returns throughput speedup psnr ssim "
    "improvement gain saved savings likelihood"
)
"""Words of which more is."""
_ENDINGS = ("loss", "error", "perplexity", "crossentropy")
_TIMES = _listed("time second seconds sec secs s ms minute minutes hour hours epoch step")
_STEPS = _listed("epoch epochs step steps iteration iterations iters updates samples")
_RATE = re.compile(r"(?<=\bs)/|(?<=\bms)/|(?<=\bsec)/|/(?=(?:s|sec|second|min|minute|h|hour)\b)")
"""The slash of "images/s" and "ms/step"; that of "val/loss" is none."""
_PREPOSITIONS = _listed("to of per at for in on until till with without given by")
_TURNS = _listed("neg negative negated minus reduction decrease drop degradation survival survived")
"""What turns the rest round: a negative loss, a drop of accuracy, the time survived."""
_SHARES = _listed("accuracy accuracies acc")
_WORD = re.compile(r"[A-Z]+[0-9]*(?![a-z])|[A-Z]?[a-z]+[0-9]*|[0-9]+")


def direction_of(column: str) -> Direction | None:
    """The direction of improvement that a name tells, or None.

    Whole words count, the last one known before a preposition: it is what the name is of
    ("accuracy_loss" is a loss, "time_correct" something right, "time_to_accuracy" a time).
    """
    words = _words(_RATE.sub(" per ", column.replace("cross_entropy", "crossentropy")))
    end = next((k for k, word in enumerate(words) if word in _PREPOSITIONS), len(words))
    found = _named(words[:end])
    before, joint = words[end - 1 : end], words[end : end + 1]
    if found is None and joint == ["to"] and set(before) & _STEPS:  # "epochs to target"
        return "lower"
    if found is None and joint == ["per"]:
        if set(before) & (_TIMES | {"bits"}):  # "ms per step"
            return "lower"
        return "higher" if set(words[end + 1 :]) & _TIMES else None  # "images per second"
    found = found or _named(words)
    if found and _TURNS & set(words):
        return "higher" if found == "lower" else "lower"
    return found


def names_accuracy(column: str) -> bool:
    """Whether a name says that the column is an accuracy."""
    return bool(_SHARES & set(_words(column))) and direction_of(column) == "higher"


def _words(column: str) -> list[str]:
    """The words of a name, however they are joined: "valLoss", "val_loss", "val loss"."""
    return [word.lower() for word in _WORD.findall(column)]


def _named(words: list[str]) -> Direction | None:
    for written in reversed(words):
        bare = written.rstrip("0123456789")
        word = bare if bare in LOWER_IS_BETTER else written  # "fid50"
        if word in LOWER_IS_BETTER or word.endswith(_ENDINGS):
            return "lower"
        if word in HIGHER_IS_BETTER:
            return "higher"
    return None


def response_of(
    column: str,
    values: Iterable[float] = (),
    *,
    higher_is_better: bool | None = None,
    equivalent: float | None = None,
    unit: str = "",
) -> Response:
    """The record of a column.

    Args:
        column: its name. One of ours is read as ours where its values fit: a share of 93.2 is
            somebody's percentage.
        values: numbers of the column, NaN where missing; its ends are enough.
        higher_is_better: said by whoever knows; by default as recorded, or by the name.
        equivalent: half width of the differences that would not matter, as stored.
        unit: that its values were written with, "%" or "".
    """
    known = [value for value in values if value == value]
    record = _BY_COLUMN.get(column)
    if record is None or unit or not _within(record, known):
        record = _of_somebody(column, known, unit, higher_is_better)
    if higher_is_better is not None:
        record = replace(record, better="higher" if higher_is_better else "lower")
    return record if equivalent is None else replace(record, equivalent=equivalent)


def _of_somebody(
    column: str, values: list[float], unit: str, higher_is_better: bool | None
) -> Response:
    """The record of a column that is none of ours, shown as it is stored.

    An accuracy within 0 and 100 with a value above 1 is in percent: its differences are points.
    """
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    named = direction_of(column)
    better: Direction = named or "higher"
    if higher_is_better is not None:
        better = "higher" if higher_is_better else "lower"
    words = Words()
    if named or higher_is_better is not None:
        good, bad = "better", "worse"
        up, down = (good, bad) if better == "higher" else (bad, good)
        words = Words(higher_is=up, lower_is=down)
    share = names_accuracy(column)
    percent = unit == "%" or (share and low >= 0 and 1 < high <= 100)
    record = Response(column, column, better=better, words=words, digits=_digits(high - low))
    if percent:
        words = replace(words, unit="points")
        digits = max(record.digits - 1, 1)  # a tenth of a point is fine
        record = replace(record, unit="%", difference="points", words=words, digits=digits)
    if share and values and low >= 0 and high <= (100 if percent else 1):
        record = replace(record, low=0.0, high=100.0 if percent else 1.0)
    return record


def _digits(spread: float) -> int:
    """Decimals that show a hundredth of how far the values spread; three in the usual range."""
    if not 0 < spread < float("inf") or 0.01 <= spread < 10:
        return 3
    return min(max(2 - floor(log10(spread)) + (spread >= 10), 0), 12)


def _within(record: Response, values: Iterable[float]) -> bool:
    low = float("-inf") if record.low is None else record.low
    high = float("inf") if record.high is None else record.high
    return not any(value < low or value > high for value in values)


def claimed(outcome: str) -> Response:
    """The record that a claim's outcome ("accuracy", "convergence", "epochs") means."""
    return next(one for one in RESPONSES if one.claimed == outcome)
