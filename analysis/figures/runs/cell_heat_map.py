"""Every cell of the grid at once: its mean outcome, and on top of it what went wrong in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from analysis.figures.drawing.labels import shortened_terms, text_width
from analysis.figures.drawing.nested import Nesting, nest, table_axes
from analysis.figures.drawing.style import (
    GRID,
    INK,
    ON_LIGHT,
    PAPER,
    SEQUENTIAL,
    SMALL,
    TEXT,
    ink_on,
    look,
    narrow,
)
from runner.content.response import ACCURACY, Response

BAD = "#d55e00"

FILL = 0.8
"""Share of a field's width that a number takes at most: wider, neighbours read as one number."""


@look()
def cell_heat_map(
    factors: Mapping[str, Sequence[str]],
    cells: pd.DataFrame,
    *,
    measure: Response = ACCURACY,
) -> Figure:
    """A nested table of cell means with a status overlay.

    Args:
        factors: levels of each factor in declared order.
        cells: one row a planned cell, indexed by its levels: mean (NaN where nothing finished),
            runs, diverged, stalled, missing (counts of replicates). Cells of the full grid that
            are not in the frame are not in the design and stay blank.
        measure: how the outcome is shown.
    """
    nesting = nest(factors)
    figure, axes, field = table_axes(nesting)
    row, column = nesting.place(cells)
    table = np.full((nesting.rows, nesting.columns), np.nan)
    table[row, column] = cells["mean"].to_numpy(float) * measure.scale
    low, high = np.nanmin(table), np.nanmax(table)
    scale = Normalize(low, high if high > low else low + 1)
    palette = colormaps[SEQUENTIAL]
    axes.imshow(
        np.ma.masked_invalid(table),
        cmap=palette,
        norm=scale,
        aspect="auto",
        interpolation="nearest",
        zorder=1,
    )
    digits = 1
    size = _size(field, f"{high:.1f}" if measure.share else f"{high:.3g}")
    if size < SMALL and measure.share:
        digits, size = 0, _size(field, f"{high:.0f}")
    _overlay(axes, cells, row, column, size)
    if size >= SMALL:  # smaller, colours and the table of numbers say it better
        for r, c in zip(row, column, strict=True):
            if np.isfinite(table[r, c]):
                shown = f"{table[r, c]:.{digits}f}" if measure.share else f"{table[r, c]:.3g}"
                axes.text(
                    c,
                    r,
                    shown,
                    ha="center",
                    va="center",
                    fontsize=size,
                    color=ink_on(palette(scale(table[r, c]))),
                    zorder=5,
                )
    _bar_and_key(figure, scale, measure, cells, len(cells) < nesting.rows * nesting.columns)
    return figure


def _size(field: float, text: str) -> float:
    """Points at which a text fits a field of so many inches."""
    return min(TEXT - 0.5, field * FILL / text_width(text, 1.0))


def _overlay(
    axes: Axes, cells: pd.DataFrame, row: np.ndarray, column: np.ndarray, size: float
) -> None:
    """A corner mark where a replicate diverged, hatching where nothing finished."""
    bare = cells["mean"].isna().to_numpy()
    for r, c in zip(row[bare], column[bare], strict=True):
        axes.add_patch(
            Rectangle((c - 0.5, r - 0.5), 1, 1, facecolor=GRID, hatch="////", linewidth=0, zorder=2)
        )
    for name, shape, shade, x in (("diverged", "X", BAD, 0.33), ("stalled", "v", PAPER, -0.33)):
        hit = cells[name].to_numpy(float) > 0
        if hit.any():
            axes.scatter(
                column[hit] + x,
                row[hit] - 0.3,
                marker=shape,
                s=max(size * 1.5, 3),
                color=shade,
                edgecolor=PAPER if shade == BAD else INK,
                linewidths=0.4,
                zorder=6,
            )


def _bar_and_key(
    figure: Figure, scale: Normalize, measure: Response, cells: pd.DataFrame, fraction: bool
) -> None:
    """Colour bar at the lower left, meaning of the marks at the lower right."""
    height = figure.get_figheight()
    place = figure.add_axes((0.06, 0.27 / height, 0.36, 0.075 / height))
    bar = figure.colorbar(ScalarMappable(scale, SEQUENTIAL), cax=place, orientation="horizontal")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL, length=2, pad=1)
    bar.set_label(f"mean {measure.axis}", fontsize=TEXT - 0.5, labelpad=1)
    handles: list[Patch | Line2D] = []
    for name, shape, shade in (("diverged", "X", BAD), ("stalled", "v", PAPER)):
        if float(cells[name].sum()) > 0:
            handles.append(
                Line2D(
                    [],
                    [],
                    linestyle="",
                    marker=shape,
                    color=shade,
                    markeredgecolor=PAPER if shade == BAD else INK,
                    markeredgewidth=0.4,
                    label=f"a replicate {name}",
                )
            )
    if cells["mean"].isna().any():
        handles.append(Patch(facecolor=GRID, hatch="////", linewidth=0, label="no outcome yet"))
    if fraction:
        handles.append(Patch(facecolor=PAPER, edgecolor=GRID, label="not in the design"))
    if handles:
        figure.legend(
            handles=handles,
            loc="lower right",
            bbox_to_anchor=(0.99, 0.04 / height),
            ncols=1 if narrow() else 2,
            fontsize=TEXT - 0.5,
            borderaxespad=0,
            handletextpad=0.4,
            columnspacing=1.2,
        )


def separated_levels(cells: pd.DataFrame, factors: Sequence[str]) -> set[tuple[str, str]]:
    """Levels whose runs all converged or none did: where a logistic model has no finite answer.

    None where every run of the whole grid ended alike: then nothing separates anything.
    """
    separated: set[tuple[str, str]] = set()
    if cells["converged"].sum() in (0, cells["runs"].sum()):
        return separated
    for factor in factors:
        labels = cells.index.get_level_values(factor).astype(str)
        for level, rows in cells.groupby(labels, sort=False):
            converged, runs = rows["converged"].sum(), rows["runs"].sum()
            if runs and converged in (0, runs):
                separated.add((factor, str(level)))
    return separated


@look()
def cell_mosaic(
    factors: Mapping[str, Sequence[str]], cells: pd.DataFrame, *, did: str = "converged"
) -> Figure:
    """Converged of finished replicates in every cell; separated levels are hatched.

    Args:
        factors: levels of each factor in declared order.
        cells: one row a planned cell, indexed by its levels: converged and runs (counts).
        did: what a run that converged did, in words.
    """
    nesting: Nesting = nest(factors)
    figure, axes, field = table_axes(nesting)
    row, column = nesting.place(cells)
    runs = cells["runs"].to_numpy(float)
    converged = cells["converged"].to_numpy(float)
    rate = np.divide(converged, runs, out=np.full(len(runs), np.nan), where=runs > 0)
    table = np.full((nesting.rows, nesting.columns), np.nan)
    table[row, column] = rate * 100
    scale = Normalize(0, 100)
    palette = colormaps[SEQUENTIAL]
    axes.imshow(
        np.ma.masked_invalid(table),
        cmap=palette,
        norm=scale,
        aspect="auto",
        interpolation="nearest",
        zorder=1,
    )
    separated = separated_levels(cells, list(factors))
    hatched = np.zeros(len(cells), dtype=bool)
    for factor, level in separated:
        hatched |= cells.index.get_level_values(factor).astype(str) == level
    for r, c in zip(row[hatched], column[hatched], strict=True):
        axes.add_patch(
            Rectangle(
                (c - 0.5, r - 0.5),
                1,
                1,
                fill=False,
                hatch="////",
                hatchcolor="#ffffff70",
                linewidth=0,
                zorder=2,
            )
        )
    shown = [f"{int(k)}/{int(n)}" if n else "–" for k, n in zip(converged, runs, strict=True)]
    size = _size(field, max(shown, key=len, default="–"))
    if size >= SMALL:  # smaller, colours and the table of numbers say it better
        shades = [ON_LIGHT if np.isnan(share) else ink_on(palette(share)) for share in rate]
        for r, c, text, shade in zip(row, column, shown, shades, strict=True):
            axes.text(
                c,
                r,
                text,
                ha="center",
                va="center",
                fontsize=size,
                color=shade,
                zorder=5,
            )
    height = figure.get_figheight()
    place = figure.add_axes((0.06, 0.27 / height, 0.36, 0.075 / height))
    bar = figure.colorbar(ScalarMappable(scale, SEQUENTIAL), cax=place, orientation="horizontal")
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=SMALL, length=2, pad=1)
    bar.set_label(f"replicates that {did} (%)", fontsize=TEXT - 0.5, labelpad=1)
    if separated:
        figure.text(
            0.5,
            0.44 / height,
            _separated_text(separated, figure.get_figwidth() * 0.47, did),
            fontsize=SMALL,
            va="top",
            linespacing=1.3,
        )
    return figure


def _separated_text(separated: set[tuple[str, str]], width: float, did: str) -> str:
    """What the hatching means and where, in four lines of at most `width` inches."""
    names = sorted(separated)
    short = shortened_terms(names, 34, "=")
    letters = int(width * 72 / (0.6 * SMALL))
    text = f"hatched: all or none {did} at {', '.join(short)}"
    return "\n".join(wrap(text, letters, max_lines=4, placeholder=" …"))
