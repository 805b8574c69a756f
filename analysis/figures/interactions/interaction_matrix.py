"""Interaction matrix: every pair of factors twice, each of them on the axis once; or one pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from analysis.figures.drawing.labels import label_levels, shortened, wrapped_name
from analysis.figures.drawing.limits import within_bounds
from analysis.figures.drawing.style import (
    COLUMN,
    PAGE,
    SHADE,
    SMALL,
    SOFT,
    TEXT,
    figure_of,
    grid_lines,
    line,
    look,
    marker,
    narrow,
    new_figure,
    one_panel,
    shade_of,
    widest,
)
from analysis.number_words import p_phrase
from runner.content.response import ACCURACY, Response

ROOM_FOR_NAMES = 0.95  # inches of a panel below which levels are numbered
MIDDLE, LOW = 4.9, 2.0  # inches of the figure of one pair


@look()
def interaction_matrix(
    factors: Mapping[str, Sequence[str]],
    means: pd.DataFrame,
    terms: pd.DataFrame | None = None,
    *,
    measure: Response = ACCURACY,
) -> Figure:
    """A square of panels: column factor on x, one line for each level of the row factor.

    Where panels are too small for the names of levels, these are numbered; a key below says which
    number is which level.

    Args:
        factors: levels of each factor in declared order.
        means: columns factor_a, level_a, factor_b, level_b, mean, low, high; each pair once.
        terms: columns factor_a, factor_b, share, share_low, p_family, shown; the panels of a
            pair whose interaction is not shown are shaded.
        measure: how the outcome is shown.
    """
    names = list(factors)
    count = len(names)
    width = PAGE if count > 2 or max(map(len, factors.values())) > 3 else COLUMN * 1.35
    width = min(width, widest())
    side = (width - 0.55) / count
    numbered = side < ROOM_FOR_NAMES and count > 2
    between = ",\n" if numbered else ", "
    size = TEXT - 0.5 if count <= 4 and not numbered else SMALL
    figure = new_figure(width, min(width, side * count) + 0.35)
    area: Figure | SubFigure = figure
    if numbered:
        area = _with_key(figure, factors, size)
    grid = area.subplots(count, count, sharey=True, squeeze=False)
    for row, over in enumerate(names):
        for column, along in enumerate(names):
            axes = grid[row, column]
            axes.set_xlim(-0.45, len(factors[along]) - 0.55)
            if row == column:
                room = int((side - 0.5) * 72 / ((0.7 if narrow() else 0.6) * size))
                if numbered:
                    _name(axes, over, side, size, row == 0)
                else:
                    _key(axes, over, factors[over], size, room, row == 0)
            else:
                pair = _oriented(means, along, over)
                _lines(axes, pair, factors[along], factors[over], measure, crowded=side < 1.4)
                _annotate(axes, terms, along, over, size, written=column > row, between=between)
                grid_lines(axes)
            if row == count - 1:
                axes.set_xlabel(
                    shortened([along], int(side * 72 / ((0.76 if narrow() else 0.66) * size)))[0],
                    fontsize=size + 0.5 * (not numbered),
                    weight="bold",
                )
                levels = factors[along]
                texts = _numbers(levels) if numbered else shortened(levels, 16)
                label_levels(axes, texts, side / len(levels), size)
            else:
                axes.set_xticks(range(len(factors[along])), labels=[""] * len(factors[along]))
            if terms is not None and not axes.get_title():
                # As tall as a panel's numbers, so that rows lie equally far apart.
                axes.set_title(" \n " if numbered else " ", fontsize=size, pad=2)
            if column == 0:
                axes.tick_params(axis="y", labelsize=size)
            else:
                axes.tick_params(axis="y", left=False, labelleft=False)
    within_bounds(grid[0, 0], measure)
    area.supylabel(measure.axis, fontsize=TEXT)
    return figure


@look()
def interaction_of_pair(
    factors: Mapping[str, Sequence[str]],
    means: pd.DataFrame,
    terms: pd.DataFrame,
    *,
    measure: Response = ACCURACY,
) -> Figure:
    """One pair in one panel: the factor with more levels along the axis, lines of the other.

    Args:
        factors: levels of both factors in declared order.
        means: as `interaction_matrix` takes them, of this pair.
        terms: likewise, one row.
        measure: how the outcome is shown.
    """
    over, along = sorted(factors, key=lambda name: len(factors[name]))
    width = min(widest(), MIDDLE)
    axes = one_panel(width, LOW)
    _lines(
        axes, _oriented(means, along, over), factors[along], factors[over], measure, crowded=False
    )
    _annotate(axes, terms, along, over, TEXT, written=True, between=" of the variance, ")
    grid_lines(axes)
    axes.set_xlim(-0.45, len(factors[along]) - 0.55)
    axes.set_xlabel(along, weight="bold")
    axes.set_ylabel("\n".join(wrap(measure.axis, 24)))
    room = (width - 1.6) / len(factors[along])
    label_levels(axes, shortened(factors[along], 16), room, TEXT - 0.5)
    within_bounds(axes, measure)
    legend = _legend(axes, over, shortened(factors[over], 16), TEXT - 0.5, 18, "upper left")
    legend.set_bbox_to_anchor((1.0, 1.0))
    return figure_of(axes)


def _numbers(levels: Sequence[str]) -> list[str]:
    return [str(place) for place in range(1, len(levels) + 1)]


def _with_key(figure: Figure, factors: Mapping[str, Sequence[str]], size: float) -> SubFigure:
    """Make room below for what the numbers mean, three factors a line; returns the room above."""
    names = list(factors)
    lines = [names[start : start + 3] for start in range(0, len(names), 3)]
    heights = [0.12 * (1.4 + max(len(factors[name]) for name in line)) for line in lines]
    width = figure.get_figwidth()
    above = 0.9 * len(names) + 0.4
    figure.set_size_inches(width, above + sum(heights) + 0.1)
    areas = figure.subfigures(2, 1, height_ratios=[above, sum(heights)], squeeze=False)
    panels: SubFigure = areas[0, 0]
    below: SubFigure = areas[1, 0]
    grid = below.subplots(len(lines), 3, squeeze=False, height_ratios=heights)
    for axes in grid.ravel():
        axes.set_axis_off()
    letters = int((width / 3 - 0.42) * 72 / (0.66 * size))
    for chunk, row in zip(lines, grid, strict=True):
        for name, axes in zip(chunk, row, strict=False):
            texts = shortened(factors[name], letters)
            named = [f"{place} {text}" for place, text in enumerate(texts, start=1)]
            legend = _legend(axes, name, named, size, letters + 4, "upper left")
            legend.set_in_layout(False)
    return panels


def _name(axes: Axes, factor: str, side: float, size: float, first: bool) -> None:
    """The diagonal names the factor of its row and column."""
    _bare(axes, first)
    text = (
        wrapped_name(factor, side - 0.06, size)
        or shortened([factor], int(side * 72 / (0.7 * size)))[0]
    )
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=size,
        weight="bold", color=SOFT,
    )  # fmt: skip


def _oriented(means: pd.DataFrame, along: str, over: str) -> pd.DataFrame:
    """The rows of one pair with the x factor first, whichever way they are stored."""
    straight = means[(means["factor_a"] == along) & (means["factor_b"] == over)]
    if len(straight):
        return straight.rename(columns={"level_a": "along", "level_b": "over"})
    turned = means[(means["factor_a"] == over) & (means["factor_b"] == along)]
    return turned.rename(columns={"level_b": "along", "level_a": "over"})


def _lines(
    axes: Axes,
    pair: pd.DataFrame,
    along: Sequence[str],
    over: Sequence[str],
    measure: Response,
    *,
    crowded: bool,
) -> None:
    """One line a level of the row factor, dodged so that intervals stay apart."""
    dodge = np.zeros(1) if len(over) == 1 else np.linspace(-0.14, 0.14, len(over))
    for index, name in enumerate(over):
        rows = pair[pair["over"].astype(str) == name].set_index("along")
        rows = rows.reindex(list(along))
        mean = rows["mean"].to_numpy(float) * measure.scale
        ends = measure.interval(rows["low"].to_numpy(float), rows["high"].to_numpy(float))
        low, high = (one * measure.scale for one in ends)
        axes.errorbar(
            np.arange(len(along)) + dodge[index],
            mean,
            yerr=[mean - low, high - mean],
            color=shade_of(index),
            marker=marker(index),
            linestyle=line(index),
            linewidth=0.8 if crowded else 1.0,
            markersize=2.4 if crowded else 3.4,
            elinewidth=0.7,
            capsize=0 if crowded else 1.4,
        )


def _annotate(
    axes: Axes,
    terms: pd.DataFrame | None,
    along: str,
    over: str,
    size: float,
    *,
    written: bool,
    between: str,
) -> None:
    """Share of variance and adjusted p above the diagonal; grey where nothing is shown."""
    if terms is None:
        return
    forward = (terms["factor_a"] == along) & (terms["factor_b"] == over)
    backward = (terms["factor_a"] == over) & (terms["factor_b"] == along)
    rows = terms[forward | backward]
    if rows.empty:
        return
    term = rows.iloc[0]
    if not term["shown"]:
        axes.set_facecolor(SHADE)
    if written:
        share = f"{float(term['share']):.1%}" if np.isfinite(float(term["share"])) else "share n/a"
        axes.set_title(
            between.join((share, p_phrase(float(term["p_family"])))),
            fontsize=size,
            weight="normal",
            pad=2,
        )


def _key(
    axes: Axes, factor: str, levels: Sequence[str], size: float, longest: int, first: bool
) -> None:
    """The diagonal names the factor and shows how its levels are drawn in this row."""
    _bare(axes, first)
    small = size if len(levels) <= 4 else min(size, SMALL)
    _legend(axes, factor, shortened(levels, max(longest, 8)), small, max(longest + 2, 10), "center")


def _bare(axes: Axes, first: bool) -> None:
    """No ticks and no frame, but the scale at the left of the first row."""
    for side, spine in axes.spines.items():
        spine.set_visible(side == "left" and first)
    axes.tick_params(axis="x", bottom=False)


def _legend(
    axes: Axes,
    factor: str,
    texts: Sequence[str],
    size: float,
    longest: int,
    place: Literal["upper left", "center"],
) -> Legend:
    """Marker and line of every level under the factor's name."""
    handles = [
        Line2D(
            [],
            [],
            color=shade_of(index),
            marker=marker(index),
            linestyle=line(index),
            markersize=3,
            linewidth=1.0,
            label=text,
        )
        for index, text in enumerate(texts)
    ]
    legend: Legend = axes.legend(
        handles=handles,
        loc=place,
        fontsize=size,
        title=shortened([factor], longest)[0],
        title_fontproperties={"weight": "bold", "size": size + 0.5},
        alignment="left" if place == "upper left" else "center",
        handlelength=1.8,
        labelspacing=0.3,
        borderpad=0,
        borderaxespad=0.2,
    )
    legend.get_title().set_color(SOFT)
    return legend
