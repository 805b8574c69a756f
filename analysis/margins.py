"""Equal-weight margins of the cell-means model, and linear combinations of them.

A margin is the table of marginal means over some factors, with what an interval needs for each
entry. Effects, contrasts and tests of a term only need its own margin, so the full grid is
reduced once. An entry that needs an empty cell is NaN and stays so in all that uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import fdtrc, stdtr, stdtrit

from analysis.cell_means import CellMeans, Method
from analysis.frame import Floats
from analysis.model_matrix import Term, product_columns, sum_to_zero

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

    @staticmethod
    def of(cells: CellMeans, term: Term) -> Margin:
        """Average the grid over every factor that is not in the term."""
        axes = tuple(k for k, name in enumerate(cells.names) if name not in term.factors)
        averaged = int(np.prod([cells.shape[k] for k in axes], dtype=np.int64))
        with np.errstate(invalid="ignore", divide="ignore"):
            parts = cells.cell_variances / cells.counts / averaged**2
            several = np.where(cells.counts > 1, parts**2 / (cells.counts - 1), 0.0)
        once = np.where(cells.counts == 1, parts, 0.0)
        over = tuple(k + 1 for k in axes)
        order = [name for name in cells.names if name in term.factors]
        kept = Term(tuple(order))
        return Margin(
            term=kept,
            levels=tuple(cells.factors[name] for name in order),
            deviations=cells.deviations.mean(axis=axes).ravel(),
            shift=cells.shift,
            variance=np.asarray(parts.sum(axis=axes)).ravel(),
            spread=np.asarray(several.sum(axis=axes)).ravel(),
            single=np.asarray(once.sum(axis=axes)).ravel(),
            pure_df=cells.pure_df,
            replicates=cells.replicate_deviations.mean(axis=over).reshape(
                len(cells.replicate_names), int(np.prod([len(cells.factors[f]) for f in order]))
            ),
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

    def _over_replicates(self, weights: Floats) -> tuple[Floats, Floats, Floats]:
        values: Floats = np.array([masked_product(weights, row) for row in self.replicates])
        if not values.size:
            nan = np.full(len(weights), np.nan)
            return nan, nan.copy(), nan.copy()
        complete = np.isfinite(values)
        k = complete.sum(axis=0)
        filled = np.where(complete, values, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = filled.sum(axis=0) / k
            squares = np.where(complete, (values - mean) ** 2, 0.0).sum(axis=0)
            se = np.sqrt(squares / (k - 1) / k)
        few = k < 2
        mean[few], se[few] = np.nan, np.nan
        return mean, se, np.where(few, np.nan, k - 1.0)

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

    def test(self) -> dict[str, float]:
        """Heteroscedastic test of the term: Johansen's (1980) Welch-James statistic.

        Each entry brings its own variance and Satterthwaite df; with one degree of freedom it is
        Welch's t squared.

        Returns:
            df, F, df_error, p; NaN where an entry has no variance estimate.
        """
        nan = float("nan")
        coded = [sum_to_zero(size) for size in self.shape]
        grid = np.indices(self.shape).reshape(len(self.shape), -1)
        columns = [code[index] for code, index in zip(coded, grid, strict=True)]
        contrasts = product_columns(columns).T
        df = len(contrasts)
        lost = {"df": float(df), "F": nan, "df_error": nan, "p": nan}
        below = self.spread + (self.single**2 / self.pure_df if self.pure_df else 0.0)
        if not (np.isfinite(self.deviations).all() and np.isfinite(self.variance).all()):
            return lost
        covariance = (contrasts * self.variance) @ contrasts.T
        scale = np.sqrt(np.diag(covariance))
        if not (scale > 0).all():
            return lost
        scaled = covariance / np.outer(scale, scale)
        if np.linalg.cond(scaled) > 1e12:
            return lost
        values = contrasts @ self.deviations / scale
        statistic = float(values @ np.linalg.solve(scaled, values))
        projection = (contrasts.T / scale) @ np.linalg.solve(scaled, contrasts / scale[:, None])
        leverage = self.variance * np.diag(projection)
        with np.errstate(invalid="ignore", divide="ignore"):
            entry_df = np.where(self.variance > 0, self.variance**2 / below, np.inf)
        # Both traces of Johansen's A equal leverage^2: each entry is one independent mean.
        a = float((leverage**2 / entry_df).sum())
        factor = df + 2 * a - 6 * a / (df + 2)
        df_error = df * (df + 2) / (3 * a) if a > 0 else np.inf
        f = statistic / factor
        return {"df": float(df), "F": f, "df_error": df_error, "p": float(fdtrc(df, df_error, f))}


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


def test_table(cells: CellMeans, terms: Sequence[Term]) -> pd.DataFrame:
    """The heteroscedastic test of every term: columns term, df, F, df_error, p."""
    rows = [{"term": term.name, **Margin.of(cells, term).test()} for term in terms]
    return pd.DataFrame(rows, columns=["term", "df", "F", "df_error", "p"])
