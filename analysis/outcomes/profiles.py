"""Distributions of runs by level: performance profiles, interquartile means, P(better).

Robust companions of the marginal means (Agarwal et al. 2021), with their recipe mended: replicates
shared by cells are resampled together, the bootstrap is rescaled by sqrt(k / (k - 1)) because with
3 replicates the plain one is an 87 % interval, and the random stream is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from analysis.stats.counts.proportions import wilson
from analysis.table.rates import grid_index

Array = NDArray[np.float64]


def interquartile_mean(scores: ArrayLike) -> float:
    """Mean of the middle half of all scores; NaN without scores."""
    x = np.asarray(scores, float).ravel()
    x = x[np.isfinite(x)]
    cut = len(x) // 4
    return float(np.sort(x)[cut : len(x) - cut].mean()) if len(x) else float("nan")


def optimality_gap(scores: ArrayLike, target: float) -> float:
    """Mean shortfall from a target score; scores above it count as the target."""
    x = np.asarray(scores, float).ravel()
    x = x[np.isfinite(x)]
    return float(target - np.minimum(x, target).mean()) if len(x) else float("nan")


def probability_of_improvement(scores: Sequence[ArrayLike], others: Sequence[ArrayLike]) -> float:
    """P(a run of the first beats one of the second), averaged over cells; ties count one half.

    Args:
        scores: Runs per cell.
        others: Runs per cell, the same cells in the same order.
    """
    shares = []
    for one, two in zip(scores, others, strict=True):
        x, y = np.asarray(one, float), np.asarray(two, float)
        x, y = x[np.isfinite(x)], y[np.isfinite(y)]
        if len(x) and len(y):
            ranks = rankdata(np.concatenate([x, y]))[: len(x)]
            shares.append((ranks.sum() - len(x) * (len(x) + 1) / 2) / (len(x) * len(y)))
    return float(np.mean(shares)) if shares else float("nan")


def performance_profiles(
    frame: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    response: str = "test_accuracy",
    thresholds: ArrayLike | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Share of a level's runs above each threshold.

    Args:
        frame: One row per run; runs without a response are left out.
        factors: Factor name to its declared levels.
        response: The score.
        thresholds: Where the profile is taken; by default 101 points over the observed range.
        confidence: Of the pointwise Wilson limits, which err on the wide side when cells differ.

    Returns:
        factor, level, tau, share, low, high; levels without runs have no rows.
    """
    scores = pd.to_numeric(frame[response], errors="coerce").to_numpy(float)
    there = np.isfinite(scores)
    if not there.any():
        return pd.DataFrame(columns=["factor", "level", "tau", "share", "low", "high"])
    if thresholds is None:
        tau = np.linspace(scores[there].min(), scores[there].max(), 101)
    else:
        tau = np.asarray(thresholds, float)
    parts = []
    for name, levels in factors.items():
        labels = frame[name].astype(str).to_numpy(object)
        for level in levels:
            own = np.sort(scores[there & (labels == level)])
            if not len(own):
                continue
            above = len(own) - np.searchsorted(own, tau, side="right")
            share, low, high = wilson(above, len(own), confidence)
            columns = {"tau": tau, "share": share, "low": low, "high": high}
            parts.append(pd.DataFrame({"factor": name, "level": level, **columns}))
    return pd.concat(parts, ignore_index=True)


def aggregates(
    frame: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    response: str = "test_accuracy",
    replicate: str | None = "replicate",
    confidence: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Interquartile mean per level with a stratified, rescaled percentile bootstrap.

    Args:
        frame: One row per run.
        factors: Factor name to its declared levels.
        response: The score.
        replicate: Column of replicates that cells share, resampled as wholes; None resamples the
            runs of each cell on their own.
        confidence: Of the interval.
        draws: Bootstrap draws.
        seed: Of the random stream; the same seed gives the same interval.

    Returns:
        factor, level, runs, mean, median, iqm, low, high; NaN limits where nothing was repeated.
    """
    scores = pd.to_numeric(frame[response], errors="coerce").to_numpy(float)
    there = np.isfinite(scores)
    cell = grid_index(frame, factors)
    block = None if replicate is None else np.unique(frame[replicate].astype(str),
                                                     return_inverse=True)[1]  # fmt: skip
    rng = np.random.default_rng(seed)
    rows = []
    for name, levels in factors.items():
        labels = frame[name].astype(str).to_numpy(object)
        for level in levels:
            own = there & (labels == level)
            x = scores[own]
            iqm = interquartile_mean(x)
            groups = (block if block is not None else cell)[own]
            low, high = _interval(x, groups, block is not None, iqm, confidence, draws, rng)
            middle = float(np.median(x)) if len(x) else np.nan
            mean = float(x.mean()) if len(x) else np.nan
            rows.append((name, level, len(x), mean, middle, iqm, low, high))
    names = ["factor", "level", "runs", "mean", "median", "iqm", "low", "high"]
    return pd.DataFrame(rows, columns=names)


def _interval(
    x: Array,
    groups: NDArray[np.intp],
    whole: bool,
    estimate: float,
    confidence: float,
    draws: int,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Percentile limits around the estimate; groups are drawn whole, or runs within groups."""
    members = [np.flatnonzero(groups == one) for one in np.unique(groups)]
    k = len(members) if whole else max((len(m) for m in members), default=0)
    if k < 2:
        return float("nan"), float("nan")
    found = np.empty(draws)
    for draw in range(draws):
        if whole:
            chosen = np.concatenate([members[i] for i in rng.integers(0, k, k)])
        else:
            chosen = np.concatenate([m[rng.integers(0, len(m), len(m))] for m in members])
        found[draw] = interquartile_mean(x[chosen])
    # A bootstrap of k has (k - 1) / k of the variance; stretched around the estimate it has all.
    found = estimate + np.sqrt(k / (k - 1)) * (found - estimate)
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return float(low), float(high)


def improvements(
    frame: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    response: str = "test_accuracy",
) -> pd.DataFrame:
    """P(a run of one level beats a run of another in the same cell of the other factors).

    Returns:
        factor, level, reference, probability: .5 is no difference, .75 is often called one.
    """
    scores = pd.to_numeric(frame[response], errors="coerce").to_numpy(float)
    shape = tuple(len(levels) for levels in factors.values())
    codes = np.unravel_index(grid_index(frame, factors), shape)
    rows = []
    for axis, (name, levels) in enumerate(factors.items()):
        strata = np.zeros(len(frame), np.intp)
        for other, size in enumerate(shape):
            if other != axis:
                strata = strata * size + codes[other]
        for j, i in combinations(range(len(levels)), 2):
            sides = [
                [scores[(strata == s) & (codes[axis] == side)] for s in np.unique(strata)]
                for side in (i, j)
            ]
            share = probability_of_improvement(sides[0], sides[1])
            rows.append((name, levels[i], levels[j], share))
    return pd.DataFrame(rows, columns=["factor", "level", "reference", "probability"])
