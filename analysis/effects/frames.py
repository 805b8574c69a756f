"""Tidy frames of effects: marginal means, contrasts, interactions, simple effects.

Each puts the classical fit's pooled estimates beside those of the cell means (prefix `welch_`) and
of the replicates (`blocked_`). What is not estimable is NaN; nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.model.cell_means import Estimate
from analysis.model.classical import ClassicalFit
from analysis.model.margins import INTERVAL, METHODS, Margin, intervals
from analysis.model.terms import Term, terms_up_to
from analysis.stats.multiplicity import games_howell_p, holm, tukey_p, tukey_quantile
from analysis.table.tidy import Floats

_TAKEN = frozenset(
    {
        *INTERVAL, "term", "mean", "effect", "t", "p_holm", "p_tukey", "low_tukey", "high_tukey",
        "first", "second", "given", "given_level", "given_first", "given_second", "factor",
        "level", "levels", "method", "rests_on",
    }
)  # fmt: skip


def factor_column(name: str) -> str:
    """The column of a factor in these frames: its name, unless a number is called that."""
    taken = name in _TAKEN or name.startswith(("welch_", "blocked_"))
    return f"factor:{name}" if taken else name


def _pooled(fit: ClassicalFit, functions: Floats, total: float, confidence: float) -> pd.DataFrame:
    """Intervals of linear functions of the classical fit; `total` is 1 for means, 0 for effects."""
    values, unit = fit.estimate(functions)
    sigma = float(np.sqrt(fit.error_variance)) if fit.residual_df > 0 else float("nan")
    df = np.where(np.isfinite(values), float(fit.residual_df), np.nan)
    return intervals(values + fit.shift * total, unit * sigma, df, confidence)


def pooled_contrast(fit: ClassicalFit, weights: Floats, confidence: float = 0.95) -> Estimate:
    """A contrast of the cell means as the classical fit sees them.

    Args:
        fit: the classical fit.
        weights: over the grid.
        confidence: of the interval.
    """
    row = _pooled(fit, fit.contrast_rows(weights), float(weights.sum()), confidence).iloc[0]
    hidden = any(np.abs(fit.term_loading(term, weights)).max() > 1e-12 for term in fit.confounded)
    estimate, se, df, low, high, p = (np.nan if hidden else float(row[x]) for x in INTERVAL)
    return Estimate(estimate, se, df, low, high, p, "pooled", confidence)


def _levels(fit: ClassicalFit, term: Term) -> pd.DataFrame:
    """One column per factor of the model; None where the term averages over it."""
    grid = np.indices([len(fit.factors[f]) for f in term.factors]).reshape(len(term.factors), -1)
    columns: dict[str, list[str | None]] = {}
    for name in fit.factors:
        if name in term.factors:
            index = grid[term.factors.index(name)]
            columns[factor_column(name)] = [fit.factors[name][int(i)] for i in index]
        else:
            columns[factor_column(name)] = [None] * grid.shape[1]
    return pd.DataFrame(columns, dtype=object)


def pooled_means(fit: ClassicalFit, confidence: float = 0.95) -> pd.DataFrame:
    """Pooled marginal means of every level and pair of levels of one classical fit.

    Returns:
        Columns term, one per factor, mean, se, df, low, high.
    """
    frames = []
    for term in terms_up_to(fit.factors, min(2, len(fit.factors))):
        head = _levels(fit, term)
        head.insert(0, "term", term.name)
        rows = _pooled(fit, fit.marginal_rows(term), 1.0, confidence)
        if not fit.carries(term):
            rows[:] = np.nan
        frames.append(pd.concat([head, rows], axis=1))
    means = pd.concat(frames, ignore_index=True)
    return means.rename(columns={"estimate": "mean"}).drop(columns="p")


def marginal_means(
    fit: ClassicalFit, margins: dict[str, Margin], terms: Sequence[Term], confidence: float
) -> dict[str, pd.DataFrame]:
    """Marginal means of the terms by every method: pooled, welch, blocked, hc3.

    Args:
        fit: the classical fit.
        margins: margins of the cell means by term.
        terms: mains and pairs.
        confidence: of the intervals.
    """
    frames: dict[str, list[pd.DataFrame]] = {"pooled": [], **{m: [] for m in METHODS}, "hc3": []}
    for term in terms:
        margin = margins[term.name]
        head = _levels(fit, term)
        head.insert(0, "term", term.name)
        pooled = _pooled(fit, fit.marginal_rows(term), 1.0, confidence)
        if not fit.carries(term):
            pooled[:] = np.nan
        frames["pooled"].append(pd.concat([head, pooled], axis=1))
        robust = np.sqrt(np.maximum(np.diag(fit.sandwich(fit.marginal_rows(term))), 0.0))
        robust[~np.isfinite(pooled["estimate"])] = np.nan
        rows = intervals(pooled["estimate"].to_numpy(), robust, pooled["df"].to_numpy(), confidence)
        frames["hc3"].append(pd.concat([head, rows], axis=1))
        for method in METHODS:
            rows = margin.combine(margin.mean_weights(), method, confidence)
            rows["rests_on"] = margin.rests_on(margin.mean_weights())
            frames[method].append(pd.concat([head, rows], axis=1))
    return {
        method: pd.concat(parts, ignore_index=True)
        .rename(columns={"estimate": "mean"})
        .drop(columns="p")
        for method, parts in frames.items()
    }


def _beside(
    pooled: pd.DataFrame, margin: Margin, weights: Floats, confidence: float
) -> pd.DataFrame:
    """Pooled columns, the Welch and blocked ones with their prefix, and what those rest on."""
    parts = [pooled]
    for method in METHODS:
        rows = margin.combine(weights, method, confidence)
        parts.append(rows.add_prefix(f"{method}_"))
    parts.append(pd.DataFrame({"rests_on": margin.rests_on(weights)}))
    return pd.concat([part.reset_index(drop=True) for part in parts], axis=1)


def contrasts(
    fit: ClassicalFit, margins: dict[str, Margin], terms: Sequence[Term], confidence: float
) -> pd.DataFrame:
    """Pairwise differences of levels within each factor, with Tukey, Holm and Games-Howell."""
    frames = []
    for term in terms:
        margin = margins[term.name]
        labels = margin.levels[0]
        pairs, weights = margin.pair_weights()
        pooled = _pooled(fit, weights @ fit.marginal_rows(term), 0.0, confidence)
        m, df = len(labels), float(fit.residual_df)
        # No noise, no test: without it a limit of width zero would claim to be sure.
        noise = pooled["se"].where(pooled["se"] > 0)
        pooled["t"] = pooled["estimate"] / noise
        pooled["p_tukey"] = [tukey_p(x, m, df) for x in pooled["t"]]
        pooled["p_holm"] = holm(pooled["p"].to_numpy(dtype=float))
        critical = tukey_quantile(m, df, confidence) if df > 0 and len(pairs) else np.nan
        pooled["low_tukey"] = pooled["estimate"] - critical * noise
        pooled["high_tukey"] = pooled["estimate"] + critical * noise
        frame = _beside(pooled, margin, weights, confidence)
        with np.errstate(invalid="ignore", divide="ignore"):
            welch_t = (frame["welch_estimate"] / frame["welch_se"]).to_numpy(dtype=float)
        frame["welch_p_games_howell"] = [
            games_howell_p(x, m, d) for x, d in zip(welch_t, frame["welch_df"], strict=True)
        ]
        for method in METHODS:
            frame[f"{method}_p_holm"] = holm(frame[f"{method}_p"].to_numpy(dtype=float))
        frame.insert(0, "second", [labels[j] for _, j in pairs])
        frame.insert(0, "first", [labels[i] for i, _ in pairs])
        frame.insert(0, "term", term.name)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def deviations(
    fit: ClassicalFit, margins: dict[str, Margin], terms: Sequence[Term], confidence: float
) -> pd.DataFrame:
    """Main effects or double-centred interactions of the terms."""
    frames = []
    for term in terms:
        margin = margins[term.name]
        pooled = _pooled(fit, fit.effect_rows(term), 0.0, confidence)
        if term in fit.confounded:
            pooled[:] = np.nan
        frame = pd.concat(
            [_levels(fit, term), _beside(pooled, margin, margin.effect_weights(), confidence)],
            axis=1,
        )
        frame.insert(0, "term", term.name)
        frames.append(frame)
    if not frames:
        names = [factor_column(name) for name in fit.factors]
        empty = [f"{m}{x}" for m in ("", "welch_", "blocked_") for x in INTERVAL]
        return pd.DataFrame(columns=["term", *names, *empty])
    return pd.concat(frames, ignore_index=True)


def interaction_contrasts(
    fit: ClassicalFit, margins: dict[str, Margin], pairs: Sequence[Term], confidence: float
) -> pd.DataFrame:
    """(a1 - a2) at b1 minus (a1 - a2) at b2, for every pair of levels of both factors.

    low_simultaneous and high_simultaneous hold for all contrasts of all pairs at once (Bonferroni):
    whoever shows the largest of them must show these.
    """
    frames = []
    for term in pairs:
        if not in_model(fit, term):
            continue
        margin = margins[term.name]
        rows, columns = margin.levels
        names, weights = [], []
        for i, j in combinations(range(len(rows)), 2):
            for k, m in combinations(range(len(columns)), 2):
                w = np.zeros(margin.shape)
                w[i, k], w[j, k], w[i, m], w[j, m] = 1.0, -1.0, -1.0, 1.0
                names.append((rows[i], rows[j], columns[k], columns[m]))
                weights.append(w.ravel())
        matrix = np.array(weights)
        pooled = _pooled(fit, matrix @ fit.marginal_rows(term), 0.0, confidence)
        if not fit.carries(term):
            pooled[:] = np.nan
        frame = _beside(pooled, margin, matrix, confidence)
        for prefix in ("", "welch_", "blocked_"):
            frame[f"{prefix}p_holm"] = holm(frame[f"{prefix}p"].to_numpy(dtype=float))
        head = pd.DataFrame(names, columns=["first", "second", "given_first", "given_second"])
        head.insert(0, "term", term.name)
        frames.append(pd.concat([head, frame], axis=1))
    if not frames:
        return pd.DataFrame(columns=["term", "first", "second", "given_first", "given_second"])
    found = pd.concat(frames, ignore_index=True)
    for prefix in ("", "welch_", "blocked_"):
        own = [found[f"{prefix}{x}"].to_numpy(dtype=float) for x in ("estimate", "se", "df")]
        wide = intervals(own[0], own[1], own[2], 1 - (1 - confidence) / len(found))
        found[f"{prefix}low_simultaneous"] = wide["low"]
        found[f"{prefix}high_simultaneous"] = wide["high"]
    return found


def simple_effects(
    fit: ClassicalFit, margins: dict[str, Margin], pairs: Sequence[Term], confidence: float
) -> pd.DataFrame:
    """Pairwise differences of each factor within each level of each other factor."""
    frames = []
    for term in pairs:
        margin = margins[term.name]
        functions = fit.marginal_rows(term)
        for axis in (0, 1):
            own, other = margin.levels[axis], margin.levels[1 - axis]
            heads, weights = [], []
            for given in range(len(other)):
                for i, j in combinations(range(len(own)), 2):
                    w = np.zeros(margin.shape)
                    plus, minus = (
                        ((i, given), (j, given)) if axis == 0 else ((given, i), (given, j))
                    )
                    w[plus], w[minus] = 1.0, -1.0
                    weights.append(w.ravel())
                    heads.append((own[i], own[j], other[given]))
            matrix = np.array(weights)
            pooled = _pooled(fit, matrix @ functions, 0.0, confidence)
            if not fit.carries(term):
                pooled[:] = np.nan
            frame = _beside(pooled, margin, matrix, confidence)
            head = pd.DataFrame(heads, columns=["first", "second", "given_level"])
            head.insert(0, "given", term.factors[1 - axis])
            head.insert(0, "factor", term.factors[axis])
            frames.append(pd.concat([head, frame], axis=1))
    if not frames:
        return pd.DataFrame(columns=["factor", "given", "first", "second", "given_level"])
    return pd.concat(frames, ignore_index=True)


def in_model(fit: ClassicalFit, term: Term) -> bool:
    """Whether the fit has the term (order high enough)."""
    return fit.order >= len(term.factors)
