"""Half-normal plot: inert contrasts lie on a line through zero, active ones leave it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.drawing.labels import apart, term_labels
from analysis.figures.drawing.style import (
    COLUMN,
    INK,
    PALETTE,
    PAPER,
    SMALL,
    SOFT,
    figure_of,
    grid_lines,
    look,
    one_panel,
)
from runner.content.response import ACCURACY, Response

MOST_LABELS = 14


@look()
def half_normal(
    contrasts: pd.DataFrame,
    *,
    pse: float,
    me: float,
    sme: float,
    measure: Response = ACCURACY,
) -> Figure:
    """|contrast| against half-normal quantiles with Lenth's lines (Lenth 1989).

    Args:
        contrasts: columns contrast, quantile, absolute, in the outcome's unit.
        pse: pseudo standard error: slope of the line of inert contrasts.
        me: margin of error of one contrast; contrasts beyond it are named.
        sme: simultaneous margin of error.
        measure: how the outcome is shown.
    """
    axes = one_panel(COLUMN, 2.9)
    x = contrasts["quantile"].to_numpy(float)
    y = contrasts["absolute"].to_numpy(float) * measure.scale
    active = y > me * measure.scale
    right = float(x.max()) * 1.04
    top = max(float(y.max()), sme * measure.scale) * 1.08
    axes.plot([0, right], [0, pse * measure.scale * right], color=SOFT, linewidth=0.9)
    for value, style, name in ((me, (0, (4, 2)), "ME"), (sme, (0, (1, 1)), "SME")):
        axes.axhline(value * measure.scale, color=INK, linewidth=0.8, linestyle=style)
        axes.text(
            right * 1.02, value * measure.scale, name, va="center", fontsize=SMALL, clip_on=False
        )
    axes.scatter(x[~active], y[~active], s=11, facecolor="none", edgecolor=SOFT, linewidths=0.8)
    axes.scatter(x[active], y[active], s=15, color=PALETTE[1], marker="D", linewidths=0)
    named = np.flatnonzero(active)[np.argsort(-y[active], kind="stable")][:MOST_LABELS]
    heights = apart([float(y[index]) for index in named], top * 0.056, 0.0, top * 0.985)
    texts = term_labels(contrasts["contrast"], 24)
    for index, height in zip(named, heights, strict=True):
        axes.annotate(
            texts[index],
            (x[index], y[index]),
            xytext=(x[index] - 0.05 * right, height),
            ha="right",
            va="center",
            fontsize=SMALL,
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
            arrowprops={"arrowstyle": "-", "color": SOFT, "linewidth": 0.4, "shrinkB": 2},
        )
    axes.set_xlim(0, right)
    axes.set_ylim(0, top)
    axes.set_xlabel("half-normal quantile")
    unit = f" ({measure.difference})" if measure.difference else ""
    axes.set_ylabel(f"|contrast| of {measure.name}{unit}")
    grid_lines(axes)
    return figure_of(axes)
