"""Figures of single factors and of all terms: means, differences, tests, shares of the variance."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis import figures
from analysis.effects.frames import by_method
from analysis.effects.shown import shown_means
from analysis.effects.standardised_effects import standardised_effects
from analysis.figures.effects.forest import MOST_ROWS
from analysis.figures.effects.pareto import MOST_TERMS
from analysis.number_words import p_words
from analysis.report.gallery.figure import Drawn, NumberTable, captioned, largest
from analysis.report.gallery.rounding import (
    head_of,
    intervals,
    of_levels,
    rounded,
    unit_of,
    within_limits,
)
from analysis.report.words.names import (
    JUDGED,
    TEST_NAMES,
    assumed,
    interval_name_of_means,
    readable,
)

if TYPE_CHECKING:
    from analysis.study import Study

MOST_CONTRASTS = 8
"""Differences of differences that the forest shows, the largest."""


# --- marginal means -----------------------------------------------------------------------------


def draw_main_effects(study: Study) -> Drawn:
    """Marginal means with the grand mean and the replicates."""
    rows = study.effects()
    means = rows[["factor", "level", "mean", "mean_low", "mean_high"]].rename(
        columns={"mean_low": "low", "mean_high": "high"}
    )
    dots = replicate_means(study)
    grand = float(study.measure.within(study.estimates().grand_mean))
    figure = figures.main_effects(
        means, grand, replicates=dots if len(dots) else None, measure=study.measure
    )
    text = (
        f"Marginal mean of {study.measure.name} at each level, every combination weighing "
        "the same."
        f"{assumed(study, shown_means(study.estimates(), study.measure)['rests_on'])}"
    )
    single = means[["factor", "level"]]
    if len(dots):
        wide = dots.pivot(index=["factor", "level"], columns="replicate", values="mean")
        single = wide.add_prefix("replicate_").reset_index()
    data = means.merge(single, on=["factor", "level"], how="left").assign(grand_mean=grand)
    shown = captioned(study, text + cut_at_limits(study, means), interval_name_of_means(study))
    return Drawn(figure, data, shown)


def tabulate_main_effects(study: Study, rows: pd.DataFrame) -> NumberTable:
    """Means and intervals by level."""
    measure = study.measure
    how = (measure.scale, measure.digits)
    mean = rounded(rows["mean"], *how)
    rows = within_limits(rows, measure)
    columns = {**of_levels(rows), head_of(measure): mean, "95% interval": intervals(rows, *how)}
    grand = rounded(rows["grand_mean"].head(1), *how)[0]
    return NumberTable(f"Marginal means; the grand mean is {grand}", pd.DataFrame(columns))


def cut_at_limits(study: Study, means: pd.DataFrame) -> str:
    """Says so where an interval of a mean would go where no mean can lie, or ends at the mean."""
    measure = study.measure
    if measure.low is None or measure.high is None:
        return ""
    beyond = (means["low"] < measure.low) | (means["high"] > measure.high)
    beyond |= (means["low"] == means["mean"]) | (means["high"] == means["mean"])
    ends = f"{measure.low * measure.scale:g} and {measure.high * measure.scale:g}{measure.unit}"
    return f" Intervals are cut at {ends}." if beyond.any() else ""


def replicate_means(study: Study) -> pd.DataFrame:
    """Marginal mean of every level within every replicate that ran completely.

    Returns:
        Columns factor, level, replicate, mean.
    """
    columns = ["factor", "level", "replicate", "mean"]
    runs = study.runs[study.runs[study.response].notna()]
    if study.replicate is None or runs[study.replicate].nunique() < 2:
        return pd.DataFrame(columns=columns)
    keys = [runs[name].astype(str).to_numpy() for name in (study.replicate, *study.factors)]
    cells = runs[study.response].groupby(keys, sort=False).mean().reset_index()
    tables = []
    for place, (factor, levels) in enumerate(study.factors.items(), start=1):
        # By position: a factor may have any name.
        groups = cells.iloc[:, -1].groupby([cells.iloc[:, 0], cells.iloc[:, place]], sort=False)
        found = groups.agg(["mean", "size"]).reset_index()
        found = found.set_axis(["replicate", "level", "mean", "size"], axis=1)
        whole = found["size"] == study.cells.counts.size // len(levels)
        tables.append(found[whole].assign(factor=factor)[columns])
    return pd.concat(tables, ignore_index=True)


# --- differences --------------------------------------------------------------------------------


def draw_forest(study: Study) -> Drawn | None:
    """Pairwise contrasts within factors, then the largest interaction contrasts."""
    measure = study.measure
    rows = pd.concat([_differences(study), _interaction_contrasts(study)], ignore_index=True)
    if not rows["estimate"].notna().any():
        return None
    dots = _replicate_differences(study)
    margin = measure.equivalent
    figure = figures.forest(
        rows, band=margin, replicates=dots if len(dots) else None, measure=measure
    )
    band = ""
    if margin is not None:
        wide = f"{margin * measure.scale:g} {measure.difference}".rstrip()
        band = f" The grey band ({wide} to each side) would hardly matter."
    text = (
        f"Differences in {measure.name} between levels (first minus second) and the "
        "largest differences of differences, whose intervals hold for all of them at once "
        f"(Bonferroni); filled where {JUDGED}.{band}"
        f"{assumed(study, study.contrasts()['rests_on'])}"
        f"{largest(int(rows['estimate'].notna().sum()), MOST_ROWS)}"
    )
    return Drawn(figure, rows, captioned(study, text))


def _differences(study: Study) -> pd.DataFrame:
    """Differences between levels: group (the factor), first, second, estimate, low, high."""
    rows = study.contrasts()
    return pd.DataFrame(
        {
            "group": rows["factor"].astype(str),
            "contrast": rows["first"].astype(str) + " - " + rows["second"].astype(str),
            **{name: rows[name] for name in ("first", "second", "estimate", "low", "high")},
            "shown": study.judgement.of("difference")["shown"],
        }
    )


def _interaction_contrasts(study: Study) -> pd.DataFrame:
    """The largest differences of differences: the same columns, and given_first, given_second."""
    effects = study.estimates()
    rows = by_method(effects.interaction_contrasts, effects.rule.primary)
    rows = rows[np.isfinite(rows["estimate"])]
    sizes = rows["estimate"].abs().sort_values(ascending=False, kind="stable")
    rows = rows.loc[rows.index.isin(sizes.index[:MOST_CONTRASTS])]
    pairs = study.judgement.terms()["shown"].to_dict()
    beyond = (rows["low_simultaneous"] > 0) | (rows["high_simultaneous"] < 0)
    names = zip(*(rows[k] for k in ("level", "versus", "other_level", "other_versus")), strict=True)
    return pd.DataFrame(
        {
            "group": "differences of differences",
            "contrast": [f"({a} - {b}) at {c} - at {d}" for a, b, c, d in names],
            "first": rows["level"],
            "second": rows["versus"],
            "given_first": rows["other_level"],
            "given_second": rows["other_versus"],
            "estimate": rows["estimate"],
            "low": rows["low_simultaneous"],
            "high": rows["high_simultaneous"],
            "shown": rows["term"].map(pairs).eq(True) & beyond,
        }
    )


def _replicate_differences(study: Study) -> pd.DataFrame:
    """Pairwise differences within each replicate: group, first, second, replicate, estimate."""
    means = replicate_means(study)
    rows = []
    for factor, levels in study.table.factors.items() if len(means) else ():
        part = means[means["factor"] == factor].pivot(
            index="replicate", columns="level", values="mean"
        )
        for first, second in combinations(levels, 2):
            if first in part and second in part:
                for replicate, value in (part[first] - part[second]).dropna().items():
                    rows.append((factor, first, second, replicate, float(value)))
    return pd.DataFrame(rows, columns=["group", "first", "second", "replicate", "estimate"])


def tabulate_forest(study: Study, rows: pd.DataFrame) -> NumberTable:
    """Differences with their intervals."""
    measure = study.measure
    how = (measure.scale, measure.digits, True)
    columns = {
        "Factor": rows["group"].astype(str),
        "Contrast": rows["contrast"].astype(str),
        f"Difference{unit_of(measure)}": rounded(rows["estimate"], *how),
        "95% interval": intervals(rows, *how),
    }
    return NumberTable("Differences between levels, first minus second", pd.DataFrame(columns))


# --- all terms ----------------------------------------------------------------------------------


def draw_pareto(study: Study) -> Drawn | None:
    """Standardised effects with both lines; not where a screening study judges by Lenth's error."""
    if study.by_lenth:
        return None  # the half-normal plot and the forest show them
    effects = study.estimates()
    terms = study.judgement.terms()
    judged = dict(zip(map(str, terms.index), terms["shown"].astype(bool), strict=True))
    rows = standardised_effects(effects, judged)
    if rows.empty:
        return None
    deciding = effects.deciding if effects.fit.residual_df > 0 else "lenth"
    lines = f"bars are filled where {JUDGED}"
    if deciding == "lenth":
        lines = "dashed: of all contrasts together"
    text = (
        f"Standardised effects: the |t| that has the p of each term's {TEST_NAMES[deciding]}. "
        f"Solid line: critical value of one term at 5%; {lines}.{largest(len(rows), MOST_TERMS)}"
    )
    return Drawn(figures.pareto(rows), rows, captioned(study, text, None))


def tabulate_pareto(_study: Study, rows: pd.DataFrame) -> NumberTable:
    """|t|, p and both lines by term."""
    columns = {
        "Term": rows["term"].map(readable),
        "|t|": rounded(rows["t"].abs(), 1, 2),
        "p": [p_words(float(one)) for one in rows["p"]],
        "Line of one term": rounded(rows["alpha_line"], 1, 2),
        "Shown": ["yes" if one else "no" for one in rows["shown"]],
    }
    return NumberTable("Standardised effects", pd.DataFrame(columns))


def draw_half_normal(study: Study) -> Drawn | None:
    """Lenth's plot, where there is no error term."""
    analysed = study.estimates().lenth
    if analysed is None or analysed.refused is not None:
        return None
    rows = analysed.effects[["contrast", "effect", "absolute", "quantile", "p", "active_me"]].copy()
    measure = study.measure
    figure = figures.half_normal(
        rows, pse=analysed.pse, me=analysed.me, sme=analysed.sme, measure=measure
    )
    text = (
        "Half-normal plot of the orthonormal contrasts (high minus low). The line has Lenth's "
        f"pseudo standard error ({analysed.pse * measure.scale:.3g} {measure.difference}) as "
        "slope; ME and SME are his margins of error for one and for all contrasts; named "
        "contrasts exceed ME."
    )
    return Drawn(figure, rows, captioned(study, text, None))


def tabulate_half_normal(study: Study, rows: pd.DataFrame) -> NumberTable:
    """Contrasts, largest first."""
    measure = study.measure
    rows = rows.sort_values("absolute", ascending=False, kind="stable")
    columns = {
        "Contrast": rows["contrast"].astype(str),
        f"Effect{unit_of(measure)}": rounded(rows["effect"], measure.scale, 2, True),
        "p": [p_words(float(one)) for one in rows["p"]],
        "Beyond ME": ["yes" if one else "no" for one in rows["active_me"]],
    }
    return NumberTable("Contrasts, largest first", pd.DataFrame(columns))


def draw_variance_shares(study: Study) -> Drawn | None:
    """Bars that sum to 100%."""
    table = study.variance_shares()
    rows = table[np.isfinite(table["percent"].astype(float))]
    if rows.empty:
        return None
    names = rows["kind"].map({"higher": "three factors and more", "noise": "noise within cells"})
    data = pd.DataFrame(
        {
            "term": names.fillna(rows["term"]),
            "kind": rows["kind"],
            "share": rows["percent"] / 100,
            "low": rows["low"] / 100,
            "high": rows["high"] / 100,
        }
    )
    text = (
        f"Share of the variance of {study.measure.name} of a single run that each term "
        "explains, corrected for noise; shares sum to 100%."
    )
    shown = captioned(study, text, "parametric bootstrap")
    return Drawn(figures.variance_shares(data), data, shown)


def tabulate_variance_shares(_study: Study, rows: pd.DataFrame) -> NumberTable:
    """Shares with their intervals."""
    columns = {
        "Term": rows["term"].map(readable),
        "Share of variance (%)": rounded(rows["share"], 100),
        "95% interval": intervals(rows, 100, 1),
    }
    return NumberTable("Shares of the variance of a single run", pd.DataFrame(columns))
