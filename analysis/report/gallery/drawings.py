"""The figures of a study, by name: its estimates as tidy frames, drawn, with their captions.

Each entry of `DRAWINGS` takes a study and returns a `Drawing`, or None where the study has nothing
to show there (no curves, no replicates, one factor). Longer than 300 lines because every entry is
a short function of its own and they read best beside each other.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ablations.errors import InputError
from analysis import figures
from analysis.effects.frames import factor_column
from analysis.effects.term_tests.standardised_effects import standardised_effects
from analysis.effects.variance_shares import FEWEST_DRAWS
from analysis.effects.variance_shares import variance_shares as variance_shares_of
from analysis.figures import Drawing, Measure, Runs
from analysis.figures.drawing.caption import caption
from analysis.figures.effects.forest import MOST_ROWS
from analysis.figures.effects.pareto import MOST_TERMS
from analysis.model.margins import Margin
from analysis.model.terms import Term
from analysis.outcomes.profiles import performance_profiles
from analysis.report import kept
from analysis.report.words.wording import counted
from analysis.study import from_frame, pick_method
from analysis.table.cells import cell_names, cell_table, curve_quantiles, residual_table
from analysis.table.rates import grid_index
from analysis.table.tidy import MISSING_STATUSES

if TYPE_CHECKING:
    from analysis.study import Study

EQUIVALENT = 0.005
"""Half width of the band of practical equivalence of accuracies: half a percentage point."""
COUNTED = frozenset(
    {"cell", "mean", "deviation", "value", "runs", "converged", "stalled", "diverged", "missing"}
)
"""Columns of `cell_table`."""
MOST_CELLS_DRAWN = 60_000

METHOD_NAMES = {
    "welch": "cell-means Welch",
    "blocked": "t over replicates",
    "pooled": "classical fit, pooled variance",
}
TEST_NAMES = {
    "welch": "Welch test, which lets every cell have its own variance",
    "blocked": "test over replicates, which holds whatever the cells of a replicate share",
    "type3": "type III F test",
    "lenth": "contrast over Lenth's pseudo standard error",
}
"""What the tests that decide (`Effects.deciding`) are called in captions."""
MEASURES = {
    "test_accuracy": figures.ACCURACY,
    "converged": figures.CONVERGED,
    "restricted_epochs": figures.EPOCHS,
    "accuracy_given_converged": figures.GIVEN_CONVERGED,
    "seconds": figures.SECONDS,
}


def measure_of(study: Study) -> Measure:
    """How the outcome of the study is shown; a column of somebody's table by its own name."""
    return MEASURES.get(study.response, Measure(study.response))


def runs_of(study: Study) -> Runs:
    """Runs, replicates, diverged and missing runs, for captions."""
    frame = study.frame
    status = frame["status"].astype(str) if "status" in frame else None
    value = pd.to_numeric(frame[study.response], errors="coerce")
    lost = value.isna() if status is None else status.isin(MISSING_STATUSES)
    counts = study.cells.counts
    ran = counts[counts > 0]
    return Runs(
        runs=int(value.notna().sum()),
        replicates=int(ran.max(initial=0)),
        diverged=None if status is None else int((status == "diverged").sum()),
        missing=int(lost.sum()),
        fewest=int(ran.min()) if ran.size else None,
        empty=int((counts == 0).sum()),
        combinations=int(counts.size),
    )


def _interval(study: Study) -> str:
    return METHOD_NAMES[study.estimates().rule.primary]


def interval_of_means(study: Study) -> str:
    """What the intervals of marginal means are called."""
    return METHOD_NAMES[study.estimates().rule.means]


def _write(study: Study, what: str, interval: str | None = "") -> str:
    chosen = _interval(study) if interval == "" else interval
    return caption(what, runs_of(study), chosen)


# --- effects ------------------------------------------------------------------------------------


def main_effects(study: Study) -> Drawing:
    """Marginal means with the grand mean and the replicates."""
    rows = study.effects()
    means = rows[["factor", "level", "mean", "mean_low", "mean_high"]].rename(
        columns={"mean_low": "low", "mean_high": "high"}
    )
    dots = replicate_means(study)
    grand = study.estimates().grand_mean
    figure = figures.main_effects(
        means, grand, replicates=dots if len(dots) else None, measure=measure_of(study)
    )
    text = (
        f"Marginal mean of {measure_of(study).name} at each level, every combination weighing "
        "the same; the dashed line is the grand mean, faint dots are single replicates."
    )
    data = means.merge(
        dots.pivot(index=["factor", "level"], columns="replicate", values="mean")
        .add_prefix("replicate_")
        .reset_index()
        if len(dots)
        else means[["factor", "level"]],
        on=["factor", "level"],
        how="left",
    ).assign(grand_mean=grand)
    shown = _write(study, text + _cut(study, means), interval_of_means(study))
    return Drawing("main_effects", "Main effects", figure, data, shown)


def _cut(study: Study, means: pd.DataFrame) -> str:
    """Says so where an interval of a share would go below 0 or above 100 %."""
    beyond = (means["low"] < 0) | (means["high"] > 1)
    if measure_of(study).unit != "%" or not beyond.any():
        return ""
    return " Intervals are cut at 0 and 100%."


def replicate_means(study: Study) -> pd.DataFrame:
    """Marginal mean of every level within every replicate that ran completely."""
    names = study.cells.replicate_names
    rows = []
    for factor, levels in study.factors.items() if len(names) > 1 else ():
        margin = Margin.of(study.cells, Term((factor,)))
        for replicate, values in zip(names, margin.replicates, strict=True):
            for level, value in zip(levels, values, strict=True):
                if np.isfinite(value):
                    mean = float(value + margin.shift)
                    rows.append((factor, level, replicate, mean))
    return pd.DataFrame(rows, columns=["factor", "level", "replicate", "mean"])


def _pairs(study: Study) -> pd.DataFrame:
    """Pair means and double-centred effects side by side."""
    found = study.estimates()
    means = found.primary_means
    rows = []
    for first, second in combinations(study.factors, 2):
        part = means[means["term"] == f"{first}:{second}"]
        rows.append(
            pd.DataFrame(
                {
                    "factor_a": first,
                    "level_a": part[factor_column(first)].astype(str),
                    "factor_b": second,
                    "level_b": part[factor_column(second)].astype(str),
                    "mean": part["mean"],
                    "low": part["low"],
                    "high": part["high"],
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def pair_terms(study: Study) -> pd.DataFrame:
    """Share of variance and Holm-adjusted p of every pair of factors."""
    found = study.estimates()
    shares = found.shares.table.set_index("term")
    adjusted = found.decisive.set_index("term")["p_holm"].astype(float)
    rows = []
    for first, second in combinations(study.factors, 2):
        term = f"{first}:{second}"
        rows.append(
            {
                "factor_a": first,
                "factor_b": second,
                "share": float(shares["percent"].get(term, np.nan)) / 100,
                "share_low": float(shares["low"].get(term, np.nan)) / 100,
                "p_holm": float(adjusted.get(term, np.nan)),
            }
        )
    return pd.DataFrame(rows)


def interaction_matrix(study: Study) -> Drawing | None:
    """Every pair of factors, in both orientations."""
    if len(study.factors) < 2:
        return None
    means, terms = _pairs(study), pair_terms(study)
    figure = figures.interaction_matrix(study.factors, means, terms, measure=measure_of(study))
    text = (
        f"Marginal means of {measure_of(study).name} for every pair of factors: the factor of the "
        "column runs along the axis, lines are the levels of the factor of the row. Above each "
        "panel its share of the variance and Holm-adjusted p; grey where the share may be zero."
    )
    data = means.merge(terms, on=["factor_a", "factor_b"], how="left")
    shown = _write(study, text + _cut(study, means), interval_of_means(study))
    return Drawing("interaction_matrix", "Interaction matrix", figure, data, shown)


def interaction_heat_maps(study: Study) -> Drawing | None:
    """What every pair does beyond its main effects."""
    if len(study.factors) < 2:
        return None
    rows = study.interactions()
    data = pd.DataFrame(
        {
            "factor_a": rows["first_factor"],
            "level_a": rows["first"].astype(str),
            "factor_b": rows["second_factor"],
            "level_b": rows["second"].astype(str),
            "effect": rows["effect"],
            "low": rows["low"],
            "high": rows["high"],
        }
    )
    if not np.isfinite(data["effect"].astype(float)).any():
        return None
    figure = figures.interaction_heat_maps(study.factors, data, measure=measure_of(study))
    text = (
        f"How far the mean {measure_of(study).name} of two levels together lies from the sum of "
        "their main effects; one colour scale for all pairs. A star, or a sign where there is no "
        "room for values, marks an interval without 0."
    )
    title = "Interactions beyond main effects"
    return Drawing("interaction_heat_maps", title, figure, data, _write(study, text))


def pareto(study: Study) -> Drawing | None:
    """Standardised effects with both lines."""
    rows = standardised_effects(study.estimates())
    if rows.empty:
        return None
    deciding = study.estimates().deciding if study.estimates().fit.residual_df > 0 else "lenth"
    text = (
        f"Standardised effects: the |t| that has the p of each term's {TEST_NAMES[deciding]}. "
        "Solid: critical value of one term at 5%; dashed: at its step of Holm's procedure over all "
        f"terms.{_largest(len(rows), MOST_TERMS)}"
    )
    shown = _write(study, text, None)
    return Drawing("pareto", "Standardised effects", figures.pareto(rows), rows, shown)


def half_normal(study: Study) -> Drawing | None:
    """Lenth's plot, where there is no error term."""
    found = study.estimates().lenth
    if found is None or found.refused is not None:
        return None
    rows = found.effects[["contrast", "effect", "absolute", "quantile", "p", "active_me"]].copy()
    measure = measure_of(study)
    figure = figures.half_normal(rows, pse=found.pse, me=found.me, sme=found.sme, measure=measure)
    text = (
        "Half-normal plot of the orthonormal contrasts (high minus low). The line has Lenth's "
        f"pseudo standard error ({found.pse * measure.scale:.3g} {measure.difference}) as slope; "
        "ME and SME are his margins of error for one and for all contrasts; named contrasts "
        "exceed ME."
    )
    return Drawing("half_normal", "Half-normal plot", figure, rows, _write(study, text, None))


def forest(study: Study) -> Drawing:
    """Pairwise contrasts within factors, then the largest interaction contrasts."""
    found = study.estimates()
    chosen = found.rule.primary
    mains = study.contrasts()
    rows = pd.DataFrame(
        {
            "group": mains["factor"].astype(str),
            "contrast": mains["first"].astype(str) + " - " + mains["second"].astype(str),
            "estimate": mains["estimate"],
            "low": mains["low"],
            "high": mains["high"],
        }
    )
    rows = pd.concat([rows, _interaction_contrasts(study, chosen)], ignore_index=True)
    dots = _contrast_replicates(study)
    measure = measure_of(study)
    margin = study.equivalent
    if margin is None and measure.scale == 100:
        margin = EQUIVALENT
    figure = figures.forest(
        rows,
        band=margin,
        replicates=dots if len(dots) else None,
        measure=measure_of(study),
    )
    band = ""
    if margin is not None:
        wide = f"{margin * measure.scale:g} {measure.difference}".rstrip()
        band = f" The grey band ({wide} to each side) would hardly matter."
    text = (
        f"Differences in {measure_of(study).name} between levels (first minus second) and the "
        "largest differences of differences, whose intervals hold for all of them at once "
        f"(Bonferroni); hollow where the interval holds 0.{band}"
        f"{_largest(int(rows['estimate'].notna().sum()), MOST_ROWS)}"
    )
    return Drawing("forest", "Contrasts", figure, rows, _write(study, text))


def _largest(found: int, drawn: int) -> str:
    """What a figure leaves out, if it does."""
    return f" Drawn: the {drawn} largest of {found}; the table has all." if found > drawn else ""


def _interaction_contrasts(study: Study, method: str, most: int = 8) -> pd.DataFrame:
    rows = pick_method(study.estimates().interaction_contrasts, method)
    rows = rows[np.isfinite(rows["estimate"].astype(float))]
    largest = rows["estimate"].abs().sort_values(ascending=False, kind="stable").index[:most]
    rows = rows.loc[rows.index.isin(largest)]
    return pd.DataFrame(
        {
            "group": "differences of differences",
            "contrast": [
                f"({a} - {b}) at {c} - at {d}"
                for a, b, c, d in zip(
                    rows["first"],
                    rows["second"],
                    rows["given_first"],
                    rows["given_second"],
                    strict=True,
                )
            ],
            "estimate": rows["estimate"],
            "low": rows["low_simultaneous"],
            "high": rows["high_simultaneous"],
        }
    )


def _contrast_replicates(study: Study) -> pd.DataFrame:
    """Pairwise differences within each replicate."""
    means = replicate_means(study)
    rows = []
    for factor, levels in study.factors.items() if len(means) else ():
        part = means[means["factor"] == factor].pivot(
            index="replicate", columns="level", values="mean"
        )
        for first, second in combinations(levels, 2):
            if first in part and second in part:
                for replicate, value in (part[first] - part[second]).dropna().items():
                    rows.append((factor, f"{first} - {second}", replicate, float(value)))
    return pd.DataFrame(rows, columns=["group", "contrast", "replicate", "estimate"])


def variance_shares(study: Study) -> Drawing | None:
    """Bars that sum to 100%."""
    table = study.variance_shares()
    rows = table[np.isfinite(table["percent"].astype(float))]
    if rows.empty:
        return None
    names = {"higher": "three factors and more", "noise": "noise within cells"}
    data = pd.DataFrame(
        {
            "term": rows["term"].replace(names),
            "kind": rows["kind"],
            "share": rows["percent"] / 100,
            "low": rows["low"] / 100,
            "high": rows["high"] / 100,
        }
    )
    text = (
        f"Share of the variance of {measure_of(study).name} of a single run that each term "
        "explains, corrected for noise; shares sum to 100%."
    )
    shown = _write(study, text, "parametric bootstrap")
    figure = figures.variance_shares(data)
    return Drawing("variance_shares", "Variance shares", figure, data, shown)


# --- convergence, time, scores --------------------------------------------------------------------


def convergence_rates(study: Study) -> Drawing | None:
    """Rates by level with Wilson intervals and penalised marginal rates."""
    found = kept.convergence(study)
    if found is None:
        return None
    rows = found.rates[["factor", "level", "converged", "runs", "rate", "low", "high"]].copy()
    marginal = found.marginal_rates.set_index(["factor", "level"])["rate"]
    if np.isfinite(marginal.astype(float)).any():
        rows["marginal"] = [
            float(marginal[key]) for key in zip(rows["factor"], rows["level"], strict=True)
        ]
    text = "Runs of each level that converged"
    if "marginal" in rows:
        text += (
            ", with the marginal rate of Firth's penalised model (diamonds). The penalty pulls its "
            "probabilities towards one half, most where nearly all runs or nearly none converged, "
            "so a diamond may lie outside the interval of the plain rate"
        )
    text += "."
    shown = caption(text, runs_of(study), "Wilson")
    figure = figures.convergence_rates(rows)
    return Drawing("convergence_rates", "Convergence by level", figure, rows, shown)


def cell_mosaic(study: Study) -> Drawing | None:
    """Converged of finished runs in every cell."""
    found = kept.convergence(study)
    alike = found is not None and found.converged in (0, found.runs)
    if "converged" not in study.frame or _too_many_cells(study) or alike:
        return None  # a mosaic of one colour says no more than the sentence of the section
    cells = _combinations(study)
    figure = figures.cell_mosaic(_named(study), cells)
    text = "Replicates that converged in every combination of levels; factors are nested."
    shown = caption(text, runs_of(study), None)
    return Drawing("cell_mosaic", "Convergence of every combination", figure, cells, shown)


def _named(study: Study) -> dict[str, tuple[str, ...]]:
    """Factors as combinations are drawn: one called like a number of theirs is "factor:mean"."""
    return {
        f"factor:{name}" if name in COUNTED else name: levels
        for name, levels in study.factors.items()
    }


def _combinations(study: Study) -> pd.DataFrame:
    """Counts and mean of every combination of levels."""
    named = _named(study)
    frame = study.frame.rename(columns=dict(zip(study.factors, named, strict=True)))
    return cell_table(frame, named, study.response)


def cell_heat_map(study: Study) -> Drawing | None:
    """Mean of every cell with a status overlay."""
    if _too_many_cells(study):
        return None
    cells = _combinations(study)
    figure = figures.cell_heat_map(_named(study), cells, measure=measure_of(study))
    text = f"Mean {measure_of(study).name} of every combination; marks say where runs went wrong."
    shown = caption(text, runs_of(study), None)
    return Drawing("cell_heat_map", "Every combination", figure, cells, shown)


def _too_many_cells(study: Study) -> bool:
    grid = int(np.prod([len(levels) for levels in study.factors.values()]))
    return grid > MOST_CELLS_DRAWN


def cell_strip(study: Study) -> Drawing:
    """Cells by rank."""
    cells = _combinations(study)
    runs = pd.DataFrame(
        {
            "cell": cell_names(study.frame, list(study.factors)),
            "value": pd.to_numeric(study.frame[study.response], errors="coerce"),
        }
    ).dropna()
    found = study.best()
    best = found.best
    cells["best"] = best.ravel()[grid_index(cells, _named(study))]
    figure = figures.cell_strip(cells, runs, measure=measure_of(study))
    text = f"Combinations by mean {measure_of(study).name}; small dots are single runs."
    if best.any():
        text += (
            f" {counted(int(best.sum()), 'combination')} (diamonds) "
            f"{'is' if best.sum() == 1 else 'are'} not shown to be worse than the best: the truly "
            "best is among them with 95% confidence. One of a low mean is among them where its "
            "simultaneous interval is too wide to exclude it."
        )
    shown = caption(text, runs_of(study), None)
    return Drawing("cell_strip", "Combinations by rank", figure, runs, shown)


def time_to_target(study: Study) -> Drawing | None:
    """Share of the runs of every level that reached the target, by epoch."""
    found = kept.time_to_target(study)
    if found is None or found.curves.empty or not (found.curves["reached"] > 0).any():
        return None  # nobody got there: the section says so
    target = (study.info.get("train") or {}).get("target")
    words = f"{float(target):.0%}" if target else "the target"
    figure = figures.time_to_target(found.curves, target=words, means=found.means)
    text = (
        f"Runs that reached {words} validation accuracy by each epoch (one minus Kaplan-Meier); in "
        f"the key, mean epochs needed, runs that never got there counting {found.budget}."
    )
    shown = caption(text, runs_of(study), "log-log")
    return Drawing("time_to_target", "Time to target", figure, found.curves, shown)


def performance_profile(study: Study) -> Drawing | None:
    """Share of the runs of every level above each score."""
    rows = performance_profiles(study.frame, study.factors, study.response)
    if rows.empty:
        return None
    figure = figures.performance_profile(rows, measure=measure_of(study))
    text = f"Performance profiles: share of a level's runs with a higher {measure_of(study).name}."
    shown = caption(text, runs_of(study), "Wilson, pointwise")
    return Drawing("performance_profile", "Performance profiles", figure, rows, shown)


def alias_map(study: Study) -> Drawing | None:
    """Which terms the cells that ran cannot tell apart; None on a complete, balanced grid."""
    found = kept.aliasing(study)
    if found is None or found.complete or len(study.factors) < 2:
        return None
    table = found.correlations
    text = (
        "How main effects and two-factor interactions are mixed in the cells that ran: largest "
        "canonical correlation of two terms, 0 clear, 1 aliased."
    )
    data = table.rename_axis("term").reset_index()
    shown = caption(text, runs_of(study), None)
    return Drawing("alias_map", "Aliasing", figures.alias_map(table), data, shown)


def learning_curves(study: Study) -> Drawing | None:
    """Ribbons by level."""
    if study.curve_rows is None or study.curve_rows.empty:
        return None
    rows = curve_quantiles(study.curve_rows, study.frame, study.factors)
    figure = figures.learning_curves(rows)
    text = (
        "Validation accuracy by epoch: median over all runs of a level, band from the lower to "
        "the upper quartile (no interval). A run that diverged goes on at chance."
    )
    shown = caption(text, runs_of(study), "")
    return Drawing("learning_curves", "Learning curves", figure, rows, shown)


def diagnostics(study: Study) -> Drawing | None:
    """Residuals of the cell means."""
    cells = _combinations(study)
    if not (cells["deviation"] >= 0).any():
        return None
    rows = residual_table(study.frame, study.factors, study.response)
    figure = figures.diagnostics(rows, cells, measure=measure_of(study))
    text = (
        "Residuals of single runs around the mean of their combination: against that mean, against "
        "normal quantiles, over the order of running and by replicate; standard deviation against "
        "mean."
    )
    shown = caption(text, runs_of(study), None)
    return Drawing("diagnostics", "Diagnostics", figure, rows, shown)


def scale_comparison(study: Study) -> Drawing | None:
    """Shares on the accuracy and on the logit scale."""
    needed = {"test_correct", "n_test"}
    if study.response != "test_accuracy" or not needed <= set(study.frame.columns):
        return None
    frame = study.frame
    right = pd.to_numeric(frame["test_accuracy"], errors="coerce") * pd.to_numeric(frame["n_test"])
    total = pd.to_numeric(frame["n_test"])
    logit = np.log((right + 0.5) / (total - right + 0.5))
    try:
        other = from_frame(
            frame.assign(logit_accuracy=logit),
            list(study.factors),
            "logit_accuracy",
            study.replicate,
        )
        shares = _observed_shares(other)
    except InputError:
        return None
    table = study.variance_shares()
    kept = table["kind"].isin(["main", "pair"]).to_numpy()
    if not np.isfinite(table.loc[kept, "cell_percent"].astype(float)).all():
        return None
    data = pd.DataFrame(
        {
            "term": table.loc[kept, "term"],
            "raw": table.loc[kept, "cell_percent"] / 100,
            "other": shares.loc[kept, "cell_percent"] / 100,
        }
    )
    kinds = study.interaction_kinds().set_index("term")["crossover"]
    crossing = data["term"].map(kinds.to_dict()).eq(True)
    if crossing.any():
        data["crossover"] = crossing
    figure = figures.scale_comparison(data)
    text = (
        "Share of the variance between cell means on the accuracy scale and on the logit scale. "
        "An interaction that vanishes on the logit scale comes from accuracy having a ceiling."
    )
    if crossing.any():
        text += " ×: the order of two levels turns round, which no scale removes."
    shown = caption(text, runs_of(study), None)
    return Drawing("scale_comparison", "Accuracy or logit scale", figure, data, shown)


def _observed_shares(study: Study) -> pd.DataFrame:
    """Shares of whose intervals nobody asks: without all other estimates where no cell is empty."""
    if study.cells.empty.any():
        return study.variance_shares()
    return variance_shares_of(study.cells, draws=FEWEST_DRAWS).table


DRAWINGS: dict[str, Callable[[Any], Drawing | None]] = {
    "diagnostics": diagnostics,
    "performance_profile": performance_profile,
    "cell_heat_map": cell_heat_map,
    "interaction_matrix": interaction_matrix,
    "interaction_heat_maps": interaction_heat_maps,
    "main_effects": main_effects,
    "time_to_target": time_to_target,
    "cell_mosaic": cell_mosaic,
    "convergence_rates": convergence_rates,
    "forest": forest,
    "learning_curves": learning_curves,
    "variance_shares": variance_shares,
    "cell_strip": cell_strip,
    "alias_map": alias_map,
    "scale_comparison": scale_comparison,
    "half_normal": half_normal,
    "pareto": pareto,
}
"""What takes longest to write comes first, so that two processes end together; learning curves
after what can be drawn while the other process reads them."""
ONE_PANEL = frozenset(
    {"alias_map", "cell_strip", "forest", "half_normal", "pareto", "scale_comparison",
     "variance_shares"}
)  # fmt: skip
"""Those that can be drawn into axes of a person's own figure."""
