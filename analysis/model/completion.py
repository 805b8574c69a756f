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

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy.special import fdtrc

from analysis.model.cell_means import CellMeans
from analysis.model.classical import MOST_COLUMNS, ClassicalFit
from analysis.model.terms import Term, width_of
from analysis.stats.arrays import Counts, Floats, Truths
from analysis.stats.estimates import NAN

DIRECT = 0
NOT_ESTIMABLE = -1
CROSSED = -2
NAMES = {
    DIRECT: "cell means",
    NOT_ESTIMABLE: "not estimable",
    CROSSED: "the combinations of the other factors that ran",
}


SMALL = 1e-12
"""Weights that sum to less sum to nothing."""
MISFIT = " and its misfit"


def rests_on(order: int, *, misfit: bool = False) -> str:
    """What an estimate rests on, in words; `misfit`: whether its error counts the model's."""
    return NAMES.get(order, f"model of order {order}{MISFIT if misfit else ''}")


def assumption(rests: str, factors: int) -> str:
    """What an estimate assumes that rests on a model, in the words of every display; "" if nothing.

    Where the model's misfit could be told and counts, it assumes only that what is left out is
    scattered over the combinations like chance.

    Args:
        rests: what it rests on (`rests_on`).
        factors: of the grid; a model of as many takes every interaction there is.
    """
    for order in range(1, factors):
        several = f"{_NUMBERS.get(order + 1, str(order + 1))} factors"
        if rests == rests_on(order):
            return f"assuming that {several} do not interact"
        if rests == rests_on(order, misfit=True):
            return f"allowing for interactions of {several}"
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

PAIRS_ASKED = (
    "it asks how two factors interact, and the design is for main effects alone; one of order 2 "
    "could tell"
)


@dataclass(frozen=True, slots=True)
class LackOfFit:
    """How far the combinations that ran lie from a model, beyond what their runs scatter.

    Attributes:
        variance: of a combination's true mean around the model (the part of interactions that the
            model leaves out); 0 where none is seen.
        freedom: of that variance, by Satterthwaite: a difference of two mean squares.
        f, df, df_error, p: test that there is none; NaN where nothing is left to test it by.
    """

    variance: float = 0.0
    freedom: float = NAN
    f: float = NAN
    df: int = 0
    df_error: int = 0
    p: float = NAN

    @staticmethod
    def of(fit: ClassicalFit, cells: CellMeans) -> LackOfFit:
        """Of least squares on the cells that ran, each counted once."""
        noise, df = cells.parts.variances, len(cells.ran) - fit.rank
        if df < 1 or not np.isfinite(noise).all():
            return LackOfFit()
        leverage = (fit.basis**2).sum(axis=1)
        expected = float((1 - leverage) @ noise) / df
        seen = fit.residual_ss / df
        variance = max(seen - expected, 0.0)
        f = seen / expected if expected > 0 else NAN
        p = float(fdtrc(df, cells.pure_df, f)) if cells.pure_df else NAN
        freedom = max(df * (variance / seen) ** 2, 1.0) if variance else NAN
        return LackOfFit(variance, freedom, float(f), df, cells.pure_df, p)


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

    @cached_property
    def lacks(self) -> dict[int, LackOfFit]:
        """Of each model that answers for its misfit, by its order.

        Not of the main effects of a screening fraction: what pairs make of them is told by the
        effects that each could be mistaken for (`effects.aliases`, `screening`).
        """
        models = [one for one in self.models if one[0] > 1 or not self.screening]
        return {order: LackOfFit.of(fit, self.cells) for order, fit in models}

    def lack(self, order: int) -> LackOfFit:
        """Of the model that a function rests on; none where it rests on cells that ran."""
        return self.lacks.get(order, LackOfFit())

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
        axes = [axis for axis, name in enumerate(self.cells.names) if name in term.factors]
        entry, averaged = self._entries(term)
        size = self.cells.counts.size // averaged
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

    # --- what departs from the model ------------------------------------------------------------

    def unseen_of_margin(self, term: Term, weights: Floats, needed: Floats) -> Floats:
        """What the errors of estimates hold of the combinations' departures from the model.

        Departures count as drawn at random: of each combination its own, those of cells that ran in
        the estimate with its weights and in the truth with theirs, those of empty cells in the
        truth alone. Or, where a factor is compared, the same at all of its levels, as they are
        where it does nothing: then the truth holds none. The larger of these counts.

        Args:
            term: its factors in declared order.
            weights: over the margin's entries, shape (functions, entries).
            needed: of the cells that ran, shape (functions, cells that ran).

        Returns:
            Squared lengths, shape (functions,): times `LackOfFit.variance` variances.
        """
        entry, averaged = self._entries(term)
        ran = (weights / averaged)[:, entry]
        unseen = ((needed - ran) ** 2).sum(axis=1) + (weights**2).sum(axis=1) / averaged
        unseen -= (ran**2).sum(axis=1)
        for axis, compared in self._compared(term, weights):
            alike = (self._over(axis, needed) ** 2).sum(axis=1)
            unseen = np.where(compared, np.maximum(unseen, alike), unseen)
        return np.asarray(np.maximum(unseen, 0.0))

    def unseen_together(self, term: Term, weights: Floats, needed: Floats) -> Floats:
        """The same with what functions share, shape (functions, functions)."""
        entry, averaged = self._entries(term)
        ran = (weights / averaged)[:, entry]
        apart = needed - ran
        kinds = [apart @ apart.T + weights @ weights.T / averaged - ran @ ran.T]
        for axis, compared in self._compared(term, weights):
            if compared.all():
                alike = self._over(axis, needed)
                kinds.append(alike @ alike.T)
        return np.asarray(max(kinds, key=np.trace))

    def unseen_of_grid(self, weights: Floats, needed: Floats) -> float:
        """The same for one function of the grid, as `of_grid` takes it."""
        grid = np.asarray(weights, dtype=np.float64).reshape(self.cells.shape)
        own = grid.ravel()[self.cells.ran]
        unseen = float(((needed - own) ** 2).sum() + (grid**2).sum() - (own**2).sum())
        for axis in range(grid.ndim):
            if np.abs(grid.sum(axis=axis)).max() < SMALL:
                unseen = max(unseen, float((self._over(axis, needed) ** 2).sum()))
        return unseen

    def _entries(self, term: Term) -> tuple[Counts, int]:
        """The margin's entry of each cell that ran, and how many cells an entry averages."""
        cells = self.cells
        axes = [axis for axis, name in enumerate(cells.names) if name in term.factors]
        shape = [cells.shape[axis] for axis in axes]
        where = np.unravel_index(cells.ran, cells.shape)
        entry = np.ravel_multi_index([where[axis] for axis in axes], shape)
        return entry, cells.counts.size // int(np.prod(shape))

    def _compared(self, term: Term, weights: Floats) -> Iterator[tuple[int, Truths]]:
        """Axes of the term's factors, and the functions that compare levels of each."""
        axes = [axis for axis, name in enumerate(self.cells.names) if name in term.factors]
        grid = weights.reshape(len(weights), *(self.cells.shape[axis] for axis in axes))
        for place, axis in enumerate(axes):
            sums = grid.sum(axis=place + 1).reshape(len(weights), -1)
            yield axis, np.abs(sums).max(axis=1) < SMALL

    def _over(self, axis: int, needed: Floats) -> Floats:
        """Weights of cells that are alike in all factors but one, summed up.

        Args:
            axis: of that factor.
            needed: shape (..., cells that ran).
        """
        where = list(np.unravel_index(self.cells.ran, self.cells.shape))
        where[axis] = np.zeros_like(where[axis])
        alike = np.ravel_multi_index(where, self.cells.shape)
        by_stratum = np.argsort(alike, kind="stable")
        starts = np.flatnonzero(np.diff(alike[by_stratum], prepend=-1))
        return np.asarray(np.add.reduceat(needed[..., by_stratum], starts, axis=-1))

    # --- which combinations of cells ------------------------------------------------------------

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
            return rests_on(order, misfit=self.lack(order).df > 0)
        grid = np.asarray(weights, dtype=np.float64).reshape(self.cells.shape)
        lost = np.flatnonzero((grid != 0).ravel() & self.cells.empty.ravel())
        alone = False
        if len(self.cells.ran):
            fit = self._additive
            asks_pairs = fit.takes_pairs(grid)
            if asks_pairs and self.order == 1:
                return f"{NAMES[NOT_ESTIMABLE]}: {PAIRS_ASKED}"
            alone = not asks_pairs and bool(fit.estimable(fit.contrast_rows(grid))[0])
        return self._why(lost, alone)

    def words_of_margin(
        self, term: Term, weights: Floats, orders: Counts, *, misfit: bool = True
    ) -> list[str]:
        """The same for combinations of a term's marginal means, as `of_margin` takes them.

        `misfit`: whether their errors count how far the cells that ran lie from the model.
        """
        words = [
            rests_on(order, misfit=misfit and self.lack(order).df > 0) for order in orders.tolist()
        ]
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
