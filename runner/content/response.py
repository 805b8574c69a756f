"""What a number of a run is: its column, name, unit, direction, limits and words, in one record.

Claims, the answer, tables, figures, the page, the dashboard and effects.json read it here, so that
they agree; a further one is one more entry of `RESPONSES`. A column of somebody's own table gets a
record of its own (`response_of`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

Direction = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class Words:
    """How a difference is said: "adam **is** 3 points **better** than sgd".

    Attributes:
        verb, denied: what a level does, and does not.
        more, less: how one with a higher or a lower value compares.
        unit: of a difference in a sentence, behind the number.
    """

    verb: str = "is"
    denied: str = "is not"
    more: str = "higher"
    less: str = "lower"
    unit: str = ""


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
        listed: whether it is a column of the page's table of runs.
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
    listed: bool = False
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
    def share(self) -> bool:
        """Whether it is a share of images or runs, shown in percent."""
        return self.unit == "%"

    @property
    def axis(self) -> str:
        """Label of an axis that shows the outcome."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    @property
    def difference_axis(self) -> str:
        """Label of an axis that shows a difference of two means."""
        text = f"difference in {self.name}"
        return f"{text} ({self.difference})" if self.difference else text

    def interval(self, low: Any, high: Any) -> tuple[Any, Any]:
        """Ends of the interval of a mean, numbers or arrays, cut where no mean can lie beyond."""
        if self.low is None and self.high is None:
            return low, high
        import numpy as np  # not at import: a claim is read without it

        return np.clip(low, self.low, self.high), np.clip(high, self.low, self.high)


_SHARE: dict[str, Any] = {
    "unit": "%", "difference": "pp", "scale": 100.0, "digits": 1, "low": 0.0, "high": 1.0,
    "equivalent": 0.005,
}  # fmt: skip
"""A share, shown in percent; half a percentage point hardly matters."""

ACCURACY = Response(
    "test_accuracy", "test accuracy", "accuracy", "accuracy", **_SHARE, chance="classes",
    words=Words(more="better", less="worse", unit="points"), listed=True,
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
    difference="epochs", digits=1, some=True, listed=True, kept_digits=2,
    words=Words("reaches the target", "does not reach it", "later", "earlier", "epochs"),
)  # fmt: skip
GIVEN_CONVERGED = Response(
    "accuracy_given_converged", "test accuracy given that the target was reached",
    "given_converged", **_SHARE,
    words=Words(more="better", less="worse", unit="points"), some=True,
)  # fmt: skip
SECONDS = Response(
    "seconds", "training time", "seconds", better="lower", unit="s", difference="s", listed=True,
    kept_digits=2, words=Words("takes", "does not take", "longer", "less time", "s"),
)  # fmt: skip

RESPONSES = (ACCURACY, CONVERGED, LEARNED, EPOCHS, GIVEN_CONVERGED, SECONDS)
"""Of a study in a store, in the order they are offered."""

REACHED = Response(
    "epochs_to_target", "epochs_to_target", better="lower", some=True, offered=False
)  # fmt: skip
"""The epoch of the target itself, which only runs that got there have."""

_BY_COLUMN = {one.column: one for one in (*RESPONSES, REACHED)}
LOWER_IS_BETTER = ("loss", "error", "perplexity")
"""In the name of somebody's column: less of it is better."""


def response_of(
    column: str,
    values: Iterable[float] = (),
    *,
    higher_is_better: bool | None = None,
    equivalent: float | None = None,
) -> Response:
    """The record of a column.

    Args:
        column: its name. One of ours is read as ours where its values fit: a share of 93.2 is
            somebody's percentage.
        values: numbers of the column, NaN where missing.
        higher_is_better: said by whoever knows; by default as recorded, or by the name.
        equivalent: half width of the differences that would not matter, as stored.
    """
    record = _BY_COLUMN.get(column)
    if record is None or not _within(record, values):
        named = any(word in column.lower() for word in LOWER_IS_BETTER)
        record = Response(column, column, better="lower" if named else "higher")
    if higher_is_better is not None:
        record = replace(record, better="higher" if higher_is_better else "lower")
    return record if equivalent is None else replace(record, equivalent=equivalent)


def _within(record: Response, values: Iterable[float]) -> bool:
    low = float("-inf") if record.low is None else record.low
    high = float("inf") if record.high is None else record.high
    return not any(value < low or value > high for value in values)


def claimed(outcome: str) -> Response:
    """The record that a claim's outcome ("accuracy", "convergence", "epochs") means."""
    return next(one for one in RESPONSES if one.claimed == outcome)
