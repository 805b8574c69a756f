"""Shares of the variance of a single run: mains, pairs, higher orders, replicate, noise.

The exact functional decomposition of the cell means over the full grid (every cell weighs the
same), minus what noise alone would put into each term, so that the shares of terms that do
nothing are around zero. Shares sum to 100 %. Intervals come from a parametric bootstrap started at
the noise-corrected effects.
"""

from __future__ import annotations

import numpy as np

from analysis.effects.shares.variance_shares import (
    DRAWS,
    NOISE,
    REPLICATE,
    VarianceShares,
    percentages,
    share_groups,
    shares_of,
    shrinkage,
)
from analysis.model.cell_means import CellMeans
from analysis.model.terms import terms_up_to
from analysis.stats.arrays import Codes, Floats

BUDGET = 800_000
"""Cells times draws that the bootstrap may cost; large grids get fewer draws."""
FEWEST_DRAWS = 100


def grid_shares(
    cells: CellMeans, confidence: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> VarianceShares:
    """Decompose the variance over a complete grid; NaN where a cell is empty.

    Args:
        cells: the cell-means model.
        confidence: of the percentile intervals.
        draws: bootstrap draws, fewer on large grids.
        seed: of the bootstrap's own random generator.
    """
    groups = share_groups(cells.names)
    terms = len(groups) - 2  # with the higher orders, which count as one
    reason: str | None = None
    if cells.empty.any():
        nothing = dict.fromkeys(groups, np.nan)
        reason = f"not estimable: {int(cells.empty.sum())} cells of the grid never ran"
        return shares_of(cells.names, nothing, [*nothing.values()], None, confidence, reason=reason)
    size = cells.deviations.size
    member = _membership(cells)
    df = np.bincount(member, minlength=terms + 1)[1:].astype(float)
    observed = _mean_squares(cells.deviations[None], member, terms)[0]
    replicated = cells.pure_df > 0
    if replicated:
        variances, counts = cells.cell_variances.ravel(), cells.counts.ravel()
    else:
        variances, counts = np.zeros(size), np.ones(size, dtype=np.int64)
        reason = "no cell ran twice: noise cannot be told from the higher orders, which hold both"
    noise_in_mean = float((variances / counts).mean())
    noise = float(variances.mean())
    block = _replicate_variance(cells) if replicated else float("nan")
    corrected = observed - df / size * noise_in_mean
    # A shock shared by a replicate's cells shifts all means alike: it is in no term.
    within = noise - max(block, 0.0) if np.isfinite(block) else noise
    parts = np.concatenate([corrected, [block if np.isfinite(block) else 0.0, within]])
    total = observed.sum()
    drawn = None
    if replicated and parts.sum() > 0:
        used = int(max(min(draws, BUDGET // size), FEWEST_DRAWS))
        drawn = _bootstrap(cells, member, corrected, observed, block, used, seed)
    return shares_of(
        cells.names,
        dict(zip(groups, parts.tolist(), strict=True)),
        [*df, np.nan, np.nan],
        drawn,
        confidence,
        unknown=[REPLICATE] * (not np.isfinite(block)) + [NOISE] * (not replicated),
        cell_percent=np.append(observed / total * 100 if total else df * np.nan, [np.nan] * 2),
        reason=reason,
    )


def _membership(cells: CellMeans) -> Codes:
    """Group of each orthonormal contrast of the grid: 0 the mean, then terms, then higher."""
    active = np.indices(cells.shape).reshape(len(cells.shape), -1) > 0
    pattern = (active * (1 << np.arange(len(cells.shape)))[:, None]).sum(axis=0)
    terms = terms_up_to(cells.names, min(2, len(cells.names)))
    group = np.full(1 << len(cells.shape), len(terms) + 1, dtype=np.intp)
    group[0] = 0
    for number, term in enumerate(terms, start=1):
        group[sum(1 << cells.names.index(name) for name in term.factors)] = number
    return np.asarray(group[pattern])


def _mean_squares(means: Floats, member: Codes, groups: int) -> Floats:
    """Mean squared effect of each group, shape (draws, groups); means of shape (draws, *grid)."""
    transformed = means
    for axis, size in enumerate(means.shape[1:], start=1):
        transformed = np.moveaxis(np.tensordot(transformed, _basis(size), (axis, 0)), -1, axis)
    flat = transformed.reshape(len(means), -1) ** 2
    indicator = np.zeros((flat.shape[1], groups + 1))
    indicator[np.arange(flat.shape[1]), member] = 1.0
    return np.asarray((flat @ indicator)[:, 1:] / flat.shape[1])


def _basis(levels: int) -> Floats:
    """An orthonormal basis of the levels whose first column is constant, shape (levels, levels)."""
    return np.linalg.qr(np.column_stack([np.ones(levels), np.eye(levels)[:, :-1]]))[0]


def _replicate_variance(cells: CellMeans) -> float:
    """Variance of the shock that the cells of a replicate share, by the ANOVA method.

    From the replicates that ran in every cell; NaN with fewer than two. May be negative.
    """
    if not cells.replicate_names:
        return float("nan")
    complete = cells.replicate_deviations.reshape(len(cells.replicate_names), -1)
    complete = complete[np.isfinite(complete).all(axis=1)]
    k, j = complete.shape
    if k < 2 or j < 2:
        return float("nan")
    rows = complete.mean(axis=1)
    ms_block = j * float(rows.var(ddof=1))
    left = complete - rows[:, None] - complete.mean(axis=0) + complete.mean()
    ms_residual = float((left**2).sum()) / ((k - 1) * (j - 1))
    return (ms_block - ms_residual) / j


def _bootstrap(
    cells: CellMeans,
    member: Codes,
    corrected: Floats,
    observed: Floats,
    block: float,
    draws: int,
    seed: int,
) -> Floats:
    """Shares in grids drawn from effects shrunk to their corrected size, and cell variances."""
    rng = np.random.default_rng(seed)
    factor = np.append(1.0, shrinkage(observed, corrected))
    centre = _scale_groups(cells.deviations, member, factor)
    counts = cells.counts
    sigma2 = cells.cell_variances
    size = (draws, *counts.shape)
    shock = max(block, 0.0) if np.isfinite(block) else 0.0
    means = centre + rng.standard_normal(size) * np.sqrt(sigma2 / counts)
    several = np.maximum(counts - 1, 1)
    variances = sigma2 * rng.chisquare(several, size) / several
    if (counts == 1).any():  # single runs share one pooled variance
        pooled = sigma2 * (rng.chisquare(cells.pure_df, draws) / cells.pure_df).reshape(
            -1, *[1] * counts.ndim
        )
        variances = np.where(counts == 1, pooled, variances)
    flat = counts.size
    df = np.bincount(member, minlength=len(observed) + 1)[1:]
    in_mean = (variances / counts).reshape(draws, -1).mean(axis=1)
    parts = _mean_squares(means, member, len(observed)) - np.outer(in_mean, df / flat)
    noise = variances.reshape(draws, -1).mean(axis=1)
    k = len(cells.replicate_names)
    shocks = np.zeros(draws)
    if np.isfinite(block) and k > 1:
        residual = max(float(sigma2.mean()) - shock, 0.0)
        # Mean squares of replicates and residual are independent scaled chi-squares.
        ms_block = (residual + flat * shock) * rng.chisquare(k - 1, draws) / (k - 1)
        df_residual = (k - 1) * (flat - 1)
        ms_residual = residual * rng.chisquare(df_residual, draws) / df_residual
        shocks = (ms_block - ms_residual) / flat
    within = np.maximum(noise - np.maximum(shocks, 0.0), 0.0)
    return percentages(np.column_stack([parts, shocks, within]), truncate=True)


def _scale_groups(means: Floats, member: Codes, factor: Floats) -> Floats:
    """Multiply each group's effects by a factor and return to cell means."""
    bases = [_basis(size) for size in means.shape]
    transformed = means
    for axis, basis in enumerate(bases):
        transformed = np.moveaxis(np.tensordot(basis.T, transformed, (1, axis)), 0, axis)
    transformed = transformed * factor[member].reshape(means.shape)
    for axis, basis in enumerate(bases):
        transformed = np.moveaxis(np.tensordot(basis, transformed, (1, axis)), 0, axis)
    return np.asarray(transformed)
