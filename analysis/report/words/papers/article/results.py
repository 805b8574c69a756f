"""Tables of what was asked and answered, and the figures, as LaTeX reads them.

They stand alone, with their numbers in them: a paper of one's own can take one without the macros.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.report.words.brief.records import Brief, BriefRow
from analysis.report.words.brief.rows import CLAIMS
from analysis.report.words.names import assumed
from analysis.report.words.papers.latex import FITTED, escape_latex, framed, label_of, row_of
from analysis.study import known

if TYPE_CHECKING:
    from analysis.figures import Drawing
    from analysis.study import Study

HEAD = ("", "Effect", "95% interval", "Verdict", "p")
COLUMNS = r">{\raggedright\arraybackslash}p{0.44\linewidth}rllr"
FIGURE = r"""\IfFileExists{%(name)s.pdf}{%%
\begin{figure}
\centering
%(fitted)s
\includegraphics{%(name)s}}
\caption{%(caption)s}
\label{fig:%(label)s}
\end{figure}}{}
"""


def answer_table(study: Study, brief: Brief) -> str:
    """Every question but the claims: factors, pairs, convergence."""
    convergence = known(study.convergence)
    groups = {about: rows for about, rows in brief.groups.items() if about != CLAIMS}
    body = [row_of(HEAD)]
    for about, rows in groups.items():
        body += [r"\midrule", rf"\multicolumn{{5}}{{l}}{{\emph{{{escape_latex(about)}}}}} \\"]
        body += _rows(rows)
    alone = ""
    if convergence is not None and convergence.mixed:
        alone = "; questions about convergence are judged by themselves"
    caption = (
        f"What the runs answer. {study.judgement.rule} p: Holm-adjusted{alone}."
        f"{assumed(study, study.contrasts()['rests_on'])}"
    )
    return framed(COLUMNS, body, caption, "answer")


def claims_table(brief: Brief) -> str | None:
    """The planned claims; None where there are none."""
    rows = brief.groups.get(CLAIMS, [])
    if not rows:
        return None
    caption = (
        "Claims that were planned before the runs: left minus right, and what is so. p: of the "
        "claim, Holm-adjusted over all questions of the study."
    )
    return framed(COLUMNS, [row_of(HEAD), r"\midrule", *_rows(rows)], caption, "claims")


def _rows(rows: Sequence[BriefRow]) -> list[str]:
    return [
        row_of(
            (one.question, one.effect, one.interval, one.verdict,
             one.p.removeprefix("p ").removeprefix("= "))
        )
        for one in rows
    ]  # fmt: skip


def figures(drawings: Sequence[Drawing]) -> str:
    """The figures of a column's width, each where its file is there."""
    return "".join(
        FIGURE
        % {
            "name": one.name,
            "fitted": FITTED,
            "caption": escape_latex(one.caption),
            "label": label_of(one.name),
        }
        for one in drawings
    )
