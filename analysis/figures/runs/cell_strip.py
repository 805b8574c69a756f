"""Cells by rank: every cell's replicates, sorted by mean, and those not shown to be worse."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.drawing.labels import shortened
from analysis.figures.drawing.style import (
    INK,
    PALETTE,
    SMALL,
    SOFT,
    figure_of,
    grid_lines,
    key,
    look,
    narrow,
    one_panel,
    widest,
)
from runner.content.response import ACCURACY, Response

MOST_NAMED = 30


@look()
def cell_strip(cells: pd.DataFrame, runs: pd.DataFrame, *, measure: Response = ACCURACY) -> Figure:
    """Mean and replicates of every cell, best on the left.

    Args:
        cells: columns cell (its name), mean and optionally best (bool: in the simultaneous set of
            cells not shown to be worse than the best).
        runs: columns cell, value: one row a run.
        measure: how the outcome is shown.
    """
    rows = cells.reset_index(drop=True).dropna(subset=["mean"])
    rows = rows.sort_values("mean", ascending=not measure.higher_is_better, kind="stable")
    rows = rows.reset_index(drop=True)
    place = {name: index for index, name in enumerate(rows["cell"])}
    named = len(rows) <= MOST_NAMED
    axes = one_panel(widest(), 3.4 if named else 2.2)
    at = runs["cell"].map(place).to_numpy(float)
    many = len(rows) > 150
    axes.scatter(
        at,
        runs["value"].to_numpy(float) * measure.scale,
        s=4 if many else 7,
        color=INK,
        alpha=0.3,
        linewidths=0,
        rasterized=len(runs) > 3000,
    )
    best = rows["best"].to_numpy(bool) if "best" in rows else np.zeros(len(rows), dtype=bool)
    mean = rows["mean"].to_numpy(float) * measure.scale
    size = 1.4 if many else 3.2
    index = np.arange(len(rows))
    axes.plot(index[~best], mean[~best], "o", color=SOFT, markersize=size)
    axes.plot(index[best], mean[best], "D", color=PALETTE[1], markersize=size + 0.3)
    if named:
        axes.set_xticks(
            index,
            labels=shortened(rows["cell"].astype(str).tolist(), 40),
            rotation=90,
            fontsize=SMALL,
        )
    axes.set_xlabel("combinations, best mean first")
    axes.set_ylabel(measure.axis)
    axes.set_xlim(-1, len(rows))
    grid_lines(axes)
    handles = [
        Line2D(
            [], [], linestyle="", marker="o", color=SOFT, markersize=3, label="mean of replicates"
        ),
        Line2D(
            [], [], linestyle="", marker="o", color=INK, alpha=0.4, markersize=2.4, label="one run"
        ),
    ]
    if best.any():
        handles.insert(
            0,
            Line2D(
                [],
                [],
                linestyle="",
                marker="D",
                color=PALETTE[1],
                markersize=3.2,
                label="not shown to be worse than the best",
            ),
        )
    key(axes, handles, columns=2 if narrow() else 3)
    return figure_of(axes)
