"""What a figure of a study is: one record, from which the report, the page and `study.plot` work.

`analysis.report.gallery.catalogue` is the one list of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from analysis.figures import PAGE, Drawing, Runs, caption
from analysis.report.words.names import interval_name
from analysis.table.statuses import MISSING_STATUSES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from analysis.study import Study


class Drawn(NamedTuple):
    """A figure with the numbers it shows, in long form, and its caption."""

    figure: Figure
    data: pd.DataFrame
    caption: str


class NumberTable(NamedTuple):
    """The numbers behind a figure, rounded: what its table is called, and its columns as text."""

    title: str
    columns: pd.DataFrame


@dataclass(frozen=True, slots=True)
class StudyFigure:
    """One figure that a study may have.

    Attributes:
        name: of its files, and of `study.plot`.
        title: above it.
        section: of the page, a key of `analysis.report.page.page_sections.SECTIONS`.
        draw: takes a study; None where it has nothing to show there (no curves, one factor).
        table: the rounded numbers, of the study and the drawn data; None where the data are empty.
        wide: inches in a report, at most: half a screen where it stands beside another.
        paper: whether it is also drawn for a paper, one column wide, as PDF.
        one_panel: whether it can be drawn into axes of a person's own figure.
        effort: how long it takes to write beside the others; the longest are drawn first, so that
            two processes end together.
    """

    name: str
    title: str
    section: str
    draw: Callable[[Study], Drawn | None]
    table: Callable[[Study, pd.DataFrame], NumberTable | None]
    wide: float = PAGE
    paper: bool = False
    one_panel: bool = False
    effort: int = 0

    def drawing(self, study: Study) -> Drawing | None:
        """The figure with name and title; None where the study has nothing to show."""
        drawn = self.draw(study)
        return None if drawn is None else Drawing(self.name, self.title, *drawn)


def runs_of(study: Study) -> Runs:
    """Runs, replicates, diverged and missing runs, for captions."""
    value = study.runs[study.response]
    status = study.facts.get("status")
    lost = value.isna() if status is None else status.isin(MISSING_STATUSES)
    counts = study.cells.counts
    ran = counts[counts > 0]
    return Runs(
        runs=int(value.notna().sum()),
        replicates=int(ran.max(initial=0)),
        diverged=None if status is None else int((status == "diverged").sum()),
        missing=int(lost.sum()),
        fewest=int(ran.min()) if ran.size else None,
        empty=int((counts == 0).sum()),
        combinations=int(counts.size),
    )


def captioned(study: Study, what: str, interval: str | None = "") -> str:
    """A caption; "" stands for the interval of the study's rule, None for no intervals."""
    chosen = interval_name(study) if interval == "" else interval
    return caption(what, runs_of(study), chosen)


def largest(count: int, drawn: int) -> str:
    """What a figure leaves out, if it does."""
    return f" Drawn: the {drawn} largest of {count}; the table has all." if count > drawn else ""
