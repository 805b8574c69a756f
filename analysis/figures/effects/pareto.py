"""Pareto of standardised effects: which terms are shown, and which pass the usual line alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.drawing.labels import term_labels
from analysis.figures.drawing.style import (
    COLUMN,
    INK,
    PALETTE,
    SMALL,
    SOFT,
    TEXT,
    figure_of,
    grid_lines,
    key,
    look,
    one_panel,
)

MOST_TERMS = 40


@look()
def pareto(terms: pd.DataFrame, *, alpha: float = 0.05) -> Figure:
    """Bars of |t|, largest on top; terms of several degrees of freedom by the t of their p.

    Args:
        terms: columns term, t (absolute, or the equivalent of its p), sign (+1, -1 or 0 where a
            term has several degrees of freedom), alpha_line (critical |t| of a term alone),
            together_line (of all together; NaN draws none), shown (filled; else an outline).
        alpha: the level behind both lines, for the legend.
    """
    rows = terms.sort_values("t", ascending=False, kind="stable").head(MOST_TERMS)
    rows = rows.reset_index(drop=True)
    axes = one_panel(COLUMN, 0.155 * len(rows) + 1.15)
    place = np.arange(len(rows))
    for sign, shade, hatch, text in (
        (1, PALETTE[0], "", "two levels: the second is higher"),
        (-1, PALETTE[1], "////", "two levels: the second is lower"),
        (0, "#8c96a1", "", "more levels, or a pair"),
    ):
        chosen = rows["sign"].to_numpy() == sign
        for sure in (True, False):
            bars = chosen & (rows["shown"].to_numpy(bool) == sure)
            if bars.any():
                axes.barh(
                    place[bars],
                    rows.loc[bars, "t"].to_numpy(float),
                    height=0.68,
                    color=shade if sure else "white",
                    hatch=hatch,
                    edgecolor="white" if sure else shade,
                    linewidth=0.3 if sure else 0.9,
                )
        if chosen.any():
            axes.barh(0, 0, color=shade, hatch=hatch, edgecolor="white", label=text)
    if not rows["shown"].all():
        axes.barh(0, 0, color="white", edgecolor=INK, linewidth=0.9, label="outline: not shown")
    edges = np.append(place - 0.5, place[-1] + 0.5)
    for column, style, text in (
        ("alpha_line", "-", f"{alpha:.0%} level, each term alone"),
        ("together_line", (0, (4, 1.6)), f"{alpha:.0%} level, all together"),
    ):
        values = rows[column].to_numpy(float)
        if not np.isfinite(values).any():
            continue
        axes.plot(
            np.repeat(values, 2),
            np.repeat(edges, 2)[1:-1],
            color=INK,
            linewidth=0.9,
            linestyle=style,
            label=text,
        )
    size = TEXT - 0.5 if len(rows) <= 16 else SMALL
    axes.set_yticks(place, labels=term_labels(rows["term"]), fontsize=size)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel("standardised effect, |t|")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_color(SOFT)
    grid_lines(axes, "x")
    key(axes)
    return figure_of(axes)
