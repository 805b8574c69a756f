"""Levels compared by their shares, and factors tested: exactly, or in fractions by a model.

Where levels meet, they are compared within the combinations of the other factors in which both ran,
by the exact test of Cochran, Mantel and Haenszel. Where they hardly do, as in a designed fraction,
by `modelled`. One of the two speaks for a factor, in its test, its intervals and its claims.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.model.completion import assumption
from analysis.outcomes.rates.modelled import MET, ModelledRates, met
from analysis.stats.arrays import Floats
from analysis.stats.counts.cmh import exact_test
from analysis.stats.counts.common_difference import CommonDifference
from analysis.stats.counts.proportions import newcombe
from analysis.stats.multiplicity import holm
from analysis.table.cells import Factors
from runner.program.wording import listed

PAIRS = ["factor", "level", "reference", "p", "p_holm", "odds_ratio", "low", "high"]

EXACT = (
    "verdicts and intervals rest on exact Cochran–Mantel–Haenszel tests, within the same levels of "
    "all other factors."
)


@dataclass(frozen=True, eq=False)
class Compared:
    """Comparisons over a grid of counts, each made when first asked for.

    Attributes:
        hits: successes, shape of the grid.
        runs: with an outcome, shape of the grid.
        planned: runs, shape of the grid.
        factors: of the grid.
        order: highest order of a model.
        confidence: of the intervals.
    """

    hits: Floats
    runs: Floats
    planned: Floats
    factors: Factors
    order: int
    confidence: float

    @cached_property
    def _shares(self) -> ModelledRates:
        return ModelledRates.of(self.hits, self.runs, self.planned, self.factors, self.order)

    @cached_property
    def models(self) -> dict[str, ModelledRates]:
        """Of the factors whose levels seldom meet, where a model can test them."""
        seldom = [name for k, name in enumerate(self.factors) if met(self.runs, k) < MET]
        return {name: self._shares for name in seldom if np.isfinite(self._shares.test(name)[2])}

    @property
    def said(self) -> str:
        """What verdicts and intervals rest on, in a sentence."""
        if not self.models:
            return EXACT
        names = list(self.models)
        whose = "any factor" if len(names) == len(self.factors) else listed(names)
        assumed = assumption(self._shares.test(names[0])[3], len(self.factors))
        rest = "" if len(names) == len(self.factors) else "; those on other factors on exact tests"
        return (
            f"levels of {whose} seldom ran with the same levels of all other factors, so verdicts "
            "and intervals rest on least squares of the shares of the combinations that ran, each "
            f"counted once{', ' if assumed else ''}{assumed}{rest}."
        )

    def test(self, factor: str) -> tuple[float, int, float, str, int]:
        """statistic, df, p, method and informative strata of one factor; NaN without a test."""
        axis = list(self.factors).index(factor)
        if factor in self.models:
            f, df, p, words = self.models[factor].test(factor)
            return f, df, p, f"F test of shares, {words}", 0
        one = exact_test(_strata(self.hits, axis), _strata(self.runs, axis), None)
        statistic, p = number(one.statistic), number(one.p)
        return statistic, one.df, p, one.method, one.informative_strata

    @cached_property
    def tests(self) -> pd.DataFrame:
        """A row a factor: factor, statistic, df, p, p_holm, method, informative_strata."""
        labels = ["factor", "statistic", "df", "p", "method", "informative_strata"]
        rows = [(name, *self.test(name)) for name in self.factors]
        table = pd.DataFrame(rows, columns=labels)
        table.insert(4, "p_holm", holm(table["p"].to_numpy(float)))
        return table

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """The same for every two levels, with the odds ratio where they meet: `PAIRS`.

        p_holm is within the factor; an odds ratio or a limit of zero or infinity is NaN.
        """
        parts = []
        for name, levels in self.factors.items():
            two = combinations(range(len(levels)), 2)
            rows = [(name, levels[i], levels[j], *self._pair(name, i, j)) for j, i in two]
            part = pd.DataFrame(rows, columns=PAIRS)
            part["p_holm"] = holm(part["p"].to_numpy(float))
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def _pair(self, factor: str, level: int, reference: int) -> tuple[float, ...]:
        """p, a place for p_holm, odds ratio and its limits."""
        axis, levels = list(self.factors).index(factor), self.factors[factor]
        if factor in self.models:
            named = levels[level], levels[reference]
            one = self.models[factor].between(factor, *named, self.confidence)
            return (one.p, *[np.nan] * 4)
        at = [reference, level]
        x, n = (_strata(grid, axis)[:, at] for grid in (self.hits, self.runs))
        test = exact_test(x, n, self.confidence)
        ratio = (test.odds_ratio, test.odds_ratio_low, test.odds_ratio_high)
        return (number(test.p), np.nan, *(odds_of(number(value)) for value in ratio))

    @cached_property
    def differences(self) -> pd.DataFrame:
        """factor, level, reference, estimate, low, high (level minus reference).

        Levels that nowhere meet, and that no model compares, have no test: Newcombe's interval of
        all their runs.
        """
        rows = []
        for axis, (name, levels) in enumerate(self.factors.items()):
            x, n = (_strata(grid, axis) for grid in (self.hits, self.runs))
            for j, i in combinations(range(len(levels)), 2):
                two = [i, j]
                if name in self.models:
                    named = levels[i], levels[j]
                    one = self.models[name].between(name, *named, self.confidence)
                    interval = (one.estimate, one.low, one.high)
                elif (n[:, two] > 0).all(axis=1).any():
                    common = CommonDifference.of(x[:, two], n[:, two])
                    interval = (common.estimate, *common.limits(self.confidence))
                else:
                    (a, b), (m, k) = x[:, two].sum(axis=0), n[:, two].sum(axis=0)
                    far = newcombe(a, m, b, k, self.confidence)
                    interval = (float(far.estimate), float(far.low), float(far.high))
                rows.append((name, levels[i], levels[j], *interval))
        columns = ["factor", "level", "reference", "estimate", "low", "high"]
        return pd.DataFrame(rows, columns=columns)


def _strata(counts: Floats, axis: int) -> Floats:
    """Strata (combinations of the other factors) x levels."""
    return np.moveaxis(counts, axis, -1).reshape(-1, counts.shape[axis])


def number(value: float | None) -> float:
    """NaN for what does not exist."""
    return np.nan if value is None else value


def odds_of(value: float) -> float:
    """An odds ratio or a limit of one; zero and infinity are one case seen from two sides."""
    return value if 0 < value < np.inf else np.nan
