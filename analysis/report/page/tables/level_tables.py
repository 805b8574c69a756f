"""What the page says of levels as numbers, and of single changes of a baseline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.number_words import difference_words, p_words
from analysis.report.gallery.trends import picked_words
from analysis.report.words.papers.changes import change_head, change_note, change_rows

if TYPE_CHECKING:
    from analysis.study import Study

MOST_ROWS = 40
"""Rows of a table on the page; effects.json and the files of the paper have all."""


def numbers_told(study: Study) -> tuple[list[str], list[dict[str, Any]]]:
    """Sentences on the levels that curves pick, and the table of parts that are looked at first."""
    if not study.axes:
        return [], []
    rows = study.trends()
    if not rows["estimate"].notna().any():
        return picked_words(study), []
    shown = rows[rows["other"].isna() | rows["shown"].astype(bool)]
    left = len(rows) - len(shown)
    unit = study.measure.difference
    head = ("Factor", "Part", f"Size{f' ({unit})' if unit else ''}", "95% interval", "p (Holm)")
    title = (
        "Parts of the curves: linear, the change from the smallest to the largest level along the "
        "fitted line; quadratic, how far the middle lies above the mean of the ends"
    )
    if left:
        title += f"; {left} interactions of parts that are not shown are in effects.json"
    table = {
        "title": title,
        "head": [{"text": name, "number": place > 1} for place, name in enumerate(head)],
        "rows": [_part(row, study) for row in shown.head(MOST_ROWS).to_dict("records")],
    }
    return picked_words(study), [table]


def _part(row: Mapping[Any, Any], study: Study) -> list[str]:
    words = difference_words(row["estimate"], row["low"], row["high"], study.measure, unit="")
    part = str(row["part"])
    if not pd.isna(row["other_level"]):
        part += f", {row['other']} = {row['other_level']} against {row['other_versus']}"
    elif not pd.isna(row["other"]):
        part += f", with {row['other']}"
    p = float(row["p_family"])
    cells = [part, words.value.removesuffix(" (no interval)"), words.interval]
    return [str(row["factor"]), *cells, p_words(p) if np.isfinite(p) else ""]


def baseline_told(study: Study) -> tuple[list[str], list[dict[str, Any]]]:
    """The table of single changes of the baseline, where the baseline ran."""
    rows = study.from_baseline()
    head = change_head(study)
    table = {
        "title": change_note(study),
        "head": [{"text": name, "number": place > 1} for place, name in enumerate(head)],
        "rows": change_rows(study, rows)[:MOST_ROWS],
    }
    more = max(len(rows) - MOST_ROWS, 0)
    texts = [f"{more} more changes are in paper/from_baseline.csv."] if more else []
    return texts, [table]
