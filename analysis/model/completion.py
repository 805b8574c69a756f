"""The table of cell means completed: what a function of the grid rests on where cells are empty.

A function whose cells all ran is one of their own means. Where it needs an empty cell, that cell
gets its least-squares prediction from the model of the highest order, at most the one asked for,
in which the function is estimable. Either way the estimate is a weighted sum of the means of the
cells that ran, so that its variance follows from theirs. Promises that a cell which ran is never
replaced: averages over the completed table are the least-squares estimates (Yates 1933). And that
no cell is predicted by a model without interactions unless somebody asked for that model, by name
or by a design that is made for it (a screening fraction, `order: 1`): with it anything can be said
of what never ran. Where values of some factors go together by design (one
optimizer with its own batch size), a factor that ran at all its levels in each combination of the
others that ran at all is averaged over those. The one place that decides so, and says it in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from analysis.model.cell_means import CellMeans
from analysis.model.classical import MOST_COLUMNS, ClassicalFit
from analysis.model.terms import Term, width_of
from analysis.stats.arrays import Counts, Floats

DIRECT = 0
NOT_ESTIMABLE = -1
CROSSED = -2
NAMES = {
    DIRECT: "cell means",
    NOT_ESTIMABLE: "not estimable",
    CROSSED: "the combinations of the other factors that ran",
}


def rests_on(order: int) -> str:
    """What an estimate rests on, in words."""
    return NAMES.get(order, f"model of order {order}")


def assumption(rests: str, factors: int) -> str:
    """What an estimate assumes that rests on a model, in the words of every display; "" if nothing.

    Args:
        rests: what it rests on (`rests_on`).
        factors: of the grid; a model of as many takes every interaction there is.
    """
    for order in range(1, factors):
        if rests == rests_on(order):
            return (
                f"assuming that {_NUMBERS.get(order + 1, str(order + 1))} factors do not interact"
            )
    return ""


def is_screening(cells: Counts, shape: tuple[int, ...]) -> bool:
    """Whether planned cells are a fraction in which every two factors are balanced.

    An orthogonal array of strength two, as regular fractions of resolution III and Plackett and
    Burman's designs are: whoever plans one wants main effects, assuming that factors do not
    interact. A grid with holes is none.

    Args:
        cells: flat indices, each once.
        shape: levels of the factors.
    """
    if len(cells) >= int(np.prod(shape)) or len(shape) < 3:
        return False
    codes = np.unravel_index(cells, shape)
    for first, second in combinations(range(len(shape)), 2):
        size = shape[first] * shape[second]
        pairs = np.bincount(codes[first] * shape[second] + codes[second], minlength=size)
        if pairs.min() != pairs.max():
            return False
    return True


_NUMBERS = {2: "two or more", 3: "three or more", 4: "four or more"}


@dataclass(frozen=True, eq=False)
class Completion:
    """Weights of the cells that ran for functions of all cells.

    Attributes:
        cells: the grid.
        order: highest order of a model that predicts an empty cell; the additive model does only
            where it was asked for by name, by an order of 1.
        screening: whether the design is made for the additive model (`is_screening`).
    """

    cells: CellMeans
    order: int
    screening: bool = False

    @cached_property
    def models(self) -> list[tuple[int, ClassicalFit]]:
        """Least squares on the cells that ran, each counted once, from the highest order down."""
        highest = min(self.order, len(self.cells.names))
        lowest = 1 if self.screening else max(min(highest, 2), 1)
        orders = range(highest, lowest - 1, -1)
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
        if left.any() and len(axes) == 1 and self._is_crossed(axes[0]):
            # Every combination of the others that ran has all levels: an equal weight for each.
            needed[left] = (weights[left] / (len(entry) / size))[:, entry]
            orders[left] = CROSSED
        return needed, orders

    def _is_crossed(self, axis: int) -> bool:
        """Whether a factor ran at all its levels wherever the others' combination ran at all."""
        ran = np.moveaxis(self.cells.counts > 0, axis, 0).reshape(self.cells.shape[axis], -1)
        return bool((ran.all(axis=0) == ran.any(axis=0)).all()) and bool(ran.any())

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
        for axis in range(grid.ndim):
            by_level = np.moveaxis(grid, axis, 0).reshape(grid.shape[axis], -1)
            if np.ptp(by_level, axis=1).max() < 1e-14 and self._is_crossed(axis):
                # Averaged over all combinations of the others, so over those that ran as well.
                share = by_level.shape[1] * by_level.shape[0] / len(cells.ran)
                return own * share, CROSSED
        return np.full(len(own), np.nan), NOT_ESTIMABLE

    # --- why not --------------------------------------------------------------------------------

    @cached_property
    def _additive(self) -> ClassicalFit:
        return ClassicalFit.of_means(self.cells, 1)

    def words_of_grid(self, weights: Floats, order: int) -> str:
        """What a function of the grid rests on, or why it is not estimable.

        Args:
            weights: shape of the grid.
            order: as `of_grid` has it.
        """
        if order != NOT_ESTIMABLE:
            return rests_on(order)
        grid = np.asarray(weights, dtype=np.float64).reshape(self.cells.shape)
        lost = np.flatnonzero((grid != 0).ravel() & self.cells.empty.ravel())
        alone = False
        if len(self.cells.ran):
            fit = self._additive
            alone = not fit.takes_pairs(grid) and bool(fit.estimable(fit.contrast_rows(grid))[0])
        return self._why(lost, alone)

    def words_of_margin(self, term: Term, weights: Floats, orders: Counts) -> list[str]:
        """The same for combinations of a term's marginal means, as `of_margin` takes them."""
        words = [rests_on(order) for order in orders.tolist()]
        rows = np.flatnonzero(orders == NOT_ESTIMABLE)
        if not len(rows):
            return words
        cells = self.cells
        axes = [axis for axis, name in enumerate(cells.names) if name in term.factors]
        lost = np.flatnonzero(cells.empty)
        where = np.unravel_index(lost, cells.shape)
        shape = [cells.shape[axis] for axis in axes]
        entry = np.ravel_multi_index([where[axis] for axis in axes], shape)
        used = np.abs(weights[rows]) > 1e-14
        alone = np.zeros(len(rows), dtype=bool)
        if len(term.factors) == 1 and len(cells.ran):
            alone = self._additive.estimable(weights[rows] @ self._additive.marginal_rows(term))
        for row, own, one in zip(rows, used, alone.tolist(), strict=True):
            words[row] = self._why(lost[own[entry]], one)
        return words

    def _why(self, lost: Counts, additive: bool) -> str:
        """Why something is not estimable that needs these empty cells."""
        if not len(lost):
            return f"{NAMES[NOT_ESTIMABLE]}: the design does not tell it from other effects"
        levels = ", ".join(f"{k} = {v}" for k, v in self.cells.cell_levels(int(lost[0])).items())
        more = len(lost) - 1
        cells, has, them = f"the cell {levels}", "has", "it"
        if more:
            cells, has, them = f"{cells} and {more} more of its cells", "have", "them"
        only = "only a model without interactions" if additive else "no smaller model"
        return f"{NAMES[NOT_ESTIMABLE]}: {cells} {has} no result and {only} would replace {them}"
