"""Every figure drawn on frames of any shape: the list that layout tests go through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from analysis import figures
from tests.analysis.figures import frames

Factors = Mapping[str, Sequence[str]]


def _main_effects(factors: Factors, runs: pd.DataFrame) -> Figure:
    means = frames.level_means(runs, factors)
    dots = frames.replicate_means(runs, factors)
    return figures.main_effects(means, float(means["mean"].mean()), replicates=dots)


def _half_normal(factors: Factors, runs: pd.DataFrame) -> Figure:
    points, lines = frames.half_normal_points()
    return figures.half_normal(points, **lines)


def _numeric_trends(factors: Factors, runs: pd.DataFrame) -> Figure:
    return figures.numeric_trends(*frames.along_numbers(runs, factors))


def _cell_strip(factors: Factors, runs: pd.DataFrame) -> Figure:
    cells = frames.cell_table(runs, factors)
    cells["best"] = cells["mean"] > cells["mean"].quantile(0.9)
    return figures.cell_strip(cells, frames.run_values(runs, factors))


def _time_to_target(factors: Factors, runs: pd.DataFrame) -> Figure:
    curves = frames.reached(factors)
    return figures.time_to_target(curves, target="90 %", means=frames.restricted_means(curves))


DRAWINGS: dict[str, Callable[[Factors, pd.DataFrame], Figure]] = {
    "main_effects": _main_effects,
    "interaction_matrix": lambda f, r: figures.interaction_matrix(
        f, frames.pair_means(r, f), frames.pair_terms(f)
    ),
    "interaction_heat_maps": lambda f, r: figures.interaction_heat_maps(
        f, frames.pair_effects(r, f)
    ),
    "pareto": lambda f, r: figures.pareto(frames.pareto_terms(f)),
    "half_normal": _half_normal,
    "numeric_trends": _numeric_trends,
    "forest": lambda f, r: figures.forest(frames.forest_rows(r, f), band=0.005),
    "variance_shares": lambda f, r: figures.variance_shares(frames.shares(f)),
    "convergence_rates": lambda f, r: figures.convergence_rates(frames.rates(r, f)),
    "cell_heat_map": lambda f, r: figures.cell_heat_map(f, frames.cell_table(r, f)),
    "cell_mosaic": lambda f, r: figures.cell_mosaic(f, frames.cell_table(r, f)),
    "cell_strip": _cell_strip,
    "time_to_target": _time_to_target,
    "performance_profile": lambda f, r: figures.performance_profile(frames.profiles(r, f)),
    "learning_curves": lambda f, r: figures.learning_curves(frames.ribbons(f)),
    "diagnostics": lambda f, r: figures.diagnostics(
        frames.residuals(r, f), frames.cell_table(r, f)
    ),
    "scale_comparison": lambda f, r: figures.scale_comparison(frames.scale_shares(f)),
    "alias_map": lambda f, r: figures.alias_map(frames.correlations(f)),
}
