"""Figures: tidy frames in, matplotlib figures out; nothing here estimates anything.

Every function states the columns it reads; `analysis.report.gallery` says which a study has.

    drawing/  style, labels, files        effects/       of single factors and all terms
    runs/     of runs and combinations    interactions/  of pairs of factors
"""

from analysis.figures.drawing.caption import Runs, caption
from analysis.figures.drawing.saving import Drawing, save
from analysis.figures.drawing.style import COLUMN, PAGE, at_width, widest
from analysis.figures.effects.diagnostics import diagnostics, scale_comparison
from analysis.figures.effects.forest import forest
from analysis.figures.effects.half_normal import half_normal
from analysis.figures.effects.main_effects import main_effects
from analysis.figures.effects.numeric_trends import numeric_trends
from analysis.figures.effects.pareto import pareto
from analysis.figures.effects.share_bars import variance_shares
from analysis.figures.interactions.alias_map import alias_map
from analysis.figures.interactions.interaction_heat_maps import interaction_heat_maps
from analysis.figures.interactions.interaction_matrix import interaction_matrix, interaction_of_pair
from analysis.figures.runs.cause_map import cause_map
from analysis.figures.runs.cell_heat_map import cell_heat_map, cell_mosaic
from analysis.figures.runs.cell_strip import cell_strip
from analysis.figures.runs.convergence_rates import convergence_rates
from analysis.figures.runs.learning_curves import learning_curves
from analysis.figures.runs.performance_profile import performance_profile
from analysis.figures.runs.target_curves import time_to_target

__all__ = [
    "COLUMN",
    "PAGE",
    "Drawing",
    "Runs",
    "alias_map",
    "at_width",
    "caption",
    "cause_map",
    "cell_heat_map",
    "cell_mosaic",
    "cell_strip",
    "convergence_rates",
    "diagnostics",
    "forest",
    "half_normal",
    "interaction_heat_maps",
    "interaction_matrix",
    "interaction_of_pair",
    "learning_curves",
    "main_effects",
    "numeric_trends",
    "pareto",
    "performance_profile",
    "save",
    "scale_comparison",
    "time_to_target",
    "variance_shares",
    "widest",
]
