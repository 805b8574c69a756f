"""Diagnostics: what residuals say about the intervals, and if an interaction is only a scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtri

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
    narrow,
    new_figure,
    one_panel,
    widest,
)
from runner.content.response import ACCURACY, Response

MOST_VECTORS = 400  # dots; more are pixels, or a page of thousands of runs would carry each of them


@look()
def diagnostics(
    residuals: pd.DataFrame, cells: pd.DataFrame, *, measure: Response = ACCURACY
) -> Figure:
    """Six looks at the residuals of the cell means.

    Args:
        residuals: one row a run: fitted (its cell's mean), residual, replicate, run_order, and
            optionally seconds; the outcome's unit.
        cells: one row a cell: mean, deviation (standard deviation over replicates).
        measure: how the outcome is shown.
    """
    figure = new_figure(widest(), 6.2 if narrow() else 4.1)
    panels = figure.subplots(*((3, 2) if narrow() else (2, 3)))
    grid = panels.reshape(2, 3)
    unit = f" ({measure.difference})" if measure.difference else ""
    rows = residuals.dropna(subset=["residual", "fitted"])
    value = rows["residual"].to_numpy(float) * measure.scale
    _scatter(grid[0, 0], rows["fitted"].to_numpy(float) * measure.scale, value)
    grid[0, 0].set(xlabel=f"cell mean{f' ({measure.unit})' if measure.unit else ''}")
    _quantiles(grid[0, 1], value)
    _spread(grid[0, 2], cells, measure)
    _scatter(grid[1, 0], rows["run_order"].to_numpy(float), value)
    grid[1, 0].set(xlabel="run order")
    _by_replicate(grid[1, 1], rows["replicate"].to_numpy(), value)
    _histogram(grid[1, 2], value, unit)
    for axes, title in zip(
        grid.ravel(),
        (
            "against the fit",
            "against normal",
            "spread and level",
            "over time",
            "by replicate",
            "all",
        ),
        strict=True,
    ):
        axes.set_title(title)
        grid_lines(axes)
    for axes in (grid[0, 0], grid[1, 0], grid[1, 1], grid[0, 1]):
        axes.set_ylabel(f"residual{unit}")
    return figure


def _scatter(axes: Axes, x: np.ndarray, residual: np.ndarray) -> None:
    """Residuals against something, with the zero line."""
    axes.axhline(0, color=SOFT, linewidth=0.8)
    many = len(x) > MOST_VECTORS
    axes.scatter(x, residual, s=6, color=PALETTE[0], alpha=0.45, linewidths=0, rasterized=many)


def _quantiles(axes: Axes, residual: np.ndarray) -> None:
    """Normal quantile plot with the line through the quartiles."""
    ordered = np.sort(residual)
    normal = ndtri((np.arange(1, len(ordered) + 1) - 0.5) / max(len(ordered), 1))
    many = len(ordered) > MOST_VECTORS
    axes.scatter(normal, ordered, s=6, color=PALETTE[0], alpha=0.45, linewidths=0, rasterized=many)
    if len(ordered) >= 4:
        low, high = np.quantile(ordered, [0.25, 0.75])
        slope = (high - low) / (2 * ndtri(0.75))
        axes.axline((0, (low + high) / 2), slope=slope, color=INK, linewidth=0.8)
    axes.set_xlabel("normal quantile")


def _spread(axes: Axes, cells: pd.DataFrame, measure: Response) -> None:
    """Standard deviation against mean; cells that never vary are counted, not drawn at zero."""
    mean = cells["mean"].to_numpy(float) * measure.scale
    deviation = cells["deviation"].to_numpy(float) * measure.scale
    positive = deviation > 0
    axes.scatter(
        mean[positive],
        deviation[positive],
        s=8,
        color=PALETTE[1],
        marker="s",
        alpha=0.6,
        linewidths=0,
        rasterized=len(mean) > MOST_VECTORS,
    )
    constant = int(np.sum(deviation == 0))
    if constant:
        axes.text(
            0.97,
            0.95,
            f"{constant} constant",
            transform=axes.transAxes,
            ha="right",
            va="top",
            fontsize=SMALL,
        )
    axes.set_xlabel(f"cell mean{f' ({measure.unit})' if measure.unit else ''}")
    unit = f" ({measure.difference})" if measure.difference else ""
    axes.set_ylabel(f"standard deviation{unit}")
    axes.set_ylim(bottom=0)


def _by_replicate(axes: Axes, replicate: np.ndarray, residual: np.ndarray) -> None:
    """Residuals of every replicate: a shifted column is a shared shock."""
    axes.axhline(0, color=SOFT, linewidth=0.8)
    names = sorted(set(replicate.tolist()))
    axes.boxplot(
        [residual[replicate == name] for name in names],
        positions=range(len(names)),
        widths=0.55,
        flierprops={
            "marker": "o",
            "markersize": 2,
            "markeredgecolor": SOFT,
            "rasterized": len(residual) > MOST_VECTORS,
            "zorder": 1.9,  # one after the other, so that they become one picture and not one each
        },
        medianprops={"color": PALETTE[1], "linewidth": 1.2},
        boxprops={"color": INK, "linewidth": 0.8},
        whiskerprops={"color": INK, "linewidth": 0.8},
        capprops={"color": INK, "linewidth": 0.8},
    )
    step = max(1, len(names) // 8)
    axes.set_xticks(range(0, len(names), step), labels=[str(name) for name in names[::step]])
    axes.set_xlabel("replicate")


def _histogram(axes: Axes, residual: np.ndarray, unit: str) -> None:
    """The distribution of all residuals."""
    bins = int(np.clip(2 * np.sqrt(len(residual)), 8, 60))
    axes.hist(residual, bins=bins, color=PALETTE[0], alpha=0.75, edgecolor="white", linewidth=0.3)
    axes.set(xlabel=f"residual{unit}", ylabel="runs")


@look()
def scale_comparison(
    shares: pd.DataFrame, *, raw: str = "accuracy", other: str = "logit"
) -> Figure:
    """Shares of variance on two scales: a pair that vanishes on the logit scale is a bounded scale.

    Args:
        shares: columns term, raw, other (shares in 0..1) and optionally crossover (bool: simple
            effects change sign, which no rescaling removes).
        raw: name of the first scale.
        other: name of the second scale.
    """
    rows = shares.sort_values("raw", ascending=True, kind="stable").tail(24)
    axes = one_panel(COLUMN, 0.16 * len(rows) + 0.95)
    y = np.arange(len(rows))
    first = rows["raw"].to_numpy(float) * 100
    second = rows["other"].to_numpy(float) * 100
    axes.hlines(y, first, second, color=SOFT, linewidth=0.8)
    axes.plot(first, y, "o", color=PALETTE[0], markersize=4, label=f"{raw} scale")
    axes.plot(
        second,
        y,
        "D",
        color=PALETTE[1],
        markersize=3.6,
        markerfacecolor="white",
        label=f"{other} scale",
    )
    names = term_labels(rows["term"], 30)
    if "crossover" in rows:
        marks = rows["crossover"].fillna(value=False).to_numpy(bool)
        names = [f"{name} ×" if mark else name for name, mark in zip(names, marks, strict=True)]
    axes.set_yticks(y, labels=names, fontsize=TEXT - 0.5 if len(rows) <= 16 else SMALL)
    axes.set_xlabel("share of the variance between cells (%)", loc="right")
    axes.tick_params(axis="y", length=0)
    grid_lines(axes, "x")
    axes.margins(y=0.5 / len(rows))
    axes.set_xlim(left=min(0.0, float(np.nanmin([first, second]))))
    key(axes, columns=2)
    return figure_of(axes)
