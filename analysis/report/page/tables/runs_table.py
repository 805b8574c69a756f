"""The table of runs as it stands in the page without scripts; with them it can be searched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.report.gallery.rounding import head_of
from analysis.report.page.tables.causes_table import SHORT_ID, shown_titles
from analysis.table.columns import facts
from runner.content.response import ACCURACY, EPOCHS, REACHED, SECONDS, Response

if TYPE_CHECKING:
    from analysis.study import Study

STATIC_ROWS = 600
"""Rows of the table of runs that stand in the page without scripts."""
LISTED = {
    ACCURACY: head_of(ACCURACY), REACHED: EPOCHS.title, SECONDS: head_of(SECONDS)
}  # fmt: skip
"""Columns beside the outcome looked at. Of the target the epoch itself: the restricted one counts
the budget for a run that never got there, which of a single run would be false."""


def table_of_runs(study: Study) -> dict[str, Any]:
    """Head, rows and caption of the table; the outcome looked at is the first of the numbers."""
    frame, about, measure = study.frame, facts(study.frame, study.factors), study.measure
    head = [{"text": "Run", "key": "cell", "number": False}] if "cell" in about else []
    head += [{"text": name, "key": f"level:{name}", "number": False} for name in study.factors]
    if study.replicate:
        head.append({"text": "Replicate", "key": "replicate", "number": True})
    if "status" in about:
        head.append({"text": "Status", "key": "status", "number": False})
    titles = shown_titles(study.causes)
    if titles is not None:
        head.append({"text": "Why", "key": "why", "number": False})
    others = [one for one in LISTED if one.column != study.response]
    shown = [measure, *(one for one in others if one.column in about)]
    head.append({"text": head_of(measure), "key": measure.key or "response", "number": True})
    head += [{"text": LISTED[one], "key": one.key, "number": True} for one in shown[1:]]
    columns: list[list[str]] = []
    if "cell" in about:  # as short as it stays unique on the page; outcomes.csv has it whole
        columns.append(frame["cell"].astype(str).str[:SHORT_ID].tolist())
    columns += [frame[factor].astype(str).tolist() for factor in study.factors]
    if study.replicate:
        columns.append(frame[study.replicate].astype(str).tolist())
    if "status" in about:
        columns.append(frame["status"].astype(str).tolist())
    if titles is not None:
        columns.append(titles)
    for one in shown:
        columns.append([_text(value, one) for value in study.runs[one.column].to_numpy(float)])
    rows = list(zip(*columns, strict=True))
    note = "Every planned run"
    if len(rows) > STATIC_ROWS:
        note = f"The first {STATIC_ROWS} of {len(rows)} planned runs; outcomes.csv has all"
    return {"head": head, "rows": rows[:STATIC_ROWS], "caption": note}


def _text(value: float, one: Response) -> str:
    if not np.isfinite(value):
        return ""
    return f"{value:g}" if one is REACHED else f"{value * one.scale:.{one.digits}f}"
