"""The trials of every tuned group: which values won, how flat their optimum is, what they cost.

An optimum is flat over the values whose trials are within one noise deviation of the best. The
noise is that of one run: of repeated trials where there are, else of the grid's runs with the
group's levels, in the response that was tuned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum, isfinite, sqrt
from typing import TYPE_CHECKING, Literal

import pandas as pd

from runner.spec.tune import Group, Range
from runner.tuning.trials import Trial, best_of, read_trials

if TYPE_CHECKING:
    from runner.store import Store, StudyInfo

End = Literal["low", "high"]

NEAR = 0.05
"""Share of a range, on its scale, within which a value counts as at its end."""


@dataclass(frozen=True)
class Searched:
    """What was tried for one group.

    Attributes:
        group: the levels that the values belong to.
        at: the combination that trials ran at, factor to label.
        ranges: of the parameters.
        given: values as the file gives them, where it does.
        values: that the grid runs with, by parameter.
        trials: all of them.
        response, lower: what was made best, and whether less is better.
        study: the trials' study in the store.
        noise: standard deviation of one run; NaN where nothing tells it.
    """

    group: Group
    at: Mapping[str, str]
    ranges: tuple[Range, ...]
    given: Mapping[str, float]
    values: Mapping[str, float]
    trials: tuple[Trial, ...]
    response: str
    lower: bool
    study: str
    noise: float = float("nan")

    @property
    def best(self) -> Trial | None:
        """The trial that won."""
        return best_of(self.trials, lower=self.lower)

    @property
    def runs(self) -> int:
        """Trainings that ended, one way or another."""
        return sum(len(one.scores) + one.failed for one in self.trials)

    @property
    def seconds(self) -> float:
        """That all trials trained."""
        return fsum(one.seconds for one in self.trials)

    @property
    def close(self) -> tuple[Trial, ...]:
        """Trials within one noise deviation of the best, the best among them."""
        best = self.best
        if best is None or best.mean is None or not isfinite(self.noise):
            return ()
        sign, top = (-1 if self.lower else 1), best.mean
        return tuple(
            one
            for one in self.trials
            if one.mean is not None and sign * (top - one.mean) <= self.noise
        )

    def flat(self, name: str) -> tuple[float, float] | None:
        """Values of a parameter over which the optimum is flat; None where no noise is known.

        Of one parameter the unbroken stretch around the best; of several the extent of all close
        trials.
        """
        close = self.close
        if not close:
            return None
        place = self._place(name)
        values = sorted(one.values[place] for one in close)
        if len(self.ranges) > 1:
            return values[0], values[-1]
        order = sorted(one.values[place] for one in self.trials if one.mean is not None)
        at = order.index(self.values[name])
        low = high = at
        while low and order[low - 1] in values:
            low -= 1
        while high + 1 < len(order) and order[high + 1] in values:
            high += 1
        return order[low], order[high]

    def end(self, name: str) -> End | None:
        """The end of the range that the best value lies at, or that no trial lies beyond.

        Nought as the low end of a linear range is none: beyond a decay of 0 there is nothing.
        """
        place = self._place(name)
        value, share = self.values[name], self.ranges[place].share(self.values[name])
        if value == 0:
            return None
        tried = [one.values[place] for one in self.trials if one.mean is not None]
        if share <= NEAR or value <= min(tried, default=value):
            return "low"
        return "high" if share >= 1 - NEAR or value >= max(tried, default=value) else None

    def _place(self, name: str) -> int:
        return [one.name for one in self.ranges].index(name)


def searched(store: Store, info: StudyInfo, frame: pd.DataFrame) -> tuple[Searched, ...]:
    """What was tuned before a study; nothing where it was not, or where the trials are gone.

    Args:
        store: which holds the trials.
        info: the study.
        frame: its runs, one row each.
    """
    names = set(store.study_names())
    found = []
    for one in info.spec.get("found", ()):
        if one["study"] not in names:
            continue
        trials_info = store.load_study(one["study"])
        about = trials_info.spec["tuning"]
        ranges = tuple(Range(**range_) for range_ in about["ranges"])
        trials = read_trials(
            store.runs(trials_info), [range_.name for range_ in ranges], trials_info.spec
        )
        group = tuple(one["group"].items())
        search = Searched(
            group=group,
            at=about["at"],
            ranges=ranges,
            given=about["given"],
            values=one["values"],
            trials=tuple(trials),
            response=about["response"],
            lower=about["lower"],
            study=one["study"],
        )
        found.append(replace(search, noise=_noise(search, frame, list(info.factors))))
    return tuple(found)


def _noise(search: Searched, frame: pd.DataFrame, factors: Sequence[str]) -> float:
    """Pooled standard deviation of runs that differ by their seed alone."""
    repeated = [list(one.scores) for one in search.trials if len(one.scores) > 1]
    if not repeated and search.response in frame.columns:
        chosen = frame
        for factor, label in search.group:
            chosen = chosen[chosen[factor].astype(str) == label]
        values = pd.to_numeric(chosen[search.response], errors="coerce")
        groups = values.groupby([chosen[name].astype(str) for name in factors])
        repeated = [one.dropna().tolist() for _, one in groups]
    squares, df = 0.0, 0
    for values_of_one in repeated:
        mean = fsum(values_of_one) / max(1, len(values_of_one))
        squares += fsum((value - mean) ** 2 for value in values_of_one)
        df += max(0, len(values_of_one) - 1)
    return sqrt(squares / df) if df else float("nan")
