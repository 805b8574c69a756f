"""How much each factor matters, as the report has it: a panel, and Optuna's own made to agree.

optuna-dashboard calls PED-ANOVA for its panel "Hyperparameter Importance" and lets nobody choose
another: it compares the best tenth of the runs with all of them and scales to a sum of 1, so that
noise has a bar as well. Shares of the variance say what the report says (decision 104).
"""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.dashboard.draft import Panel
from analysis.dashboard.study_panels import (
    AXIS,
    LAYOUT,
    SOFT,
    axis_title,
    error_bars,
    escaped,
    few_decimals,
    title_of,
)
from analysis.figures.drawing.labels import term_labels
from analysis.figures.effects.share_bars import KINDS
from analysis.study import known
from runner.optuna_mirror.attempts import REPLICATE

if TYPE_CHECKING:
    from analysis.study import Study

SHARES = "ablations:shares"
"""Attribute of an Optuna study: parameter to its share of the variance; {} while none is known."""

OPTUNAS = (
    "In `ablate dashboard` the panel Hyperparameter Importance has each factor's own share of the "
    "variance. "
    "Any other optuna-dashboard shows Optuna's PED-ANOVA there: how unlike the best tenth of the "
    "runs is to all runs, scaled to a sum of 1. That is no share of the variance, and a factor "
    "that changes nothing gets a bar as well."
)
"""What stands beside Optuna's own panel, whichever server shows it."""

MOST_PAIRS = 6
"""Pairs with a bar of their own; the others are one bar."""


LEGEND = tuple(KINDS[kind][2] for kind in ("main", "pair"))
"""What the colours mean; the bars of the rest have their kind for a name."""


def tunes(study: Study) -> bool:
    """Whether its trials tune parameters before a grid: then importance is Optuna's to say."""
    return "tuning" in (study.info.get("spec") or {})


def shares_of(study: Study) -> dict[str, float]:
    """What each factor alone, and the replicate, has of the variance of a run, 0 to 1."""
    table = known(study.variance_shares)
    if table is None:
        return {}
    rows = table[table["kind"].isin(["main", REPLICATE]) & table["percent"].notna()]
    return {str(row["term"]): float(row["percent"]) / 100 for row in rows.to_dict("records")}


def importance_panel(study: Study) -> Panel | None:
    """Bars of factors and pairs by size, then the rest; None where nothing is known."""
    table = study.variance_shares()
    there = table[np.isfinite(table["percent"].astype(float))]
    if there.empty:
        return None
    rows = _shown(there)
    title = f"Share of the variance of {study.measure.name}"
    bars = rows["low"].notna().any()
    figure = Panel(
        {
            **LAYOUT,
            "title": title_of(title + (", 95% intervals" if bars else "")),
            "margin": {**LAYOUT["margin"], "t": 74, "b": 128},
            "barmode": "overlay",
            "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        }
    )
    rows["place"] = range(len(rows))
    for kind, (shade, _, words) in KINDS.items():
        own = rows[rows["kind"] == kind]
        if len(own):
            figure.data.append(_bars(own, shade, words))
    names = [escaped(name) for name in term_labels(rows["term"], 26)]
    figure.layout |= {
        "xaxis": {**AXIS, "title": axis_title("%"), "rangemode": "tozero"},
        "yaxis": {
            "tickvals": rows["place"].tolist(),
            "ticktext": names,
            "range": [len(rows) - 0.4, -0.6],
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
        },
    }
    lines = wrap(escaped(OPTUNAS.replace("`", "")), 74, break_on_hyphens=False)
    figure.annotate(
        "<br>".join(lines), font={"size": 11, "color": SOFT}, align="left",
        x=0, y=0, xanchor="left", yanchor="top", yshift=-44,
    )  # fmt: skip
    return figure


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    """Factors by size, the largest pairs, the other pairs as one, the rest."""
    factors, pairs = (
        rows[rows["kind"] == kind].sort_values("percent", ascending=False, kind="stable")
        for kind in ("main", "pair")
    )
    parts = [factors, pairs]
    if len(pairs) > MOST_PAIRS + 1:
        others = pairs.iloc[MOST_PAIRS:]
        name, percent = f"{len(others)} other pairs", others["percent"].sum()
        one = pd.DataFrame([{"term": name, "kind": "pair", "percent": percent}])
        parts = [factors, pairs.iloc[:MOST_PAIRS], one]
    named = {kind: words for kind, (_, _, words) in KINDS.items()}
    rest = rows[~rows["kind"].isin(["main", "pair"])]
    parts.append(rest.assign(term=rest["kind"].map(named)))
    columns = ["term", "kind", "percent", "low", "high"]
    kept = [part.reindex(columns=columns).astype({"low": float, "high": float}) for part in parts]
    return pd.concat([part for part in kept if len(part)], ignore_index=True)


def _bars(rows: pd.DataFrame, shade: str, words: str) -> dict[str, Any]:
    """The bars of one kind."""
    percent, low, high = (rows[name].to_numpy(float) for name in ("percent", "low", "high"))
    told = [
        f"{escaped(str(term))}: {value:.1f}%" + (f" [{a:.1f}, {b:.1f}]" if np.isfinite(a) else "")
        for term, value, a, b in zip(rows["term"], percent, low, high, strict=True)
    ]
    trace: dict[str, Any] = {
        "type": "bar",
        "orientation": "h",
        "y": rows["place"].tolist(),
        "x": few_decimals(percent, 2),
        "name": words,
        "showlegend": words in LEGEND,
        "marker": {"color": shade},
        "hovertext": told,
        "hoverinfo": "text",
    }
    if ends := error_bars(percent, low, high):
        trace["error_x"] = {**ends, "thickness": 1, "width": 2, "color": SOFT}
    return trace
