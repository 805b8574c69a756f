"""Convergence: the share of runs of every level that reached the target, with Wilson intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analysis.figures.drawing.factor_panels import factor_panels
from analysis.figures.drawing.style import COLUMN, PALETTE, look
from runner.content.response import CONVERGED, Response


@look()
def convergence_rates(
    rates: pd.DataFrame, *, level: float = 0.95, measure: Response = CONVERGED
) -> Figure:
    """One panel a factor; under each level stand the converged of its runs.

    Args:
        rates: columns factor, level, converged, runs, rate, low, high (shares); optionally
            marginal: the rate with every other factor weighted equally, drawn as a hollow mark.
        level: coverage of low..high, for the legend.
        measure: the record of convergence, in the words of the study.
    """
    factors: dict[str, list[str]] = {}
    notes: dict[str, list[str]] = {}
    for factor, rows in rates.groupby("factor", sort=False):
        factors[str(factor)] = rows["level"].astype(str).tolist()
        notes[str(factor)] = [
            f"{int(k)}/{int(n)}" for k, n in zip(rows["converged"], rows["runs"], strict=True)
        ]
    figure, panels = factor_panels(factors, measure.axis, notes=notes)
    for panel in panels:
        rows = rates[rates["factor"].astype(str) == panel.factor]
        rate = rows["rate"].to_numpy(float) * 100
        low = rows["low"].to_numpy(float) * 100
        high = rows["high"].to_numpy(float) * 100
        at = np.arange(len(rate))
        panel.axes.bar(at, rate, width=0.5, color=PALETTE[4], alpha=0.35, linewidth=0)
        panel.axes.errorbar(
            at,
            rate,
            yerr=[np.maximum(rate - low, 0), np.maximum(high - rate, 0)],
            fmt="o",
            color=PALETTE[0],
            markersize=4,
            elinewidth=1.3,
            capsize=2.2,
            clip_on=False,
        )
        if "marginal" in rows:
            panel.axes.plot(
                at + 0.2,
                rows["marginal"].to_numpy(float) * 100,
                "D",
                markersize=3.4,
                markerfacecolor="white",
                markeredgecolor=PALETTE[1],
                clip_on=False,
            )
        panel.axes.set_ylim(0, 103)
    handles = [
        Line2D([], [], color=PALETTE[0], marker="o", label=f"rate, {level:.0%} Wilson interval")
    ]
    if "marginal" in rates:
        handles.append(
            Line2D(
                [],
                [],
                linestyle="",
                marker="D",
                markersize=3.4,
                markerfacecolor="white",
                markeredgecolor=PALETTE[1],
                label="marginal rate of the penalised model",
            )
        )
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=2 if figure.get_figwidth() > COLUMN else 1,
    )
    return figure
