"""The whole grid as one table: factors nested down and across, with their levels as headers.

Splits the factors so that the table is as square as it can be, places every cell, and writes
headers that are never wider than their span: level names where they fit, none where they do not
(the factor's name then lists its levels in order).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.drawing.labels import shortened, text_width
from analysis.figures.drawing.style import (
    GRID,
    INK,
    SMALL,
    SOFT,
    TALLEST,
    TEXT,
    low,
    narrow,
    widest,
)

HEADER = 0.135  # inches of a header line
LOW_FIELD = 0.24  # inches of the height of a field where height is scarce
LARGEST_SIDE = 1300  # rows or columns that are still drawn


@dataclass(frozen=True, slots=True)
class Nesting:
    """Which factors run down and which across, outermost first."""

    down: tuple[str, ...]
    across: tuple[str, ...]
    levels: Mapping[str, Sequence[str]]

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return prod(len(self.levels[name]) for name in self.down)

    @property
    def columns(self) -> int:
        """Columns of the table."""
        return prod(len(self.levels[name]) for name in self.across)

    def place(self, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of every row of a frame that is indexed by the levels."""
        return self._index(frame, self.down), self._index(frame, self.across)

    def _index(self, frame: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
        index = np.zeros(len(frame), dtype=int)
        for name in names:
            order = {str(level): place for place, level in enumerate(self.levels[name])}
            labels = frame.index.get_level_values(name).astype(str)
            index = index * len(order) + labels.map(order).to_numpy(int)
        return index


def nest(factors: Mapping[str, Sequence[str]]) -> Nesting:
    """Split factors between rows and columns: as wide as the paper is beside its height."""
    names = list(factors)
    best: tuple[float, int] | None = None
    for cut in range(1, len(names)) if len(names) > 1 else [0]:
        rows = prod(len(factors[name]) for name in names[:cut])
        columns = prod(len(factors[name]) for name in names[cut:])
        badness = abs(np.log(columns / rows) - np.log(0.5 if narrow() else 1.6))
        if best is None or badness < best[0]:
            best = (float(badness), cut)
    cut = best[1] if best else 0
    return Nesting(tuple(names[:cut]), tuple(names[cut:]), factors)


def table_axes(nesting: Nesting, *, bottom: float = 0.62) -> tuple[Figure, Axes, float]:
    """A figure that holds the table with headers; returns it, its axes and inches of a field.

    Args:
        nesting: the table.
        bottom: inches kept below the table for a key and a colour bar.
    """
    left = _left(nesting)
    top = 0.12 + sum(_header_height(nesting, place) for place in range(len(nesting.across)))
    right = 0.1
    wide = (widest() - left - right) / nesting.columns
    room = TALLEST - top - bottom
    high = min(max(wide, 0.13) if wide < 0.5 else 0.34, room / nesting.rows)
    high = min(high, LOW_FIELD) if low() else high
    wide = min(wide, 1.1)
    width = left + wide * nesting.columns + right
    height = top + high * nesting.rows + bottom
    figure = Figure(figsize=(max(width, 3.5), height))
    axes = figure.add_axes(
        (
            left / max(width, 3.5),
            bottom / height,
            wide * nesting.columns / max(width, 3.5),
            high * nesting.rows / height,
        )
    )
    axes.set_xlim(-0.5, nesting.columns - 0.5)
    axes.set_ylim(nesting.rows - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    _headers_across(axes, nesting, wide, high)
    _headers_down(axes, nesting, wide, high)
    return figure, axes, min(wide, high * 2.2)


def _left(nesting: Nesting) -> float:
    """Inches left of the table: the columns of row headers, or a column factor's name."""
    rows = 0.1 + sum(_header_width(nesting, name, place) for place, name in enumerate(nesting.down))
    return max(rows, 0.14 + max((_head_width(name) for name in nesting.across), default=0.0))


def _drawn_levels(nesting: Nesting, name: str) -> list[str]:
    return shortened(list(nesting.levels[name]), 9 if narrow() else 14)


def _drawn_name(name: str) -> str:
    return shortened([name], 10 if narrow() else 16)[0]


def _head_width(name: str) -> float:
    """Inches of a factor's name, set in bold."""
    return 1.15 * text_width(_drawn_name(name), SMALL)


def _span_rows(nesting: Nesting, place: int) -> int:
    """Rows one level of the row factor at this depth spans."""
    return prod(len(nesting.levels[name]) for name in nesting.down[place + 1 :])


def _header_width(nesting: Nesting, name: str, place: int) -> float:
    """Inches of the column of row headers."""
    texts = _drawn_levels(nesting, name)
    return max(_head_width(name), *(text_width(text, SMALL) for text in texts)) + 0.1


def _turned(nesting: Nesting, place: int) -> bool:
    """Whether the levels of this column factor must stand upright."""
    span = prod(len(nesting.levels[name]) for name in nesting.across[place + 1 :])
    field = (widest() - _left(nesting) - 0.1) / nesting.columns
    longest = max(text_width(text, SMALL) for text in _drawn_levels(nesting, nesting.across[place]))
    return longest > span * field - 0.03


def _fits_turned(nesting: Nesting, place: int) -> bool:
    """Whether upright levels have room beside one another."""
    span = prod(len(nesting.levels[name]) for name in nesting.across[place + 1 :])
    return span * (widest() - _left(nesting) - 0.1) / nesting.columns >= SMALL * 1.15 / 72


def _header_height(nesting: Nesting, place: int) -> float:
    """Inches of the line of column headers."""
    if not _turned(nesting, place):
        return HEADER
    if not _fits_turned(nesting, place):
        return HEADER
    texts = _drawn_levels(nesting, nesting.across[place])
    return max(text_width(text, SMALL) for text in texts) + 0.06


def _headers_across(axes: Axes, nesting: Nesting, wide: float, high: float) -> None:
    """Column headers from the innermost line upwards, with the factor's name on the left."""
    above = 0.03
    for place in range(len(nesting.across) - 1, -1, -1):
        name = nesting.across[place]
        span = prod(len(nesting.levels[one]) for one in nesting.across[place + 1 :])
        repeats = nesting.columns // (span * len(nesting.levels[name]))
        tall = _header_height(nesting, place)
        y = -0.5 - (above + tall / 2) / high
        turned = _turned(nesting, place)
        written = not turned or _fits_turned(nesting, place)
        texts = _drawn_levels(nesting, name)
        if written:
            for index, text in enumerate(texts * repeats):
                axes.text(
                    (index + 0.5) * span - 0.5,
                    y if not turned else -0.5 - (above + 0.02) / high,
                    text,
                    ha="center",
                    va="bottom" if turned else "center",
                    fontsize=SMALL,
                    rotation=90 if turned else 0,
                )
        head = _drawn_name(name) if written else _listed(nesting, name, wide * nesting.columns)
        axes.text(
            -0.5 - 0.06 / wide if written else -0.5,
            y,
            head,
            ha="right" if written else "left",
            va="center",
            fontsize=SMALL,
            color=SOFT,
            weight="bold",
        )
        _rule(axes, span, vertical=True, outer=place == 0, count=nesting.columns)
        above += tall


def _listed(nesting: Nesting, name: str, width: float) -> str:
    """A factor with its levels in order, where the levels have no room over their columns."""
    for longest in (14, 10, 7, 5):
        levels = ", ".join(shortened(list(nesting.levels[name]), longest))
        text = f"{_drawn_name(name)}: {levels}"
        if 1.15 * text_width(text, SMALL) <= width:
            return text
    return f"{_drawn_name(name)}: {len(nesting.levels[name])} levels in order"


def _headers_down(axes: Axes, nesting: Nesting, wide: float, high: float) -> None:
    """Row headers from the innermost column leftwards, with the factor's name below."""
    beside = 0.05
    for place in range(len(nesting.down) - 1, -1, -1):
        name = nesting.down[place]
        span = _span_rows(nesting, place)
        repeats = nesting.rows // (span * len(nesting.levels[name]))
        broad = _header_width(nesting, name, place)
        x = -0.5 - beside / wide
        texts = _drawn_levels(nesting, name)
        if span * high >= SMALL * 1.1 / 72:
            for index, text in enumerate(texts * repeats):
                axes.text(
                    x, (index + 0.5) * span - 0.5, text, ha="right", va="center", fontsize=SMALL
                )
        axes.text(
            x,
            nesting.rows - 0.5 + 0.09 / high,
            _drawn_name(name),
            ha="right",
            va="center",
            fontsize=SMALL,
            color=SOFT,
            weight="bold",
        )
        _rule(axes, span, vertical=False, outer=place == 0, count=nesting.rows)
        beside += broad


def _rule(axes: Axes, span: int, *, vertical: bool, outer: bool, count: int) -> None:
    """Lines between the levels of one factor, heavier for the outermost."""
    if span == 1 and count > 40:
        return
    draw = axes.axvline if vertical else axes.axhline
    for at in range(span, count, span):
        draw(
            at - 0.5,
            color=INK if outer and span > 1 else GRID,
            linewidth=0.9 if outer else 0.5,
            zorder=4,
        )


__all__ = ["LARGEST_SIDE", "TEXT", "Nesting", "nest", "table_axes"]
