"""The table that reviewers know: a row a change of one factor of the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.number_words import difference_text
from analysis.report.words.names import METHOD_NAMES
from analysis.report.words.papers.tables import latex_rows, markdown_rows

if TYPE_CHECKING:
    from analysis.study import Study


def change_head(study: Study) -> list[str]:
    """Heads of its columns."""
    measure = study.measure
    unit = f" ({measure.unit})" if measure.unit else ""
    point = f" ({measure.difference})" if measure.difference else ""
    head = ["Factor", "Level", f"{measure.title}{unit}", f"Difference{point}", "Runs"]
    return [*head, *(["In the whole grid", "Runs of the level"] if has_grid(study) else [])]


def has_grid(study: Study) -> bool:
    """Whether the study ran more than single changes, so that the grid says more."""
    return study.order > 1


def change_rows(study: Study, rows: pd.DataFrame) -> list[list[str]]:
    """Its cells as text.

    Args:
        study: whose outcome.
        rows: of `Study.from_baseline`.
    """
    return [_cells(study, row) for row in rows.to_dict("records")]


def _cells(study: Study, row: dict[object, object]) -> list[str]:
    measure = study.measure
    numbers = {str(key): value for key, value in row.items()}
    mean, low, high = (
        float(str(numbers[name])) * measure.scale for name in ("mean", "mean_low", "mean_high")
    )
    cut = measure.interval(low / measure.scale, high / measure.scale)
    low, high = (float(end) * measure.scale for end in cut)
    shown = f"{mean:.{measure.digits}f}" if np.isfinite(mean) else "did not run"
    if np.isfinite(low) and np.isfinite(high):
        shown += f" [{low:.{measure.digits}f}, {high:.{measure.digits}f}]"
    base = not numbers["factor"]
    cells = ["baseline", ""] if base else [str(numbers["factor"]), str(numbers["level"])]
    own = _difference(numbers, "", study) if np.isfinite(mean) else "n/a"
    cells += [shown, "reference" if base else own, str(int(float(str(numbers["runs"]))))]
    if has_grid(study):
        runs = "" if base else str(int(float(str(numbers["grid_runs"]))))
        cells += ["" if base else _difference(numbers, "grid_", study), runs]
    return cells


def _difference(row: dict[str, object], of: str, study: Study) -> str:
    ends = tuple(float(str(row[f"{of}{name}"])) for name in ("estimate", "low", "high"))
    return difference_text(ends[0], ends[1], ends[2], study.measure, unit="")


def change_note(study: Study) -> str:
    """What the table shows."""
    levels = ", ".join(f"{name} = {level}" for name, level in study.baseline.items())
    method = METHOD_NAMES[study.grid.rule.primary]
    text = (
        f"One change at a time from the baseline ({levels}): each row from the runs of that "
        f"combination and of the baseline alone; brackets: 95% intervals, {method}"
    )
    if not has_grid(study):
        return text
    narrower = _narrower(study.from_baseline())
    return (
        f"{text}. In the whole grid: the same two levels, averaged over all other factors from all "
        f"runs{narrower}; where the two differ by more than noise, other factors change the effect"
    )


def _narrower(rows: pd.DataFrame) -> str:
    widths = (rows["grid_high"] - rows["grid_low"]) / (rows["high"] - rows["low"])
    share = float(widths.median())
    return f" (intervals {share:.2f} times as wide, median)" if np.isfinite(share) else ""


def changes_markdown(study: Study, rows: pd.DataFrame) -> str:
    """As a Markdown table with its note."""
    return markdown_rows(change_head(study), change_rows(study, rows), f"{change_note(study)}.")


def changes_latex(study: Study, rows: pd.DataFrame) -> str:
    """For LaTeX's booktabs package, with caption and label."""
    body, name = change_rows(study, rows), f"{study.name}-from-baseline"
    return latex_rows(change_head(study), body, f"{change_note(study)}.", name)
