"""Writing a report: figures, tables, effects.json, then the page that holds them together.

A report of a grid that still runs is a report too. What cannot be estimated yet is said in the
page, never raised.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ablations.errors import InputError
from analysis.document.document import SCHEMA_PATH, document, write_document
from analysis.figures import COLUMN, Drawing, at_width
from analysis.figures.drawing.saving import FigureFiles
from analysis.report.current import STATE, state_of
from analysis.report.exports import write_paper, write_tables
from analysis.report.gallery.catalogue import BY_NAME, FIGURES
from analysis.report.page.data import page_data, to_script
from analysis.report.page.page import render, with_pictures
from analysis.report.press import Press
from analysis.report.words.answer import Answer, answer, still_running
from analysis.report.words.caveats import caveats, did_nothing
from analysis.study import known
from runner.program.files import write_whole

if TYPE_CHECKING:
    from analysis.study import Study


def write(
    study: Study, folder: Path, partial: bool, press: Press, curves: Future[bool] | None
) -> Path:
    """Write everything about a study to a folder that exists; `begin.write_report` with its parts.

    Args:
        study: what is reported on.
        folder: where to.
        partial: say on top of the page what is still missing.
        press: saves the figures.
        curves: whether another process has written the files of the learning curves; None where
            nobody was asked.

    Returns:
        The path of report.html.

    Raises:
        OSError: the folder cannot be written.
    """
    opening: Answer | None = None
    convergence = None
    drawings: dict[str, Drawing] = {}
    warnings: list[str] = []
    undrawn: list[str] = []
    why = ""
    try:
        study.table  # noqa: B018 - checks that there is something to estimate
        for drawing in _draw(study, undrawn):
            drawings[drawing.name] = drawing
            press.put(FigureFiles(drawing, folder / "figures", ("png", "svg")))
            if BY_NAME[drawing.name].paper:
                with at_width(COLUMN):
                    narrow = BY_NAME[drawing.name].drawing(study)
                if narrow is not None:
                    press.put(FigureFiles(narrow, folder / "paper", ("pdf",), numbers=False))
        # After the figures, so that the helper has something to do meanwhile.
        convergence = known(study.convergence)
        opening = answer(study)
        warnings = caveats(study, convergence) + undrawn
        write_document(document(study), folder / "effects.json")
        write_whole(folder / SCHEMA_PATH.name, SCHEMA_PATH.read_text("utf-8"))
        write_paper(study, folder / "paper")
    except InputError as error:
        why = f"Nothing can be estimated yet: {error}."
        opening = None
        drawings.clear()
    claims = _claims(study)
    write_tables(study, folder, curves_there=curves is not None and curves.result())
    data = to_script(page_data(study, convergence))
    page = render(
        study,
        opening,
        convergence,
        claims,
        drawings,
        warnings,
        data,
        partial=partial,
        no_effects=why,
    )
    press.finish()
    page = with_pictures(page, drawings, folder / "figures")
    target = folder / "report.html"
    write_whole(target, page)
    write_whole(
        folder / "findings.txt",
        "\n".join(_findings(study, opening, claims, why)) + "\n",
    )
    write_whole(
        folder / STATE, json.dumps(state_of(study.frame, study.info.get("spec")), indent=1) + "\n"
    )
    return target


def _draw(study: Study, undrawn: list[str]) -> Iterator[Drawing]:
    """Every figure the study has something for; one that fails is a caveat, not the end."""
    for one in sorted(FIGURES, key=lambda one: -one.effort):
        try:
            drawing = one.drawing(study)
        except InputError as error:
            undrawn.append(f"Figure {one.name} could not be drawn: {error}.")
            continue
        if drawing is not None:
            yield drawing


def _claims(study: Study) -> pd.DataFrame:
    if not study.planned_claims:
        return pd.DataFrame()
    try:
        return study.claims()
    except InputError:
        return pd.DataFrame()


def _findings(study: Study, opening: Answer | None, claims: pd.DataFrame, why: str) -> list[str]:
    lines = [f"{one}." for one in did_nothing(study)]  # first: what follows is to be read by it
    lines += opening.sentences if opening is not None else [why]
    interim = still_running(study)
    for row in claims.to_dict("records"):
        so_far = " so far" if interim and row["verdict"] in ("supported", "refuted") else ""
        lines.append(f"{row['verdict']}{so_far}: {row['claim']}")
    return lines
