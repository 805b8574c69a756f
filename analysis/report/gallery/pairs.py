"""Figures of two factors together, and of what the design mixes up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ablations.errors import InputError
from analysis import figures
from analysis.effects.shares.grid_shares import FEWEST_DRAWS
from analysis.effects.shares.grid_shares import grid_shares as shares_of_cells
from analysis.effects.shown import shown_means
from analysis.loading import from_frame
from analysis.number_words import p_words
from analysis.report.gallery.factors import cut_at_limits
from analysis.report.gallery.figure import Drawn, NumberTable, captioned
from analysis.report.gallery.rounding import (
    head_of,
    intervals,
    of_pairs,
    rounded,
    unit_of,
    within_limits,
)
from analysis.report.words.names import assumed, interval_name_of_means, readable
from analysis.report.words.pairs_shown import chief_pair, pair_terms, turning_terms
from analysis.study import known
from runner.content.response import ACCURACY

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.study import Study

PAIR = {"factor": "factor_a", "level": "level_a", "other": "factor_b", "other_level": "level_b"}
"""Keys of an estimate of two factors, as figures of pairs call them."""
LEAST_CORRELATION = 0.005
"""Below this two terms do not count as mixed."""


def draw_interaction_matrix(study: Study) -> Drawn | None:
    """Every pair of factors, in both orientations."""
    if len(study.factors) < 2:
        return None
    return _pairs(
        study,
        study.factors,
        f"Marginal means of {study.measure.name} for every pair of factors: the factor of the "
        "column runs along the axis, lines are the levels of the factor of the row. Above each "
        "panel its share of the variance and its p, Holm-adjusted over all questions of the study; "
        "grey where no interaction is shown.",
        figures.interaction_matrix,
    )


def draw_chief_interaction(study: Study) -> Drawn | None:
    """The pair of factors to look at first, in one panel; the matrix has both orientations."""
    pair = chief_pair(study)
    if pair is None:
        return None
    factors = {name: levels for name, levels in study.factors.items() if name in pair}
    turns = ":".join(pair) in turning_terms(study)
    what = "the order of levels turns round" if turns else "the largest interaction that is shown"
    return _pairs(
        study,
        factors,
        f"Marginal means of {study.measure.name} for {pair[0]} and {pair[1]}: {what}. Its p "
        "is Holm-adjusted over all questions.",
        figures.interaction_of_pair,
    )


def _pairs(
    study: Study, factors: Mapping[str, Sequence[str]], text: str, draw: Callable[..., Figure]
) -> Drawn | None:
    """Marginal means of the pairs of these factors, with what is known of each pair."""
    means = shown_means(study.estimates(), study.measure)
    assumes = assumed(study, means["rests_on"])
    means = means[means["other"].notna()].rename(columns={**PAIR, "estimate": "mean"})
    means = means[means["factor_a"].isin(list(factors)) & means["factor_b"].isin(list(factors))]
    means = means[[*PAIR.values(), "mean", "low", "high"]].reset_index(drop=True)
    if not means["mean"].notna().any():  # of a screening study no pair can be estimated
        return None
    terms = pair_terms(study)
    terms = terms[terms["factor_a"].isin(list(factors)) & terms["factor_b"].isin(list(factors))]
    terms = terms.reset_index(drop=True)
    figure = draw(factors, means, terms, measure=study.measure)
    data = means.merge(terms, on=["factor_a", "factor_b"], how="left")
    text += assumes + cut_at_limits(study, means)
    shown = captioned(study, text, interval_name_of_means(study))
    return Drawn(figure, data, shown)


def tabulate_interaction_matrix(study: Study, rows: pd.DataFrame) -> NumberTable:
    """Means of two levels together."""
    measure = study.measure
    how = (measure.scale, measure.digits)
    rows = within_limits(rows, measure)
    columns = {
        **of_pairs(rows),
        head_of(measure): rounded(rows["mean"], *how),
        "95% interval": intervals(rows, *how),
        "Share of variance": [f"{one}%" for one in rounded(rows["share"], 100)],
        "p (Holm)": [p_words(float(one)) for one in rows["p_family"]],
    }
    return NumberTable("Means of two levels together", pd.DataFrame(columns))


def draw_interaction_heat_maps(study: Study) -> Drawn | None:
    """What every pair does beyond its main effects."""
    if len(study.factors) < 2:
        return None
    names = {"first_factor": "factor_a", "first": "level_a", "second_factor": "factor_b",
             "second": "level_b"}  # fmt: skip
    data = study.interactions().rename(columns=names)
    sure = data["term"].map(study.judgement.terms()["shown"].to_dict()).eq(True)
    data["shown"] = sure & ((data["low"] > 0) | (data["high"] < 0))
    data = data[[*names.values(), "effect", "low", "high", "shown"]]
    if not np.isfinite(data["effect"].astype(float)).any():
        return None
    figure = figures.interaction_heat_maps(study.factors, data, measure=study.measure)
    text = (
        f"How far the mean {study.measure.name} of two levels together lies from the sum of "
        "their main effects; one colour scale for all pairs. A star, or a sign where there is no "
        "room for values, marks an interval without 0 in a pair whose interaction is shown."
    )
    return Drawn(figure, data, captioned(study, text))


def tabulate_interaction_heat_maps(study: Study, rows: pd.DataFrame) -> NumberTable:
    """Double-centred effects."""
    measure = study.measure
    how = (measure.scale, measure.digits, True)
    columns = {
        **of_pairs(rows),
        f"Beyond main effects{unit_of(measure)}": rounded(rows["effect"], *how),
        "95% interval": intervals(rows, *how),
    }
    title = "What two levels do together beyond their main effects"
    return NumberTable(title, pd.DataFrame(columns))


def draw_scale_comparison(study: Study) -> Drawn | None:
    """Shares on the accuracy and on the logit scale."""
    shares = known(lambda: _on_logit_scale(study))
    if shares is None:
        return None
    table = study.variance_shares()
    chosen = table["kind"].isin(["main", "pair"]).to_numpy()
    if not np.isfinite(table.loc[chosen, "cell_percent"].astype(float)).all():
        return None
    data = pd.DataFrame(
        {
            "term": table.loc[chosen, "term"],
            "raw": table.loc[chosen, "cell_percent"] / 100,
            "other": shares.loc[chosen, "cell_percent"] / 100,
        }
    )
    kinds = study.interaction_kinds().set_index("term")["crossover"]
    crossing = data["term"].map(kinds.to_dict()).eq(True)
    if crossing.any():
        data["crossover"] = crossing
    text = (
        "Share of the variance between cell means on the accuracy scale and on the logit scale. "
        "An interaction that vanishes on the logit scale comes from accuracy having a ceiling."
    )
    if crossing.any():
        text += " ×: the order of two levels turns round, which no scale removes."
    return Drawn(figures.scale_comparison(data), data, captioned(study, text, None))


def _on_logit_scale(study: Study) -> pd.DataFrame:
    """Variance shares of log((right + 1/2) / (wrong + 1/2)); InputError where nobody counted."""
    runs = study.facts
    if study.response != ACCURACY.column or not {"test_correct", "n_test"} <= set(runs.columns):
        raise InputError("images classified rightly were not counted")
    total = runs["n_test"]
    right = runs[ACCURACY.column] * total
    logit = np.log((right + 0.5) / (total - right + 0.5))
    other = from_frame(
        study.frame.assign(logit_accuracy=logit),
        list(study.factors),
        "logit_accuracy",
        study.block,
    )
    if other.cells.empty.any():
        return other.variance_shares()
    # Only the observed shares are shown, so that a few draws of their intervals are enough.
    return shares_of_cells(other.cells, draws=FEWEST_DRAWS).table


def tabulate_scale_comparison(_study: Study, rows: pd.DataFrame) -> NumberTable:
    """Shares on both scales."""
    columns: dict[str, object] = {
        "Term": rows["term"].map(readable),
        "Accuracy scale (%)": rounded(rows["raw"], 100),
        "Logit scale (%)": rounded(rows["other"], 100),
    }
    if "crossover" in rows:
        columns["Order turns round"] = ["yes" if one else "no" for one in rows["crossover"]]
    title = "Shares of the variance between the means of combinations"
    return NumberTable(title, pd.DataFrame(columns))


def draw_alias_map(study: Study) -> Drawn | None:
    """Which terms the cells that ran cannot tell apart; None on a complete, balanced grid."""
    aliasing = study.aliasing
    if aliasing.complete or len(study.factors) < 2:
        return None
    table = aliasing.correlations
    text = (
        "How main effects and two-factor interactions are mixed in the cells that ran: largest "
        "canonical correlation of two terms, 0 clear, 1 aliased."
    )
    data = pd.concat([pd.Series(table.index, table.index, name="term"), table], axis=1)
    return Drawn(figures.alias_map(table), data, captioned(study, text, None))


def tabulate_alias_map(_study: Study, rows: pd.DataFrame) -> NumberTable:
    """Pairs of terms that are mixed."""
    terms = rows.iloc[:, 0].map(readable).to_numpy()  # a factor may be called "term", too
    correlations = rows.iloc[:, 1:].to_numpy(float)
    second, first = np.tril_indices(len(terms), -1)
    mixed = correlations[first, second]
    order = np.argsort(-mixed, kind="stable")
    order = order[mixed[order] > LEAST_CORRELATION]
    columns = {
        "Term": terms[first[order]],
        "Mixed with": terms[second[order]],
        "Correlation": rounded(pd.Series(mixed[order]), 1, 2),
    }
    return NumberTable("Terms that are mixed, most mixed first", pd.DataFrame(columns))
