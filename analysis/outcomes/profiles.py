"""Performance profiles: the share of a level's runs above each score (Agarwal et al. 2021).

They show whole distributions where a marginal mean shows one number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.stats.counts.proportions import wilson


def performance_profiles(
    frame: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    response: str = "test_accuracy",
    thresholds: ArrayLike | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Share of a level's runs above each threshold.

    Args:
        frame: One row per run, typed; runs without a response are left out.
        factors: Factor name to its declared levels.
        response: The score.
        thresholds: Where the profile is taken; by default 101 points over the observed range.
        confidence: Of the pointwise Wilson limits, which err on the wide side when cells differ.

    Returns:
        factor, level, tau, share, low, high; levels without runs have no rows.
    """
    scores = frame[response].to_numpy(float)
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
