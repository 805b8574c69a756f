"""Factors whose levels are numbers: means along the axis, the fitted curve, the level it picks."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.figures.drawing.labels import shortened, text_width
from analysis.figures.drawing.limits import within_bounds
from analysis.figures.drawing.style import (
    COLUMN,
    PALETTE,
    TALLEST,
    TEXT,
    grid_lines,
    look,
    narrow,
    new_figure,
    widest,
)
from runner.content.response import ACCURACY, Response

A_ROW = 3
"""Panels side by side on a page."""
MOST_PANELS = 12
HIGH = 1.9
"""Inches of a panel."""


@look()
def numeric_trends(
    means: pd.DataFrame,
    curves: pd.DataFrame,
    picked: pd.DataFrame,
    *,
    measure: Response = ACCURACY,
    level: float = 0.95,
) -> Figure:
    """One panel a factor on a shared vertical axis; at most `MOST_PANELS`, the first.

    Args:
        means: columns factor, axis (label of the horizontal axis), level, position (from -1, the
            smallest level, to 1), mean, low, high in the outcome's own unit.
        curves: columns factor, position, mean of the fitted curve, NaN where there is none.
        picked: columns factor, position, low, high (positions; NaN where there is no interval) of
            the level that the curve picks; a row only for factors that have one.
        measure: how the outcome is shown.
        level: coverage of low..high, for the legend.
    """
    names = list(dict.fromkeys(means["factor"].astype(str)))[:MOST_PANELS]
    across = 1 if narrow() else min(A_ROW, len(names))
    width = COLUMN if across == 1 else widest()
    lines = math.ceil(len(names) / across)
    height = min(lines * HIGH + 0.45, TALLEST)
    figure = new_figure(width, height)
    panels = figure.subplots(lines, across, sharey=True, squeeze=False).ravel()
    for name, axes in zip(names, panels, strict=False):
        one, curve, pick = (rows[rows["factor"] == name] for rows in (means, curves, picked))
        _panel(axes, one, curve, pick, measure)
        _ticks(axes, one, (width - 0.6) / across - 0.25)
        longest = 34 if across == 1 else 24
        axes.set_xlabel(shortened([str(one["axis"].iloc[0])], longest)[0])
    for place, axes in enumerate(panels):
        if place >= len(names):
            axes.set_axis_off()
        elif place % across == 0:
            axes.set_ylabel(measure.axis)
    within_bounds(panels[0], measure)
    handles: list[Line2D | Patch] = [
        Line2D([], [], color=PALETTE[0], marker="o", markersize=4, linestyle="",
               label=f"mean, {level:.0%} interval"),
    ]  # fmt: skip
    if curves["mean"].notna().any():
        handles.append(Line2D([], [], color=PALETTE[1], linewidth=1.2, label="fitted curve"))
    if len(picked):
        handles.append(Line2D([], [], color=PALETTE[2], linewidth=1.1, linestyle=(0, (4, 2)),
                              label="level it picks"))  # fmt: skip
        if picked["low"].notna().any():
            handles.append(Patch(color=PALETTE[2], alpha=0.15, label=f"its {level:.0%} interval"))
    figure.legend(handles=handles, loc="outside lower center", ncols=2 if across == 1 else 4)
    return figure


def _panel(
    axes: Axes, means: pd.DataFrame, curve: pd.DataFrame, pick: pd.DataFrame, measure: Response
) -> None:
    grid_lines(axes)
    for row in pick.to_dict("records"):
        if np.isfinite(row["low"]):
            axes.axvspan(row["low"], row["high"], color=PALETTE[2], alpha=0.15, linewidth=0)
        axes.axvline(row["position"], color=PALETTE[2], linewidth=1.1, linestyle=(0, (4, 2)))
    axes.plot(
        curve["position"].to_numpy(float), curve["mean"].to_numpy(float) * measure.scale,
        color=PALETTE[1], linewidth=1.2, zorder=2,
    )  # fmt: skip
    mean = means["mean"].to_numpy(float) * measure.scale
    ends = measure.interval(means["low"].to_numpy(float), means["high"].to_numpy(float))
    low, high = (one * measure.scale for one in ends)
    axes.errorbar(
        means["position"].to_numpy(float), mean, yerr=[mean - low, high - mean], fmt="o",
        color=PALETTE[0], markersize=4.5, markeredgecolor="white", markeredgewidth=0.5,
        elinewidth=1.4, capsize=2.2, capthick=1.0, zorder=3,
    )  # fmt: skip
    axes.set_xlim(-1.12, 1.12)


def _ticks(axes: Axes, means: pd.DataFrame, wide: float) -> None:
    """A tick at every level; its label where it does not run into the last one drawn."""
    rows = means.sort_values("position")
    labels, right = [], -math.inf
    for place, text in zip(
        rows["position"], shortened(rows["level"].astype(str).tolist(), 9), strict=True
    ):
        half = text_width(text, TEXT - 0.5) / 2
        middle = (float(place) + 1.12) / 2.24 * wide
        fits = middle - half > right + 0.06
        labels.append(text if fits else "")
        right = middle + half if fits else right
    axes.set_xticks(rows["position"].to_numpy(float), labels=labels)
