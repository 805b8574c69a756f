"""The figures of a study: the one list, in the order the page shows them.

A further figure is one module in `analysis.figures`, two functions in this room, one entry here.
"""

from __future__ import annotations

from analysis.report.gallery import combinations, convergence_and_time, factors, pairs, trends
from analysis.report.gallery.figure import StudyFigure

ANSWER = "answer"
"""The section of the figures that a hurried reader sees; all others are in the appendix."""

BESIDE, PAIRED = 4.9, 5.8
"""Inches of the answer's figures: beside its table, and two side by side below it."""

FIGURES = (
    StudyFigure(
        "cell_heat_map", "Every combination", ANSWER,
        combinations.draw_cell_heat_map, combinations.tabulate_cells, wide=BESIDE, effort=15,
    ),
    StudyFigure(
        "chief_interaction", "The interaction to look at first", ANSWER,
        pairs.draw_chief_interaction, pairs.tabulate_interaction_matrix, wide=BESIDE,
        one_panel=True, effort=20,
    ),
    StudyFigure(
        "main_effects", "Main effects", ANSWER,
        factors.draw_main_effects, factors.tabulate_main_effects, wide=PAIRED, paper=True,
        effort=12,
    ),
    StudyFigure(
        "forest", "Contrasts", "effects",
        factors.draw_forest, factors.tabulate_forest, paper=True, one_panel=True, effort=8,
    ),
    StudyFigure(
        "pareto", "Standardised effects", "effects",
        factors.draw_pareto, factors.tabulate_pareto, one_panel=True, effort=1,
    ),
    StudyFigure(
        "half_normal", "Half-normal plot", "effects",
        factors.draw_half_normal, factors.tabulate_half_normal, one_panel=True, effort=2,
    ),
    StudyFigure(
        "variance_shares", "Variance shares", "effects",
        factors.draw_variance_shares, factors.tabulate_variance_shares, paper=True, one_panel=True,
        effort=6,
    ),
    StudyFigure(
        "interaction_matrix", "Interaction matrix", "interactions",
        pairs.draw_interaction_matrix, pairs.tabulate_interaction_matrix, paper=True, effort=14,
    ),
    StudyFigure(
        "interaction_heat_maps", "Interactions beyond main effects", "interactions",
        pairs.draw_interaction_heat_maps, pairs.tabulate_interaction_heat_maps, effort=13,
    ),
    StudyFigure(
        "scale_comparison", "Accuracy or logit scale", "interactions",
        pairs.draw_scale_comparison, pairs.tabulate_scale_comparison, one_panel=True, effort=3,
    ),
    StudyFigure(
        "numeric_trends", "Curves over numeric levels", "numbers",
        trends.draw_numeric_trends, trends.tabulate_numeric_trends, effort=18,
    ),
    StudyFigure(
        "convergence_rates", "Convergence by level", ANSWER,
        convergence_and_time.draw_convergence_rates,
        convergence_and_time.tabulate_convergence_rates, wide=PAIRED, paper=True, effort=9,
    ),
    StudyFigure(
        "cell_mosaic", "Convergence of every combination", "convergence",
        combinations.draw_cell_mosaic, combinations.tabulate_cells, effort=10,
    ),
    StudyFigure(
        "cause_map", "Why combinations do not converge", "convergence",
        convergence_and_time.draw_cause_map, convergence_and_time.tabulate_cause_map, effort=19,
    ),
    StudyFigure(
        "time_to_target", "Time to target", "time",
        convergence_and_time.draw_time_to_target,
        convergence_and_time.tabulate_time_to_target, paper=True, effort=11,
    ),
    StudyFigure(
        "learning_curves", "Learning curves", "curves",
        combinations.draw_learning_curves, combinations.tabulate_learning_curves, effort=7,
    ),
    StudyFigure(
        "cell_strip", "Combinations by rank", "cells",
        combinations.draw_cell_strip, combinations.tabulate_cell_strip, one_panel=True, effort=5,
    ),
    StudyFigure(
        "performance_profile", "Performance profiles", "cells",
        combinations.draw_performance_profile, combinations.tabulate_performance_profile, effort=16,
    ),
    StudyFigure(
        "alias_map", "Aliasing", "design",
        pairs.draw_alias_map, pairs.tabulate_alias_map, one_panel=True, effort=4,
    ),
    StudyFigure(
        "diagnostics", "Diagnostics", "diagnostics",
        combinations.draw_diagnostics, combinations.tabulate_diagnostics, effort=17,
    ),
)  # fmt: skip
"""Of `effort`: learning curves come after what can be drawn while another process reads them."""

BY_NAME = {one.name: one for one in FIGURES}
