"""The table of cell means completed: what a function of the grid rests on where cells are empty.

A function whose cells all ran is one of their own means. Where it needs an empty cell, that cell
gets its least-squares prediction from the model of the highest order, at most the one asked for,
in which the function is estimable. Either way the estimate is a weighted sum of the means of the
cells that ran, so that its variance follows from theirs. Promises that a cell which ran is never
replaced: averages over the completed table are the least-squares estimates (Yates 1933).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.model.cell_means import CellMeans
from analysis.model.classical import MOST_COLUMNS, ClassicalFit
from analysis.model.terms import Term, terms_up_to
from analysis.table.tidy import Floats, Table

DIRECT = 0
NOT_ESTIMABLE = -1
NAMES = {DIRECT: "cell means", NOT_ESTIMABLE: "not estimable"}


def rests_on(order: int) -> str:
    """What an estimate rests on, in words."""
    return NAMES.get(order, f"model of order {order}")


def completion(cells: CellMeans, order: int) -> Completion:
    """The completed table of a grid, made once per order and kept with it."""
    kept: dict[int, Completion] = cells.__dict__.setdefault("_completions", {})
    if order not in kept:
        kept[order] = Completion(cells, order)
    return kept[order]


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
    def ran(self) -> NDArray[np.intp]:
        """Flat indices of the cells that ran."""
        return np.flatnonzero(~self.cells.empty.ravel())

    @cached_property
    def models(self) -> list[tuple[int, ClassicalFit]]:
        """Least squares on the cells that ran, each counted once, from the highest order down."""
        names = list(self.cells.factors)
        sizes = {name: len(levels) - 1 for name, levels in self.cells.factors.items()}
        found = []
        for order in range(min(self.order, len(names)), 0, -1):
            width = 1 + sum(
                int(np.prod([sizes[f] for f in term.factors])) for term in terms_up_to(names, order)
            )
            if width <= MOST_COLUMNS:
                found.append((order, ClassicalFit.of(self._table, order, block=False)))
        return found

    @cached_property
    def _table(self) -> Table:
        cells = self.cells
        where = np.unravel_index(self.ran, cells.shape)
        frame = pd.DataFrame(
            {
                name: pd.Categorical(
                    np.asarray(levels, object)[codes], categories=list(levels), ordered=True
                )
                for (name, levels), codes in zip(cells.factors.items(), where, strict=True)
            }
        )
        deviations = cells.deviations.ravel()[self.ran]
        return Table(frame, dict(cells.factors), cells.response, None, cells.shift, deviations)

    def of_margin(
        self, term: Term, weights: Floats, together: bool = False
    ) -> tuple[Floats, NDArray[np.int64]]:
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
        kept = [axis for axis, name in enumerate(cells.names) if name in term.factors]
        shape = [cells.shape[axis] for axis in kept]
        where = np.unravel_index(self.ran, cells.shape)
        entry = np.ravel_multi_index([where[axis] for axis in kept], shape)
        size = int(np.prod(shape))
        averaged = cells.counts.size // size
        whole = np.bincount(entry, minlength=size) == averaged
        direct = ~((np.abs(weights) > 1e-14) & ~whole).any(axis=1)
        found = np.asarray(weights[:, entry] / averaged)
        orders = np.full(len(weights), DIRECT)
        left = ~direct
        if together:
            left[:] = left.any()
        if not left.any():
            return found, orders
        needed = max(1, min(len(term.factors), 2))
        found[left], orders[left] = np.nan, NOT_ESTIMABLE
        for order, fit in self.models:
            if order < needed or not left.any():
                break
            functions = weights[left] @ fit.marginal_rows(term)
            carried = fit.estimable(functions)
            if together and not carried.all():
                continue
            rows = np.flatnonzero(left)[carried]
            found[rows] = functions[carried] @ fit.scaled @ fit.basis.T
            orders[rows] = order
            left[rows] = False
        return found, orders

    def of_grid(self, weights: Floats) -> tuple[Floats, int]:
        """Weights of the cells that ran for one function of the grid, and the model's order.

        Args:
            weights: over the grid.
        """
        flat = np.asarray(weights, dtype=np.float64).ravel()
        if not (self.cells.empty.ravel() & (flat != 0)).any():
            return flat[self.ran], DIRECT
        grid = flat.reshape(self.cells.shape)
        for order, fit in self.models:
            if order < min(2, _order_of(fit, grid)):
                break
            row = fit.contrast_rows(grid)
            if not fit.estimable(row)[0]:
                continue
            # What empty cells are predicted to be; those that ran keep their own mean.
            empty = grid * self.cells.empty
            missing = fit.contrast_rows(empty)
            if fit.estimable(missing)[0]:
                predicted = missing @ fit.scaled @ fit.basis.T
                return flat[self.ran] + predicted[0], order
            return np.asarray((row @ fit.scaled @ fit.basis.T)[0]), order
        return np.full(len(self.ran), np.nan), NOT_ESTIMABLE


def _order_of(fit: ClassicalFit, grid: Floats) -> int:
    """1 where a function takes main effects at most, else 2."""
    pairs: Sequence[Term] = [t for t in terms_up_to(fit.factors, 2) if len(t.factors) == 2]
    touched = any(np.abs(fit.term_loading(term, grid)).max() > 1e-10 for term in pairs)
    return 2 if touched else 1
