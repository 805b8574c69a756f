"""Variance shares of an incomplete grid: from the classical fit instead of the cell means.

Where cells never ran, higher orders cannot be told from noise, so both stand as noise. Mains and
pairs are the mean squared effects over the declared grid, minus what noise alone would put there.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.effects.term_tests.anova import anova_table
from analysis.effects.variance_shares import HIGHER, NOISE, REPLICATE, VarianceShares, percentages
from analysis.model.classical import ClassicalFit
from analysis.model.terms import terms_up_to
from analysis.stats.arrays import Floats


def model_shares(
    fit: ClassicalFit, confidence: float = 0.95, draws: int = 1000, seed: int = 0
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
    percent = percentages(parts, truncate=True)
    sampled = _bootstrap(
        fit, loadings, values, owner, corrected, observed, block, weight, draws, seed
    )
    tail = (1 - confidence) / 2
    low, high = np.quantile(sampled, [tail, 1 - tail], axis=0)
    raw = percentages(parts, truncate=False)
    if not np.isfinite(block):
        percent[-2] = raw[-2] = low[-2] = high[-2] = np.nan
    rows = [
        (term.name, "main" if len(term.factors) == 1 else "pair", i) for i, term in enumerate(terms)
    ]
    fitted = {name for name, _, _ in rows}
    known = {name: (kind, i) for name, kind, i in rows}
    known |= {REPLICATE: ("replicate", len(terms)), NOISE: ("noise", len(terms) + 1)}
    labels = [t.name for t in terms_up_to(fit.factors, min(2, len(fit.factors)))]
    labels += [HIGHER] if len(fit.factors) > 2 else []
    nan = float("nan")
    table = []
    for label in [*labels, REPLICATE, NOISE]:
        if label in known:
            kind, i = known[label]
            df = float(np.linalg.matrix_rank(functions[i])) if label in fitted else nan
            table.append(
                (label, kind, percent[i], min(low[i], percent[i]), max(high[i], percent[i]),
                 raw[i], nan, df)
            )  # fmt: skip
        else:
            kind = "higher" if label == HIGHER else "pair"
            table.append((label, kind, nan, nan, nan, nan, nan, nan))
    frame = pd.DataFrame(
        table,
        columns=["term", "kind", "percent", "low", "high", "raw_percent", "cell_percent", "df"],
    )
    left = "pairs, higher orders" if fit.order == 1 else "higher orders"
    reason = (
        f"the grid is incomplete: shares of a model of order {fit.order}, whose noise holds the "
        f"{left} too"
    )
    return VarianceShares(frame, float(np.maximum(parts, 0).sum()), reason, draws)


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
    owner: np.ndarray[tuple[int], np.dtype[np.intp]],
    corrected: Floats,
    observed: Floats,
    block: float,
    typical: float,
    draws: int,
    seed: int,
) -> Floats:
    rng = np.random.default_rng(seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.sqrt(np.where(observed > 0, np.maximum(corrected, 0) / observed, 0.0))
    centre = values * factor[owner]
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
