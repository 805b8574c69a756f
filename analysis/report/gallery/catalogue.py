"""The figures of a study: the one list, in the order the page shows them.

A further figure is one module in `analysis.figures`, two functions in this room, one entry here.
"""

from __future__ import annotations

from analysis.report.gallery import combinations, endings, factors, pairs
from analysis.report.gallery.figure import StudyFigure

FIGURES = (
    StudyFigure(
        "main_effects", "Main effects", "effects",
        factors.main_effects, factors.main_effects_table, paper=True, effort=12,
    ),
    StudyFigure(
        "forest", "Contrasts", "effects",
        factors.forest, factors.forest_table, paper=True, one_panel=True, effort=8,
    ),
    StudyFigure(
        "pareto", "Standardised effects", "effects",
        factors.pareto, factors.pareto_table, one_panel=True, effort=1,
    ),
    StudyFigure(
        "half_normal", "Half-normal plot", "effects",
        factors.half_normal, factors.half_normal_table, one_panel=True, effort=2,
    ),
    StudyFigure(
        "variance_shares", "Variance shares", "effects",
        factors.variance_shares, factors.variance_shares_table, paper=True, one_panel=True,
        effort=6,
    ),
    StudyFigure(
        "interaction_matrix", "Interaction matrix", "interactions",
        pairs.interaction_matrix, pairs.interaction_matrix_table, paper=True, effort=14,
    ),
    StudyFigure(
        "interaction_heat_maps", "Interactions beyond main effects", "interactions",
        pairs.interaction_heat_maps, pairs.interaction_heat_maps_table, effort=13,
    ),
    StudyFigure(
        "scale_comparison", "Accuracy or logit scale", "interactions",
        pairs.scale_comparison, pairs.scale_comparison_table, one_panel=True, effort=3,
    ),
    StudyFigure(
        "convergence_rates", "Convergence by level", "convergence",
        endings.convergence_rates, endings.convergence_rates_table, paper=True, effort=9,
    ),
    StudyFigure(
        "cell_mosaic", "Convergence of every combination", "convergence",
        combinations.cell_mosaic, combinations.cells_table, effort=10,
    ),
    StudyFigure(
        "time_to_target", "Time to target", "time",
        endings.time_to_target, endings.time_to_target_table, paper=True, effort=11,
    ),
    StudyFigure(
        "learning_curves", "Learning curves", "curves",
        combinations.learning_curves, combinations.learning_curves_table, effort=7,
    ),
    StudyFigure(
        "cell_heat_map", "Every combination", "cells",
        combinations.cell_heat_map, combinations.cells_table, effort=15,
    ),
    StudyFigure(
        "cell_strip", "Combinations by rank", "cells",
        combinations.cell_strip, combinations.cell_strip_table, one_panel=True, effort=5,
    ),
    StudyFigure(
        "performance_profile", "Performance profiles", "cells",
        combinations.performance_profile, combinations.performance_profile_table, effort=16,
    ),
    StudyFigure(
        "alias_map", "Aliasing", "design",
        pairs.alias_map, pairs.alias_map_table, one_panel=True, effort=4,
    ),
    StudyFigure(
        "diagnostics", "Diagnostics", "diagnostics",
        combinations.diagnostics, combinations.diagnostics_table, effort=17,
    ),
)  # fmt: skip
"""Of `effort`: learning curves come after what can be drawn while another process reads them."""

BY_NAME = {one.name: one for one in FIGURES}
