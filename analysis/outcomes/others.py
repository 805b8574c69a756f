"""What a table says besides the outcome looked at, each worked out when first asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from ablations.errors import InputError
from analysis.outcomes.convergence import Convergence
from analysis.outcomes.given_converged import GivenConverged, given_converged
from analysis.outcomes.missing import Missing, missing
from analysis.outcomes.time_to_target import TimeToTarget
from analysis.table.statuses import AS_SAID, BETTER, Goal
from runner.content.response import CONVERGED, LEARNED


@dataclass(frozen=True, eq=False)
class OtherOutcomes:
    """Of one table, at one confidence; InputError where the table has nothing for it.

    Attributes:
        runs: one row a planned run, typed.
        factors: factor name to its declared levels.
        response: the column looked at.
        replicate: the column of the replicate, or None.
        confidence: of every interval.
        goal: what a run that converged did, in words.
        order: highest order of a model of the shares of runs.
    """

    runs: pd.DataFrame
    factors: Mapping[str, Sequence[str]]
    response: str
    replicate: str | None
    confidence: float = 0.95
    goal: Goal = AS_SAID
    order: int = 2

    @cached_property
    def convergence(self) -> Convergence:
        """Rates, exact tests and Firth terms of convergence."""
        self._check(CONVERGED.column)
        column = CONVERGED.column
        found = Convergence.of(self.runs, self.factors, column, self.order, self.confidence)
        return replace(found, goal=self.goal)

    @cached_property
    def learned(self) -> Convergence:
        """The same of being better than guessing."""
        runs, column = self.runs, LEARNED.column
        self._check(column)
        found = Convergence.of(runs, self.factors, column, self.order, self.confidence)
        return replace(found, goal=BETTER)

    @cached_property
    def time_to_target(self) -> TimeToTarget:
        """Restricted mean epochs and curves by level."""
        return TimeToTarget.of(self.runs, self.factors, self.replicate, self.confidence)

    @cached_property
    def given_converged(self) -> GivenConverged:
        """The outcome of converged runs on common support."""
        self._check(CONVERGED.column)
        return given_converged(
            self.runs,
            self.factors,
            self.response,
            replicate=self.replicate,
            confidence=self.confidence,
            goal=self.goal,
        )

    def _check(self, column: str) -> None:
        """Refuse a factor that is called like an outcome; InputError."""
        if column in self.factors:
            raise InputError(f"{column!r} is a factor of the table, not an outcome of its runs")

    @cached_property
    def missing(self) -> Missing:
        """Lost and waiting runs by level, and whether they fell at random."""
        return missing(self.runs, self.factors, self.response, self.confidence)
