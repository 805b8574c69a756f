"""Panels per factor: one shared vertical axis, one slot a level. Base of several figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.figures.drawing.labels import label_levels, narrowest, shortened, text_width
from analysis.figures.drawing.style import (
    COLUMN,
    PAGE,
    TALLEST,
    TEXT,
    grid_lines,
    low,
    new_figure,
    widest,
)

SLOTS_A_ROW = 16  # levels that fit side by side on a page
LOW_PANEL = 1.3  # inches of a panel where height is scarce
AXIS_LETTERS = 28
"""Of a line of the vertical axis's name: what is as long as a panel of the usual height is."""


class Panel(NamedTuple):
    """The axes of one factor."""

    factor: str
    levels: list[str]
    axes: Axes


def factor_panels(
    factors: Mapping[str, Sequence[str]],
    axis_label: str,
    *,
    notes: Mapping[str, Sequence[str]] | None = None,
    panel_height: float = 1.75,
) -> tuple[Figure, list[Panel]]:
    """A figure with one panel a factor, as wide as its levels need, all on one vertical scale.

    Args:
        factors: levels of each factor in declared order.
        axis_label: what the shared vertical axis shows.
        notes: a short second line under each level, such as "34/36".
        panel_height: inches of a panel without its labels.
    """
    size = TEXT - 0.5
    names = list(factors)
    slots = sum(len(levels) for levels in factors.values())
    width = COLUMN if slots <= 6 and len(names) <= 2 else widest()
    short = {name: shortened(levels) for name, levels in factors.items()}
    needs = {
        name: (len(short[name]) + 0.2)
        * (
            max(
                max(narrowest(text, size) for text in short[name]),
                max((text_width(note, size) for note in notes[name]), default=0) if notes else 0,
                0.24,
            )
            + 0.07
        )
        for name in names
    }
    chunks, turn = _rows(names, needs, slots, width - 0.62, SLOTS_A_ROW * width / PAGE)
    if turn:
        short = {name: shortened(levels, 16) for name, levels in factors.items()}
    figure = new_figure(width, 1.0)
    rows = figure.subfigures(len(chunks), 1, squeeze=False)[:, 0]
    panels: list[Panel] = []
    tallest = 0.0
    for row, chunk in zip(rows, chunks, strict=True):
        space = width - 0.62 - 0.1 * len(chunk)
        counts = [len(factors[name]) + 0.2 for name in chunk]
        weights = [needs[name] for name in chunk]
        if turn:
            weights = counts if not low() else _titled(chunk, counts, space)
        axes = row.subplots(1, len(chunk), width_ratios=weights, squeeze=False)[0]
        for name, one, weight, count in zip(chunk, axes, weights, counts, strict=True):
            if panels:
                one.sharey(panels[0].axes)
            wide = space * weight / sum(weights)
            _label(one, short[name], notes[name] if notes else None, wide / count, size, turn=turn)
            tallest = max(tallest, _label_height(one))
            one.set_title(_title(name, wide - 0.25 * turn - 0.1 * (width == COLUMN)))
            one.set_xlim(-0.6, len(factors[name]) - 0.4)
            grid_lines(one)
            if name != chunk[0]:
                one.tick_params(axis="y", labelleft=False, left=False)
                one.spines["left"].set_visible(False)
            else:
                # A target may need more words than a panel is high.
                one.set_ylabel("\n".join(wrap(axis_label, AXIS_LETTERS)))
            panels.append(Panel(name, list(factors[name]), one))
    room = (TALLEST - 0.4) / len(chunks) - 0.22 - tallest
    panel_height = min(panel_height, LOW_PANEL if low() else panel_height, room)
    height = len(chunks) * (panel_height + 0.22 + tallest) + 0.3
    figure.set_size_inches(width, height)
    return figure, panels


def _titled(names: Sequence[str], counts: Sequence[float], space: float) -> list[float]:
    """Inches of each panel: its title's, and of the rest a share by its levels."""
    titles = [1.15 * text_width(name, TEXT + 0.5) + 0.3 for name in names]
    share = max(space - sum(titles), 0) / sum(counts)
    return [title + share * count for title, count in zip(titles, counts, strict=True)]


def _title(name: str, wide: float) -> str:
    """The factor's name, cut as far as its panel of `wide` inches needs."""
    for longest in range(40, 6, -1):
        text = shortened([name], longest)[0]
        if 1.15 * text_width(text, TEXT + 0.5) <= wide:  # set in bold
            return text
    return shortened([name], 6)[0]


def _rows(
    names: list[str], needs: Mapping[str, float], slots: int, space: float, most: float
) -> tuple[list[list[str]], bool]:
    """Factors row by row, and whether labels must be turned: level if any arrangement allows it.

    Where height is scarce one row with turned labels goes before two of level ones.
    """
    single = low() and slots <= most
    for lines in range(1, 2 if single else max(math.ceil(len(names) / 2), 1) + 1):
        chunks = _chunks(names, lines)
        if all(sum(needs[name] for name in row) + 0.1 * len(row) <= space for row in chunks):
            return chunks, False
    lines = math.ceil(slots / most)
    return _chunks(names, min(lines, len(names))), True


def _chunks(names: list[str], lines: int) -> list[list[str]]:
    """The names in so many rows of about equal length."""
    per_line = math.ceil(len(names) / lines)
    return [names[start : start + per_line] for start in range(0, len(names), per_line)]


def _label(
    axes: Axes,
    names: Sequence[str],
    notes: Sequence[str] | None,
    slot: float,
    size: float,
    *,
    turn: bool,
) -> None:
    """Level names, each with its note on a line of its own or behind it where it is turned."""
    label_levels(axes, names, slot, size, turn=turn)
    if notes is None:
        return
    turned = axes.get_xticklabels()[0].get_rotation() != 0
    drawn = [label.get_text() for label in axes.get_xticklabels()]
    joined = [
        f"{name} {note}" if turned else f"{text}\n{note}"
        for text, name, note in zip(drawn, names, notes, strict=True)
    ]
    axes.set_xticks(range(len(names)), labels=joined)


def _label_height(axes: Axes) -> float:
    """Inches the labels of the x axis take, from their text and turn."""
    tallest = 0.0
    for label in axes.get_xticklabels():
        size = float(label.get_fontsize())
        rows = label.get_text().split("\n")
        wide = max(text_width(row, size) for row in rows)
        high = len(rows) * size * 1.25 / 72
        turn = math.radians(float(label.get_rotation()))
        tallest = max(tallest, wide * abs(math.sin(turn)) + high * abs(math.cos(turn)))
    return tallest


def spread(count: int, width: float = 0.26) -> np.ndarray:
    """Offsets that lay `count` dots side by side around a level, the same on every run."""
    return np.zeros(1) if count == 1 else np.linspace(-width, width, count)
