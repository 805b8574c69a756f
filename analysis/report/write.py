"""Writing a report: figures, tables, effects.json, then the page that holds them together.

A report of a grid that still runs is a report too. What cannot be estimated yet is said in the
page, never raised; what cannot be made costs itself alone (`words.undrawn`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial as partial_of
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ablations.errors import InputError
from analysis.document.document import SCHEMA_PATH, document, write_document
from analysis.figures import COLUMN, Drawing, at_width, widest
from analysis.figures.drawing.saving import FigureFiles
from analysis.report.current import STATE, state_of
from analysis.report.exports import write_article, write_follow_up, write_paper, write_tables
from analysis.report.gallery.catalogue import BY_NAME, FIGURES
from analysis.report.page.data import page_data, to_script
from analysis.report.page.page import render, with_pictures
from analysis.report.press import Press
from analysis.report.words.answer import Answer, answer
from analysis.report.words.brief.build import brief, claims_of
from analysis.report.words.brief.records import Brief
from analysis.report.words.brief.text import plain
from analysis.report.words.caveats import caveats
from analysis.report.words.papers.article.build import MAIN
from analysis.report.words.undrawn import Attempts
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
    attempts = Attempts()
    opening: Brief | None = None
    full: Answer | None = None
    convergence = None
    drawings: dict[str, Drawing] = {}
    narrows: list[Drawing] = []
    warnings: list[str] = []
    why = ""
    try:
        study.table  # noqa: B018 - checks that there is something to estimate
    except InputError as error:
        why = f"Nothing can be estimated yet: {error}."
    else:
        for drawing in _draw(study, attempts):
            drawings[drawing.name] = drawing
            press.put(FigureFiles(drawing, folder / "figures", ("png", "svg")))
            narrow = _narrow(study, drawing, attempts)
            if narrow is not None:
                narrows.append(narrow)
                press.put(FigureFiles(narrow, folder / "paper", ("pdf",), numbers=False))
        # After the figures, so that the helper has something to do meanwhile.
        convergence = attempts.make("convergence", "Convergence", lambda: known(study.convergence))
        full = attempts.make("answer", "The answer", lambda: answer(study))
        if full is not None:
            opening = attempts.make("brief", "The answer in brief", lambda: brief(study, full))
        said = opening  # a paper names no command that comes next
        if full is not None and (following := write_follow_up(study, folder)) is not None:
            sentences = (*full.sentences, following.sentence)
            full = replace(full, sentences=sentences, next_file=following.text)
            opening = None if opening is None else opening.followed_by(following.sentence)
        warnings = attempts.make("caveats", "Caveats", lambda: caveats(study, convergence)) or []
        why = attempts.lines.get("answer", "") or attempts.lines.get("brief", "")
        _write_paper(study, folder / "paper", full, said, narrows, attempts)
    attempts.make("files effects.json", "effects.json", lambda: _write_effects(study, folder))
    claims = attempts.make("claims", "Claims", lambda: claims_of(study))
    write_tables(study, folder, curves_there=curves is not None and curves.result())
    data = to_script(page_data(study, convergence, attempts))

    def page() -> str:
        return render(
            study,
            opening,
            full,
            convergence,
            pd.DataFrame() if claims is None else claims,
            drawings,
            warnings,
            data,
            attempts,
            partial=partial,
            no_effects=why,
        )

    text = page()
    press.finish()
    lost = [(task, problem) for task, problem in press.failed if isinstance(task, FigureFiles)]
    for task, problem in lost:
        one = task.drawing
        if task.folder == folder / "figures":
            del drawings[one.name]
            attempts.failed(one.name, f"Figure {one.title}", problem)
        else:
            attempts.failed(*_for_paper(one.name), problem)
    text = with_pictures(page() if lost else text, drawings, folder / "figures")
    target = folder / "report.html"
    write_whole(target, text)
    write_whole(
        folder / "findings.txt",
        "\n".join([why] if opening is None else plain(opening)) + "\n",
    )
    write_whole(folder / STATE, json.dumps(_state(study), indent=1) + "\n")
    return target


def _draw(study: Study, attempts: Attempts) -> Iterator[Drawing]:
    """Every figure the study has something for; one that fails is a line, not the end."""
    for one in sorted(FIGURES, key=lambda one: -one.effort):
        with at_width(min(one.wide, widest())):
            drawing = attempts.make(one.name, f"Figure {one.title}", partial_of(one.drawing, study))
        if drawing is not None:
            yield drawing


def _narrow(study: Study, wide: Drawing, attempts: Attempts) -> Drawing | None:
    """The same figure one journal column wide, where it is one for a paper."""
    one = BY_NAME[wide.name]
    if not one.paper:
        return None
    with at_width(COLUMN):
        return attempts.make(*_for_paper(one.name), lambda: one.drawing(study))


def _for_paper(name: str) -> tuple[str, str]:
    """Key and name of a figure one column wide, for what could not be made."""
    return f"files paper/{name}.pdf", f"paper/{name}.pdf"


def _write_paper(
    study: Study,
    folder: Path,
    full: Answer | None,
    said: Brief | None,
    drawings: list[Drawing],
    attempts: Attempts,
) -> None:
    """The tables, and the paper that takes them in where there is an answer to tell."""
    tables = attempts.make("files paper", "Tables for a paper", lambda: write_paper(study, folder))
    if tables is None or full is None or said is None:
        return
    ordered = sorted(drawings, key=lambda one: [*BY_NAME].index(one.name))
    attempts.make(
        f"files paper/{MAIN}",
        f"paper/{MAIN}",
        lambda: write_article(study, folder, full, said, ordered),
    )


def _write_effects(study: Study, folder: Path) -> None:
    write_document(document(study), folder / "effects.json")
    write_whole(folder / SCHEMA_PATH.name, SCHEMA_PATH.read_text("utf-8"))


def _state(study: Study) -> dict[str, Any]:
    """What the report is made from; a factor may be called like a column that says so."""
    columns = study.frame.columns.difference(list(study.factors))
    state = state_of(study.frame[columns], study.info.get("spec"))
    if ((study.info.get("spec") or {}).get("tune") or {}).get("compare"):
        beside = study.as_given
        state["as_given"] = None if beside is None else _state_alone(beside)
    return state


def _state_alone(study: Study) -> dict[str, Any]:
    return state_of(study.frame[study.frame.columns.difference(list(study.factors))])
