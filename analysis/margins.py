"""Equal-weight margins of the cell-means model, and linear combinations of them.

A margin is the table of marginal means over some factors, with what an interval needs for each
entry. Effects, contrasts and tests of a term only need its own margin, so a complete grid is
reduced once. What needs an empty cell rests on the completed table of cell means (`completion`),
what a replicate lacks is fitted (`over_replicates`); both are weighted sums over the cells that
ran. A little over 300 lines: the margin, its combinations and its test share their weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import fdtrc, stdtr, stdtrit

from analysis.cell_means import CellMeans, Method
from analysis.completion import DIRECT, completion, rests_on
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
            estimate, se, df = welch(self.cells, self.needed(weights)[0])
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
        if self.cells.empty.any():
            return self._test_completed(contrasts)
        if not (np.isfinite(self.deviations).all() and np.isfinite(self.variance).all()):
            return lost
        standard = _standardised((contrasts * self.variance) @ contrasts.T)
        if standard is None:
            return lost
        scale, scaled = standard
        values = contrasts @ self.deviations / scale
        statistic = float(values @ np.linalg.solve(scaled, values))
        projection = (contrasts.T / scale) @ np.linalg.solve(scaled, contrasts / scale[:, None])
        leverage = self.variance * np.diag(projection)
        with np.errstate(invalid="ignore", divide="ignore"):
            entry_df = np.where(self.variance > 0, self.variance**2 / below, np.inf)
        # Both traces of Johansen's A equal leverage^2: each entry is one independent mean.
        a = float((leverage**2 / entry_df).sum())
        return _johansen(statistic, df, a)

    def _test_completed(self, contrasts: Floats) -> dict[str, float]:
        """The same test where cells are empty: every cell that ran is one independent mean."""
        nan = float("nan")
        df = len(contrasts)
        lost = {"df": float(df), "F": nan, "df_error": nan, "p": nan}
        weights, _ = self.needed(contrasts, together=True)
        if not np.isfinite(weights).all():
            return lost
        means, variance, freedom, single = ran_cells(self.cells)
        standard = _standardised((weights * variance) @ weights.T)
        if standard is None:
            return lost
        scale, scaled = standard
        weights = weights / scale[:, None]
        values = weights @ means
        statistic = float(values @ np.linalg.solve(scaled, values))
        leverage = variance * np.einsum("fj,fj->j", weights, np.linalg.solve(scaled, weights))
        with np.errstate(invalid="ignore", divide="ignore"):
            each = np.where(single | (variance <= 0), 0.0, leverage**2 / freedom)
        a = float(each.sum())
        if single.any():
            a += float(leverage[single].sum()) ** 2 / self.pure_df
        return _johansen(statistic, df, a)


def _johansen(statistic: float, df: int, a: float) -> dict[str, float]:
    """Johansen's F (1980) of a Wald statistic; `a` is his correction for estimated variances."""
    df_error = df * (df + 2) / (3 * a) if a > 0 else np.inf
    f = statistic / (df + 2 * a - 6 * a / (df + 2))
    return {"df": float(df), "F": f, "df_error": df_error, "p": float(fdtrc(df, df_error, f))}


def _standardised(covariance: Floats) -> tuple[Floats, Floats] | None:
    """Standard deviations and correlations; None where unknown, zero or nearly singular."""
    if not np.isfinite(covariance).all():
        return None
    scale = np.sqrt(np.diag(covariance))
    if not (scale > 0).all():
        return None
    scaled = covariance / np.outer(scale, scale)
    return None if np.linalg.cond(scaled) > 1e12 else (scale, scaled)


def ran_cells(cells: CellMeans) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Of the cells that ran: means (minus shift), their variances, degrees of freedom, run once."""
    ran = ~cells.empty.ravel()
    counts = cells.counts.ravel()[ran]
    variance = cells.cell_variances.ravel()[ran] / counts
    single = counts == 1
    freedom = np.where(single, np.nan, counts - 1.0)
    return cells.deviations.ravel()[ran], variance, freedom, single


def welch(cells: CellMeans, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Weighted sums of the means of the cells that ran: estimates (minus shift), se, df.

    Args:
        cells: the grid.
        weights: shape (functions, cells that ran), NaN where not estimable.
    """
    means, variance, freedom, single = ran_cells(cells)
    parts = weights**2 * variance
    total = parts.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        below = np.where(single, 0.0, parts**2 / freedom).sum(axis=1)
        if single.any() and cells.pure_df:
            below = below + parts[:, single].sum(axis=1) ** 2 / cells.pure_df
        df = np.where(below > 0, total**2 / below, np.nan)
    return weights @ means, np.sqrt(total), df


def over_replicates(cells: CellMeans, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """The same over replicates; see `analysis.over_replicates`."""
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


def test_table(cells: CellMeans, terms: Sequence[Term], order: int) -> pd.DataFrame:
    """The heteroscedastic test of every term: columns term, df, F, df_error, p."""
    rows = [{"term": term.name, **Margin.of(cells, term, order).test()} for term in terms]
    return pd.DataFrame(rows, columns=["term", "df", "F", "df_error", "p"])
