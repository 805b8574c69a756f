"""Time to target: the fraction of runs that reached the target accuracy, epoch by epoch."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.drawing.style import look
from analysis.figures.runs.curve_panels import curve_panels


@look()
def time_to_target(
    curves: pd.DataFrame, *, target: str, means: pd.DataFrame | None = None
) -> Figure:
    """One minus Kaplan-Meier for every level, restricted mean in the key, ticks where censored.

    Args:
        curves: columns factor, level, epoch, reached, low, high (shares) and optionally censored
            (runs censored at that epoch).
        target: the target in words, such as "90 % validation accuracy".
        means: columns factor, level, mean (restricted mean epochs).
    """
    notes = None
    if means is not None:
        notes = {
            (factor, level): f"{mean:.1f} epochs"
            for factor, level, mean in zip(
                means["factor"].astype(str), means["level"].astype(str), means["mean"], strict=True
            )
            if pd.notna(mean)
        }
    figure, panels = curve_panels(
        curves,
        x="epoch",
        y="reached",
        x_label="epoch",
        y_label=f"runs that reached {target} (%)",
        y_scale=100.0,
        steps=True,
        notes=notes,
    )
    for factor, axes in panels.items():
        axes.set_ylim(-2, 102)
        if "censored" not in curves:
            continue
        marked = curves[(curves["factor"] == factor) & (curves["censored"] > 0)]
        for place, level in enumerate(
            dict.fromkeys(curves.loc[curves["factor"] == factor, "level"])
        ):
            rows = marked[marked["level"] == level]
            axes.plot(
                rows["epoch"],
                rows["reached"] * 100,
                linestyle="",
                marker="|",
                markersize=5,
                color=axes.lines[place].get_color(),
            )
    return figure
