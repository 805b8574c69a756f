"""Long tables of estimates: one row an estimate by one method, one schema for every table.

A row says what it is about in columns of its own (`KEYS`), never in a column named after a factor
or a method: a mean or an effect of `level` of `factor`, or of `level` with `other_level` of
`other`; a difference `level` minus `versus`, perhaps at `other_level`; or the difference of two
such differences, at `other_level` minus at `other_versus`. What is not estimable is NaN; nothing is
dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pandas as pd

from analysis.model.classical import ClassicalFit
from analysis.model.completion import DIRECT, NOT_ESTIMABLE, rests_on
from analysis.model.margins import METHODS, Margin
from analysis.model.terms import Term
from analysis.stats.arrays import Floats, Truths
from analysis.stats.estimates import INTERVAL, joined_error, t_limits
from analysis.stats.multiplicity import games_howell_p, holm, tukey_p, tukey_quantile

KEYS = ("term", "factor", "level", "versus", "other", "other_level", "other_versus")
ADJUSTED = ("p_holm", "p_simultaneous", "low_simultaneous", "high_simultaneous")
COLUMNS = (*KEYS, "method", *INTERVAL, *ADJUSTED, "rests_on")
"""Of every table here. `method` is pooled (the classical fit), welch, blocked, joined (of both), or
for means hc3;
`rests_on` says what stands in for empty cells, or why nothing does; what a table does not adjust is
NaN."""

Keys = Mapping[str, Sequence[str]]
Numbers = tuple[Floats, Floats, Floats]


@dataclass(frozen=True, eq=False)
class Combinations:
    """Linear combinations of the margin of one term.

    Attributes:
        margin: of the term.
        keys: what each of them is about, by column of `KEYS`.
        weights: over the margin's entries, shape (combinations, entries).
        functions: the same of the classical fit's coefficients, shape (combinations, coefficients).
        total: sum of each row of weights: 1 for means, 0 for differences.
        confounded: whether blocks hide them from the classical fit.
    """

    margin: Margin
    keys: Keys
    weights: Floats
    functions: Floats
    total: float = 0.0
    confounded: bool = False


def estimates(
    fit: ClassicalFit, asked: Sequence[Combinations], confidence: float, *, robust: bool = False
) -> pd.DataFrame:
    """Estimate combinations by every method, the methods one after the other.

    Args:
        fit: the classical fit.
        asked: of one or more terms.
        confidence: of the intervals.
        robust: whether hc3 is one of the methods (pooled estimates, HC3 errors).

    Returns:
        Columns `COLUMNS`.
    """
    of_cells = [*METHODS, "joined"]
    methods = ["pooled", *of_cells, *(["hc3"] if robust else [])]
    numbers: dict[str, list[Numbers]] = {method: [] for method in methods}
    rests: list[str] = []
    of_fit: list[str] = []
    for one in asked:
        needed = one.margin.needed(one.weights) if one.margin.cells.empty.any() else None
        pooled = _pooled(fit, one)
        if needed is None:
            words = by_fit = [rests_on(DIRECT)] * len(one.weights)
        else:
            words = one.margin.words(one.weights, needed[1])
            by_fit = _of_fit(fit, one, pooled[0])
        rests, of_fit = rests + words, of_fit + by_fit
        numbers["pooled"].append(pooled)
        for method in METHODS:
            numbers[method].append(one.margin.combine(one.weights, method, needed))
        numbers["joined"].append(_joined(*(numbers[method][-1] for method in METHODS)))
        if robust:
            variance = np.maximum(np.diag(fit.sandwich(one.functions)), 0.0)
            numbers["hc3"].append(
                (pooled[0], np.where(np.isfinite(pooled[0]), np.sqrt(variance), np.nan), pooled[2])
            )
    keys = {key: _key(asked, key) * len(methods) for key in KEYS}
    empty: Floats = np.empty(0)
    stacked = [
        np.concatenate([empty, *(one[k] for method in methods for one in numbers[method])])
        for k in range(3)
    ]
    low, high, p = t_limits(stacked[0], stacked[1], stacked[2], confidence)
    columns = dict(zip(INTERVAL, (*stacked, low, high, p), strict=True))
    named = np.repeat(np.array(methods, dtype=object), len(rests))
    said = [words for one in methods for words in (rests if one in of_cells else of_fit)]
    table = pd.DataFrame({**keys, "method": named, **columns, "rests_on": said})
    return table.reindex(columns=list(COLUMNS))


def _pooled(fit: ClassicalFit, one: Combinations) -> Numbers:
    values, unit = fit.estimate(one.functions)
    if one.confounded:
        values, unit = np.full_like(values, np.nan), np.full_like(unit, np.nan)
    df = np.where(np.isfinite(values), float(fit.residual_df), np.nan)
    return values + fit.shift * one.total, unit * fit.sigma, df


def _joined(own: Numbers, whole: Numbers) -> Numbers:
    """Welch's numbers and those over replicates, the two parts of noise joined."""
    se, df, over = joined_error(own[1:], whole[1:])
    return np.where(over, whole[0], own[0]), se, df


def _of_fit(fit: ClassicalFit, one: Combinations, values: Floats) -> list[str]:
    """What the classical fit's estimates rest on where cells are empty: the fit."""
    orders = np.where(np.isfinite(values), fit.order, NOT_ESTIMABLE)
    return one.margin.words(one.weights, orders, misfit=False)


def _key(asked: Sequence[Combinations], key: str) -> list[str | None]:
    column: list[str | None] = []
    for one in asked:
        column += one.keys.get(key) or [None] * len(one.weights)
    return column


# --- what is asked ------------------------------------------------------------------------------


def _entries(margin: Margin) -> dict[str, list[str]]:
    """The levels of every entry of a margin, in C order."""
    columns = ("level", "other_level")
    where = np.indices(margin.shape).reshape(len(margin.shape), -1)
    named = zip(columns, margin.levels, where, strict=False)
    return {column: [levels[i] for i in index] for column, levels, index in named}


def _about(margin: Margin, count: int, turned: bool = False) -> dict[str, list[str]]:
    """Term and factors of so many combinations; `turned` puts the second factor first."""
    factors = margin.term.factors[::-1] if turned else margin.term.factors
    columns = zip(("factor", "other"), factors, strict=False)
    return {"term": [margin.term.name] * count, **{name: [of] * count for name, of in columns}}


def means_of(fit: ClassicalFit, margin: Margin) -> Combinations:
    """Marginal means of every level, or pair of levels."""
    weights = margin.mean_weights()
    return Combinations(
        margin,
        {**_about(margin, len(weights)), **_entries(margin)},
        weights,
        fit.marginal_rows(margin.term),
        total=1.0,
        confounded=not fit.carries(margin.term),
    )


def effects_of(fit: ClassicalFit, margin: Margin) -> Combinations:
    """Main effects, or double-centred interactions."""
    weights = margin.effect_weights()
    return Combinations(
        margin,
        {**_about(margin, len(weights)), **_entries(margin)},
        weights,
        fit.effect_rows(margin.term),
        confounded=margin.term in fit.confounded,
    )


def differences_of(fit: ClassicalFit, margin: Margin) -> Combinations:
    """Pairwise differences of the levels of one factor, first minus second."""
    labels = margin.levels[0]
    pairs, weights = margin.pair_weights()
    keys = {"level": [labels[i] for i, _ in pairs], "versus": [labels[j] for _, j in pairs]}
    return Combinations(
        margin,
        {**_about(margin, len(weights)), **keys},
        weights,
        weights @ fit.marginal_rows(margin.term),
        confounded=not fit.carries(margin.term),
    )


def simple_effects_of(fit: ClassicalFit, margin: Margin) -> list[Combinations]:
    """Pairwise differences of each factor within each level of the other."""
    functions = fit.marginal_rows(margin.term)
    asked = []
    for axis in (0, 1):
        own, other = margin.levels[axis], margin.levels[1 - axis]
        keys: dict[str, list[str]] = {"level": [], "versus": [], "other_level": []}
        rows = []
        for given in range(len(other)):
            for i, j in combinations(range(len(own)), 2):
                w = np.zeros((len(own), len(other)))
                w[i, given], w[j, given] = 1.0, -1.0
                rows.append((w if axis == 0 else w.T).ravel())
                keys["level"].append(own[i])
                keys["versus"].append(own[j])
                keys["other_level"].append(other[given])
        weights = np.array(rows)
        about = _about(margin, len(rows), turned=axis == 1)
        confounded = not fit.carries(margin.term)
        asked.append(
            Combinations(
                margin, {**about, **keys}, weights, weights @ functions, confounded=confounded
            )
        )
    return asked


def contrasts_of(fit: ClassicalFit, margin: Margin) -> Combinations:
    """(a1 - a2) at b1 minus (a1 - a2) at b2, for every pair of levels of both factors."""
    names = ("level", "versus", "other_level", "other_versus")
    pairs = [list(combinations(levels, 2)) for levels in margin.levels]
    named = [(*one, *two) for one, two in product(*pairs)]
    keys = {name: [row[k] for row in named] for k, name in enumerate(names)}
    rows, columns = (_steps(len(levels)) for levels in margin.levels)
    # The difference of differences of the functions, without the product of two large matrices.
    functions = fit.marginal_rows(margin.term).reshape(*margin.shape, -1)
    by_row = np.tensordot(rows, functions, 1)
    return Combinations(
        margin,
        {**_about(margin, len(named)), **keys},
        np.asarray(np.kron(rows, columns), dtype=np.float64),
        np.einsum("mk,rkc->rmc", columns, by_row, optimize=True).reshape(len(named), -1),
        confounded=not fit.carries(margin.term),
    )


def _steps(levels: int) -> Floats:
    """Every pair of levels as first minus second, shape (pairs, levels)."""
    pairs = list(combinations(range(levels), 2))
    steps = np.zeros((len(pairs), levels))
    for row, (i, j) in enumerate(pairs):
        steps[row, i], steps[row, j] = 1.0, -1.0
    return steps


# --- many at once -------------------------------------------------------------------------------


def by_holm(table: pd.DataFrame) -> pd.DataFrame:
    """Adjust p within each term and method (Holm)."""
    return by_holm_within(table, ["term", "method"])


def by_holm_within(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Adjust p within each group of rows that these columns make (Holm)."""
    groups = table.groupby(columns, sort=False)["p"]
    return table.assign(p_holm=groups.transform(lambda p: holm(p.to_numpy(float))))


def for_all_pairs(
    table: pd.DataFrame, factors: Mapping[str, Sequence[str]], df: float, confidence: float
) -> pd.DataFrame:
    """Adjust differences within a factor for all its pairs: Tukey pooled, Games-Howell by Welch.

    Args:
        table: of `differences_of`.
        factors: factor to its levels.
        df: residual degrees of freedom of the classical fit.
        confidence: of Tukey's limits; Games and Howell's p has none here.
    """
    estimate, se, own_df = (table[name].to_numpy(float) for name in ("estimate", "se", "df"))
    # No noise, no test: without it a limit of width zero would claim to be sure.
    noise = np.where(se > 0, se, np.nan)
    sizes = [len(factors[name]) for name in table["factor"]]
    means = dict.fromkeys(sizes, np.nan)
    if df > 0:
        means = {size: tukey_quantile(size, df, confidence) for size in means}
    pooled = (table["method"] == "pooled").to_numpy()
    wide = np.where(pooled, np.array([means[size] for size in sizes]) * noise, np.nan)
    p = np.full(len(table), np.nan)
    for row, size in enumerate(sizes):
        t = estimate[row] / noise[row]
        if pooled[row]:
            p[row] = tukey_p(t, size, df)
        elif table["method"].iat[row] == "welch":
            p[row] = games_howell_p(t, size, own_df[row])
    return table.assign(
        p_simultaneous=p, low_simultaneous=estimate - wide, high_simultaneous=estimate + wide
    )


def for_all_rows(table: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Limits that hold for all rows of each method at once (Bonferroni).

    Whoever shows the largest of them must show these.
    """
    if table.empty:
        return table
    count = int((table["method"] == table["method"].iloc[0]).sum())
    estimate, se, df = (table[name].to_numpy(float) for name in ("estimate", "se", "df"))
    low, high, _ = t_limits(estimate, se, df, 1 - (1 - confidence) / count)
    return table.assign(low_simultaneous=low, high_simultaneous=high)


def by_method(table: pd.DataFrame, method: str) -> pd.DataFrame:
    """The rows of one method; for "wider" of each estimate that of Welch and t over replicates.

    The wider interval is taken with the larger p of both, and `method` says whose interval it is.
    Where one of them has no interval the other stands.
    """
    if method != "wider":
        return table[table["method"] == method].reset_index(drop=True)
    welch, blocked = (by_method(table, one) for one in METHODS)
    widths = [one["high"].to_numpy(float) - one["low"].to_numpy(float) for one in (welch, blocked)]
    p = np.fmax(welch["p"].to_numpy(float), blocked["p"].to_numpy(float))
    over = np.isfinite(widths[1]) & ~(widths[0] >= widths[1])
    rows = row_by_row(welch, blocked, over).assign(p=p)
    return by_holm_within(rows, ["term"]) if rows["p_holm"].notna().any() else rows


def row_by_row(table: pd.DataFrame, other: pd.DataFrame, from_other: Truths) -> pd.DataFrame:
    """The rows of one table, or of another like it where `from_other` says so."""
    chosen = np.arange(len(table)) + len(table) * from_other
    return pd.concat([table, other]).iloc[chosen].reset_index(drop=True)


def of_term(table: pd.DataFrame, term: Term) -> pd.DataFrame:
    """The rows of one term."""
    return table[table["term"] == term.name].reset_index(drop=True)
