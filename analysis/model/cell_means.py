"""The cell-means model: means, variances and counts over the full factor grid.

Every effect is a contrast of cell means with weights over the grid. Promises: an empty cell is
never filled, so a contrast that needs one is NaN; nothing is pooled unless asked. It fits no
regression (see `classical`) and draws nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ablations.errors import InputError, did_you_mean
from analysis.model.terms import Rows
from analysis.stats.arrays import Codes, Counts, Floats, Truths
from analysis.stats.estimates import (
    NAN,
    Estimate,
    MeanParts,
    no_estimate,
    t_interval,
)
from analysis.stats.over_replicates import OverReplicates
from analysis.stats.welch import welch
from analysis.table.columns import as_numbers, facts
from analysis.table.tidy import Table

Method = Literal["welch", "pooled", "blocked", "joined"]
LARGEST_GRID = 2_000_000
"""Cells of the declared grid above which arrays over it would not fit in memory comfortably."""


@dataclass(frozen=True, eq=False)
class CellMeans:
    """Sufficient statistics of a factorial grid, as arrays over the full declared grid.

    Attributes:
        factors: factor name to its levels; array axes follow this order.
        response: name of the outcome.
        counts: runs per cell (0 where empty), shape of the grid.
        deviations: cell means minus `shift`, NaN where empty.
        shift: a constant near the responses, kept apart for precision.
        variances: within-cell variance (n-1), NaN below two runs, with the floor of constant
            cells where the frame says how many images were tested.
        replicate_names: labels of the replicates, () where the table has none.
        replicate_deviations: mean per replicate and cell minus shift, shape `(replicates, *grid)`.
        floored: cells whose zero variance was floored at p(1-p)/n_test.
    """

    factors: dict[str, tuple[str, ...]]
    response: str
    counts: Counts
    deviations: Floats
    shift: float
    variances: Floats
    replicate_names: tuple[str, ...]
    replicate_deviations: Floats
    floored: Truths

    @staticmethod
    def of(table: Table) -> CellMeans:
        """Summarise a table; rows without a response do not count."""
        shape = tuple(len(levels) for levels in table.factors.values())
        cells = int(np.prod(shape, dtype=np.int64))
        if cells > LARGEST_GRID:
            raise InputError(
                f"the factors span {cells:,} cells, more than the {LARGEST_GRID:,} this analysis "
                "holds in memory: leave factors out"
            )
        present = np.isfinite(table.deviations)
        frame = table.frame
        codes = [frame[name].cat.codes.to_numpy()[present] for name in table.factors]
        index = np.ravel_multi_index([c.astype(np.intp) for c in codes], shape)
        y = table.deviations[present]
        counts = np.bincount(index, minlength=cells)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = np.bincount(index, y, cells) / counts
            # Second pass on residuals: squares of centred numbers keep their digits.
            residual = y - means[index]
            means += np.bincount(index, residual, cells) / counts
            residual = y - means[index]
            variances = np.bincount(index, residual**2, cells) / (counts - 1)
        variances[counts < 2] = np.nan
        # Equal runs leave rounding dust, not variance.
        spread = np.zeros(cells)
        np.maximum.at(spread, index, np.abs(residual))
        dust = np.finfo(float).eps * np.maximum(np.abs(np.nan_to_num(means)), 1e-300) * 8
        dust = np.maximum(dust, table.rounding)
        constant = (counts >= 2) & (spread <= dust)
        variances[constant] = 0.0
        floored = np.zeros(cells, dtype=bool)
        about = facts(frame, table.factors)
        if "n_test" in about and _is_share(frame[table.response].to_numpy()[present]):
            tested = as_numbers(about["n_test"]).to_numpy()[present]
            sizes = np.full(cells, np.nan)
            sizes[index] = np.where(tested > 0, tested, np.nan)
            rate = means + table.shift
            floor = rate * (1 - rate) / sizes
            floored = constant & np.isfinite(floor) & (floor > 0)
            variances[floored] = floor[floored]
        names: tuple[str, ...] = ()
        by_replicate = np.empty((0, *shape))
        if table.replicate is not None:
            column = frame[table.replicate]
            names = tuple(str(x) for x in column.cat.categories)
            block = column.cat.codes.to_numpy()[present].astype(np.intp)
            total = cells * len(names)
            joint = block * cells + index
            n = np.bincount(joint, minlength=total)
            with np.errstate(invalid="ignore", divide="ignore"):
                by_replicate = (np.bincount(joint, y, total) / n).reshape(len(names), *shape)
        return CellMeans(
            factors=dict(table.factors),
            response=table.response,
            counts=counts.reshape(shape),
            deviations=means.reshape(shape),
            shift=table.shift,
            variances=variances.reshape(shape),
            replicate_names=names,
            replicate_deviations=by_replicate,
            floored=floored.reshape(shape),
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Levels per factor."""
        return self.counts.shape

    @property
    def names(self) -> tuple[str, ...]:
        """Factor names in axis order."""
        return tuple(self.factors)

    @cached_property
    def means(self) -> Floats:
        """Cell means in units of the response, NaN where empty."""
        return self.deviations + self.shift

    @cached_property
    def n(self) -> int:
        """Runs with a response."""
        return int(self.counts.sum())

    @cached_property
    def pure_df(self) -> int:
        """Degrees of freedom within cells."""
        return int(np.maximum(self.counts - 1, 0).sum())

    @cached_property
    def pure_variance(self) -> float:
        """Pooled within-cell variance; NaN where no cell has two runs."""
        if self.pure_df == 0:
            return NAN
        ss = np.nansum(self.variances * (self.counts - 1))
        return float(ss / self.pure_df)

    @cached_property
    def cell_variances(self) -> Floats:
        """Variance per non-empty cell; the pooled one where a cell ran once."""
        filled = np.where(self.counts == 1, self.pure_variance, self.variances)
        return np.asarray(filled, dtype=np.float64)

    @cached_property
    def empty(self) -> Truths:
        """Cells without a run that has a response."""
        return np.asarray(self.counts == 0)

    def cell_levels(self, flat: int) -> dict[str, str]:
        """Levels of a cell by its flat (C-order) index."""
        where = np.unravel_index(flat, self.shape)
        pairs = zip(self.factors.items(), where, strict=True)
        return {name: levels[int(i)] for (name, levels), i in pairs}

    @cached_property
    def over_replicates(self) -> OverReplicates:
        """Cells that ran and replicates fitted together."""
        values = self.replicate_deviations.reshape(len(self.replicate_names), -1)
        return OverReplicates.of(values[:, self.ran], self.cell_variances.ravel()[self.ran])

    @cached_property
    def ran(self) -> Codes:
        """Flat indices of the cells that ran."""
        return np.flatnonzero(~self.empty.ravel())

    @cached_property
    def parts(self) -> MeanParts:
        """Means of the cells that ran (minus shift), each with its own variance."""
        counts = self.counts.ravel()[self.ran]
        single = counts == 1
        return MeanParts(
            means=self.deviations.ravel()[self.ran],
            variances=self.cell_variances.ravel()[self.ran] / counts,
            freedom=np.where(single, np.nan, counts - 1.0),
            single=single,
            pooled_df=self.pure_df,
        )

    def rows(self) -> tuple[Rows, str | None]:
        """What a fit takes: distinct (cell, block) rows, and what the blocks are called.

        Blocks matter where a replicate holds several cells and a cell no two runs of a replicate.
        """
        k = len(self.replicate_names)
        values = self.replicate_deviations.reshape(k, self.counts.size)
        if k > 1 and np.isfinite(values).sum() == self.n:
            block, cell = np.nonzero(np.isfinite(values))
            ones = np.ones(len(cell), dtype=np.int64)
            none = np.zeros(len(cell))
            return Rows(self._codes(cell), block, ones, values[block, cell], none), "replicate"
        return self.rows_without_blocks(), None

    def rows_without_blocks(self) -> Rows:
        """The cells that ran, with their runs and what varies within them."""
        counts = self.counts.ravel()[self.ran]
        within = np.nan_to_num(self.variances.ravel()[self.ran] * (counts - 1))
        block = np.zeros(len(self.ran), dtype=np.intp)
        return Rows(self._codes(self.ran), block, counts, self.deviations.ravel()[self.ran], within)

    def _codes(self, flat: Codes) -> Codes:
        return np.column_stack(np.unravel_index(flat, self.shape)).astype(np.intp)

    def missing_cells(self) -> list[dict[str, str]]:
        """Levels of every empty cell of the grid."""
        return [self.cell_levels(int(i)) for i in np.flatnonzero(self.empty)]

    def marginal(self, levels: Mapping[str, str | Sequence[str]]) -> Floats:
        """Weights of an equal-weight marginal mean.

        Args:
            levels: factor to one level, or to several that are averaged; factors left out are
                averaged over all their levels.

        Returns:
            Non-negative weights over the grid that sum to 1.

        Raises:
            InputError: an unknown factor or level.
        """
        weights = np.ones(self.shape)
        for name in levels:
            if name not in self.factors:
                raise InputError(f"unknown factor {name!r}: {did_you_mean(name, self.factors)}")
        for axis, (name, labels) in enumerate(self.factors.items()):
            chosen = levels.get(name)
            if chosen is None:
                continue
            wanted = [chosen] if isinstance(chosen, str) else list(chosen)
            keep = np.zeros(len(labels))
            for label in wanted:
                if label not in labels:
                    raise InputError(f"factor {name!r} has no level {label!r}: "
                                     f"{did_you_mean(label, labels)}")  # fmt: skip
                keep[labels.index(label)] = 1.0
            weights *= keep.reshape([-1 if k == axis else 1 for k in range(len(self.shape))])
        return np.asarray(weights / weights.sum())

    def difference(
        self,
        first: Mapping[str, str | Sequence[str]],
        second: Mapping[str, str | Sequence[str]],
        given: Mapping[str, str | Sequence[str]] | None = None,
    ) -> Floats:
        """Weights of "first minus second", both within `given` (a simple effect)."""
        within = dict(given or {})
        return self.marginal({**within, **first}) - self.marginal({**within, **second})

    def contrast(
        self, weights: Floats, method: Method = "welch", confidence: float = 0.95
    ) -> Estimate:
        """Estimate sum(weights * cell means) with its interval.

        Args:
            weights: over the grid, same shape.
            method: "welch": each cell's own variance, Satterthwaite degrees of freedom (the HC2
                interval of the saturated model); "pooled": one within-cell variance; "blocked":
                a t interval over the contrast's value in each replicate (`over_replicates` where
                some of them lack a cell).
            confidence: of the interval.

        Returns:
            NaN throughout where a cell with weight is empty; NaN error where it has no estimate.
        """
        weights = np.asarray(weights, dtype=np.float64).reshape(self.shape)
        used = weights != 0
        if method == "blocked":
            return self._blocked(weights, used, confidence)
        if not used.any() or bool((used & self.empty).any()):
            return no_estimate(method, confidence)
        row, shift = weights.ravel()[None, self.ran], self.shift * float(weights.sum())
        if method == "pooled":
            estimate = float(row[0] @ self.parts.means) + shift
            unit = float((row[0] ** 2 / self.counts.ravel()[self.ran]).sum())
            se = float(np.sqrt(self.pure_variance * unit))
            return t_interval(estimate, se, float(self.pure_df), method, confidence)
        numbers = welch(self.parts, row, np.zeros(1, dtype=bool))
        estimate, se, df = (float(part[0]) for part in numbers)
        return t_interval(estimate + shift, se, df, method, confidence)

    def replicate_values(self, weights: Floats) -> Floats:
        """The contrast within each replicate, NaN where that replicate lacks a needed cell.

        Weights in the shape of the grid give shape (replicates,).
        """
        weights = np.asarray(weights, dtype=np.float64).reshape(self.shape)
        used = weights != 0
        block = self.replicate_deviations[:, used] if len(self.replicate_names) else np.empty(0)
        if not block.size:
            return np.empty(0)
        return np.asarray(block @ weights[used] + self.shift * weights[used].sum())

    def _blocked(self, weights: Floats, used: Truths, confidence: float) -> Estimate:
        values = self.replicate_values(weights)
        complete = np.isfinite(values)
        k = int(complete.sum())
        lost = no_estimate("blocked", confidence, k)
        if not used.any() or bool((used & self.empty).any()) or len(values) < 2:
            return lost
        if complete.all():
            se = float(values.std(ddof=1) / np.sqrt(k))
            return t_interval(float(values.mean()), se, float(k - 1), "blocked", confidence, k)
        numbers = self.over_replicates.estimate(weights.ravel()[None, self.ran])
        estimate, se, df = (float(part[0]) for part in numbers)
        if not np.isfinite(se):
            return lost
        estimate += self.shift * float(weights.sum())
        return t_interval(estimate, se, df, "blocked", confidence, k)


def _is_share(values: Floats) -> bool:
    return bool(len(values)) and float(values.min()) >= 0.0 and float(values.max()) <= 1.0
