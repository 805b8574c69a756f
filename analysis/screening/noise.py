"""How sure a main effect of a screening study is: by its replicates, or by the effects themselves.

Where combinations ran twice, Welch's interval of the study's rule. Where none did, Lenth's pseudo
standard error (1989) over the main effects and the contrasts that the runs have to spare, its p and
limits by simulation of as many effects of noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.effects.aliases.lenth import ALL_ZERO, pse_of
from analysis.screening.array import effect_weights, spare_contrasts
from analysis.stats.arrays import Floats
from analysis.stats.distributions.lenth_limits import lenth_limits, lenth_p
from analysis.stats.estimates import INTERVAL, t_limits


@dataclass(frozen=True, eq=False)
class MainEffects:
    """Main effects with their uncertainty; arrays of shape (factors,).

    Attributes:
        estimate: first level minus second, in units of the outcome.
        se: standard error.
        df: degrees of freedom; a third of the contrasts by Lenth's method.
        low, high: interval.
        p: of no effect.
        contrasts: whose spread tells the noise; 0 where replicates do.
        refused: why there are no intervals, or "".
    """

    estimate: Floats
    se: Floats
    df: Floats
    low: Floats
    high: Floats
    p: Floats
    contrasts: int = 0
    refused: str = ""

    def p_of(self, ratio: float) -> float:
        """P of any term over its standard error."""
        if self.contrasts:
            return float(lenth_p(np.abs(ratio), self.contrasts))
        df = np.array(float(np.median(self.df)))
        return float(t_limits(np.array(float(ratio)), np.array(1.0), df)[2])


def unreplicated(signs: Floats, means: Floats, confidence: float = 0.95) -> MainEffects:
    """Main effects of runs that are one of each combination.

    Args:
        signs: +1 and -1, shape (runs, factors).
        means: outcome of each, shape (runs,).
        confidence: of the intervals.
    """
    weights = effect_weights(signs)
    estimate = weights @ means
    scale = np.linalg.norm(weights, axis=1) * len(signs) ** 0.5 / 2  # 1 in a whole array
    spare = spare_contrasts(signs, means, estimate)
    contrasts = np.concatenate([estimate / scale, spare])
    m = len(contrasts)
    pse = pse_of(np.abs(contrasts))[1]
    if not pse:
        no = np.full(len(estimate), np.nan)
        return MainEffects(estimate, no, no, no, no, no, m, ALL_ZERO)
    se = pse * scale
    half = lenth_limits(m, confidence)[0] * se
    p = lenth_p(np.abs(estimate) / se, m)
    df = np.full(len(estimate), m / 3)
    return MainEffects(estimate, se, df, estimate - half, estimate + half, p, m)


def replicated(rows: pd.DataFrame) -> MainEffects:
    """Main effects as the rule of the study has them.

    Args:
        rows: of `Study.contrasts`, one a factor.
    """
    estimate, se, df, low, high, p = (rows[name].to_numpy(float) for name in INTERVAL)
    return MainEffects(estimate, se, df, low, high, p)
