"""Design page: which effects a fraction cannot tell apart, as a map of absolute correlations."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.figures.drawing.labels import term_labels, text_width
from analysis.figures.drawing.style import (
    COLUMN,
    GRID,
    ON_DARK,
    ON_LIGHT,
    PAGE,
    SHADE,
    SMALL,
    TEXT,
    figure_of,
    look,
    one_panel,
    widest,
)

MOST_NAMED = 60
LEGIBLE = 4.0  # points below which numbers are left out


@look()
def alias_map(correlations: pd.DataFrame) -> Figure:
    """A square of terms: 0 is clear, 1 is aliased.

    Args:
        correlations: square frame of absolute correlations; index and columns name terms ("A",
            "A:B"). A name may stand several times (one model column each): its largest
            correlation with a column of the other term is drawn.
    """
    terms = list(dict.fromkeys(str(name) for name in correlations.index))
    table = _by_term(correlations, terms)
    texts = term_labels(terms, 28)
    named = len(terms) <= MOST_NAMED
    width = COLUMN if len(terms) <= 10 else min(PAGE * 0.82, widest())
    margin = (max(text_width(text, SMALL) for text in texts) if named else 0.0) + 0.1
    side = width - margin - 0.1
    axes = one_panel(width, side + margin + 0.55)
    image = axes.imshow(table, cmap="Greys", vmin=0, vmax=1, interpolation="nearest")
    field = side / len(terms)
    size = min(TEXT - 0.5, 0.7 * field / text_width(".00", 1.0))
    for row in range(len(terms)):
        # A term with itself says nothing about the design.
        axes.add_patch(Rectangle((row - 0.5, row - 0.5), 1, 1, color=SHADE, linewidth=0, zorder=2))
        for column in range(len(terms)) if size >= LEGIBLE else ():
            value = table[row, column]
            if row != column and value >= 0.005:
                text = "1" if value > 0.995 else f"{value:.2f}"[1:]
                shade = ON_DARK if value > 0.5 else ON_LIGHT
                axes.text(column, row, text, ha="center", va="center", fontsize=size, color=shade)
    for edge in range(1, len(terms)):
        axes.axhline(edge - 0.5, color=GRID, linewidth=0.5, zorder=3)
        axes.axvline(edge - 0.5, color=GRID, linewidth=0.5, zorder=3)
    place = range(len(terms)) if named else []
    small = min(TEXT - 0.5, 72 * field / 1.2)
    axes.set_xticks(place, labels=texts if named else [], fontsize=small, rotation=90)
    axes.set_yticks(place, labels=texts if named else [], fontsize=small)
    axes.tick_params(length=0, pad=2)
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar = figure_of(axes).colorbar(
        image, ax=axes, location="bottom", shrink=0.7, aspect=30, pad=0.02
    )
    bar.outline.set_visible(False)
    bar.set_label("|correlation|: 0 clear, 1 aliased")
    bar.set_ticks([0, 0.25, 0.5, 0.75, 1], labels=["0", "", ".5", "", "1"])
    return figure_of(axes)


def _by_term(correlations: pd.DataFrame, terms: list[str]) -> np.ndarray:
    """Largest absolute correlation between any column of one term and any of another."""
    values = np.abs(correlations.to_numpy(float))
    names = np.array([str(name) for name in correlations.index])
    chosen = [names == term for term in terms]
    return np.array([[values[np.ix_(a, b)].max() for b in chosen] for a in chosen])
