"""Shares of the variance of a single run: mains, pairs, higher orders, replicate, noise.

The exact functional decomposition of the cell means over the full grid (every cell weighs the
same), minus what noise alone would put into each term, so that the shares of terms that do
nothing are around zero. Shares sum to 100 %. Intervals come from a parametric bootstrap started at
the noise-corrected effects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.model.cell_means import CellMeans
from analysis.model.terms import terms_up_to
from analysis.stats.arrays import Floats

DRAWS = 1000
BUDGET = 800_000
"""Cells times draws that the bootstrap may cost; large grids get fewer draws."""
FEWEST_DRAWS = 100
HIGHER = "higher"
REPLICATE = "replicate"
NOISE = "noise"


@dataclass(frozen=True, eq=False)
class VarianceShares:
    """The decomposition.

    Attributes:
        table: columns term, kind (main, pair, higher, replicate, noise), percent, low, high,
            raw_percent (not truncated at 0; sums to 100 too), cell_percent (share of the
            variance of the observed cell means, uncorrected), df.
        total_variance: of one run drawn from a random cell, in squared units; NaN if unknown.
        reason: why there is no decomposition, or what could not be told apart; or None.
        draws: bootstrap draws behind the intervals.
    """

    table: pd.DataFrame
    total_variance: float
    reason: str | None
    draws: int


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
    groups, kinds = _groups(cells)
    labels = [*groups, REPLICATE, NOISE]
    if cells.empty.any():
        empty = int(cells.empty.sum())
        table = _table(labels, kinds, [np.full(len(labels), np.nan)] * 5)
        return VarianceShares(
            table, float("nan"), f"not estimable: {empty} cells of the grid never ran", 0
        )
    deviations = cells.deviations.ravel()
    member = _membership(cells)
    df = np.bincount(member, minlength=len(groups) + 1)[1:].astype(float)
    observed = _mean_squares(cells.deviations[None], member, len(groups))[0]
    replicated = cells.pure_df > 0
    reason = None
    if replicated:
        variances = cells.cell_variances.ravel()
        counts = cells.counts.ravel()
    else:
        variances, counts = np.zeros(len(deviations)), np.ones(len(deviations), dtype=np.int64)
        reason = "no cell ran twice: noise cannot be told from the higher orders, which hold both"
    noise_in_mean = float((variances / counts).mean())
    noise = float(variances.mean())
    block = _replicate_variance(cells) if replicated else float("nan")
    corrected = observed - df / len(deviations) * noise_in_mean
    # A shock shared by a replicate's cells shifts all means alike: it is in no term.
    within = noise - max(block, 0.0) if np.isfinite(block) else noise
    parts = np.concatenate([corrected, [block if np.isfinite(block) else 0.0, within]])
    raw, percent = percentages(parts, truncate=False), percentages(parts, truncate=True)
    cell_percent = np.concatenate([observed / max(observed.sum(), 1e-300) * 100, [np.nan, np.nan]])
    if observed.sum() == 0.0:
        cell_percent[:] = np.nan
    low, high, used = np.full(len(parts), np.nan), np.full(len(parts), np.nan), 0
    if replicated and parts.sum() > 0:
        used = int(max(min(draws, BUDGET // len(deviations)), FEWEST_DRAWS))
        sampled = _bootstrap(cells, member, corrected, observed, block, used, seed)
        tail = (1 - confidence) / 2
        low, high = np.quantile(sampled, [tail, 1 - tail], axis=0)
        low, high = np.minimum(low, percent), np.maximum(high, percent)
    if not np.isfinite(block):
        percent[-2] = raw[-2] = low[-2] = high[-2] = np.nan
    if not replicated:
        percent[-1] = raw[-1] = np.nan
    table = _table(labels, kinds, [percent, low, high, raw, cell_percent])
    table["df"] = [*df, np.nan, np.nan]
    return VarianceShares(table, float(np.maximum(parts, 0).sum()), reason, used)


def _groups(cells: CellMeans) -> tuple[list[str], list[str]]:
    terms = terms_up_to(cells.names, min(2, len(cells.names)))
    names = [term.name for term in terms]
    kinds = ["main" if len(term.factors) == 1 else "pair" for term in terms]
    if len(cells.names) > 2:
        names.append(HIGHER)
        kinds.append("higher")
    return names, [*kinds, REPLICATE, NOISE]


def _membership(cells: CellMeans) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Group of each orthonormal contrast of the grid: 0 the mean, then terms, then higher."""
    active = np.indices(cells.shape).reshape(len(cells.shape), -1) > 0
    pattern = (active * (1 << np.arange(len(cells.shape)))[:, None]).sum(axis=0)
    terms = terms_up_to(cells.names, min(2, len(cells.names)))
    group = np.full(1 << len(cells.shape), len(terms) + 1, dtype=np.intp)
    group[0] = 0
    for number, term in enumerate(terms, start=1):
        group[sum(1 << cells.names.index(name) for name in term.factors)] = number
    return np.asarray(group[pattern])


def _mean_squares(
    means: Floats, member: np.ndarray[tuple[int], np.dtype[np.intp]], groups: int
) -> Floats:
    """Mean squared effect of each group, shape (draws, groups); means of shape (draws, *grid)."""
    transformed = means
    for axis, size in enumerate(means.shape[1:], start=1):
        helmert = np.linalg.qr(np.column_stack([np.ones(size), np.eye(size)[:, :-1]]))[0]
        transformed = np.moveaxis(np.tensordot(transformed, helmert, (axis, 0)), -1, axis)
    flat = transformed.reshape(len(means), -1) ** 2
    indicator = np.zeros((flat.shape[1], groups + 1))
    indicator[np.arange(flat.shape[1]), member] = 1.0
    return np.asarray((flat @ indicator)[:, 1:] / flat.shape[1])


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


def percentages(parts: Floats, truncate: bool) -> Floats:
    """Parts as percent of their sum; negative ones count as 0 where asked; NaN if all are 0."""
    values = np.maximum(parts, 0.0) if truncate else parts
    total = values.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(total > 0, values / total * 100.0, np.nan))


def _bootstrap(
    cells: CellMeans,
    member: np.ndarray[tuple[int], np.dtype[np.intp]],
    corrected: Floats,
    observed: Floats,
    block: float,
    draws: int,
    seed: int,
) -> Floats:
    """Shares in grids drawn from effects shrunk to their corrected size, and cell variances."""
    rng = np.random.default_rng(seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.sqrt(np.where(observed > 0, np.maximum(corrected, 0.0) / observed, 0.0))
    centre = _scale_groups(cells.deviations, member, np.concatenate([[1.0], factor]))
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


def _scale_groups(
    means: Floats, member: np.ndarray[tuple[int], np.dtype[np.intp]], factor: Floats
) -> Floats:
    """Multiply each group's effects by a factor and return to cell means."""
    bases = [
        np.linalg.qr(np.column_stack([np.ones(size), np.eye(size)[:, :-1]]))[0]
        for size in means.shape
    ]
    transformed = means
    for axis, basis in enumerate(bases):
        transformed = np.moveaxis(np.tensordot(basis.T, transformed, (1, axis)), 0, axis)
    transformed = transformed * factor[member].reshape(means.shape)
    for axis, basis in enumerate(bases):
        transformed = np.moveaxis(np.tensordot(basis, transformed, (1, axis)), 0, axis)
    return np.asarray(transformed)


def _table(labels: list[str], kinds: list[str], columns: list[Floats]) -> pd.DataFrame:
    names = ["percent", "low", "high", "raw_percent", "cell_percent"]
    frame = pd.DataFrame({"term": labels, "kind": kinds})
    for name, values in zip(names, columns, strict=True):
        frame[name] = values
    frame["df"] = np.nan
    return frame
