"""Nuisance parameters that are tuned before the grid: `tune: {parameters, per, trials}`.

A learning rate that suits one level and not another would decide a comparison that is meant to be
of the levels. Each group of levels (`per: optimizer`) so gets values of its own, searched for on
validation data; the grid runs with what was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import exp, log
from typing import Any, Literal

from runner.content.level import Level

Sampler = Literal["tpe", "quasi_random"]
Group = tuple[tuple[str, str], ...]
"""Factor and label of each level that a value belongs to."""

DIGITS = 4
"""Significant digits of a value that is tried: what its label shows is what the cell gets."""


@dataclass(frozen=True, slots=True)
class Range:
    """A nuisance parameter and where its value may lie.

    Attributes:
        name: an argument of one's own trainer, or such as "optimizer.lr", "train.weight_decay".
        low, high: both included.
        log: whether values are drawn evenly on a logarithmic scale.
    """

    name: str
    low: float
    high: float
    log: bool = True

    @property
    def middle(self) -> float:
        """The middle of the range, on its scale."""
        if not self.log:
            return rounded((self.low + self.high) / 2)
        return rounded(exp((log(self.low) + log(self.high)) / 2))

    def within(self, value: float) -> float:
        """The nearest value of the range, as it is tried."""
        return min(max(rounded(value), self.low), self.high)

    def share(self, value: float) -> float:
        """Where in the range a value lies on its scale: 0 at the low end, 1 at the high one."""
        if self.log:
            return (log(value) - log(self.low)) / (log(self.high) - log(self.low))
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Found:
    """The values that a group of levels runs with.

    Attributes:
        group: which cells: those with all of these levels.
        values: name of the parameter to its value.
        study: in the store, the one whose trials found them.
    """

    group: Group
    values: Mapping[str, float]
    study: str = ""

    def is_of(self, labels: Mapping[str, str]) -> bool:
        """Whether a cell with these labels runs with it."""
        return all(labels.get(factor) == label for factor, label in self.group)

    @property
    def levels(self) -> tuple[Level, ...]:
        """The values as levels of factors that are called like the parameters."""
        return tuple(value_level(name, value) for name, value in self.values.items())


@dataclass(frozen=True, slots=True)
class Tune:
    """What is tuned before the grid.

    Attributes:
        ranges: the nuisance parameters.
        per: factors; each combination of their levels has values of its own.
        trials: values that are tried, for each group.
        runs: trainings of each trial, with seeds of their own; a trial counts as their mean.
        sampler: of Optuna; tpe begins with a half that is quasi-random (decision 095).
        at: levels of the other factors while tuning; those not named have their first.
        trial: what a trial is given otherwise than a cell of the grid, such as fewer epochs.
        response: what is made best; "": the validation accuracy, or the first of one's own.
        compare: whether the grid runs with the values as given as well.
    """

    ranges: tuple[Range, ...]
    per: tuple[str, ...]
    trials: int
    runs: int = 1
    sampler: Sampler = "quasi_random"
    at: Group = ()
    trial: tuple[Level, ...] = ()
    response: str = ""
    compare: bool = False

    @property
    def starts(self) -> tuple[Level, ...]:
        """The middle of every range, as levels that give it."""
        return tuple(value_level(one.name, one.middle) for one in self.ranges)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return asdict(self) | {"trial": [one.to_dict() for one in self.trial]}

    @staticmethod
    def from_dict(raw: Mapping[str, Any]) -> Tune:
        """The inverse of `to_dict`. Raises KeyError, TypeError or ValueError on anything else."""
        return Tune(
            **{
                **raw,
                "ranges": tuple(Range(**one) for one in raw["ranges"]),
                "per": tuple(raw["per"]),
                "at": group_of(raw["at"]),
                "trial": tuple(Level(**one) for one in raw["trial"]),
            }
        )


def found_to_dict(found: Iterable[Found]) -> list[dict[str, Any]]:
    """Plain values, as JSON holds them."""
    return [
        {"group": dict(one.group), "values": dict(one.values), "study": one.study} for one in found
    ]


def found_from_dict(raw: Iterable[Mapping[str, Any]]) -> tuple[Found, ...]:
    """The inverse of `found_to_dict`. Raises KeyError or TypeError on anything else."""
    return tuple(
        Found(group_of(one["group"].items()), dict(one["values"]), one["study"]) for one in raw
    )


def group_of(pairs: Iterable[Iterable[str]]) -> Group:
    """Pairs of factor and label."""
    return tuple((factor, label) for factor, label in pairs)


def group_words(group: Group) -> str:
    """As a sentence names it: "optimizer=sgd, norm=before"."""
    return ", ".join(f"{factor}={label}" for factor, label in group)


def rounded(value: float) -> float:
    """The value to so many digits as a label shows."""
    return float(f"{value:.{DIGITS}g}")


def value_level(name: str, value: float) -> Level:
    """The level that gives a parameter this value."""
    label = f"{value:.{DIGITS}g}"
    return Level(name, label, label, {"value": value})
