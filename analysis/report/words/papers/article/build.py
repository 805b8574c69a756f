"""All files of a paper, as text: the one that a person writes in, and what it takes in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.report.words.answer import Answer
from analysis.report.words.brief.build import claims_of
from analysis.report.words.brief.records import Brief
from analysis.report.words.papers.article.checklist import checklist
from analysis.report.words.papers.article.numbers import effect_numbers, study_numbers
from analysis.report.words.papers.article.results import answer_table, claims_table, figures
from analysis.report.words.papers.macros import Macros
from analysis.report.words.papers.methods import methods

if TYPE_CHECKING:
    from analysis.figures import Drawing
    from analysis.study import Study

MAIN = "main.tex"


@cache
def main() -> str:
    """The paper itself, of any study: it takes in the other files."""
    return (Path(__file__).parent / MAIN).read_text("utf-8")


def taken_in(
    study: Study, found: Answer, brief: Brief, drawings: Sequence[Drawing]
) -> dict[str, str | None]:
    """What `main` takes in, by name of the file; None where the study has nothing for it.

    Args:
        study: what is told.
        found: its answer.
        brief: the lines and the table that its report opens with.
        drawings: the figures of a column's width.
    """
    macros = Macros()
    macros.section("The study")
    study_numbers(study, macros, " ".join(brief.lines))
    macros.section("Of the methods")
    told = macros.tex(methods(study, macros.say))
    macros.section("Of the checklist")
    answers = checklist(study, macros)
    effect_numbers(study, macros, found, claims_of(study))
    still = ["Runs are still to come: numbers will change."] if study.running else []
    head = [
        f"The numbers of {study.name}, written anew by each report.",
        "One of another study beside it: rename all of one file, say from Abl to Other.",
        *still,
    ]
    return {
        "numbers.tex": macros.file(head),
        "methods.tex": f"{told}\n",
        "checklist.tex": answers,
        "answer.tex": answer_table(study, brief),
        "claims.tex": claims_table(brief),
        "figures.tex": figures(drawings),
    }
