"""A section of the page as its template takes it: figures with the numbers behind them.

What could not be made is a line in its place (`analysis.report.words.undrawn`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from analysis.report.gallery.catalogue import ANSWER, BY_NAME
from analysis.report.gallery.figure import runs_of
from analysis.report.gallery.rounding import NAME_COLUMNS
from analysis.report.page.page_sections import Content, PageSection

if TYPE_CHECKING:
    from analysis.figures import Drawing
    from analysis.outcomes.convergence import Convergence
    from analysis.report.words.undrawn import Attempts
    from analysis.study import Study

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
    for name in one.figures:
        if name in drawings:
            figures.append(_shown(study, drawings[name], attempts))
        elif name in attempts.lines:
            figures.append({"name": name, "undrawn": attempts.lines[name]})
    key = f"section {one.key}"
    content = attempts.make(
        key, f"Section {one.title}", lambda: one.content(study, convergence)
    ) or Content([attempts.lines[key]])
    return {"id": one.key, "title": one.title, "figures": figures, **content._asdict()}


def _shown(study: Study, drawing: Drawing, attempts: Attempts) -> dict[str, Any]:
    """A figure of the page: its place, its words, the numbers behind it, its files.

    Those of the answer leave the runs behind them to one sentence for all (`runs_behind`).
    """
    name, words = drawing.name, drawing.caption
    first = BY_NAME[name].section == ANSWER
    key = f"numbers {name}"
    numbers = attempts.make(
        key, f"The table behind {drawing.title}", lambda: _numbers_behind(study, drawing)
    )
    return {
        "name": name,
        "undrawn": "",
        "unnumbered": attempts.lines.get(key, ""),
        "title": drawing.title,
        "caption": words.removesuffix(runs_behind(study)).rstrip() if first else words,
        "first": first,
        "svg": Markup(picture_mark(name)),  # noqa: S704 - a name of ours
        "numbers": numbers,
        "files": [(f"figures/{name}.{kind}", kind.upper()) for kind in ("svg", "png", "csv")],
    }


def runs_behind(study: Study) -> str:
    """The sentence that ends every caption."""
    return runs_of(study).sentence()


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
