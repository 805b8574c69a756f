"""A grid of cell means with what every estimate of it needs, each worked out when first asked for.

The one place where a weighted sum of cell means gets its interval: effects, claims, looks and other
outcomes all ask here, so that the same question has the same answer everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from analysis.model.cell_means import CellMeans
from analysis.model.classical import ClassicalFit
from analysis.model.completion import NOT_ESTIMABLE, Completion, is_screening, rests_on
from analysis.model.interval_rule import Chosen, IntervalRule, choose_interval
from analysis.model.margins import METHODS, Margin, with_lack
from analysis.model.terms import Term
from analysis.stats.arrays import Floats
from analysis.stats.estimates import Estimate, joined, no_estimate, t_interval, wider
from analysis.stats.welch import welch
from analysis.table.cells import grid_index
from analysis.table.tidy import Table


@dataclass(frozen=True, eq=False)
class Grid:
    """Cell means, and how numbers of them get an interval.

    Attributes:
        cells: the cell-means model.
        order: highest order of a model that stands in for empty cells, or, where no cell ran
            twice, that gives the error term.
        screening: whether what was planned is a screening fraction (`completion.is_screening`).
    """

    cells: CellMeans
    order: int = 2
    screening: bool = False

    @staticmethod
    def of(table: Table, order: int = 2) -> Grid:
        """Summarise a table."""
        planned = np.unique(grid_index(table.frame, table.factors))
        shape = tuple(len(levels) for levels in table.factors.values())
        return Grid(CellMeans.of(table), order, is_screening(planned, shape))

    @cached_property
    def rule(self) -> IntervalRule:
        """Which interval is the primary one."""
        return choose_interval(self.cells)

    @cached_property
    def completion(self) -> Completion:
        """What a function rests on where cells are empty."""
        return Completion(self.cells, self.order, self.screening)

    @cached_property
    def models(self) -> tuple[ClassicalFit, ...]:
        """The models of one error variance, the one of the highest order first."""
        highest = min(self.order, len(self.cells.shape))
        orders = range(highest, max(min(highest, 2), 1) - 1, -1)  # as `Completion.models`
        return tuple(ClassicalFit.of_cells(self.cells, order) for order in orders)

    def margin(self, term: Term) -> Margin:
        """The table of marginal means of a term."""
        return Margin.of(self.completion, term)

    def estimate(
        self, weights: Floats, confidence: float = 0.95, method: Chosen | None = None
    ) -> Estimate:
        """Estimate sum(weights x cell means) with the interval that the rule picks.

        Args:
            weights: shape of the grid; they sum to zero for a contrast.
            confidence: of the interval.
            method: overrides the rule.

        Returns:
            NaN where not estimable. Where replicates agree to the last digit, or too few share the
            cells, Welch's interval instead of none.
        """
        cells = self.cells
        weights = np.asarray(weights, dtype=np.float64).reshape(cells.shape)
        total = float(weights.sum())
        chosen = method or self.rule.primary
        if chosen == "pooled":
            return self.model_estimate(weights, confidence)
        if chosen in ("wider", "joined"):
            own, whole = (self.estimate(weights, confidence, one) for one in METHODS)
            return wider(own, whole) if chosen == "wider" else joined(own, whole)
        needed, order = self.completion.of_grid(weights)
        words = self.completion.words_of_grid(weights, order)
        if order == NOT_ESTIMABLE:
            return no_estimate(chosen, confidence, rests_on=words)
        unseen = self.completion.unseen_of_grid(weights, needed)
        if chosen == "blocked":
            full = np.zeros(cells.counts.size)
            full[cells.ran] = needed
            over_replicates = cells.contrast(full, chosen, confidence)
            if over_replicates.se > 0:
                return self._with_lack(replace(over_replicates, rests_on=words), unseen, order)
        numbers = welch(cells.parts, needed[None], np.array([order > 0]))
        estimate, se, df = (float(part[0]) for part in numbers)
        estimate += cells.shift * total
        one = t_interval(estimate, se, df, "welch", confidence, rests_on=words)
        return self._with_lack(one, unseen, order)

    def fixed(self, weights: Floats) -> float:
        """Variance of an estimate that no further run of the same combinations takes away.

        What combinations depart from the model that stands in for empty ones; weights as of
        `estimate`.
        """
        needed, order = self.completion.of_grid(weights)
        lack = self.completion.lack(order)
        if not lack.variance > 0:
            return 0.0
        return lack.variance * self.completion.unseen_of_grid(weights, needed)

    def _with_lack(self, one: Estimate, unseen: float, order: int) -> Estimate:
        """With what departures from the model of an order add to its variance."""
        lack = self.completion.lack(order)
        fixed = lack.variance * unseen
        if not fixed > 0:
            return one
        numbers = (np.array(value) for value in (one.se, one.df, fixed, lack.freedom))
        se, df = (float(part) for part in with_lack(*numbers))
        wide = t_interval(
            one.estimate, se, df, one.method, one.confidence, one.replicates, one.rests_on
        )
        return replace(wide, fixed=fixed)

    def model_estimate(self, weights: Floats, confidence: float = 0.95) -> Estimate:
        """The same in a model of low order with one error variance, replicates as its blocks.

        The way out where cells ran once or never. Assumes that the orders left out are zero, never
        that all interactions are; `rests_on` says which model it was, or why there is no estimate.

        Args:
            weights: shape of the grid.
            confidence: of the interval.
        """
        weights = np.asarray(weights, dtype=np.float64).reshape(self.cells.shape)
        for fit in self.models:
            if fit.order < 2 and fit.takes_pairs(weights):
                break  # what is asked is what main effects alone have none of
            estimate = fit.contrast(weights, confidence)
            if np.isfinite(estimate.estimate):
                name = rests_on(fit.order)
                return replace(estimate, method=name, rests_on=name)
        why = self.completion.words_of_grid(weights, NOT_ESTIMABLE)
        return no_estimate(rests_on(self.order), confidence, rests_on=why)
