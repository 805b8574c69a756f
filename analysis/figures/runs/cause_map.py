"""Every cell of the grid with the cause that most of its failed replicates have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.figures.drawing.labels import text_width
from analysis.figures.drawing.nested import nest, table_axes
from analysis.figures.drawing.style import (
    GRID,
    INK,
    PALETTE,
    PAPER,
    SHADE,
    SMALL,
    TEXT,
    ink_on,
    look,
    narrow,
)

FILL = 0.8
"""Share of a field's width that a number takes at most."""
LINE = 0.13
"""Inches of a line of the key."""


@look()
def cause_map(
    factors: Mapping[str, Sequence[str]], cells: pd.DataFrame, titles: Sequence[str]
) -> Figure:
    """A nested table whose colours are causes; a field says how many of its runs have its cause.

    Args:
        factors: levels of each factor in declared order.
        cells: one row a planned cell, indexed by its levels: title (of its most frequent cause, ""
            where none failed), alike (runs that have it) and runs (counts). Cells of the full grid
            that are not in the frame are not in the design and stay blank.
        titles: causes in the order of the key, which repeats each colour by its number.
    """
    nesting = nest(factors)
    columns = 1 if narrow() else 2
    fraction = len(cells) < nesting.rows * nesting.columns
    lines = -(-(len(titles) + 1 + fraction) // columns)
    figure, axes, field = table_axes(nesting, bottom=0.25 + LINE * lines)
    row, column = nesting.place(cells)
    shades = {title: PALETTE[k % len(PALETTE)] for k, title in enumerate(titles)}
    picture = np.ones((nesting.rows, nesting.columns, 3)) * to_rgb(PAPER)
    for r, c, title, runs in zip(row, column, cells["title"], cells["runs"], strict=True):
        picture[r, c] = to_rgb(shades[title] if title else SHADE if runs else PAPER)
    axes.imshow(picture, aspect="auto", interpolation="nearest", zorder=1)
    # The number before the colon names the cause again, for print in grey.
    numbers = {title: k for k, title in enumerate(titles, start=1)}
    texts = [
        f"{numbers[t]}: {int(f)}/{int(n)}" if t else ""
        for t, f, n in zip(cells["title"], cells["alike"], cells["runs"], strict=True)
    ]
    size = min(TEXT - 0.5, field * FILL / text_width(max(texts, key=len, default="-") or "-", 1.0))
    if size >= SMALL:
        for r, c, text, title in zip(row, column, texts, cells["title"], strict=True):
            if text:
                shade = ink_on(to_rgb(shades[title]))
                axes.text(c, r, text, ha="center", va="center", fontsize=size, color=shade)
    keys = [Patch(facecolor=shades[title], label=f"{numbers[title]}  {title}") for title in titles]
    keys.append(Patch(facecolor=SHADE, edgecolor=GRID, label="all converged"))
    if fraction:
        keys.append(Patch(facecolor=PAPER, edgecolor=GRID, label="not in the design"))
    figure.legend(
        handles=keys, loc="lower left", bbox_to_anchor=(0.02, 0.03 / figure.get_figheight()),
        ncols=columns, fontsize=TEXT - 0.5, labelcolor=INK, borderaxespad=0, handletextpad=0.5,
        columnspacing=1.2,
    )  # fmt: skip
    return figure
