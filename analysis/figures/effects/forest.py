"""Forest of contrasts: each difference with its interval, replicates, and what would not matter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.figures.drawing.labels import shortened, shortened_terms
from analysis.figures.drawing.style import (
    INK,
    PAGE,
    PALETTE,
    SHADE,
    SMALL,
    SOFT,
    TEXT,
    figure_of,
    grid_lines,
    look,
    narrow,
    one_panel,
    widest,
)
from analysis.number_words import signed
from runner.content.response import ACCURACY, Response

MOST_ROWS = 48


@look()
def forest(
    contrasts: pd.DataFrame,
    *,
    band: float | None = None,
    replicates: pd.DataFrame | None = None,
    measure: Response = ACCURACY,
) -> Figure:
    """Rows grouped by factor, zero line, band of practical equivalence; the largest 48 at most.

    Args:
        contrasts: columns group, first, second, perhaps given_first and given_second (of a
            difference of differences), estimate, low, high, in the outcome's unit, shown (filled).
        band: half width of the band of practical equivalence, same unit; None draws none.
        replicates: columns group, first, second, replicate, estimate: one faint dot each.
        measure: how the outcome is shown.
    """
    rows = contrasts.dropna(subset=["estimate"])
    if len(rows) > MOST_ROWS:
        keep = rows["estimate"].abs().sort_values(ascending=False, kind="stable").index[:MOST_ROWS]
        rows = rows.loc[rows.index.isin(keep)]
    places: list[float] = []
    heads: list[tuple[float, str]] = []
    at = 0.0
    for group, members in rows.groupby("group", sort=False):
        heads.append((at, str(group)))
        places.extend(at + 1 + step for step in range(len(members)))
        at += len(members) + 1.35
    ordered = pd.concat([members for _, members in rows.groupby("group", sort=False)])
    y = np.array(places)
    mean = ordered["estimate"].to_numpy(float) * measure.scale
    low = ordered["low"].to_numpy(float) * measure.scale
    high = ordered["high"].to_numpy(float) * measure.scale
    axes = one_panel(min(PAGE * 0.85, widest()), 0.148 * at + 0.6)
    if band is not None:
        axes.axvspan(-band * measure.scale, band * measure.scale, color=SHADE, linewidth=0)
    axes.axvline(0, color=INK, linewidth=0.8)
    if replicates is not None:
        of = zip(y, *(ordered[name] for name in ("group", "first", "second")), strict=True)
        for place, group, first, second in of:
            chosen = replicates["group"] == group
            chosen &= (replicates["first"] == first) & (replicates["second"] == second)
            dots = replicates.loc[chosen, "estimate"].to_numpy(float)
            axes.scatter(
                dots * measure.scale,
                np.full(len(dots), place),
                s=6,
                color=INK,
                alpha=0.3,
                linewidths=0,
            )
    clear = ordered["shown"].to_numpy(bool)
    for chosen, shade, shape in ((clear, PALETTE[0], "o"), (~clear, SOFT, "s")):
        if chosen.any():
            axes.errorbar(
                mean[chosen],
                y[chosen],
                xerr=[mean[chosen] - low[chosen], high[chosen] - mean[chosen]],
                fmt=shape,
                color=shade,
                markerfacecolor=shade if shape == "o" else "white",
                markersize=3.2,
                elinewidth=1.0,
                capsize=0,
            )
    size = TEXT - 0.5 if len(y) <= 30 else SMALL
    texts = _contrasts(_levels(ordered), 24 if narrow() else 44)
    ticks = [*y, *(place for place, _ in heads)]
    axes.set_yticks(
        ticks, labels=[*texts, *shortened([head for _, head in heads], 26 if narrow() else 40)]
    )
    for label, head in zip(
        axes.get_yticklabels(), [False] * len(y) + [True] * len(heads), strict=True
    ):
        label.set_fontsize(size)
        label.set_fontweight("bold" if head else "normal")
    digits = 1 if measure.share or np.nanmax(np.abs(mean)) >= 10 else 3
    for place, one, below, above in zip(y, mean, low, high, strict=True):
        text = f"{signed(one, digits)} [{signed(below, digits)}, {signed(above, digits)}]"
        axes.text(
            1.02, place, text, transform=axes.get_yaxis_transform(), va="center", fontsize=SMALL
        )
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(at - 0.4, -0.8)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(measure.difference_axis)
    grid_lines(axes, "x")
    return figure_of(axes)


def _levels(rows: pd.DataFrame) -> list[tuple[str, ...]]:
    """Two levels of a difference, four of a difference of differences."""
    plain: list[tuple[str, ...]] = list(
        zip(rows["first"].astype(str), rows["second"].astype(str), strict=True)
    )
    if "given_first" not in rows:
        return plain
    given = zip(rows["given_first"], rows["given_second"], strict=True)
    return [
        pair if pd.isna(one) else (*pair, str(one), str(other))
        for pair, (one, other) in zip(plain, given, strict=True)
    ]


def _contrasts(levels: Sequence[tuple[str, ...]], longest: int) -> list[str]:
    """Contrasts in at most about `longest` letters; of nested ones every level stays legible.

    Args:
        levels: two of a difference, four of a difference of differences.
        longest: letters.
    """
    short = iter(shortened_terms([one for one in levels if len(one) == 2], longest, "−"))
    nested = [level for one in levels if len(one) == 4 for level in one]
    room = max(4, (longest - 8) // 4)
    cut = dict(zip(nested, shortened(nested, room), strict=True))
    texts = []
    for one in levels:
        if len(one) == 2:
            texts.append(next(short))
        else:
            a, b, c, d = (cut[level] for level in one)
            texts.append(f"({a} − {b}) × ({c} − {d})")
    return texts
