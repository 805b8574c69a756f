"""Panels for the study's page: main effects, interactions, convergence, progress as small figures.

Made for plotly.js from the same estimates as the report. Small on purpose: the dashboard keeps them
in study attributes of two kilobytes each and reads them at every refresh.
"""

from __future__ import annotations

import re
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.dashboard.draft import Panel
from analysis.effects.shown import shown_means
from analysis.figures.drawing.labels import shortened
from analysis.figures.drawing.style import PALETTE
from analysis.report.words.names import interval_name_of_means
from analysis.table.statuses import FAILED, MISSING_STATUSES, REACHED, SHORT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.outcomes.convergence import Convergence
    from analysis.study import Study

LINES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
INK, SOFT, FAINT = "#7a7a7a", "#8c8c8c", "rgba(128,128,128,0.25)"
"""Greys that are read on the dashboard's white and on its black: it gives panels no theme."""
CLEAR = "rgba(0,0,0,0)"
LAYOUT: dict[str, Any] = {
    "hoverlabel": {"align": "left"},
    "font": {"size": 12, "color": INK},
    "paper_bgcolor": CLEAR,
    "plot_bgcolor": CLEAR,
    "margin": {"l": 60, "r": 20, "t": 70, "b": 60},
    "modebar": {"bgcolor": CLEAR, "color": SOFT},
}
AXIS = {"gridcolor": FAINT, "zeroline": False, "linecolor": SOFT, "automargin": True}
KEY = "key"
"""What marks the empty trace of a panel that explains the lines."""
NO_BAR = "nan"
"""Of an error bar that is not drawn: Plotly draws null as a bar of length zero."""


def escaped(text: str) -> str:
    """A name as Plotly shows it literally: its labels read a little HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _lines(text: str) -> list[str]:
    """A name on several short lines, broken at its separators."""
    short = shortened([text], 18)[0]
    return [short] if len(short) <= 9 else re.sub(r"([_\-])(?=.{3})", r"\1\n", short).split("\n")


def few_decimals(values: object, decimals: int = 4) -> list[float | None]:
    """Few decimals, None where there is no number: short JSON."""
    numbers = np.asarray(values, dtype=float)
    return [round(float(v), decimals) if np.isfinite(v) else None for v in numbers]


def title_of(text: str) -> dict[str, Any]:
    """A panel's title as its layout has it."""
    return {"text": escaped(text), "x": 0, "font": {"size": 15}}


def axis_title(text: str) -> dict[str, Any]:
    """An axis's title, clear of its ticks."""
    return {"text": escaped(text), "standoff": 15}


def _factor_figure(
    factors: Mapping[str, Sequence[str]], title: str, axis: str, traces: dict[str, dict[str, Any]]
) -> Panel:
    """One strip of panels on a shared axis; `traces` holds what each factor shows."""
    figure = Panel({**LAYOUT, "title": title_of(title)})
    # As wide as its names need, so that level labels stay level.
    weights = [
        (len(levels) + 0.2) * max(6, *(len(line) for one in levels for line in _lines(one)))
        for levels in factors.values()
    ]
    edges = np.concatenate([[0.0], np.cumsum(weights)]) / sum(weights)
    for place, (factor, levels) in enumerate(factors.items()):
        suffix = "" if place == 0 else str(place + 1)
        low, high = float(edges[place]) + 0.008, float(edges[place + 1]) - 0.008
        trace = {"type": "scatter", "xaxis": f"x{suffix}", "yaxis": "y", **traces[factor]}
        figure.data.append(trace)
        figure.layout[f"xaxis{suffix}"] = {
            **AXIS,
            "domain": [round(low, 4), round(high, 4)],
            "range": [-0.6, len(levels) - 0.4],
            "tickvals": list(range(len(levels))),
            "ticktext": ["<br>".join(map(escaped, _lines(text))) for text in levels],
            "tickangle": 0 if len(levels) <= 4 else -40,
            "showgrid": False,
        }
        figure.annotate(
            f"<b>{escaped(shortened([factor], 20)[0])}</b>",
            x=round((low + high) / 2, 4),
            y=1,
            xanchor="center",
            yanchor="bottom",
        )
    figure.layout["yaxis"] = {**AXIS, "title": axis_title(axis)}
    figure.layout["showlegend"] = False
    return figure


def line_panel(title: str, line: str) -> Panel:
    """A panel of words alone: what stands where one could not be drawn."""
    figure = Panel({**LAYOUT, "title": title_of(title)})
    text = "<br>".join(wrap(escaped(line), 80))
    figure.annotate(text, x=0, y=1, xanchor="left", yanchor="top", align="left")
    figure.layout |= {"xaxis": {"visible": False}, "yaxis": {"visible": False}}
    return figure


def main_effects_panel(study: Study) -> Panel:
    """Marginal means with 95% intervals, factor by factor."""
    measure = study.measure
    rows = study.effects()
    traces = {}
    for factor, levels in study.factors.items():
        own = rows[rows["factor"] == factor].set_index("level").reindex(list(levels))
        mean = own["mean"].to_numpy(float) * measure.scale
        ends = measure.interval(own["mean_low"].to_numpy(float), own["mean_high"].to_numpy(float))
        low, high = (one * measure.scale for one in ends)
        traces[factor] = _means(mean, low, high, list(levels), measure.unit)
    title = f"Main effects: mean {measure.name}"
    if rows["mean_low"].notna().any():
        title += f", 95% intervals ({interval_name_of_means(study)})"
    figure = _factor_figure(study.factors, title, measure.axis, traces)
    grand = float(np.nanmean(study.cells.means)) * measure.scale
    line = {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1,
        "yref": "y", "y0": round(grand, 4), "y1": round(grand, 4),
        "line": {"color": SOFT, "dash": "dash", "width": 1},
    }  # fmt: skip
    if np.isfinite(grand):
        figure.layout["shapes"] = [line]
    return figure


def _means(
    mean: np.ndarray, low: np.ndarray, high: np.ndarray, levels: list[str], unit: str
) -> dict[str, Any]:
    trace = {
        "x": list(range(len(levels))),
        "y": few_decimals(mean),
        "mode": "lines+markers",
        "line": {"color": PALETTE[0], "width": 1.6},
        "marker": {"size": 8, "color": PALETTE[0]},
        "text": [
            f"{escaped(level)}: {_hover(m, a, b, unit)}"
            for level, m, a, b in zip(levels, mean, low, high, strict=True)
        ],
        "hoverinfo": "text",
    }
    bars = error_bars(mean, low, high)
    return trace | ({"error_y": {**bars, "thickness": 1.6, "width": 4}} if bars else {})


def error_bars(mean: np.ndarray, low: np.ndarray, high: np.ndarray) -> dict[str, Any]:
    """Error bars from interval ends; {} where no point has an interval."""
    up, down = few_decimals(high - mean, 2), few_decimals(mean - low, 2)
    there = [a is not None and b is not None for a, b in zip(up, down, strict=True)]
    if not any(there):
        return {}
    return {
        "type": "data",
        "symmetric": False,
        "array": [v if ok else NO_BAR for v, ok in zip(up, there, strict=True)],
        "arrayminus": [v if ok else NO_BAR for v, ok in zip(down, there, strict=True)],
    }


def _hover(mean: float, low: float, high: float, unit: str) -> str:
    if not np.isfinite(mean):
        return "no estimate yet"
    text = f"{mean:.4g} {unit}".rstrip()
    if not (np.isfinite(low) and np.isfinite(high)):
        return f"{text} (no interval yet)"
    return f"{text} [{low:.4g}, {high:.4g}]"


def convergence_panel(factors: Mapping[str, Sequence[str]], convergence: Convergence) -> Panel:
    """Share of runs of every level that reached the target, with Wilson intervals."""
    did = convergence.goal.did
    traces = {}
    for factor, levels in factors.items():
        own = (
            convergence.rates[convergence.rates["factor"] == factor]
            .set_index("level")
            .reindex(list(levels))
        )
        rate, low, high = (own[name].to_numpy(float) * 100 for name in ("rate", "low", "high"))
        trace = _means(rate, low, high, list(levels), "%")
        trace["mode"] = "markers"
        trace["text"] = [
            f"{escaped(level)}: {int(k)} of {int(n)} runs {did}"
            for level, k, n in zip(levels, own["converged"], own["runs"], strict=True)
        ]
        traces[factor] = trace
    share = f"{convergence.converged} of {convergence.runs} runs {did}"
    title = f"Convergence: {share}, 95% Wilson intervals"
    figure = _factor_figure(factors, title, convergence.goal.record.axis, traces)
    figure.layout["yaxis"]["range"] = [0, 100]
    for trace in figure.data:
        trace["cliponaxis"] = False  # a rate of 0 or 100% keeps its whole dot
    return figure


def interactions_panel(study: Study) -> Panel | None:
    """The interaction matrix: column factor along the axis, a line a level of the row factor."""
    names = list(study.factors)
    count = len(names)
    if count < 2:
        return None
    measure = study.measure
    means = shown_means(study.estimates(), study.measure)
    pairs = means[means["other"].notna()]
    title = f"Interaction matrix: mean {measure.name}"
    if pairs["low"].notna().any():
        title += f", 95% intervals ({interval_name_of_means(study)})"
    figure = Panel(
        {
            **LAYOUT,
            "title": title_of(title),
            "showlegend": False,
            "font": {"size": 10 if count > 3 else 11, "color": INK},
            "margin": {"l": 44, "r": 8, "t": 34, "b": 44},
        }
    )
    for number, (row, column) in enumerate((r, c) for r in range(count) for c in range(count)):
        suffix = "" if number == 0 else str(number + 1)
        along, over = names[column], names[row]
        figure.layout[f"xaxis{suffix}"] = {
            **_along(along, study.factors[along], column, row, count),
            "anchor": f"y{suffix}",
        }
        figure.layout[f"yaxis{suffix}"] = {
            **AXIS,
            "domain": [round(1 - (row + 1) / count + 0.02, 4), round(1 - row / count - 0.02, 4)],
            "anchor": f"x{suffix}",
            **({} if number == 0 else {"matches": "y"}),
            "nticks": 6,
            "showticklabels": column == 0,
        }
        if row == column:
            _key(figure, over, study.factors[over], row, count, suffix)
        else:
            _pair(figure, study, means, along, over, suffix)
    figure.annotate(
        escaped(measure.axis), textangle=-90, font={"size": 11},
        x=0, y=0.5, xshift=-34, xanchor="center", yanchor="middle",
    )  # fmt: skip
    return figure


def _along(factor: str, levels: Sequence[str], column: int, row: int, count: int) -> dict[str, Any]:
    """The horizontal axis of one panel; those of the last row carry levels and the factor."""
    last = row == count - 1
    words = [escaped(text) for text in shortened(list(levels), 9 if count > 3 else 14)]
    axis: dict[str, Any] = {
        "zeroline": False,
        "linecolor": SOFT,
        "domain": [round(column / count + 0.012, 4), round((column + 1) / count - 0.012, 4)],
        "showticklabels": last,
        "range": [-0.4, len(levels) - 0.6],
        "showgrid": False,
    }
    if last:
        places = list(range(len(levels)))
        axis |= {"tickvals": places, "ticktext": words, "tickangle": -40, "automargin": True}
        name = escaped(shortened([factor], 18)[0])
        axis["title"] = {"text": name, "font": {"size": 11}, "standoff": 4}
    return axis


def _pair(
    figure: Panel, study: Study, means: pd.DataFrame, along: str, over: str, suffix: str
) -> None:
    measure = study.measure
    # A pair stands in the table in declared order, whichever of the two runs along the axis.
    own_key, along_key = ("level", "other_level"), ("factor", "other")
    turned = list(study.factors).index(along) < list(study.factors).index(over)
    first, second = (along, over) if turned else (over, along)
    rows = means[(means[along_key[0]] == first) & (means[along_key[1]] == second)]
    along_level, over_level = own_key if turned else own_key[::-1]
    levels = study.factors[along]
    for place, level in enumerate(study.factors[over]):
        own = rows[rows[over_level] == level].set_index(along_level).reindex(list(levels))
        mean, low, high = (own[name].to_numpy(float) for name in ("estimate", "low", "high"))
        low, high = (one * measure.scale for one in measure.interval(low, high))
        mean = mean * measure.scale
        shade = PALETTE[place % len(PALETTE)]
        trace: dict[str, Any] = {
            "type": "scatter",
            "x": list(range(len(levels))),
            "y": few_decimals(mean),
            "xaxis": f"x{suffix}",
            "yaxis": f"y{suffix}",
            "mode": "lines+markers",
            "name": escaped(level),
            "line": {"color": shade, "dash": LINES[place % len(LINES)], "width": 1.4},
            "marker": {"size": 5, "symbol": SYMBOLS[place % len(SYMBOLS)]},
            "hovertemplate": f"{escaped(over)} {escaped(level)}: %{{y:.4g}}<extra></extra>",
        }
        bars = error_bars(mean, low, high)
        if bars:
            trace["error_y"] = {**bars, "thickness": 0.8, "width": 2, "color": shade}
        figure.data.append(trace)


def _key(
    figure: Panel, factor: str, levels: Sequence[str], row: int, count: int, suffix: str
) -> None:
    """The diagonal: the factor's name and how its levels are drawn."""
    room = 10 if count > 3 else 16
    lines = [f"<b>{escaped(shortened([factor], room + 2)[0])}</b>"]
    for place, text in enumerate(shortened(list(levels), room)):
        shade = PALETTE[place % len(PALETTE)]
        lines.append(f'<span style="color:{shade}">■</span> {escaped(text)}')
    figure.annotate(
        "<br>".join(lines),
        x=(row + 0.5) / count,
        y=1 - (row + 0.5) / count,
        xanchor="center",
        yanchor="middle",
        align="left",
    )
    figure.layout[f"yaxis{suffix}"]["showgrid"] = False
    # Nothing to see, but Plotly draws no axes, and so no levels, where there is no trace.
    empty = {
        "type": "scatter", "x": [None], "y": [None], "xaxis": f"x{suffix}", "yaxis": f"y{suffix}",
        "showlegend": False, "hoverinfo": "skip", "meta": KEY,
    }  # fmt: skip
    figure.data.append(empty)


def progress_panel(frame: pd.DataFrame) -> Panel:
    """Runs of every replicate by how they stand."""
    status = frame["status"].astype(str)
    state = frame["state"].astype(str) if "state" in frame else pd.Series("", frame.index)
    kinds = {
        "reached": (status == REACHED, PALETTE[2]),
        "short": (status == SHORT, PALETTE[4]),
        "finished": (status.isin(("finished", "learned")), PALETTE[2]),
        "stalled": (status == "stalled", PALETTE[5]),
        "diverged": (status == "diverged", PALETTE[1]),
        "failed": (status.isin(FAILED), PALETTE[3]),
        "training": ((status == "not_run") & (state == "running"), PALETTE[0]),
        "waiting": ((status == "not_run") & (state != "running"), "#c3c9d0"),
    }
    replicates = frame["replicate"].astype(str)
    names = list(dict.fromkeys(replicates))
    done = int((~status.isin(MISSING_STATUSES)).sum())
    title = f"Progress: {done} of {len(frame)} runs have an outcome"
    figure = Panel({**LAYOUT, "title": title_of(title), "barmode": "stack"})
    for kind, (chosen, shade) in kinds.items():
        if not chosen.any():
            continue
        counts = replicates[chosen].value_counts()
        bars = {
            "type": "bar",
            "y": [f"replicate {name}" for name in names],
            "x": [int(counts.get(name, 0)) for name in names],
            "name": kind,
            "orientation": "h",
            "marker": {"color": shade},
            "hovertemplate": "%{y}: %{x} " + kind + "<extra></extra>",
        }
        figure.data.append(bars)
    figure.layout |= {
        "xaxis": {**AXIS, "title": axis_title("runs")},
        "yaxis": {**AXIS, "autorange": "reversed"},
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom"},
    }
    return figure
