"""Tables for a paper: the ablation table in LaTeX and Markdown, names escaped in both.

One row a level: marginal mean with its interval, the difference to the factor's first level, and
stars that the note below the table explains.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.number_words import STARS, difference_text, stars
from analysis.report.words.answer import all_differences
from analysis.report.words.names import assumed, interval_name, interval_name_of_means
from analysis.report.words.papers.latex import framed, label_of, row_of
from analysis.report.words.papers.methods import network_of, varied

if TYPE_CHECKING:
    from analysis.study import Study
    from runner.content.response import Response

_MARKDOWN = re.compile(
    r"[\\`*|~$]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # within a word it is literal: sgd_momentum
    r"|!(?=\[)|\](?=[(\[:])"  # how a picture begins, and where a link's text ends
    r"|^[#+>-]|(?<=^\d)[.)]"  # what a line that starts with it would become
)
"""What Markdown reads as more than itself, and only there: a table is read as text too."""


def escape_markdown(text: str) -> str:
    """Text as Markdown shows it literally; HTML cannot start in it."""
    escaped = _MARKDOWN.sub(lambda found: f"\\{found.group()}", " ".join(text.split()))
    escaped = re.sub(r"&(?=[#A-Za-z0-9])", "&amp;", escaped)
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", escaped)


def ablation_rows(study: Study) -> pd.DataFrame:
    """One row a level.

    Returns:
        Columns factor, level, mean, mean_low, mean_high, estimate, low, high (difference to the
        factor's first level; NaN for that level itself), p_family (of that
        difference, over all questions of the study), stars, and runs
        and converged where it is known who did.
    """
    means = study.effects()
    contrasts = all_differences(study)
    status, converges = (study.facts.get(name) for name in ("status", "converged"))
    rows = []
    for factor, levels in study.factors.items():
        own = contrasts[(contrasts["factor"] == factor) & (contrasts["first"] == levels[0])]
        by_level = own.set_index("second")
        for level in levels:
            one = means[(means["factor"] == factor) & (means["level"] == level)].iloc[0]
            row: dict[str, object] = {
                "factor": factor,
                "level": level,
                "mean": float(one["mean"]),
                "mean_low": float(one["mean_low"]),
                "mean_high": float(one["mean_high"]),
                "estimate": np.nan,
                "low": np.nan,
                "high": np.nan,
                "p_family": np.nan,
                "stars": "",
            }
            if level in by_level.index:  # stored as first minus this one
                row["estimate"] = -float(by_level["estimate"][level])
                row["low"] = -float(by_level["high"][level])
                row["high"] = -float(by_level["low"][level])
                row["p_family"] = float(by_level["p_family"][level])
                if by_level["shown"][level]:
                    row["stars"] = stars(float(by_level["p_family"][level]))
            if status is not None and converges is not None:
                chosen = (study.frame[factor] == level) & study.runs[study.response].notna()
                row["runs"] = int(chosen.sum())
                row["converged"] = int((converges[chosen] == 1).sum())
            rows.append(row)
    return pd.DataFrame(rows)


def _cells(row: pd.Series, measure: Response) -> list[str]:
    digits = measure.digits
    mean = float(row["mean"]) * measure.scale
    ends = measure.interval(float(row["mean_low"]), float(row["mean_high"]))
    low, high = (one * measure.scale for one in ends)
    shown = f"{mean:.{digits}f}" if np.isfinite(mean) else "n/a"
    if np.isfinite(low) and np.isfinite(high):
        shown += f" [{low:.{digits}f}, {high:.{digits}f}]"
    difference = "reference"
    if np.isfinite(row["estimate"]):
        numbers = (row["estimate"], row["low"], row["high"])
        difference = difference_text(*numbers, measure, unit="") + str(row["stars"])
    elif not np.isfinite(mean):
        difference = "not estimable"
    cells = [str(row["factor"]), str(row["level"]), shown, difference]
    if "runs" in row:
        cells.append(f"{int(row['converged'])}/{int(row['runs'])}")
    return cells


def _head(study: Study, rows: pd.DataFrame) -> list[str]:
    measure = study.measure
    unit = f" ({measure.unit})" if measure.unit else ""
    point = f" ({measure.difference})" if measure.difference else ""
    head = ["Factor", "Level", f"{measure.title}{unit}", f"Difference{point}"]
    return [*head, study.goal.short.capitalize()] if "runs" in rows else head


def _about(study: Study) -> str:
    """Network and data in front of a caption; nothing where a table does not tell them."""
    data = dict(study.info.get("data") or {}).get("name")
    if not data or not study.info.get("model"):
        return ""
    where = "several data sets" if "data.name" in varied(study) else str(data)
    return f"Ablation of {network_of(study)} on {where}. "


def note(study: Study) -> str:
    """What the stars and brackets mean."""
    lower = "" if study.measure.higher_is_better else f"; lower {study.measure.name} is better"
    target = study.goal.target
    goal = "" if target is None else f"; Reached: runs that reached {target.words}"
    return (
        f"Equal-weight marginal means and differences to the first level, {study.cells.n} runs; "
        f"brackets: 95% intervals (means: {interval_name_of_means(study)}; "
        f"differences: {interval_name(study)}); {STARS}{lower}{goal}."
        f"{assumed(study, study.contrasts()['rests_on'])}"
    )


def markdown_table(study: Study, rows: pd.DataFrame | None = None) -> str:
    """The ablation table as a Markdown table with its note, of these `ablation_rows`."""
    rows = ablation_rows(study) if rows is None else rows
    cells = [_cells(row, study.measure) for _, row in rows.iterrows()]
    return markdown_rows(_head(study, rows), cells, note(study))


def markdown_rows(head: Sequence[str], rows: Sequence[Sequence[str]], below: str) -> str:
    """A Markdown table with a note; a first cell is not said again in the row below it."""
    lines = [f"| {' | '.join(map(escape_markdown, head))} |"]
    lines.append(f"| {' | '.join(['---'] * 2 + ['---:'] * (len(head) - 2))} |")
    for cells, _ in _once(rows):
        lines.append(f"| {' | '.join(escape_markdown(cell) for cell in cells)} |")
    return "\n".join([*lines, "", escape_markdown(below), ""])


def _once(rows: Sequence[Sequence[str]]) -> Iterator[tuple[list[str], bool]]:
    """Rows with the first cell only where it changes, and whether it does."""
    last = None
    for row in rows:
        new = row[0] != last
        last = row[0]
        yield ([*row] if new else ["", *row[1:]]), new


def latex_table(study: Study, rows: pd.DataFrame | None = None) -> str:
    """The ablation table for LaTeX's booktabs package, with caption and label."""
    rows = ablation_rows(study) if rows is None else rows
    cells = [_cells(row, study.measure) for _, row in rows.iterrows()]
    return latex_rows(_head(study, rows), cells, _about(study) + note(study), study.name)


def latex_rows(head: Sequence[str], rows: Sequence[Sequence[str]], caption: str, name: str) -> str:
    """A LaTeX table; a rule above each first cell that changes.

    Args:
        head: of the columns.
        rows: cells as text.
        caption: of the table.
        name: of which its label is made.
    """
    body = [row_of(head)]
    for cells, new in _once(rows):
        body += [r"\midrule"] if new else []
        body.append(row_of(cells))
    columns = "ll" + "r" * (len(head) - 2)
    return framed(columns, body, caption, label_of(name) or "ablation")
