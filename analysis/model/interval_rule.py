"""Which interval is the primary one, of differences and of means alike.

Where every cell has seeds of its own, runs are independent and each cell has its own variance:
Welch. Where the cells of a replicate share a seed they may move together, all of them or those of
one level, and few replicates cannot tell by a test: the noise has two parts, that of the runs and
that of what replicates share, and both have a say (`joined`). Two replicates are too few to
join, so the wider of two intervals counts. Where replicates differ clearly, t over replicates
holds whatever they share (decisions 075 and 082).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import fdtrc, fdtri

from analysis.model.cell_means import CellMeans
from analysis.number_words import p_equals
from analysis.stats.arrays import Floats

Chosen = Literal["welch", "blocked", "joined", "pooled", "wider"]

SHOCK_P = 0.01
"""Up to this p of the replicates' F test they differ, and all is taken over them."""
ENOUGH = 3
"""Replicates from which the two parts of noise are joined."""


@dataclass(frozen=True, slots=True)
class IntervalRule:
    """The choice and what it rests on; NaN where there is nothing to test.

    Attributes:
        primary: of means, contrasts, effects and tests: welch, joined, wider, blocked or pooled.
        reason: one sentence.
        f, df, df_error, p: F test of the replicates beside the cells, each cell on the scale of
            its own standard deviation (see `_standardised`).
        upper: upper 90 % bound of replicate variance / residual variance.
    """

    primary: Chosen
    reason: str
    f: float = float("nan")
    df: float = float("nan")
    df_error: float = float("nan")
    p: float = float("nan")
    upper: float = float("nan")


def choose_interval(cells: CellMeans) -> IntervalRule:
    """Apply the rule to a grid; `Grid.rule` keeps it."""
    if cells.pure_df == 0:
        reason = "no cell ran twice, so only a model gives an error term"
        return IntervalRule("pooled", reason)
    if len(cells.replicate_names) < 2:
        return IntervalRule("welch", "no two cells share a seed, so runs are independent")
    values = cells.replicate_deviations.reshape(len(cells.replicate_names), -1)
    return _by_test(_standardised(values[:, cells.ran]))


def _standardised(values: Floats) -> Floats:
    """What each replicate adds in each cell that varies, in standard deviations of the cell.

    In its own unit every cell counts the same, so that neither the F test nor the choice hangs on
    the few cells that scatter most, whose noise also makes the contrasts. Of two replicates only
    signs would be left: cells that only two reached are left out while they are the fewer, else all
    keep their size.

    Args:
        values: shape (replicates, cells), NaN where a replicate lacks a cell.
    """
    there = np.isfinite(values)
    runs = there.sum(axis=0)
    filled = np.where(there, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        residual = np.where(there, values - filled.sum(axis=0) / runs, np.nan)
        deviation = np.sqrt(np.nansum(residual**2, axis=0) / (runs - 1))
    varies = runs > 1
    varies &= deviation > np.abs(filled).max(axis=0, initial=0.0) * 8 * np.finfo(float).eps
    scaled = varies & (runs > 2)
    if scaled.sum() > 1 and 2 * (runs[scaled] - 1).sum() >= (runs[varies] - 1).sum():
        return np.asarray(residual[:, scaled] / deviation[scaled])
    return np.asarray(residual[:, varies])


def _by_test(residual: Floats) -> IntervalRule:
    """The rule by the replicates' F; `residual` of shape (replicates, varying cells)."""
    there = np.isfinite(residual)
    ran = there.astype(float)
    runs = ran.sum(axis=0)
    residual = np.where(there, residual, 0.0)
    if residual.shape[1] < 2:
        return IntervalRule("welch", "no two cells vary from run to run")
    normal = np.diag(ran.sum(axis=1)) - (ran / runs) @ ran.T
    sums = residual.sum(axis=1)
    df = float(np.linalg.matrix_rank(normal, tol=1e-9 * np.trace(normal), hermitian=True))
    df_error = float(ran.sum()) - residual.shape[1] - df
    if df < 1 or df_error < 1:
        return IntervalRule("welch", "no two replicates ran in the same cells")
    block = float(sums @ np.linalg.pinv(normal, rcond=1e-10, hermitian=True) @ sums)
    total = float((residual**2).sum())
    ms_residual = max((total - block) / df_error, total * 1e-15)
    f = block / df / ms_residual
    j = float(np.trace(normal)) / df  # cells that a replicate is judged by
    p = float(fdtrc(df, df_error, f))
    upper = max((f / float(fdtri(df, df_error, 0.10)) - 1) / j, 0.0)
    told = p_equals(float(f"{p:.2g}"))
    if p <= SHOCK_P:
        reason = f"replicates differ as a whole (F = {f:.2f}, {told})"
        return IntervalRule("blocked", reason, f, df, df_error, p, upper)
    primary: Chosen = "joined" if len(residual) >= ENOUGH else "wider"
    how = "two parts of noise count" if primary == "joined" else "the wider of two intervals counts"
    reason = (
        f"the same seed may move cells together, all or some of them, so {how} (replicates as a "
        f"whole: F = {f:.2f}, {told})"
    )
    return IntervalRule(primary, reason, f, df, df_error, p, upper)
