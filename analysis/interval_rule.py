"""Which interval is the primary one: cell-means Welch, or t over replicates.

Welch is sharp but assumes that the cells of one replicate share no shock; t over replicates holds
whatever they share, with few degrees of freedom. Contrasts follow a test of the replicates; means
are taken over replicates by design, as a shared shock moves them one for one and a few replicates
cannot exclude it. Measured in docs/decisions/055 and results/benchmarks/coverage.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import fdtrc, fdtri

from analysis.cell_means import CellMeans
from analysis.frame import Floats

Chosen = Literal["welch", "blocked", "pooled"]

CLEAR_P = 0.5
"""Above this p of the replicates' F test nothing suggests a shared shock."""
SMALL_SHARE = 0.05
"""Upper 90 % bound of the replicate variance, relative to noise, that may be ignored."""


@dataclass(frozen=True, slots=True)
class IntervalRule:
    """The choice and what it rests on; NaN where there is nothing to test.

    Attributes:
        primary: of contrasts, effects and tests: welch, blocked or pooled.
        reason: one sentence.
        means: of marginal means: blocked wherever two replicates ran in every cell, else `primary`.
        f, df, df_error, p: F test of the replicates beside the cells, each cell on the scale of
            its own standard deviation (see `_residuals`).
        upper: upper 90 % bound of replicate variance / residual variance.
    """

    primary: Chosen
    reason: str
    means: Chosen
    f: float = float("nan")
    df: float = float("nan")
    df_error: float = float("nan")
    p: float = float("nan")
    upper: float = float("nan")


def choose_interval(cells: CellMeans, block_p: float = float("nan")) -> IntervalRule:
    """Apply the rule to a grid.

    Welch where the replicates' F has p > 0.5 or the upper 90 % bound of their variance is below
    5 % of the residual variance, else t over replicates. Pooled where no cell ran twice, or where
    replicates are incomplete blocks that matter in the classical fit.

    Args:
        cells: the cell-means model.
        block_p: p of the block in the classical fit, for incomplete replicates.
    """
    if cells.pure_df == 0:
        reason = "no cell ran twice, so only a model gives an error term"
        return IntervalRule("pooled", reason, "pooled")
    if not cells.replicate_names:
        return IntervalRule("welch", "no replicate is shared by the cells", "welch")
    complete = cells.replicate_deviations.reshape(len(cells.replicate_names), -1)
    complete = complete[:, ~cells.empty.ravel()]
    complete = complete[np.isfinite(complete).all(axis=1)]
    if len(complete) < 2 or complete.shape[1] < 2:
        few = "fewer than two replicates ran in every cell"
        if block_p <= CLEAR_P:
            reason = f"{few}, and the blocks matter in the classical fit (p = {block_p:.2g})"
            return IntervalRule("pooled", reason, "pooled", p=block_p)
        return IntervalRule("welch", few, "welch", p=block_p)
    return _by_test(_residuals(complete))


def _residuals(complete: Floats) -> Floats:
    """What each replicate adds in each cell that varies, in standard deviations of the cell.

    In its own unit every cell counts the same, so that neither the F test nor the choice hangs on
    the few cells that scatter most, whose noise also makes the contrasts. Of two replicates only
    signs would be left, so those keep their size.

    Args:
        complete: shape (replicates, cells).
    """
    residual = complete - complete.mean(axis=0)
    deviation = complete.std(axis=0, ddof=1)
    varies = deviation > np.abs(complete).max(axis=0, initial=0.0) * 8 * np.finfo(float).eps
    residual = residual[:, varies]
    return np.asarray(residual / deviation[varies] if len(complete) > 2 else residual)


def _by_test(residual: Floats) -> IntervalRule:
    """The rule where replicates ran completely; `residual` of shape (replicates, varying cells)."""
    k, j = residual.shape
    if j < 2:
        return IntervalRule("welch", "no two cells vary from run to run", "blocked")
    ms_block = j * float((residual.mean(axis=1) ** 2).sum()) / (k - 1)
    df, df_error = float(k - 1), float((k - 1) * (j - 1))
    total = float((residual**2).sum())
    ms_residual = max((total - (k - 1) * ms_block) / df_error, total * 1e-15)
    f = ms_block / ms_residual
    p = float(fdtrc(df, df_error, f))
    upper = max((f / float(fdtri(df, df_error, 0.10)) - 1) / j, 0.0)
    if p > CLEAR_P:
        reason = f"replicates differ no more than noise (F = {f:.2f}, p = {p:.2g} > {CLEAR_P})"
        return IntervalRule("welch", reason, "blocked", f, df, df_error, p, upper)
    if upper < SMALL_SHARE:
        reason = f"replicates carry at most {upper:.1%} of the noise variance (90 % bound)"
        return IntervalRule("welch", reason, "blocked", f, df, df_error, p, upper)
    reason = (
        f"cells of a replicate may share a shock (F = {f:.2f}, p = {p:.2g}; variance up to "
        f"{upper:.1%} of noise)"
    )
    return IntervalRule("blocked", reason, "blocked", f, df, df_error, p, upper)
