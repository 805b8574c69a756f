"""The table of cell means completed: what a function of the grid rests on where cells are empty.

A function whose cells all ran is one of their own means. Where it needs an empty cell, that cell
gets its least-squares prediction from the model of the highest order, at most the one asked for,
in which the function is estimable. Either way the estimate is a weighted sum of the means of the
cells that ran, so that its variance follows from theirs. Promises that a cell which ran is never
replaced: averages over the completed table are the least-squares estimates (Yates 1933).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.model.cell_means import CellMeans
from analysis.model.classical import MOST_COLUMNS, ClassicalFit
from analysis.model.terms import Term, width_of
from analysis.stats.arrays import Counts, Floats

DIRECT = 0
NOT_ESTIMABLE = -1
NAMES = {DIRECT: "cell means", NOT_ESTIMABLE: "not estimable"}


def rests_on(order: int) -> str:
    """What an estimate rests on, in words."""
    return NAMES.get(order, f"model of order {order}")


@dataclass(frozen=True, eq=False)
class Completion:
    """Weights of the cells that ran for functions of all cells.

    Attributes:
        cells: the grid.
        order: highest order of a model that predicts an empty cell.
    """

    cells: CellMeans
    order: int

    @cached_property
    def models(self) -> list[tuple[int, ClassicalFit]]:
        """Least squares on the cells that ran, each counted once, from the highest order down."""
        orders = range(min(self.order, len(self.cells.names)), 0, -1)
        return [
            (order, ClassicalFit.of_means(self.cells, order))
            for order in orders
            if width_of(self.cells.factors, order) <= MOST_COLUMNS
        ]

    def of_margin(
        self, term: Term, weights: Floats, together: bool = False
    ) -> tuple[Floats, Counts]:
        """Weights of the cells that ran for combinations of a term's marginal means.

        Args:
            term: its factors in declared order.
            weights: over the margin's entries, shape (functions, entries).
            together: whether all functions must rest on one model.

        Returns:
            Weights, shape (functions, cells that ran), NaN where not estimable; per function the
            order of the model it rests on (`DIRECT`, `NOT_ESTIMABLE`).
        """
        cells = self.cells
        axes = [axis for axis, name in enumerate(cells.names) if name in term.factors]
        shape = [cells.shape[axis] for axis in axes]
        where = np.unravel_index(cells.ran, cells.shape)
        entry = np.ravel_multi_index([where[axis] for axis in axes], shape)
        size = int(np.prod(shape))
        averaged = cells.counts.size // size
        whole = np.bincount(entry, minlength=size) == averaged
        direct = ~((np.abs(weights) > 1e-14) & ~whole).any(axis=1)
        orders = np.full(len(weights), DIRECT)
        left = ~direct
        if together:
            left[:] = left.any()
        if not left.any():
            return np.asarray((weights / averaged)[:, entry]), orders
        needed = np.full((len(weights), len(entry)), np.nan)
        needed[~left] = (weights[~left] / averaged)[:, entry]
        orders[left] = NOT_ESTIMABLE
        # A pair's means from main effects alone would say that there is no interaction.
        lowest = max(1, min(len(term.factors), 2))
        for order, fit in self.models:
            if order < lowest or not left.any():
                break
            means = fit.marginal_rows(term)
            functions = weights[left] @ means
            carried = fit.estimable(functions)
            if together and not carried.all():
                continue
            rows = np.flatnonzero(left)[carried]
            # Of many functions it is less work to weight the means once, then those of each.
            of_cells = (
                weights[rows] @ fit.run_weights(means)
                if len(rows) > len(means)
                else fit.run_weights(functions[carried])
            )
            orders[rows] = order
            if len(rows) == len(weights):
                return of_cells, orders
            needed[rows] = of_cells
            left[rows] = False
        return needed, orders

    def of_grid(self, weights: Floats) -> tuple[Floats, int]:
        """Weights of the cells that ran for one function of the grid, and the model's order.

        Args:
            weights: shape of the grid.

        Returns:
            Shape (cells that ran,), NaN where not estimable, and the order.
        """
        cells = self.cells
        grid = np.asarray(weights, dtype=np.float64).reshape(cells.shape)
        own = grid.ravel()[cells.ran]
        if not (cells.empty & (grid != 0)).any():
            return own, DIRECT
        for order, fit in self.models:
            if order < (2 if fit.takes_pairs(grid) else 1):
                break
            row = fit.contrast_rows(grid)
            if not fit.estimable(row)[0]:
                continue
            # What empty cells are predicted to be; those that ran keep their own mean.
            missing = fit.contrast_rows(grid * cells.empty)
            if fit.estimable(missing)[0]:
                return own + fit.run_weights(missing)[0], order
            return fit.run_weights(row)[0], order
        return np.full(len(own), np.nan), NOT_ESTIMABLE
