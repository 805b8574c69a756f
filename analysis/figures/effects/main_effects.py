"""Main effects: the marginal mean of every level, its interval, and the replicates behind it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.drawing.factor_panels import factor_panels
from analysis.figures.drawing.limits import within_bounds
from analysis.figures.drawing.style import INK, PALETTE, SOFT, look
from runner.content.response import ACCURACY, Response

BESIDE = (0.15, 0.32)
"""Shares of a level's room between its mean and the nearest and farthest replicate's dot."""


@look()
def main_effects(
    means: pd.DataFrame,
    grand_mean: float,
    *,
    replicates: pd.DataFrame | None = None,
    measure: Response = ACCURACY,
    level: float = 0.95,
) -> Figure:
    """One panel a factor on a shared axis, levels joined in declared order.

    Args:
        means: columns factor, level, mean, low, high in the outcome's own unit, in drawing order.
        grand_mean: equal-weight mean over the declared grid, drawn as a dashed line.
        replicates: columns factor, level, replicate, mean: one faint dot each.
        measure: how the outcome is shown.
        level: coverage of low..high, for the legend.
    """
    factors = {
        str(factor): [str(one) for one in rows["level"]]
        for factor, rows in means.groupby("factor", sort=False)
    }
    figure, panels = factor_panels(factors, measure.axis)
    for panel in panels:
        rows = means[means["factor"] == panel.factor]
        axes = panel.axes
        axes.axhline(grand_mean * measure.scale, color=SOFT, linewidth=0.8, linestyle=(0, (4, 2)))
        if replicates is not None:
            _dots(axes, replicates[replicates["factor"] == panel.factor], panel.levels, measure)
        mean = rows["mean"].to_numpy(float) * measure.scale
        ends = measure.interval(rows["low"].to_numpy(float), rows["high"].to_numpy(float))
        low, high = (one * measure.scale for one in ends)
        axes.plot(range(len(mean)), mean, color=PALETTE[0], linewidth=1.1, zorder=2)
        axes.errorbar(
            range(len(mean)),
            mean,
            yerr=[mean - low, high - mean],
            fmt="o",
            color=PALETTE[0],
            markersize=4.5,
            markeredgecolor="white",
            markeredgewidth=0.5,
            elinewidth=1.4,
            capsize=2.2,
            capthick=1.0,
            zorder=3,
        )
    within_bounds(panels[0].axes, measure)
    handles = [
        Line2D(
            [], [], color=PALETTE[0], marker="o", markersize=4, label=f"mean, {level:.0%} interval"
        ),
        Line2D([], [], color=SOFT, linewidth=0.8, linestyle=(0, (4, 2)), label="grand mean"),
    ]
    if replicates is not None:
        handles.append(_dot_handle())
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
    return figure


def _dots(axes: Axes, rows: pd.DataFrame, levels: list[str], measure: Response) -> None:
    """Faint dots, one a replicate, beside the level they belong to."""
    for place, name in enumerate(levels):
        values = rows.loc[rows["level"].astype(str) == name, "mean"].to_numpy(float)
        axes.scatter(
            place + _beside(len(values)),
            values * measure.scale,
            s=7,
            color=INK,
            alpha=0.28,
            linewidths=0,
            zorder=1,
        )


def _beside(count: int) -> np.ndarray:
    """Offsets left and right of the mean and its interval, none of which hides a dot."""
    side = np.linspace(*BESIDE, (count + 1) // 2)
    offsets: np.ndarray = np.concatenate([-side[::-1], side])
    return offsets[:count]


def _dot_handle() -> Line2D:
    """Legend entry of a replicate's dot."""
    return Line2D(
        [],
        [],
        color=INK,
        alpha=0.4,
        marker="o",
        markersize=2.6,
        linestyle="",
        label="one replicate",
    )
