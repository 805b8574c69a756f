"""One panel a factor with one curve a level: base of time-to-target, profiles, learning curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from analysis.figures.drawing.labels import shortened
from analysis.figures.drawing.style import (
    COLUMN,
    SMALL,
    TEXT,
    figure_of,
    grid_lines,
    line,
    narrow,
    new_figure,
    shade_of,
    widest,
)


def curve_panels(
    curves: pd.DataFrame,
    *,
    x: str,
    y: str,
    x_label: str,
    y_label: str,
    y_scale: float = 1.0,
    steps: bool = False,
    notes: Mapping[tuple[str, str], str] | None = None,
) -> tuple[Figure, dict[str, Axes]]:
    """Curves with bands, a panel a factor, key below each panel.

    Args:
        curves: columns factor, level, the columns named by `x` and `y`, and low and high (NaN
            where there is no band), rows of a curve in order of x.
        x: column on the horizontal axis.
        y: column on the vertical axis.
        x_label: label of the horizontal axis.
        y_label: label of the vertical axis.
        y_scale: turns stored into shown numbers.
        steps: draw steps that hold a value until the next x.
        notes: what the key says behind a level, such as its restricted mean.
    """
    factors = list(dict.fromkeys(curves["factor"].astype(str)))
    columns = min(3, len(factors)) if len(factors) != 4 else 2
    columns = min(columns, 2) if narrow() else columns
    lines = math.ceil(len(factors) / columns)
    width = COLUMN if columns == 1 else widest()
    levels = {
        factor: list(dict.fromkeys(curves.loc[curves["factor"] == factor, "level"].astype(str)))
        for factor in factors
    }
    tallest = max(map(len, levels.values()))
    high = 1.5 if narrow() else 1.75
    figure = new_figure(width, lines * (high + 0.125 * tallest + 0.25) + 0.2)
    grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
    longest = 24 if not narrow() else 12 if notes else 20
    drawn: dict[str, Axes] = {}
    for place, factor in enumerate(factors):
        axes = grid[place // columns, place % columns]
        for index, level in enumerate(levels[factor]):
            chosen = (curves["factor"] == factor) & (curves["level"].astype(str) == level)
            rows = curves[chosen]
            _curve(axes, rows, x, y, y_scale, index, steps=steps)
        names = shortened(levels[factor], longest)
        extra = [(notes or {}).get((factor, level), "") for level in levels[factor]]
        _key(axes, [f"{name}  {note}".rstrip() for name, note in zip(names, extra, strict=True)])
        axes.set_title(shortened([factor], 18 if narrow() else 30)[0])
        axes.set_xlabel(x_label, labelpad=1)
        if place % columns == 0:
            axes.set_ylabel(y_label)
        grid_lines(axes)
        axes.margins(x=0)
        drawn[factor] = axes
    for place in range(len(factors), lines * columns):
        grid[place // columns, place % columns].set_axis_off()
    return figure, drawn


def _curve(
    axes: Axes, rows: pd.DataFrame, x: str, y: str, scale: float, index: int, *, steps: bool
) -> None:
    """A line and its band in the colour and line style of the level."""
    at = rows[x].to_numpy(float)
    value = rows[y].to_numpy(float) * scale
    axes.plot(
        at,
        value,
        color=shade_of(index),
        linestyle=line(index),
        drawstyle="steps-post" if steps else "default",
        linewidth=1.2,
        zorder=3,
    )
    axes.fill_between(
        at,
        rows["low"].to_numpy(float) * scale,
        rows["high"].to_numpy(float) * scale,
        step="post" if steps else None,
        color=shade_of(index),
        alpha=0.14,
        linewidth=0,
        zorder=2,
    )


def _key(axes: Axes, texts: Sequence[str]) -> None:
    """Levels below the panel, one a line, so that no curve runs under its own key."""
    for artist, text in zip(list(axes.lines), texts, strict=True):
        artist.set_label(text)
    figure = figure_of(axes)
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(-0.02, 0),
        # So many inches below, whatever the panel's height: the layout counts on it.
        bbox_transform=axes.transAxes + ScaledTranslation(0, -0.36, figure.dpi_scale_trans),
        fontsize=TEXT - 0.5 if len(texts) <= 4 and not narrow() else SMALL,
        labelspacing=0.25,
        borderpad=0,
        borderaxespad=0,
        handlelength=2.6,
        handletextpad=0.5,
    )
