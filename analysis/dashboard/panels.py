"""Panels for the study's page: main effects, interactions, convergence, progress as small Plotly.

Plotly figures from the same estimates as the report. Small on purpose: the dashboard keeps them in
study attributes of two kilobytes each and reads them at every refresh.
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.figures.labels import shortened
from analysis.figures.style import INK, PALETTE, SOFT
from analysis.frame import MISSING_STATUSES
from analysis.report.drawings import interval_of_means, measure_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.convergence import Convergence
    from analysis.study import Study

LINES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
LAYOUT: dict[str, Any] = {
    "template": None,
    "font": {"size": 12, "color": INK},
    "paper_bgcolor": "#ffffff",
    "plot_bgcolor": "#ffffff",
    "margin": {"l": 60, "r": 20, "t": 70, "b": 60},
}
AXIS = {"gridcolor": "#dde2e8", "zeroline": False, "linecolor": SOFT, "automargin": True}


def plain(text: str) -> str:
    """A name as Plotly shows it literally: its labels read a little HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _lines(text: str) -> list[str]:
    """A name on several short lines, broken at its separators."""
    short = shortened([text], 18)[0]
    return [short] if len(short) <= 9 else re.sub(r"([_\-])(?=.{3})", r"\1\n", short).split("\n")


def _numbers(values: object) -> list[float | None]:
    """Four significant decimals, None where there is no number: short JSON."""
    found = np.asarray(values, dtype=float)
    return [round(float(v), 4) if np.isfinite(v) else None for v in found]


def _factor_figure(
    factors: Mapping[str, Sequence[str]], title: str, axis: str, traces: dict[str, dict[str, Any]]
) -> go.Figure:
    """One strip of panels on a shared axis; `traces` holds what each factor shows."""
    figure = go.Figure(layout={**LAYOUT, "title": {"text": plain(title), "x": 0}})
    # As wide as its names need, so that level labels stay level.
    weights = [
        (len(levels) + 0.2) * max(6, *(len(line) for one in levels for line in _lines(one)))
        for levels in factors.values()
    ]
    edges = np.concatenate([[0.0], np.cumsum(weights)]) / sum(weights)
    for place, (factor, levels) in enumerate(factors.items()):
        suffix = "" if place == 0 else str(place + 1)
        low, high = float(edges[place]) + 0.008, float(edges[place + 1]) - 0.008
        figure.add_trace(go.Scatter(xaxis=f"x{suffix}", yaxis="y", **traces[factor]))
        figure.layout[f"xaxis{suffix}"] = {
            **AXIS,
            "domain": [round(low, 4), round(high, 4)],
            "range": [-0.6, len(levels) - 0.4],
            "tickvals": list(range(len(levels))),
            "ticktext": ["<br>".join(map(plain, _lines(text))) for text in levels],
            "tickangle": 0 if len(levels) <= 4 else -40,
            "showgrid": False,
        }
        figure.add_annotation(
            text=f"<b>{plain(shortened([factor], 20)[0])}</b>",
            x=round((low + high) / 2, 4),
            y=1,
            xref="paper",
            yref="paper",
            xanchor="center",
            yanchor="bottom",
            showarrow=False,
        )
    figure.update_layout(yaxis={**AXIS, "title": {"text": plain(axis)}}, showlegend=False)
    return figure


def main_effects_panel(study: Study) -> go.Figure:
    """Marginal means with 95% intervals, factor by factor."""
    measure = measure_of(study)
    rows = study.effects()
    traces = {}
    for factor, levels in study.factors.items():
        own = rows[rows["factor"] == factor].set_index("level").reindex(list(levels))
        mean = own["mean"].to_numpy(float) * measure.scale
        low = own["mean_low"].to_numpy(float) * measure.scale
        high = own["mean_high"].to_numpy(float) * measure.scale
        traces[factor] = _means(mean, low, high, list(levels), measure.unit)
    title = f"Main effects: mean {measure.name}, 95% intervals ({interval_of_means(study)})"
    figure = _factor_figure(study.factors, title, measure.axis, traces)
    grand = float(np.nanmean(study.cells.means)) * measure.scale
    figure.add_shape(
        type="line",
        xref="paper",
        x0=0,
        x1=1,
        yref="y",
        y0=round(grand, 4),
        y1=round(grand, 4),
        line={"color": SOFT, "dash": "dash", "width": 1},
    )
    return figure


def _means(
    mean: np.ndarray, low: np.ndarray, high: np.ndarray, levels: list[str], unit: str
) -> dict[str, Any]:
    return {
        "x": list(range(len(levels))),
        "y": _numbers(mean),
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": _numbers(np.nan_to_num(high - mean)),
            "arrayminus": _numbers(np.nan_to_num(mean - low)),
            "thickness": 1.6,
            "width": 4,
        },
        "mode": "lines+markers",
        "line": {"color": PALETTE[0], "width": 1.6},
        "marker": {"size": 8, "color": PALETTE[0]},
        "text": [
            f"{plain(level)}: {m:.4g} {unit} [{a:.4g}, {b:.4g}]"
            for level, m, a, b in zip(levels, mean, low, high, strict=True)
        ],
        "hoverinfo": "text",
    }


def convergence_panel(factors: Mapping[str, Sequence[str]], found: Convergence) -> go.Figure:
    """Converged share of every level with Wilson intervals."""
    traces = {}
    for factor, levels in factors.items():
        own = found.rates[found.rates["factor"] == factor].set_index("level").reindex(list(levels))
        rate, low, high = (own[name].to_numpy(float) * 100 for name in ("rate", "low", "high"))
        trace = _means(rate, low, high, list(levels), "%")
        trace["mode"] = "markers"
        trace["text"] = [
            f"{plain(level)}: {int(k)} of {int(n)} runs converged"
            for level, k, n in zip(levels, own["converged"], own["runs"], strict=True)
        ]
        traces[factor] = trace
    title = f"Convergence: {found.converged} of {found.runs} runs, 95% Wilson intervals"
    figure = _factor_figure(factors, title, "runs that converged (%)", traces)
    figure.update_yaxes(range=[-3, 103])
    return figure


def interactions_panel(study: Study) -> go.Figure | None:
    """The interaction matrix: column factor along the axis, a line a level of the row factor."""
    names = list(study.factors)
    count = len(names)
    if count < 2:
        return None
    measure = measure_of(study)
    found = study.estimates()
    means = found.primary_means
    figure = go.Figure(
        layout={
            **LAYOUT,
            "title": {
                "text": plain(f"Interaction matrix: mean {measure.name}"),
                "x": 0,
                "font": {"size": 17},
            },
            "showlegend": False,
            "font": {"size": 9 if count > 3 else 11, "color": INK},
            "margin": {"l": 40, "r": 10, "t": 40, "b": 40},
        }
    )
    for number, (row, column) in enumerate((r, c) for r in range(count) for c in range(count)):
        suffix = "" if number == 0 else str(number + 1)
        along, over = names[column], names[row]
        figure.layout[f"xaxis{suffix}"] = {
            **AXIS,
            "domain": [round(column / count + 0.012, 4), round((column + 1) / count - 0.012, 4)],
            "anchor": f"y{suffix}",
            "tickvals": list(range(len(study.factors[along]))),
            "tickangle": -40,
            "ticktext": [
                plain(t) for t in shortened(list(study.factors[along]), 9 if count > 3 else 14)
            ]
            if row == count - 1
            else [""] * len(study.factors[along]),
            "range": [-0.4, len(study.factors[along]) - 0.6],
            "showgrid": False,
        }
        figure.layout[f"yaxis{suffix}"] = {
            **AXIS,
            "domain": [round(1 - (row + 1) / count + 0.02, 4), round(1 - row / count - 0.02, 4)],
            "anchor": f"x{suffix}",
            "matches": None if number == 0 else "y",
            "showticklabels": column == 0,
        }
        if row == column:
            _key(figure, over, study.factors[over], row, count, suffix)
        else:
            _pair(figure, study, means, along, over, suffix)
    return figure


def _pair(
    figure: go.Figure, study: Study, means: pd.DataFrame, along: str, over: str, suffix: str
) -> None:
    measure = measure_of(study)
    term = next(f"{a}:{b}" for a, b in combinations(study.factors, 2) if {a, b} == {along, over})
    rows = means[means["term"] == term]
    for place, level in enumerate(study.factors[over]):
        own = rows[rows[over].astype(str) == level].set_index(along)["mean"]
        values = own.reindex(list(study.factors[along])).to_numpy(float) * measure.scale
        figure.add_trace(
            go.Scatter(
                x=list(range(len(values))),
                y=_numbers(values),
                xaxis=f"x{suffix}",
                yaxis=f"y{suffix}",
                mode="lines+markers",
                name=plain(level),
                line={
                    "color": PALETTE[place % len(PALETTE)],
                    "dash": LINES[place % len(LINES)],
                    "width": 1.4,
                },
                marker={"size": 5, "symbol": SYMBOLS[place % len(SYMBOLS)]},
                hovertemplate=f"{plain(over)} {plain(level)}: %{{y}}<extra></extra>",
            )
        )


def _key(
    figure: go.Figure, factor: str, levels: Sequence[str], row: int, count: int, suffix: str
) -> None:
    """The diagonal: the factor's name and how its levels are drawn."""
    room = 10 if count > 3 else 16
    lines = [f"<b>{plain(shortened([factor], room + 2)[0])}</b>"]
    for place, text in enumerate(shortened(list(levels), room)):
        shade = PALETTE[place % len(PALETTE)]
        lines.append(f'<span style="color:{shade}">■</span> {plain(text)}')
    figure.add_annotation(
        text="<br>".join(lines),
        x=(row + 0.5) / count,
        y=1 - (row + 0.5) / count,
        xref="paper",
        yref="paper",
        xanchor="center",
        yanchor="middle",
        showarrow=False,
        align="left",
    )
    figure.update_layout({f"yaxis{suffix}": {"showgrid": False}})


def progress_panel(frame: pd.DataFrame) -> go.Figure:
    """Runs of every replicate by how they stand."""
    status = frame["status"].astype(str)
    state = frame["state"].astype(str) if "state" in frame else pd.Series("", frame.index)
    lost = [one for one in MISSING_STATUSES if one != "not_run"]
    kinds = {
        "converged": (status == "converged", PALETTE[2]),
        "stalled": (status == "stalled", PALETTE[5]),
        "diverged": (status == "diverged", PALETTE[1]),
        "failed": (status.isin(lost), PALETTE[3]),
        "training": ((status == "not_run") & (state == "running"), PALETTE[0]),
        "waiting": ((status == "not_run") & (state != "running"), "#c3c9d0"),
    }
    replicates = frame["replicate"].astype(str)
    names = list(dict.fromkeys(replicates))
    done = int((~status.isin(MISSING_STATUSES)).sum())
    title = f"Progress: {done} of {len(frame)} runs have an outcome"
    figure = go.Figure(layout={**LAYOUT, "title": {"text": title, "x": 0}, "barmode": "stack"})
    for kind, (chosen, shade) in kinds.items():
        if not chosen.any():
            continue
        counts = replicates[chosen].value_counts()
        figure.add_trace(
            go.Bar(
                y=[f"replicate {name}" for name in names],
                x=[int(counts.get(name, 0)) for name in names],
                name=kind,
                orientation="h",
                marker={"color": shade},
                hovertemplate="%{y}: %{x} " + kind + "<extra></extra>",
            )
        )
    figure.update_layout(
        xaxis={**AXIS, "title": {"text": "runs"}},
        yaxis={**AXIS, "autorange": "reversed"},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
    )
    return figure
