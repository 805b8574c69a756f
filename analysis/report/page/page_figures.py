"""A section of the page as its template takes it: figures with the numbers behind them.

What could not be made is a line in its place (`analysis.report.words.undrawn`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from analysis.report.gallery.catalogue import ANSWER, BY_NAME
from analysis.report.gallery.rounding import NAME_COLUMNS
from analysis.report.page.page_sections import Content, PageSection
from analysis.report.words.pairs_shown import chief_pair
from analysis.study import known

if TYPE_CHECKING:
    from analysis.figures import Drawing
    from analysis.outcomes.convergence import Convergence
    from analysis.report.words.undrawn import Attempts
    from analysis.study import Study

MATRIX = "interaction_matrix"
MOST_NUMBERS = 60
"""Rows of the table behind a figure; the CSV beside the figure has all of them in full."""


def section_shown(
    one: PageSection,
    study: Study,
    convergence: Convergence | None,
    drawings: Mapping[str, Drawing],
    attempts: Attempts,
) -> dict[str, Any]:
    """A section of the page; a figure or a content that failed is a line in its place."""
    figures = []
    for name in _names(one, study):
        if name in drawings:
            figures.append(_shown(study, drawings[name], attempts))
        elif name in attempts.lines:
            figures.append({"name": name, "undrawn": attempts.lines[name]})
    key = f"section {one.key}"
    content = attempts.make(
        key, f"Section {one.title}", lambda: one.content(study, convergence)
    ) or Content([attempts.lines[key]])
    return {"id": one.key, "title": one.title, "figures": figures, **content._asdict()}


def _names(one: PageSection, study: Study) -> list[str]:
    """Figures of a section; of two factors the matrix is the interaction to look at first."""
    names = [name for name in one.figures if name != MATRIX]
    told = len(study.factors) == 2 and known(lambda: chief_pair(study)) is not None
    if one.key == (ANSWER if told else BY_NAME[MATRIX].section):
        names.insert(len(names) if told else 0, MATRIX)
    return names


def _shown(study: Study, drawing: Drawing, attempts: Attempts) -> dict[str, Any]:
    """A figure of the page: its place, its words, the numbers behind it, its files."""
    name = drawing.name
    key = f"numbers {name}"
    numbers = attempts.make(
        key, f"The table behind {drawing.title}", lambda: _numbers_behind(study, drawing)
    )
    return {
        "name": name,
        "undrawn": "",
        "unnumbered": attempts.lines.get(key, ""),
        "title": drawing.title,
        "caption": drawing.caption,
        "svg": Markup(picture_mark(name)),  # noqa: S704 - a name of ours
        "numbers": numbers,
        "files": [(f"figures/{name}.{kind}", kind.upper()) for kind in ("svg", "png", "csv")],
    }


def _numbers_behind(study: Study, drawing: Drawing) -> dict[str, Any] | None:
    """The rounded numbers of a figure; None where it has none to tell."""
    table = BY_NAME[drawing.name].table(study, drawing.data)
    if table is None or table.columns.empty:
        return None
    shown = table.columns.head(MOST_NUMBERS).astype(str)
    return {
        "title": table.title,
        "head": [
            {"text": str(name), "number": name not in NAME_COLUMNS and place > 0}
            for place, name in enumerate(shown.columns)
        ],
        "rows": [tuple(row) for row in shown.itertuples(index=False)],
        "left_out": max(len(table.columns) - MOST_NUMBERS, 0),
    }


def picture_mark(name: str) -> str:
    """Where the picture of a figure goes, see `page.with_pictures`."""
    return f"<!-- picture {name} -->"
