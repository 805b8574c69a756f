"""Equal-weight margins of the cell-means model, and linear combinations of them.

A margin is the table of marginal means over some factors, with what an interval needs for each
entry. Effects, contrasts and tests of a term only need its own margin, so a complete grid is
reduced once. What needs an empty cell rests on the completed table of cell means (`completion`),
what a replicate lacks is fitted (`over_replicates`); both are weighted sums over the cells that
ran.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from analysis.model.cell_means import CellMeans, Method
from analysis.model.completion import DIRECT, completion, rests_on
from analysis.model.terms import Term, polynomial_contrasts
from analysis.model.welch import welch
from analysis.table.tidy import Floats

METHODS: tuple[Method, ...] = ("welch", "blocked")
INTERVAL = ("estimate", "se", "df", "low", "high", "p")


@dataclass(frozen=True, eq=False)
class Margin:
    """Marginal means of one term and the pieces of their variances, entries in C order.

    Attributes:
        term: the factors kept.
        levels: levels of each of them.
        deviations: equal-weight means minus shift, NaN where a cell below is empty.
        shift: constant of the response.
        variance: sum of (weight^2 s^2 / n) per entry.
        spread: sum of squared variance parts over n - 1, cells with two or more runs.
        single: variance parts of cells that ran once (they share the pooled variance).
        pure_df: degrees of freedom of that pooled variance.
        replicates: the margin within each replicate, shape (replicates, entries).
        cells: the grid.
        order: highest order of a model that may predict empty cells.
    """

    term: Term
    levels: tuple[tuple[str, ...], ...]
    deviations: Floats
    shift: float
    variance: Floats
    spread: Floats
    single: Floats
    pure_df: int
    replicates: Floats
    cells: CellMeans
    order: int

    @staticmethod
    def of(cells: CellMeans, term: Term, order: int = 2) -> Margin:
        """Average the grid over every factor that is not in the term."""
        axes = tuple(k for k, name in enumerate(cells.names) if name not in term.factors)
        averaged = int(np.prod([cells.shape[k] for k in axes], dtype=np.int64))
        with np.errstate(invalid="ignore", divide="ignore"):
            parts = cells.cell_variances / cells.counts / averaged**2
            several = np.where(cells.counts > 1, parts**2 / (cells.counts - 1), 0.0)
        once = np.where(cells.counts == 1, parts, 0.0)
        over = tuple(k + 1 for k in axes)
        names = [name for name in cells.names if name in term.factors]
        kept = Term(tuple(names))
        return Margin(
            term=kept,
            levels=tuple(cells.factors[name] for name in names),
            deviations=cells.deviations.mean(axis=axes).ravel(),
            shift=cells.shift,
            variance=np.asarray(parts.sum(axis=axes)).ravel(),
            spread=np.asarray(several.sum(axis=axes)).ravel(),
            single=np.asarray(once.sum(axis=axes)).ravel(),
            pure_df=cells.pure_df,
            replicates=cells.replicate_deviations.mean(axis=over).reshape(
                len(cells.replicate_names), int(np.prod([len(cells.factors[f]) for f in names]))
            ),
            cells=cells,
            order=order,
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Levels per factor of the term."""
        return tuple(len(levels) for levels in self.levels)

    def combine(self, weights: Floats, method: Method, confidence: float = 0.95) -> pd.DataFrame:
        """Estimate rows of `weights @ margin`.

        Args:
            weights: shape (combinations, entries).
            method: "welch" or "blocked" (pooled estimates come from the classical fit).
            confidence: of the intervals.

        Returns:
            Columns estimate, se, df, low, high, p; NaN where something is not estimable.
        """
        weights = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        total = weights.sum(axis=1)
        total[np.abs(total) < 1e-12] = 0.0
        if method == "blocked":
            estimate, se, df = self._over_replicates(weights)
        elif self.cells.empty.any():
            estimate, se, df = welch(self.cells, *self.needed(weights))
        else:
            estimate = masked_product(weights, self.deviations)
            variance = masked_product(weights**2, self.variance)
            single = masked_product(weights**2, self.single)
            below = masked_product(weights**4, self.spread)
            if self.pure_df:
                below = below + single**2 / self.pure_df
            se = np.sqrt(variance)
            with np.errstate(invalid="ignore", divide="ignore"):
                df = np.where(below > 0, variance**2 / below, np.nan)
        return intervals(estimate + self.shift * total, se, df, confidence)

    def needed(self, weights: Floats, together: bool = False) -> tuple[Floats, NDArray[np.int64]]:
        """Combinations of entries as weights of the cells that ran, and what each rests on."""
        found = completion(self.cells, self.order)
        return found.of_margin(self.term, np.atleast_2d(weights), together)

    def rests_on(self, weights: Floats) -> list[str]:
        """What each combination of entries rests on, in words."""
        if not self.cells.empty.any():
            return [rests_on(DIRECT)] * len(weights)
        return [rests_on(int(order)) for order in self.needed(weights)[1]]

    def _over_replicates(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        k = len(self.replicates)
        if k < 2:
            nan = np.full(len(weights), np.nan)
            return nan, nan.copy(), nan.copy()
        if not np.isfinite(self.replicates).all():
            return over_replicates(self.cells, self.needed(weights)[0])
        values = self.replicates @ weights.T
        se = values.std(axis=0, ddof=1) / np.sqrt(k)
        return values.mean(axis=0), se, np.full(len(weights), k - 1.0)

    def mean_weights(self) -> Floats:
        """Weights of the marginal means themselves: the identity."""
        return np.eye(len(self.deviations))

    def effect_weights(self) -> Floats:
        """Weights of the effects: entry minus all lower-order means (double-centred for a pair)."""
        weights: Floats = np.ones((1, 1))
        for size in self.shape:
            weights = np.asarray(np.kron(weights, np.eye(size) - 1.0 / size))
        return weights

    def pair_weights(self) -> tuple[list[tuple[int, int]], Floats]:
        """All pairs of entries (first minus second) and their weights."""
        n = len(self.deviations)
        pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
        weights = np.zeros((len(pairs), n))
        for row, (i, j) in enumerate(pairs):
            weights[row, i], weights[row, j] = 1.0, -1.0
        return pairs, weights

    def contrasts(self) -> Floats:
        """Orthonormal contrasts that span the term, shape (degrees of freedom, entries)."""
        basis: Floats = np.ones((1, 1))
        for size in self.shape:
            basis = np.asarray(np.kron(basis, polynomial_contrasts(size)))
        return basis.T


def over_replicates(cells: CellMeans, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """The same over replicates; see `analysis.stats.over_replicates`."""
    found = tuple(np.full(len(weights), np.nan) for _ in range(3))
    known = np.isfinite(weights).all(axis=1)
    if known.any() and len(cells.replicate_names) > 1:
        for column, values in zip(
            found, cells.over_replicates.estimate(weights[known]), strict=True
        ):
            column[known] = values
    estimate, se, df = found
    estimate[~np.isfinite(se)] = np.nan
    return estimate, se, df


def masked_product(weights: Floats, values: Floats) -> Floats:
    """`weights @ values` where a NaN only matters to rows that give it weight."""
    bad = ~np.isfinite(values)
    if not bad.any():
        return np.asarray(weights @ values)
    product = weights @ np.where(bad, 0.0, values)
    product[(weights[:, bad] != 0).any(axis=1)] = np.nan
    return np.asarray(product)


def intervals(estimate: Floats, se: Floats, df: Floats, confidence: float = 0.95) -> pd.DataFrame:
    """Student-t intervals and two-sided p-values, row by row.

    A standard error of exactly 0 (cells that never varied) or without degrees of freedom gives
    no interval rather than one of width 0.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        known = np.isfinite(estimate) & np.isfinite(se) & (se > 0) & np.isfinite(df) & (df > 0)
        safe = np.where(known, df, 1.0)
        half = np.where(known, stdtrit(safe, 0.5 + confidence / 2) * se, np.nan)
        p = np.where(known, 2 * stdtr(safe, -np.abs(estimate / np.where(known, se, 1.0))), np.nan)
    return pd.DataFrame(
        {
            "estimate": estimate,
            "se": se,
            "df": df,
            "low": estimate - half,
            "high": estimate + half,
            "p": p,
        }
    )
