"""Which cells, and which levels, are not shown to be worse than the best.

Hsu's multiple comparisons with the best (1981), in the form that holds for unequal variances: a
cell leaves the set when some other cell is better by a one-sided Welch t at 5 % over the number of
its rivals (Bonferroni). The truly best one stays in with at least 95 %, whichever it is; a single
winner would be right far less often. Levels are compared by the study's own contrasts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtr

from analysis.model.cell_means import CellMeans
from analysis.stats.arrays import Floats, Truths
from analysis.stats.estimates import satterthwaite

RIVALS = 64
"""Highest cells that each is compared with; the level is still divided by all rivals."""


@dataclass(frozen=True, eq=False)
class BestSet:
    """The sets, at one confidence.

    Attributes:
        higher: whether a higher outcome is better.
        confidence: with which the best one is in each set.
        p: over the grid: adjusted p of "no cell is better"; NaN where a cell is empty or nothing
            is known of the noise.
        levels: columns factor, level, mean, p, best (None where unknown).
    """

    higher: bool
    confidence: float
    p: Floats
    levels: pd.DataFrame

    @property
    def best(self) -> Truths:
        """Over the grid: in the set."""
        return np.asarray(self.p > 1 - self.confidence)


def best_set(
    cells: CellMeans, contrasts: pd.DataFrame, confidence: float = 0.95, higher: bool = True
) -> BestSet:
    """Find both sets.

    Args:
        cells: the grid.
        contrasts: pairwise differences of levels by the study's rule: factor, first, second,
            estimate, p.
        confidence: with which the best is in its set.
        higher: whether a higher outcome is better.
    """
    sign = 1.0 if higher else -1.0
    p = not_worse(
        sign * cells.deviations.ravel(),
        (cells.cell_variances / np.maximum(cells.counts, 1)).ravel(),
        np.where(cells.counts > 1, cells.counts - 1.0, max(cells.pure_df, 1)).ravel(),
    )
    return BestSet(higher, confidence, p.reshape(cells.shape),
                   _levels(cells, contrasts, confidence, sign))  # fmt: skip


def not_worse(means: Floats, variances: Floats, df: Floats) -> Floats:
    """Adjusted one-sided p that no other mean is higher, for each of shape (means,); NaN stays NaN.

    Args:
        means: NaN where there is none.
        variances: of the means.
        df: degrees of freedom of each variance.
    """
    known = np.isfinite(means) & np.isfinite(variances)
    adjusted = np.full(len(means), np.nan)
    if known.sum() < 2 or not variances[known].any():
        return adjusted
    y, v, f = means[known], variances[known], df[known]
    rivals = np.argsort(-y, kind="stable")[:RIVALS]
    gap = y[rivals] - y[:, None]
    total = v[:, None] + v[rivals]
    with np.errstate(invalid="ignore", divide="ignore"):
        below = v[:, None] ** 2 / f[:, None] + v[rivals] ** 2 / f[rivals]
        freedom = satterthwaite(total, below)
        t = gap / np.sqrt(total)
        # Two cells that never varied say nothing about how sure their difference is.
        p = np.where((total > 0) & (gap > 0), stdtr(freedom, -t), 1.0)
    adjusted[known] = np.minimum(p.min(axis=1) * (len(y) - 1), 1.0)
    return adjusted


def _levels(
    cells: CellMeans, contrasts: pd.DataFrame, confidence: float, sign: float
) -> pd.DataFrame:
    rows = []
    for axis, (factor, levels) in enumerate(cells.factors.items()):
        others = tuple(k for k in range(len(cells.shape)) if k != axis)
        means = cells.deviations.mean(axis=others) + cells.shift
        own = contrasts[contrasts["factor"] == factor]
        for level, mean in zip(levels, means, strict=True):
            p = _against_rivals(own, level, sign) * (len(levels) - 1)
            adjusted = min(p, 1.0) if np.isfinite(p) else np.nan
            best = bool(adjusted > 1 - confidence) if np.isfinite(adjusted) else None
            rows.append((factor, level, float(mean), adjusted, best))
    return pd.DataFrame(rows, columns=["factor", "level", "mean", "p", "best"])


def _against_rivals(rows: pd.DataFrame, level: str, sign: float) -> float:
    """Smallest one-sided p of another level being better; NaN where none could be compared."""
    one_sided = []
    for column, turn in (("first", -1.0), ("second", 1.0)):
        part = rows[(rows[column] == level) & rows["p"].notna()]
        ahead = sign * turn * part["estimate"].to_numpy(float)
        half = part["p"].to_numpy(float) / 2
        one_sided += np.where(ahead > 0, half, 1 - half).tolist()
    return float(min(one_sided)) if one_sided else float("nan")
