"""Variance shares of an incomplete grid: from the classical fit instead of the cell means.

Where cells never ran, higher orders cannot be told from noise, so both stand as noise. Mains and
pairs are the mean squared effects over the declared grid, minus what noise alone would put there.
"""

from __future__ import annotations

import numpy as np

from analysis.effects.shares.variance_shares import (
    DRAWS,
    NOISE,
    REPLICATE,
    VarianceShares,
    group_of,
    percentages,
    shares_of,
    shrinkage,
)
from analysis.effects.term_tests.anova import anova_table
from analysis.model.classical import ClassicalFit
from analysis.stats.arrays import Codes, Floats


def model_shares(
    fit: ClassicalFit, confidence: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> VarianceShares | None:
    """Decompose by a fit of order 1 or 2; None where it is not wholly estimable.

    Args:
        fit: the classical fit.
        confidence: of the percentile intervals (parametric bootstrap of the coefficients).
        draws: bootstrap draws.
        seed: of the bootstrap's own random generator.
    """
    terms = fit.terms
    if fit.order > 2 or fit.confounded or fit.residual_df <= 0 or fit.error_variance <= 0:
        return None
    functions = [fit.effect_rows(term) for term in terms]
    stacked = np.vstack(functions)
    if not fit.estimable(stacked).all():
        return None
    owner = np.repeat(np.arange(len(terms)), [len(rows) for rows in functions])
    size = np.bincount(owner).astype(float)
    loadings = stacked @ fit.scaled
    values = loadings @ fit.projected
    error = fit.error_variance
    unit = np.bincount(owner, (loadings**2).sum(axis=1)) / size
    observed = np.bincount(owner, values**2) / size
    corrected = observed - error * unit
    block, weight = _block_variance(fit)
    parts = np.concatenate([corrected, [max(block, 0.0) if np.isfinite(block) else 0.0, error]])
    drawn = _bootstrap(
        fit, loadings, values, owner, corrected, observed, block, weight, draws, seed
    )
    left = "pairs, higher orders" if fit.order == 1 else "higher orders"
    return shares_of(
        list(fit.factors),
        dict(zip([*map(group_of, terms), REPLICATE, NOISE], parts.tolist(), strict=True)),
        [*(float(np.linalg.matrix_rank(rows)) for rows in functions), np.nan, np.nan],
        drawn,
        confidence,
        unknown=[] if np.isfinite(block) else [REPLICATE],
        reason=f"the grid is incomplete: shares of a model of order {fit.order}, whose noise "
        f"holds the {left} too",
    )


def _block_variance(fit: ClassicalFit) -> tuple[float, float]:
    """Variance component of the blocks (ANOVA method) and runs per block; NaN without blocks."""
    if fit.block is None:
        return float("nan"), float("nan")
    row = anova_table(fit, "type2").iloc[0]
    runs = np.bincount(fit.rows.block, fit.rows.counts)
    runs = runs[runs > 0]
    typical = float((runs.sum() - (runs**2).sum() / runs.sum()) / (len(runs) - 1))
    return (float(row["ms"]) - fit.error_variance) / typical, typical


def _bootstrap(
    fit: ClassicalFit,
    loadings: Floats,
    values: Floats,
    owner: Codes,
    corrected: Floats,
    observed: Floats,
    block: float,
    typical: float,
    draws: int,
    seed: int,
) -> Floats:
    rng = np.random.default_rng(seed)
    centre = values * shrinkage(observed, corrected)[owner]
    error, df = fit.error_variance, fit.residual_df
    drawn = centre + np.sqrt(error) * rng.standard_normal((draws, loadings.shape[1])) @ loadings.T
    errors = error * rng.chisquare(df, draws) / df
    size = np.bincount(owner)
    member = np.zeros((len(owner), len(size)))
    member[np.arange(len(owner)), owner] = 1.0 / size[owner]
    unit = (loadings**2).sum(axis=1) @ member
    parts = drawn**2 @ member - errors[:, None] * unit
    shocks = np.zeros(draws)
    if np.isfinite(block):
        k = len(np.unique(fit.rows.block))
        expected = error + typical * max(block, 0.0)
        shocks = (expected * rng.chisquare(k - 1, draws) / (k - 1) - errors) / typical
    return percentages(np.column_stack([parts, shocks, errors]), truncate=True)
