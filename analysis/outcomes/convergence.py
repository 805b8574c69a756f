"""Which levels make training converge: rates, differences, exact tests, Firth terms, cells.

Convergence is an outcome of its own, a yes or no per run. Promises: a diverged or stalled run is a
no, a lost run is neither; rates stay honest at 0 and 100 %; separation is named. Does not touch
accuracy (`given_converged`) nor ask why runs were lost (`missing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from analysis.model.grid_model import grid_columns
from analysis.model.terms import sum_to_zero, terms_up_to
from analysis.stats.counts.cmh import exact_test
from analysis.stats.counts.firth import LogisticFit, fit, separated
from analysis.stats.multiplicity import holm
from analysis.table.rates import Array, Factors, cells, counts, differences, rates, separation
from analysis.table.records import records

MOST_UNBOUNDED = 6
"""Odds ratios without a value named one by one."""


@dataclass(frozen=True)
class Convergence:
    """Tidy tables on the share of converged runs; NaN where a number does not exist.

    Attributes:
        runs: Runs with an outcome.
        converged: How many of them converged.
        rates: factor, level, converged, runs, rate, low, high (Wilson).
        differences: factor, level, reference, estimate, low, high (Newcombe, level - reference).
        tests: factor, statistic, df, p, p_holm, method, informative_strata: exact CMH, stratified
            by all other factors.
        pairs: factor, level, reference, p, p_holm (within the factor), odds_ratio, low, high:
            the same test for every two levels; an odds ratio or a limit of zero or infinity is
            null, whichever level is the reference, and named in the notes.
        terms: term, df, chisq, p, p_holm: Firth's model of mains and pairs.
        odds_ratios: factor, level, reference (the factor's first level), odds_ratio, low, high, p:
            Firth's model of mains alone, profile limits.
        marginal_rates: factor, level, rate, se, low, high: mean prediction of Firth's mains and
            pairs over the declared grid, equal weights.
        cells: one column per factor, converged, runs, lost: every cell of the declared grid.
        separation: One sentence per level or pair of levels in which all runs or none converged.
        separated: Whether unpenalised logistic regression on mains and pairs has no solution.
        notes: What the reader must know, in sentences.
    """

    runs: int
    converged: int
    rates: pd.DataFrame
    differences: pd.DataFrame
    tests: pd.DataFrame
    pairs: pd.DataFrame
    terms: pd.DataFrame
    odds_ratios: pd.DataFrame
    marginal_rates: pd.DataFrame
    cells: pd.DataFrame
    separation: tuple[str, ...]
    separated: bool
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready: tables as lists of records, null where a number does not exist."""
        tables = ("rates", "differences", "tests", "pairs", "terms", "odds_ratios")
        return {
            "runs": self.runs,
            "converged": self.converged,
            **{name: records(getattr(self, name)) for name in tables},
            "marginal_rates": records(self.marginal_rates),
            "cells": records(self.cells),
            "separated": self.separated,
            "separation": list(self.separation),
            "notes": list(self.notes),
        }


def convergence(
    frame: pd.DataFrame,
    factors: Factors,
    column: str = "converged",
    order: int = 2,
    confidence: float = 0.95,
) -> Convergence:
    """Analyse a yes/no outcome over the factors.

    Args:
        frame: One row per planned run; `column` holds 1 or True, 0 or False, or nothing for a
            lost run.
        factors: Factor name to its declared levels.
        column: The outcome.
        order: Highest order of Firth's terms, lowered where there are too few cells.
        confidence: Of every interval.

    Raises:
        InputError: No such column, a value that is neither yes nor no, or no run with an outcome.
    """
    hits, runs, planned = counts(frame, factors, column)
    names = list(factors)
    mixed = bool(0 < hits.sum() < runs.sum())
    notes: list[str] = []
    if not mixed:
        what = "All" if hits.sum() else "None"
        notes.append(f"{what} of the {int(runs.sum())} runs converged: no factor can be tested.")
    filled = (runs > 0).ravel()
    order = min(order, len(names))
    wanted = [term.name for term in terms_up_to(names, order)]
    while order > 1 and not _full_rank(grid_columns(factors, order)[0][filled]):
        order -= 1
        notes.append(
            f"Not every interaction of {order + 1} factors is estimable from the cells that ran: "
            f"Firth's terms and marginal rates are those of a model of order {order}."
        )
    pairs = _pairs(hits, runs, factors, confidence)
    lost = pairs[np.isfinite(pairs["p"]) & ~np.isfinite(pairs["odds_ratio"])]
    named = zip(lost["factor"], lost["level"], lost["reference"], strict=True)
    unbounded = [f"{factor}: {level} / {reference}" for factor, level, reference in named]
    if mixed and unbounded:
        shown = ", ".join(unbounded[:MOST_UNBOUNDED])
        more = len(unbounded) - MOST_UNBOUNDED
        notes.append(f"The odds ratio is zero or infinite, so null, for {shown}"
                     f"{f' and {more} more' if more > 0 else ''}.")  # fmt: skip
    design, columns = grid_columns(factors, order)
    split = mixed and separated(design[filled], hits.ravel()[filled], runs.ravel()[filled])
    full = fit(design, hits.ravel(), runs.ravel()) if mixed else None
    return Convergence(
        runs=int(runs.sum()),
        converged=int(hits.sum()),
        rates=rates(hits, runs, factors, confidence),
        differences=differences(hits, runs, factors, confidence),
        tests=_tests(hits, runs, names),
        pairs=pairs,
        terms=_terms(full, columns, wanted),
        odds_ratios=_odds_ratios(hits, runs, factors, confidence) if mixed else _no_odds(factors),
        marginal_rates=_marginal_rates(full, design, runs.shape, factors, confidence),
        cells=cells(hits, runs, planned, factors),
        separation=separation(hits, runs, factors) if mixed else (),
        separated=split,
        notes=tuple(notes),
    )


def _strata(counts: Array, axis: int) -> Array:
    """Strata (combinations of the other factors) x levels."""
    return np.moveaxis(counts, axis, -1).reshape(-1, counts.shape[axis])


def _number(value: float | None) -> float:
    return np.nan if value is None else value


def _ratio(value: float) -> float:
    """An odds ratio or a limit of one; zero and infinity are one case seen from two sides."""
    return value if 0 < value < np.inf else np.nan


def _tests(hits: Array, runs: Array, names: list[str]) -> pd.DataFrame:
    rows = []
    for axis, name in enumerate(names):
        got = exact_test(_strata(hits, axis), _strata(runs, axis))
        statistic, p = _number(got.statistic), _number(got.p)
        rows.append((name, statistic, got.df, p, got.method, got.informative_strata))
    labels = ["factor", "statistic", "df", "p", "method", "informative_strata"]
    table = pd.DataFrame(rows, columns=labels)
    table.insert(4, "p_holm", holm(table["p"].to_numpy(float)))
    return table


def _pairs(hits: Array, runs: Array, factors: Factors, confidence: float) -> pd.DataFrame:
    parts = []
    labels = ["factor", "level", "reference", "p", "p_holm", "odds_ratio", "low", "high"]
    for axis, (name, levels) in enumerate(factors.items()):
        x, n = _strata(hits, axis), _strata(runs, axis)
        rows = []
        for j, i in combinations(range(len(levels)), 2):
            got = exact_test(x[:, [j, i]], n[:, [j, i]], confidence)
            ratio = (got.odds_ratio, got.odds_ratio_low, got.odds_ratio_high)
            values = [_ratio(_number(value)) for value in ratio]
            rows.append((name, levels[i], levels[j], _number(got.p), np.nan, *values))
        part = pd.DataFrame(rows, columns=labels)
        part["p_holm"] = holm(part["p"].to_numpy(float))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _full_rank(design: Array) -> bool:
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
        rows.append((term, test.df, _number(test.chisq), _number(test.p)))
    table = pd.DataFrame(rows, columns=["term", "df", "chisq", "p"])
    table["p_holm"] = holm(table["p"].to_numpy(float))
    return table


_ODDS = ["factor", "level", "reference", "odds_ratio", "low", "high", "p"]


def _odds_ratios(hits: Array, runs: Array, factors: Factors, confidence: float) -> pd.DataFrame:
    design, columns = grid_columns(factors, 1)
    mains = fit(design, hits.ravel(), runs.ravel())
    rows = []
    for name, levels in factors.items():
        coding = sum_to_zero(len(levels))
        for i in range(1, len(levels)):
            contrast = np.zeros(design.shape[1])
            contrast[columns[name]] = coding[i] - coding[0]
            got = mains.profile(contrast, confidence)
            with np.errstate(over="ignore"):
                limits = [_ratio(np.exp(_number(v))) for v in (got.estimate, got.low, got.high)]
            test = mains.contrast_test(contrast)
            rows.append((name, levels[i], levels[0], *limits, _number(test.p)))
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
    design: Array,
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
            got = full.mean_probability(design[codes[axis] == i], confidence)
            numbers = (got.estimate, got.se, got.low, got.high)
            rows.append((name, level, *(_number(value) for value in numbers)))
    return pd.DataFrame(rows, columns=["factor", "level", "rate", "se", "low", "high"])
