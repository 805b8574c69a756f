"""Which levels make training converge: rates, differences, exact tests, Firth terms, cells.

Converging means reaching the target (`table.statuses.Goal`), an outcome of its own, a yes or no per
run. Promises: a diverged, stalled or short run is a no, a lost run is neither; rates stay honest at
0 and 100 %; separation is named. Does not touch accuracy (`given_converged`) nor ask why runs were
lost (`missing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from analysis.model.terms import grid_columns, terms_up_to
from analysis.outcomes.rates.compared import Compared, number, odds_of
from analysis.outcomes.rates.observed import (
    cell_counts,
    counted_as,
    level_combinations,
    rates,
    separation,
)
from analysis.stats.arrays import Floats
from analysis.stats.coding import sum_to_zero
from analysis.stats.counts.firth import LogisticFit, fit, separated
from analysis.stats.multiplicity import holm
from analysis.table.cells import Factors, with_levels, yes_counts
from analysis.table.records import records
from analysis.table.statuses import AS_SAID, Goal

MOST_UNBOUNDED = 6
"""Odds ratios without a value named one by one."""
FIRTH = (
    "Firth's model may give another p: its penalty pulls every rate towards one half, most where "
    "levels or pairs of levels separate, and a term is judged beside all pairs; it is kept for "
    "reference."
)
TABLES = (
    "rates",
    "differences",
    "tests",
    "pairs",
    "combinations",
    "terms",
    "odds_ratios",
    "marginal_rates",
)


@dataclass(frozen=True, eq=False)
class Convergence:
    """Tidy tables on the share of converged runs, each made when first asked for.

    NaN where a number does not exist.

    Attributes:
        hits: converged runs over the declared grid.
        counted: runs with an outcome over the grid.
        planned: planned runs over the grid.
        factors: factor name to its declared levels.
        highest: highest order of Firth's terms, lowered where there are too few cells.
        confidence: of every interval.
        goal: what a run that converged did, in words.
    """

    hits: Floats
    counted: Floats
    planned: Floats
    factors: Factors
    highest: int = 2
    confidence: float = 0.95
    goal: Goal = AS_SAID

    @staticmethod
    def of(
        frame: pd.DataFrame,
        factors: Factors,
        column: str = "converged",
        order: int = 2,
        confidence: float = 0.95,
    ) -> Convergence:
        """Count a yes/no outcome over the factors.

        Args:
            frame: One row per planned run; `column` holds 1 or True, 0 or False, or nothing for a
                lost run.
            factors: Factor name to its declared levels.
            column: The outcome.
            order: Highest order of Firth's terms.
            confidence: Of every interval.

        Raises:
            InputError: No such column, a value that is neither yes nor no, or no run with an
                outcome.
        """
        hits, runs, planned = yes_counts(frame, factors, column)
        return Convergence(hits, runs, planned, factors, min(order, len(factors)), confidence)

    @property
    def runs(self) -> int:
        """Runs with an outcome."""
        return int(self.counted.sum())

    @property
    def converged(self) -> int:
        """How many of them converged."""
        return int(self.hits.sum())

    @property
    def mixed(self) -> bool:
        """Whether some converged and some did not: else no factor can be tested."""
        return 0 < self.converged < self.runs

    # --- without a model --------------------------------------------------------------------------

    @cached_property
    def rates(self) -> pd.DataFrame:
        """factor, level, converged, runs, rate, low, high (Wilson)."""
        return rates(self.hits, self.counted, self.factors, self.confidence)

    @cached_property
    def compared(self) -> Compared:
        """Levels and factors compared."""
        counts = self.hits, self.counted, self.planned
        return Compared(*counts, self.factors, self.highest, self.confidence)

    @property
    def differences(self) -> pd.DataFrame:
        """factor, level, reference, estimate, low, high (level - reference); see `Compared`."""
        return self.compared.differences

    @property
    def tests(self) -> pd.DataFrame:
        """factor, statistic, df, p, p_holm, method, informative_strata; see `Compared`.

        Exact CMH tests, stratified by all other factors, or F tests of shares in a fraction.
        """
        return self.compared.tests

    @property
    def pairs(self) -> pd.DataFrame:
        """The same for every two levels, with its odds ratio.

        factor, level, reference, p, p_holm (within the factor), odds_ratio, low, high; an odds
        ratio or a limit of zero or infinity is NaN, whichever level is the reference, and named in
        the notes.
        """
        return self.compared.pairs

    @cached_property
    def combinations(self) -> pd.DataFrame:
        """Every combination of levels of two factors against all other runs, Fisher's exact test.

        factor, level, other, other_level, converged, runs, elsewhere_converged, elsewhere_runs, p,
        p_holm (over all combinations of two levels).
        """
        return level_combinations(self.hits, self.counted, self.factors)

    @property
    def combined(self) -> float:
        """P of whether any combination of two levels decides (Holm over them); NaN without two."""
        rows = self.combinations
        return float(rows["p_holm"].min()) if len(rows) else float("nan")

    @property
    def clearest(self) -> dict[str, Any]:
        """The row of `combinations` with the smallest p."""
        row = self.combinations.sort_values("p", kind="stable").iloc[0]
        return {str(key): value for key, value in row.items()}

    def together(self, shown: Sequence[str], level: float) -> dict[str, Any] | None:
        """The combination of two factors that are shown to decide, which they decide together.

        That which holds all runs that converged, or all others; None where there is none.

        Args:
            shown: factors that are shown to decide.
            level: up to which the combination's p, Holm-adjusted over all, makes it one.
        """
        rows = self.combinations[self.combinations["p_holm"] <= level]
        elsewhere = rows["elsewhere_converged"]
        alike = elsewhere.eq(0) | elsewhere.eq(rows["elsewhere_runs"])
        rows = rows[alike & rows["factor"].isin(shown) & rows["other"].isin(shown)]
        first = rows.sort_values("p", kind="stable").head(1).to_dict("records")
        return {str(key): value for key, value in first[0].items()} if first else None

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Every cell of the declared grid, indexed by its levels: converged, runs, lost."""
        return cell_counts(self.hits, self.counted, self.planned, self.factors)

    @cached_property
    def separation(self) -> tuple[str, ...]:
        """One sentence per level or pair of levels in which all runs or none converged."""
        if not self.mixed:
            return ()
        return separation(self.hits, self.counted, self.factors, self.goal)

    # --- Firth's model ----------------------------------------------------------------------------

    @cached_property
    def order(self) -> int:
        """Of the model of `terms`: the highest that the cells that ran can tell."""
        order = self.highest
        while order > 1 and not _full_rank(grid_columns(self.factors, order)[0][self._ran]):
            order -= 1
        return order

    @cached_property
    def _ran(self) -> Any:
        return (self.counted > 0).ravel()

    @cached_property
    def _design(self) -> tuple[Floats, dict[str, list[int]]]:
        return grid_columns(self.factors, self.order)

    @cached_property
    def _model(self) -> LogisticFit | None:
        """Firth's mains and pairs."""
        if not self.mixed:
            return None
        return fit(self._design[0], self.hits.ravel(), self.counted.ravel())

    @cached_property
    def terms(self) -> pd.DataFrame:
        """term, df, chisq, p, p_holm: Firth's model of mains and pairs."""
        wanted = [term.name for term in terms_up_to(self.factors, self.highest)]
        return _terms(self._model, self._design[1], wanted)

    @cached_property
    def odds_ratios(self) -> pd.DataFrame:
        """Firth's model of mains alone, profile limits.

        factor, level, reference (the factor's first level), odds_ratio, low, high, p.
        """
        if not self.mixed:
            return _no_odds(self.factors)
        return _odds_ratios(self.hits, self.counted, self.factors, self.confidence)

    @cached_property
    def marginal_rates(self) -> pd.DataFrame:
        """Mean prediction of Firth's mains and pairs over the declared grid, equal weights.

        factor, level, rate, se, low, high.
        """
        return _marginal_rates(
            self._model, self._design[0], self.counted.shape, self.factors, self.confidence
        )

    @cached_property
    def separated(self) -> bool:
        """Whether unpenalised logistic regression on mains and pairs has no solution."""
        if not self.mixed:
            return False
        hits, runs = self.hits.ravel()[self._ran], self.counted.ravel()[self._ran]
        return separated(self._design[0][self._ran], hits, runs)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What the reader must know, in sentences."""
        notes: list[str] = []
        if not self.mixed:
            what = "All" if self.converged else "None"
            notes.append(
                f"{what} of the {self.runs} runs {self.goal.did}: no factor can be tested."
            )
        notes += [
            f"Not every interaction of {order + 1} factors is estimable from the cells that ran: "
            f"Firth's terms and marginal rates are those of a model of order {order}."
            for order in range(self.highest - 1, self.order - 1, -1)
        ]
        lost = self.pairs[np.isfinite(self.pairs["p"]) & ~np.isfinite(self.pairs["odds_ratio"])]
        lost = lost[~lost["factor"].isin(list(self.compared.models))]
        named = zip(lost["factor"], lost["level"], lost["reference"], strict=True)
        unbounded = [f"{factor}: {level} / {reference}" for factor, level, reference in named]
        if self.mixed and unbounded:
            shown = ", ".join(unbounded[:MOST_UNBOUNDED])
            more = len(unbounded) - MOST_UNBOUNDED
            notes.append(f"The odds ratio is zero or infinite, so null, for {shown}"
                         f"{f' and {more} more' if more > 0 else ''}.")  # fmt: skip
        if self.mixed and len(self.factors) > 1:
            said = self.compared.said
            notes.append(f"{said[:1].upper()}{said[1:]} {FIRTH}")
        return tuple(notes)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: tables as lists of records, null where a number does not exist."""
        key = self.goal.record.key
        rows = {name: getattr(self, name) for name in TABLES} | {"cells": with_levels(self.cells)}
        return {
            "runs": self.runs,
            key: self.converged,
            **{name: records(counted_as(key, table)) for name, table in rows.items()},
            "separated": self.separated,
            "separation": list(self.separation),
            "notes": list(self.notes),
        }


def _full_rank(design: Floats) -> bool:
    return bool(np.linalg.matrix_rank(design) == design.shape[1])


def _terms(
    full: LogisticFit | None, columns: Mapping[str, list[int]], wanted: Sequence[str]
) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for term in wanted:
        if full is None or term not in columns:
            rows.append((term, 0, np.nan, np.nan))
            continue
        test = full.term_test(columns[term])
        rows.append((term, test.df, number(test.chisq), number(test.p)))
    table = pd.DataFrame(rows, columns=["term", "df", "chisq", "p"])
    table["p_holm"] = holm(table["p"].to_numpy(float))
    return table


_ODDS = ["factor", "level", "reference", "odds_ratio", "low", "high", "p"]


def _odds_ratios(hits: Floats, runs: Floats, factors: Factors, confidence: float) -> pd.DataFrame:
    design, columns = grid_columns(factors, 1)
    mains = fit(design, hits.ravel(), runs.ravel())
    rows = []
    for name, levels in factors.items():
        coding = sum_to_zero(len(levels))
        for i in range(1, len(levels)):
            contrast = np.zeros(design.shape[1])
            contrast[columns[name]] = coding[i] - coding[0]
            profile = mains.profile(contrast, confidence)
            logs = (profile.estimate, profile.low, profile.high)
            with np.errstate(over="ignore"):
                limits = [odds_of(np.exp(number(one))) for one in logs]
            test = mains.contrast_test(contrast)
            rows.append((name, levels[i], levels[0], *limits, number(test.p)))
    return pd.DataFrame(rows, columns=_ODDS)


def _no_odds(factors: Factors) -> pd.DataFrame:
    rows = [
        (name, level, levels[0], np.nan, np.nan, np.nan, np.nan)
        for name, levels in factors.items()
        for level in list(levels)[1:]
    ]
    return pd.DataFrame(rows, columns=_ODDS)


def _marginal_rates(
    full: LogisticFit | None,
    design: Floats,
    shape: tuple[int, ...],
    factors: Factors,
    confidence: float,
) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    codes = np.indices(shape).reshape(len(shape), -1)
    for axis, (name, levels) in enumerate(factors.items()):
        for i, level in enumerate(levels):
            if full is None:
                rows.append((name, level, np.nan, np.nan, np.nan, np.nan))
                continue
            mean = full.mean_probability(design[codes[axis] == i], confidence)
            numbers = (mean.estimate, mean.se, mean.low, mean.high)
            rows.append((name, level, *(number(value) for value in numbers)))
    return pd.DataFrame(rows, columns=["factor", "level", "rate", "se", "low", "high"])
