"""Variance shares: how much of all variation each factor, pair, higher order and noise explains."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.figures.drawing.labels import term_labels
from analysis.figures.drawing.style import (
    COLUMN,
    INK,
    PALETTE,
    SMALL,
    TEXT,
    figure_of,
    grid_lines,
    key,
    look,
    one_panel,
)

KINDS = {
    "main": (PALETTE[0], "", "factor"),
    "pair": (PALETTE[4], "////", "pair of factors"),
    "higher": (PALETTE[3], "\\\\\\\\", "three factors and more"),
    "replicate": ("#8c96a1", "", "replicate"),
    "noise": ("#c3c9d0", "", "noise within cells"),
}


@look()
def variance_shares(shares: pd.DataFrame) -> Figure:
    """Horizontal bars with intervals: factors and pairs by size, then the rest; sums to 100 %.

    Args:
        shares: columns term, kind (main, pair, higher, replicate, noise), share, low, high; all
            in 0..1, low and high NaN where there is no interval.
    """
    last = {"main": 0, "pair": 0, "higher": 1, "replicate": 2, "noise": 3}
    rows = shares.assign(rank=shares["kind"].map(last)).sort_values(
        ["rank", "share"], ascending=[True, False], kind="stable"
    )
    axes = one_panel(COLUMN, 0.16 * len(rows) + 0.95)
    place = np.arange(len(rows))
    share = rows["share"].to_numpy(float) * 100
    low = rows["low"].to_numpy(float) * 100
    high = rows["high"].to_numpy(float) * 100
    for kind, (shade, hatch, _) in KINDS.items():
        chosen = rows["kind"].to_numpy() == kind
        axes.barh(
            place[chosen],
            np.maximum(share[chosen], 0),
            height=0.68,
            color=shade,
            hatch=hatch,
            edgecolor="white",
            linewidth=0.3,
        )
    has = np.isfinite(low) & np.isfinite(high)
    axes.errorbar(
        share[has],
        place[has],
        xerr=[np.maximum(share[has] - low[has], 0), np.maximum(high[has] - share[has], 0)],
        fmt="none",
        ecolor=INK,
        elinewidth=0.8,
        capsize=1.4,
    )
    end = float(np.nanmax(np.where(has, np.maximum(high, share), share)))
    for y, value, edge in zip(
        place, share, np.where(has, np.maximum(high, share), share), strict=True
    ):
        axes.text(edge + end * 0.02, float(y), f"{value:.1f}", va="center", fontsize=SMALL)
    size = TEXT - 0.5 if len(rows) <= 16 else SMALL
    axes.set_yticks(place, labels=term_labels(rows["term"]), fontsize=size)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(min(0.0, float(np.nanmin(np.where(has, low, 0)))), end * 1.14)
    axes.set_xlabel("share of the variance of all runs (%)", loc="right")
    axes.tick_params(axis="y", length=0)
    grid_lines(axes, "x")
    present = set(rows["kind"])
    handles = [
        Patch(facecolor=shade, hatch=hatch, edgecolor="white", linewidth=0.3, label=text)
        for kind, (shade, hatch, text) in KINDS.items()
        if kind in present
    ]
    key(axes, handles, columns=2)
    return figure_of(axes)
