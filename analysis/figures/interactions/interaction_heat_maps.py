"""What a pair does beyond its main effects: double-centred means on one diverging scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from analysis.figures.drawing.labels import label_levels, shortened, term_labels, text_width
from analysis.figures.drawing.style import (
    COLUMN,
    DIVERGING,
    SMALL,
    TALLEST,
    TEXT,
    ink_on,
    look,
    narrow,
    new_figure,
    widest,
)
from analysis.number_words import signed
from runner.content.response import ACCURACY, Response

Factors = Mapping[str, Sequence[str]]
Pairs = Sequence[tuple[tuple[str, str], pd.DataFrame]]


@look()
def interaction_heat_maps(
    factors: Mapping[str, Sequence[str]],
    effects: pd.DataFrame,
    *,
    measure: Response = ACCURACY,
) -> Figure:
    """One heat map a pair: mean of the pair minus both main effects plus the grand mean.

    Args:
        factors: levels of each factor in declared order.
        effects: columns factor_a, level_a, factor_b, level_b, effect, in the outcome's
            unit, shown (marked by a star).
        measure: how the outcome is shown.
    """
    pairs = [
        ((str(first), str(second)), rows)
        for (first, second), rows in effects.groupby(["factor_a", "factor_b"], sort=False)
    ]
    largest = float(np.nanmax(np.abs(effects["effect"].to_numpy(float)))) * measure.scale
    scale = Normalize(-(largest or 1.0), largest or 1.0)
    if narrow() and len(pairs) > 2:
        figure, panels, digits = _triangle(factors, pairs, effects, measure, scale)
    else:
        figure, panels, digits = _gallery(factors, pairs, effects, measure, scale)
    bar = figure.colorbar(
        ScalarMappable(scale, DIVERGING),
        ax=panels.ravel().tolist(),
        location="bottom",
        fraction=0.04,
        aspect=45,
        shrink=0.6,
    )
    bar.outline.set_visible(False)
    unit = f" ({measure.difference})" if measure.difference else ""
    mark = "+ and −" if digits is None else "*"
    bar.set_label(
        f"{measure.name}{unit} beyond the\nsum of main effects; {mark} interval without 0"
    )
    return figure


def _gallery(
    factors: Factors, pairs: Pairs, effects: pd.DataFrame, measure: Response, scale: Normalize
) -> tuple[Figure, np.ndarray, int | None]:
    """A panel a pair with its own labels, up to three a line; the figure, panels and decimals."""
    most = max(len(levels) for levels in factors.values())
    columns = min(len(pairs), 3)
    width = COLUMN if columns == 1 else widest()
    lines = math.ceil(len(pairs) / columns)
    high = min(0.26, (TALLEST - 0.5 - 0.8 * lines) / (lines * most))
    figure = new_figure(width, lines * (0.8 + high * most) + 0.5)
    grid = figure.subplots(lines, columns, squeeze=False)
    longest = 8 if narrow() and columns > 1 else 14
    wide = width / columns - (0.95 if longest == 14 else 0.62)
    digits, size = _fitting(effects, measure, wide / most - 0.03)
    for place, ((first, second), rows) in enumerate(pairs):
        axes = grid[place // columns, place % columns]
        _one(axes, rows, factors[first], factors[second], measure, scale, digits, size)
        _label(axes, factors[first], factors[second], wide, longest)
        axes.set_title(_title(f"{first}:{second}", wide + 0.45), fontsize=TEXT, pad=3, loc="right")
    for place in range(len(pairs), lines * columns):
        grid[place // columns, place % columns].set_axis_off()
    return figure, grid, digits


def _triangle(
    factors: Factors, pairs: Pairs, effects: pd.DataFrame, measure: Response, scale: Normalize
) -> tuple[Figure, np.ndarray, int | None]:
    """Pairs as a triangle that share their labels, for one column; as `_gallery` otherwise."""
    names = list(factors)
    down, across = names[1:], names[:-1]
    heights = [len(factors[name]) for name in down]
    widths = [len(factors[name]) for name in across]
    field = min((widest() - 0.75 - 0.05 * len(across)) / sum(widths), 0.34)
    high = max(min(field, 0.26), 0.105)
    digits, size = _fitting(effects, measure, field - 0.02)
    figure = new_figure(widest(), high * sum(heights) + 0.06 * len(down) + 1.5)
    grid = figure.subplots(
        len(down), len(across), squeeze=False, height_ratios=heights, width_ratios=widths
    )
    panels = dict(pairs)
    for row, second in enumerate(down):
        for column, first in enumerate(across):
            axes = grid[row, column]
            if column > row or (first, second) not in panels:
                axes.set_axis_off()
                continue
            turned = panels[first, second].rename(
                columns={"level_a": "level_b", "level_b": "level_a"}
            )
            _one(axes, turned, factors[second], factors[first], measure, scale, digits, size)
            _label(axes, factors[second], factors[first], 0.0, 10)
            if row < len(down) - 1:
                axes.set_xticks([])
            else:
                room = int(field * widths[column] * 72 / (0.7 * SMALL))
                axes.set_xlabel(shortened([first], max(room, 4))[0], fontsize=SMALL, weight="bold")
            if column:
                axes.set_yticks([])
            else:
                room = int(high * heights[row] * 72 / (0.62 * SMALL))
                axes.set_ylabel(shortened([second], max(room, 4))[0], fontsize=SMALL, weight="bold")
    return figure, grid, digits


def _one(
    axes: Axes,
    rows: pd.DataFrame,
    first: Sequence[str],
    second: Sequence[str],
    measure: Response,
    scale: Normalize,
    digits: int | None,
    size: float,
) -> None:
    """Levels of the first factor down, of the second across, value and star in each field."""
    import seaborn as sns  # a second, which a process that only saves figures does not need

    def table(column: str) -> pd.DataFrame:
        wide = rows.assign(
            level_a=rows["level_a"].astype(str), level_b=rows["level_b"].astype(str)
        ).pivot(index="level_a", columns="level_b", values=column)
        return wide.reindex(index=list(first), columns=list(second)).astype(float)

    effect = table("effect") * measure.scale
    texts = _texts(effect, table("shown") > 0, digits)
    sns.heatmap(
        effect,
        ax=axes,
        cmap=DIVERGING,
        vmin=scale.vmin,
        vmax=scale.vmax,
        annot=texts,
        fmt="",
        annot_kws={"fontsize": size},
        cbar=False,
        linewidths=0.6,
        linecolor="white",
        xticklabels=False,
        yticklabels=False,
    )
    palette = colormaps[DIVERGING]
    values = effect.to_numpy()
    for text, value in zip(axes.texts, values[np.isfinite(values)], strict=True):
        text.set_color(ink_on(palette(scale(value))))
    axes.set(xlabel="", ylabel="")


def _label(
    axes: Axes, first: Sequence[str], second: Sequence[str], wide: float, longest: int
) -> None:
    """Levels down and across, across as they fit in `wide` inches (upright in none)."""
    small = TEXT - 1 if len(first) <= 4 and wide else SMALL
    label_levels(axes, shortened(second, longest), wide / len(second), small)
    drawn = axes.get_xticklabels()
    axes.set_xticks(
        np.arange(len(second)) + 0.5,
        labels=[text.get_text() for text in drawn],
        rotation=drawn[0].get_rotation(),
    )
    axes.set_yticks(
        np.arange(len(first)) + 0.5, labels=shortened(first, longest), fontsize=small, rotation=0
    )
    axes.tick_params(length=0, pad=1.5)


def _title(term: str, width: float) -> str:
    """Both names, cut only as far as the room over the panel needs."""
    for longest in (60, 36, 32, 28, 24, 20):
        text = term_labels([term], longest)[0]
        if 1.14 * text_width(text, TEXT) <= width:  # set in bold
            return text
    return term_labels([term], 16)[0]


def _fitting(effects: pd.DataFrame, measure: Response, room: float) -> tuple[int | None, float]:
    """Decimals and points with which every value fits a field; no decimals where only signs do."""
    values = effects["effect"].to_numpy(float) * measure.scale
    values = values[np.isfinite(values)]
    most = 1 if np.abs(values).max(initial=0.0) >= 0.95 else 2
    for digits in range(most, -1, -1):
        longest = max(
            (text_width(signed(value, digits) + "*", 1.0) for value in values), default=1.0
        )
        if room / longest >= SMALL:
            return digits, min(TEXT - 0.5, room / longest)
    return None, SMALL


def _texts(effect: pd.DataFrame, clear: pd.DataFrame, digits: int | None) -> np.ndarray:
    """Signed values, a star where they are shown, n/a where not estimable.

    Without room for values (`digits` None) the sign alone, and only where it is shown.
    """
    if digits is None:
        sign = effect.map(lambda value: "+" if value > 0 else "−")
        return sign.where(clear, "").to_numpy()
    plain = effect.map(lambda value: signed(value, digits) if np.isfinite(value) else "n/a")
    return plain.where(~clear, plain + "*").to_numpy()
