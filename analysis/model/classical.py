"""The classical fit of a requested order: rank-aware least squares with one error variance.

Marginal means, effects and contrasts are linear functions of sum-to-zero coefficients, where the
equal-weight mean over all other factors is simply their absence. What is not estimable (not
orthogonal to the null space of the model matrix) is NaN, never a solution's accident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import qr, svd

from ablations.errors import InputError
from analysis.model.cell_means import CellMeans
from analysis.model.terms import (
    Columns,
    Rows,
    Term,
    model_columns,
    pairs_of,
    reduce_rows,
    terms_up_to,
    width_of,
)
from analysis.stats.arrays import Floats, Truths
from analysis.stats.coding import product_coding, product_columns, sum_to_zero
from analysis.stats.estimates import Estimate, no_estimate, t_interval
from analysis.table.tidy import Table

TOLERANCE = 1e-9
"""Relative size below which a singular value or a projection counts as zero."""
MOST_COLUMNS = 2500
"""Coefficients above which the dense decomposition would take minutes."""


@dataclass(frozen=True, eq=False)
class ClassicalFit:
    """Least squares of the response on block + all terms up to an order.

    Attributes:
        factors: factor name to levels.
        order: highest number of factors in a term.
        block: name of the block column, or None.
        rows: distinct (cell, block) rows with counts.
        columns: intercept, block, terms.
        confounded: terms that lie wholly within the blocks and were left out.
        shift: constant taken off the response.
        rank: of the model matrix.
        basis: orthonormal basis of the weighted column space, shape (rows, rank).
        scaled: V / S of the decomposition, maps functions of coefficients to `basis`.
        null: basis of the coefficients that no row determines, shape (columns, columns - rank).
        response: weighted deviations, shape (rows,).
        upper, rotated: R of a QR of the weighted matrix and Q'response, for submodels.
    """

    factors: dict[str, tuple[str, ...]]
    order: int
    block: str | None
    rows: Rows
    columns: tuple[Columns, ...]
    confounded: tuple[Term, ...]
    shift: float
    rank: int
    basis: Floats
    scaled: Floats
    null: Floats
    response: Floats
    upper: Floats
    rotated: Floats

    @staticmethod
    def of(table: Table, order: int | None = 2, block: bool | None = None) -> ClassicalFit:
        """Fit a table.

        Args:
            table: the tidy table.
            order: highest order of interaction; None for the full model.
            block: whether the replicate enters as a block; by default if there is one.

        Raises:
            InputError: the model has more coefficients than a dense fit can hold.
        """
        use_block = table.replicate is not None if block is None else block
        rows = reduce_rows(table, use_block)
        name = table.replicate if use_block else None
        return ClassicalFit.of_rows(table.factors, rows, order, name, table.shift)

    @staticmethod
    def of_cells(cells: CellMeans, order: int | None = 2) -> ClassicalFit:
        """Fit cell means weighted by their runs, replicates as blocks where there are some."""
        rows, block = cells.rows()
        return ClassicalFit.of_rows(cells.factors, rows, order, block, cells.shift)

    @staticmethod
    def of_means(cells: CellMeans, order: int) -> ClassicalFit:
        """Fit the means of the cells that ran, each counted once: what predicts an empty cell."""
        levels = np.column_stack(np.unravel_index(cells.ran, cells.shape)).astype(np.intp)
        count = len(cells.ran)
        rows = Rows(
            levels,
            np.zeros(count, dtype=np.intp),
            np.ones(count, dtype=np.int64),
            cells.parts.means,
            np.zeros(count),
        )
        return ClassicalFit.of_rows(cells.factors, rows, order, None, cells.shift)

    @staticmethod
    def of_rows(
        factors: Mapping[str, tuple[str, ...]],
        rows: Rows,
        order: int | None,
        block: str | None,
        shift: float,
    ) -> ClassicalFit:
        """Fit distinct (cell, block) rows; see `of`."""
        size = len(factors) if order is None else min(order, len(factors))
        name = block if len(np.unique(rows.block)) > 1 else None
        width = width_of(factors, size)
        if width > MOST_COLUMNS:
            raise InputError(
                f"a model of order {size} has {width:,} coefficients, more than "
                f"{MOST_COLUMNS:,}: ask for a lower order"
            )
        columns = model_columns(rows, factors, terms_up_to(factors, size), name)
        confounded: tuple[Term, ...] = ()
        if name is not None:
            columns, confounded = _drop_confounded(columns, rows)
        weight = np.sqrt(rows.counts)[:, None]
        matrix = np.hstack([c.values for c in columns]) * weight
        response = rows.deviations * weight[:, 0]
        q, upper = qr(matrix, mode="economic")
        u, s, vt = svd(upper, full_matrices=True)
        rank = int((s > TOLERANCE * s[0]).sum())
        return ClassicalFit(
            factors=dict(factors),
            order=size,
            block=name,
            rows=rows,
            columns=tuple(columns),
            confounded=confounded,
            shift=shift,
            rank=rank,
            basis=q @ u[:, :rank],
            scaled=vt[:rank].T / s[:rank],
            null=vt[rank:].T,
            response=response,
            upper=upper,
            rotated=q.T @ response,
        )

    @property
    def terms(self) -> list[Term]:
        """Terms of the model, block and intercept left out."""
        return [c.term for c in self.columns if c.term is not None]

    @property
    def intercept(self) -> slice:
        """Column of the intercept in the model matrix."""
        return self.slices["\0(Intercept)"]

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Columns of each term in the model matrix."""
        ends = np.cumsum([c.df for c in self.columns])
        return {
            c.name if c.term is not None else f"\0{c.name}": slice(int(end) - c.df, int(end))
            for c, end in zip(self.columns, ends, strict=True)
        }

    @cached_property
    def projected(self) -> Floats:
        """The response in the basis of the column space."""
        return np.asarray(self.basis.T @ self.response)

    @cached_property
    def residual_ss(self) -> float:
        """Residual sum of squares over the runs; exactly 0 where only rounding is left."""
        lack = self.response - self.basis @ self.projected
        lack -= self.basis @ (self.basis.T @ lack)  # rounding of the first pass, see NIST's StRD
        if self.rank == len(self.rows.counts):
            lack = np.zeros_like(lack)
        total = float(lack @ lack) + float(self.rows.within.sum())
        size = float(self.response @ self.response)
        return 0.0 if total <= size * (np.finfo(float).eps * 64) ** 2 else total

    @property
    def residual_df(self) -> int:
        """Runs minus rank."""
        return self.rows.n - self.rank

    @property
    def error_variance(self) -> float:
        """Residual mean square; NaN without residual degrees of freedom."""
        return self.residual_ss / self.residual_df if self.residual_df > 0 else float("nan")

    # --- linear functions of the coefficients -----------------------------------------------

    def effect_rows(self, term: Term) -> Floats:
        """Functions that give the effect of each combination of the term's levels.

        Returns:
            Shape (combinations in C order, coefficients): the sum-to-zero effect itself, i.e. main
            effects (marginal mean minus grand mean) or double-centred interactions.
        """
        coding = product_coding([len(self.factors[f]) for f in term.factors])
        rows = np.zeros((len(coding), self.null.shape[0]))
        if term.name in self.slices:
            rows[:, self.slices[term.name]] = coding
        return rows

    def marginal_rows(self, term: Term) -> Floats:
        """Functions that give the equal-weight marginal mean of each combination of levels.

        A lower term left out because the blocks carry it makes the mean not estimable; that is
        told apart by `carries`.
        """
        shape = [len(self.factors[f]) for f in term.factors]
        rows = np.zeros((int(np.prod(shape)), self.null.shape[0]))
        rows[:, self.intercept] = 1.0
        grid = np.indices(shape).reshape(len(shape), -1)
        for lower in terms_up_to(term.factors, len(term.factors)):
            if lower.name not in self.slices:
                continue
            axes = [term.factors.index(f) for f in lower.factors]
            coded = [sum_to_zero(shape[axis])[grid[axis]] for axis in axes]
            rows[:, self.slices[lower.name]] = product_columns(coded)
        return rows

    def contrast_rows(self, weights: Floats) -> Floats:
        """The function that gives a contrast of the model's cell means.

        Args:
            weights: shape of the grid.

        Returns:
            Shape (1, coefficients).
        """
        rows = np.zeros((1, self.null.shape[0]))
        rows[0, self.intercept] = weights.sum()
        for term in self.terms:
            rows[0, self.slices[term.name]] = self.term_loading(term, weights)
        return rows

    def term_loading(self, term: Term, weights: Floats) -> Floats:
        """What a contrast over the grid takes of a term's sum-to-zero coefficients.

        Args:
            term: of the model.
            weights: shape of the grid.

        Returns:
            Shape (coefficients of the term,).
        """
        others = tuple(i for i, name in enumerate(self.factors) if name not in term.factors)
        of_term = weights.sum(axis=others)
        return np.asarray(of_term.ravel() @ product_coding(of_term.shape))

    def takes_pairs(self, weights: Floats) -> bool:
        """Whether a function, in the shape of the grid, needs an interaction of two factors."""
        loadings = (self.term_loading(term, weights) for term in pairs_of(self.factors))
        return any(np.abs(loading).max() > 1e-10 for loading in loadings)

    def contrast(self, weights: Floats, confidence: float = 0.95) -> Estimate:
        """Sum(weights x cell means) of the model, with its interval.

        Args:
            weights: shape of the grid.
            confidence: of the interval.

        Returns:
            NaN throughout where it is not estimable, or hidden by blocks; NaN ends without
            residual degrees of freedom.
        """
        hidden = any(
            np.abs(self.term_loading(one, weights)).max() > 1e-12 for one in self.confounded
        )
        values, unit = self.estimate(self.contrast_rows(weights))
        if hidden or not np.isfinite(values[0]):
            return no_estimate("pooled", confidence)
        estimate = float(values[0]) + self.shift * float(weights.sum())
        return t_interval(
            estimate, float(unit[0]) * self.sigma, float(self.residual_df), "pooled", confidence
        )

    @property
    def sigma(self) -> float:
        """Standard deviation of a run around the model; NaN without residual degrees of freedom."""
        return float(np.sqrt(self.error_variance)) if self.residual_df > 0 else float("nan")

    def carries(self, term: Term) -> bool:
        """Whether no part of the term was left out as confounded with the blocks."""
        return not any(term.contains(lost) for lost in self.confounded)

    def estimate(self, functions: Floats) -> tuple[Floats, Floats]:
        """Values and unit standard errors (times sigma) of linear functions; NaN if not estimable.

        Args:
            functions: shape (functions, coefficients).

        Returns:
            Estimates as deviations from `shift`, and sqrt(l (X'X)^- l').
        """
        loadings = functions @ self.scaled
        values = loadings @ self.projected
        unit = np.sqrt((loadings**2).sum(axis=1))
        lost = ~self.estimable(functions)
        values[lost] = np.nan
        unit[lost] = np.nan
        return values, unit

    def run_weights(self, functions: Floats) -> Floats:
        """Estimable functions as weighted sums of the rows' means, shape (functions, rows)."""
        return np.asarray(functions @ self.scaled @ self.basis.T)

    def estimable(self, functions: Floats) -> Truths:
        """Which functions, shape (functions, coefficients), are orthogonal to the null space."""
        if self.null.shape[1] == 0:
            return np.ones(len(functions), dtype=bool)
        size = np.linalg.norm(functions, axis=1)
        inside = np.linalg.norm(functions @ self.null, axis=1)
        return np.asarray(inside <= 1e-7 * np.maximum(size, 1e-300))

    @cached_property
    def _meat(self) -> tuple[Floats, Truths]:
        """Squared residuals over (1 - leverage)^2 in the basis; rows of leverage 1."""
        leverage = (self.basis**2).sum(axis=1) / self.rows.counts
        lack = (self.response - self.basis @ self.projected) / np.sqrt(self.rows.counts)
        squares = self.rows.within + self.rows.counts * lack**2
        # HC3 divides by the square: the residual a run would have were it left out (jackknife).
        room = 1.0 - leverage
        full = room < 1e-8
        scale = np.where(full, 0.0, squares / (self.rows.counts * np.where(full, 1.0, room) ** 2))
        return (self.basis * scale[:, None]).T @ self.basis, np.asarray(full)

    def sandwich(self, functions: Floats) -> Floats:
        """Covariance matrix of linear functions with HC3 weights (MacKinnon & White 1985).

        Functions of shape (functions, coefficients) give shape (functions, functions).
        NaN where a run with leverage 1 takes part: it has no residual to judge by.
        """
        meat, full = self._meat
        loadings = functions @ self.scaled
        covariance = loadings @ meat @ loadings.T
        touched = (np.abs(loadings @ self.basis[full].T) > 1e-9).any(axis=1)
        covariance[touched, :] = np.nan
        covariance[:, touched] = np.nan
        return np.asarray(covariance)


def _drop_confounded(columns: list[Columns], rows: Rows) -> tuple[list[Columns], tuple[Term, ...]]:
    """Leave out terms that the blocks determine wholly: nothing within a block shows them."""
    weight = np.sqrt(rows.counts)[:, None]
    nuisance, _ = qr(np.hstack([c.values for c in columns[:2]]) * weight, mode="economic")
    kept, lost = columns[:2], []
    for column in columns[2:]:
        values = column.values * weight
        left = values - nuisance @ (nuisance.T @ values)
        if np.linalg.norm(left) <= 1e-7 * np.linalg.norm(values):
            assert column.term is not None  # noqa: S101 - the first two columns are the others
            lost.append(column.term)
        else:
            kept.append(column)
    return kept, tuple(lost)


def orthogonal_basis(matrix: Floats, against: Sequence[Floats] = ()) -> Floats:
    """Orthonormal basis of what `matrix` spans beyond the orthonormal bases `against`.

    All of shape (rows, columns); the result has as many columns as the rank, which is judged
    against the size of the original columns.
    """
    left = matrix
    for _ in range(2):  # twice is enough (Kahan, Parlett): the second pass removes rounding
        for base in against:
            left = left - base @ (base.T @ left)
    size = np.linalg.norm(matrix, axis=0).max(initial=0.0)
    if size == 0.0 or left.shape[1] == 0:
        return np.empty((len(matrix), 0))
    q, r = qr(left, mode="economic")
    if left.shape[1] > len(left) or np.abs(np.diag(r)).min() <= 1e-4 * size:
        q, r, _ = qr(left, mode="economic", pivoting=True)  # slower, but it shows the rank
    rank = int((np.abs(np.diag(r)) > TOLERANCE * size).sum())
    basis = np.asarray(q[:, :rank])
    for base in against:
        basis = basis - base @ (base.T @ basis)
    return basis / np.linalg.norm(basis, axis=0) if rank else basis
