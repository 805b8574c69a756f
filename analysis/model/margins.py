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

from analysis.model.cell_means import CellMeans, Method
from analysis.model.completion import DIRECT, Completion
from analysis.model.terms import Term
from analysis.stats.arrays import Counts, Floats, masked_product
from analysis.stats.coding import polynomial_contrasts
from analysis.stats.estimates import satterthwaite
from analysis.stats.welch import welch

METHODS: tuple[Method, ...] = ("welch", "blocked")
"""How a margin is combined; pooled estimates come from the classical fit."""


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
        completion: of the grid, for what needs an empty cell.
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
    completion: Completion

    @staticmethod
    def of(completion: Completion, term: Term) -> Margin:
        """Average the grid over every factor that is not in the term."""
        cells = completion.cells
        axes = tuple(k for k, name in enumerate(cells.names) if name not in term.factors)
        averaged = int(np.prod([cells.shape[k] for k in axes], dtype=np.int64))
        with np.errstate(invalid="ignore", divide="ignore"):
            parts = cells.cell_variances / cells.counts / averaged**2
            several = np.where(cells.counts > 1, parts**2 / (cells.counts - 1), 0.0)
        once = np.where(cells.counts == 1, parts, 0.0)
        over = tuple(k + 1 for k in axes)
        names = [name for name in cells.names if name in term.factors]
        declared = Term(tuple(names))
        return Margin(
            term=declared,
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
            completion=completion,
        )

    @property
    def cells(self) -> CellMeans:
        """The grid."""
        return self.completion.cells

    @property
    def shape(self) -> tuple[int, ...]:
        """Levels per factor of the term."""
        return tuple(len(levels) for levels in self.levels)

    def combine(
        self,
        weights: Floats,
        method: Method,
        needed: tuple[Floats, Counts] | None = None,
    ) -> tuple[Floats, Floats, Floats]:
        """Estimate rows of `weights @ margin`.

        Args:
            weights: shape (combinations, entries).
            method: "welch" or "blocked" (pooled estimates come from the classical fit).
            needed: what `needed(weights)` gave, where a caller has asked already.

        Returns:
            Estimates, standard errors and degrees of freedom, each of shape (combinations,); NaN
            where something is not estimable.
        """
        weights = np.atleast_2d(np.asarray(weights, dtype=np.float64))
        total = weights.sum(axis=1)
        total[np.abs(total) < 1e-12] = 0.0  # a contrast: the shift must cancel exactly
        if method == "blocked":
            estimate, se, df = self._over_replicates(weights, needed)
        elif self.cells.empty.any():
            of_cells, orders = needed or self.needed(weights)
            estimate, se, df = welch(self.cells.parts, of_cells, orders > DIRECT)
        else:
            # The parts of Satterthwaite's formula add up within each entry: a grid is summed once.
            estimate = masked_product(weights, self.deviations)
            # Satterthwaite (1946): (sum v_i)^2 / sum(v_i^2 / df_i), v_i = weight^2 s_i^2 / n_i.
            squares = weights**2
            variance = masked_product(squares, self.variance)
            single = masked_product(squares, self.single)
            below = masked_product(squares**2, self.spread)  # NumPy's fourth power is slow
            if self.pure_df:
                below = below + single**2 / self.pure_df
            se, df = np.sqrt(variance), satterthwaite(variance, below)
        if self.cells.empty.any():
            se, df = with_lack(se, df, *self.unseen(weights, needed or self.needed(weights)))
        return estimate + self.shift * total, se, df

    def unseen(self, weights: Floats, needed: tuple[Floats, Counts]) -> tuple[Floats, Floats]:
        """Variance that departures from the model add to combinations, and its freedom.

        Args:
            weights: shape (combinations, entries).
            needed: what `needed(weights)` gave.
        """
        of_cells, orders = needed
        lacks = [self.completion.lack(order) for order in orders.tolist()]
        variance = np.array([one.variance for one in lacks])
        if (variance > 0).any():
            variance *= self.completion.unseen_of_margin(self.term, weights, of_cells)
        return variance, np.array([one.freedom for one in lacks])

    def needed(self, weights: Floats, together: bool = False) -> tuple[Floats, Counts]:
        """Combinations of entries, shape (combinations, entries), as weights of the cells that ran.

        See `Completion.of_margin`: shape (combinations, cells that ran), and the order of the model
        that each rests on. `together`: whether all must rest on one.
        """
        return self.completion.of_margin(self.term, np.atleast_2d(weights), together)

    def words(self, weights: Floats, orders: Counts, *, misfit: bool = True) -> list[str]:
        """What each combination rests on, or why it is not estimable."""
        rows = np.atleast_2d(weights)
        return self.completion.words_of_margin(self.term, rows, orders, misfit=misfit)

    def unseen_together(self, weights: Floats, needed: tuple[Floats, Counts]) -> Together:
        """The same for contrasts that all rest on one model."""
        of_cells, orders = needed
        lack = self.completion.lack(int(orders[0]))
        if not lack.variance > 0 or not np.isfinite(of_cells).all():
            return Together(np.zeros((len(weights), len(weights))))
        shared = self.completion.unseen_together(self.term, weights, of_cells)
        return Together(lack.variance * shared, lack.freedom)

    def _over_replicates(
        self, weights: Floats, needed: tuple[Floats, Counts] | None
    ) -> tuple[Floats, Floats, Floats]:
        k = len(self.replicates)
        if k < 2:
            nan = np.full(len(weights), np.nan)
            return nan, nan.copy(), nan.copy()
        if not np.isfinite(self.replicates).all():
            return over_replicates(self.cells, (needed or self.needed(weights))[0])
        # Whatever the cells of a replicate share, a contrast of theirs has one value in each, and
        # replicates are independent: a plain t on k values.
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


@dataclass(frozen=True, eq=False)
class Together:
    """Covariance that departures from a model add to the contrasts of a term, and its freedom."""

    covariance: Floats
    freedom: float = 1.0

    @property
    def trace(self) -> float:
        """Sum of what is added to each contrast's variance."""
        return float(np.trace(self.covariance))


def with_lack(se: Floats, df: Floats, variance: Floats, freedom: Floats) -> tuple[Floats, Floats]:
    """Standard errors and degrees of freedom with what departures from a model add.

    Args:
        se: by the noise of the runs.
        df: of that.
        variance: that departures add, 0 where there are none.
        freedom: of that.
    """
    total = se**2 + variance
    with np.errstate(invalid="ignore", divide="ignore"):
        below = np.where(se > 0, se**4 / df, 0.0) + variance**2 / freedom
    added = variance > 0
    return np.where(added, np.sqrt(total), se), np.where(added, satterthwaite(total, below), df)


def over_replicates(cells: CellMeans, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Weighted sums of the cells that ran, over replicates some of which lost runs.

    Args:
        cells: the grid.
        weights: shape (functions, cells that ran), NaN where not estimable.
    """
    estimate, se, df = (np.full(len(weights), np.nan) for _ in range(3))
    known = np.isfinite(weights).all(axis=1)
    if known.any() and len(cells.replicate_names) > 1:
        estimate[known], se[known], df[known] = cells.over_replicates.estimate(weights[known])
    estimate[~np.isfinite(se)] = np.nan
    return estimate, se, df
