"""Performance profiles: the share of a level's runs that score above each accuracy."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.drawing.style import look
from analysis.figures.runs.curve_panels import curve_panels
from runner.content.response import ACCURACY, Response


@look()
def performance_profile(profiles: pd.DataFrame, *, measure: Response = ACCURACY) -> Figure:
    """Run-score distributions by level (Dolan and Moré 2002; Agarwal and others 2021, section 4.2).

    Args:
        profiles: columns factor, level, tau (outcome's unit), share, low, high.
        measure: how the outcome is shown.
    """
    shown = profiles.assign(tau=profiles["tau"] * measure.scale)
    figure, panels = curve_panels(
        shown,
        x="tau",
        y="share",
        x_label=measure.axis,
        y_label="runs above it (%)",
        y_scale=100.0,
        steps=True,
    )
    for axes in panels.values():
        axes.set_ylim(-2, 102)
    return figure
