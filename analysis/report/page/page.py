"""The report's page, rendered by Jinja2 with escaping on: its head, its answer, its claims.

Arranges what others estimated and drew; makes no number of its own. What each section consists of
is in `page_sections`. Template, style and script lie in `template/`, plotly.js in `vendor/`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from functools import partial as partial_of
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.causes.words import why_sentences
from analysis.number_words import difference_text
from analysis.report.gallery.catalogue import ANSWER
from analysis.report.page.inline_svg import framed, inline
from analysis.report.page.page_figures import picture_mark, runs_behind, section_shown
from analysis.report.page.page_sections import SECTIONS
from analysis.report.page.tables.effects_table import effects_table
from analysis.report.page.tables.runs_table import table_of_runs
from analysis.report.words.answer import WHOLE
from analysis.report.words.brief.rows import claimed
from analysis.report.words.names import interval_name
from analysis.report.words.papers.methods import network_of, own_trainer, varied
from analysis.report.words.progress import progress
from analysis.report.words.undrawn import Attempts
from analysis.study import known
from analysis.verdicts.judgement import ALPHA, level_words
from runner.program.needs import has
from runner.program.wording import counted

if TYPE_CHECKING:
    from analysis.figures import Drawing
    from analysis.outcomes.convergence import Convergence
    from analysis.report.words.answer import Answer
    from analysis.report.words.brief.records import Brief
    from analysis.study import Study

HERE = Path(__file__).parent

PANES = ("panes", "pivot", "two_cells", "parallel_picture", "parallel")
"""Scripts after that of the page: what panes share, then a pane each."""

LONG = 15
"""Rows of the table from which two figures are as high as it is; beside fewer stands one."""

LOST = ("why", "caveats", "claim", "explore", "how", "runs")
"""Attempts whose lines the template puts where the display would stand."""


def render(
    study: Study,
    brief: Brief | None,
    answer: Answer | None,
    convergence: Convergence | None,
    claims: pd.DataFrame,
    drawings: Mapping[str, Drawing],
    warnings: Sequence[str],
    data: str,
    attempts: Attempts | None = None,
    *,
    partial: bool,
    no_effects: str = "",
) -> str:
    """The page as text, with marks where the pictures belong (`with_pictures`).

    Args:
        study: what is reported.
        brief: what the report opens with; None where nothing can be estimated yet (`no_effects`
            says why).
        answer: the same in full, for the appendix; None where there is none.
        convergence: rates and tests, where statuses are known.
        claims: from `Study.claims()`; empty where there are none.
        drawings: figures by name.
        warnings: caveats.
        data: what its scripts read (`analysis.report.page.data`).
        attempts: what could not be made, a line each; what fails here is added to it.
        partial: whether the grid still runs.
        no_effects: why there is no answer.
    """
    environment = Environment(
        loader=FileSystemLoader(HERE / "template"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    attempts = attempts or Attempts()
    make = attempts.make
    every = [section_shown(one, study, convergence, drawings, attempts) for one in SECTIONS]
    sections = [
        section
        for section in every
        if section["figures"] or section["tables"] or section["texts"] or section["id"] == "cells"
    ]
    first = [section for section in sections if section["id"] == ANSWER]
    sections = [section for section in sections if section["id"] != ANSWER]
    rows = make("effects", "The table of factors", lambda: effects_table(study, answer)) or []
    told = [
        make("claim", "The verdict on a claim", partial_of(_claim, row, study))
        for row in claims.to_dict("records")
    ]
    estimated = answer is not None or "answer" in attempts.lines
    files = [
        one
        for one in _files(study, estimated=estimated)
        if not _made_with(one[0]) & set(attempts.lines)
    ]
    contents = [("full", "In full"), ("claims", "Claims"), ("explore", "Explore")]
    contents += [("pivot", "Two factors at a time"), ("two-cells", "Two cells")]
    contents += [("parallel", "Parallel coordinates")]
    contents += [(str(section["id"]), str(section["title"])) for section in sections]
    contents += [("caveats", "Caveats"), ("files", "Files")]
    text = environment.get_template("report.html.j2").render(
        study=study.name,
        facts=make("facts", "The facts", lambda: _facts(study)) or [],
        contents=contents,
        partial=make("partial", "Progress", lambda: _unfinished(study)) if partial else None,
        lines=brief.lines if brief else (),
        groups=list(brief.groups.items()) if brief else [],
        unit=brief.unit if brief else "",
        first=[figure for section in first for figure in section["figures"]],
        long=brief is not None and len(brief.rows) >= LONG,
        runs_behind=make("runs behind", "The runs behind the figures", lambda: runs_behind(study)),
        sentences=answer.sentences if answer else (),
        next_file=answer.next_file if answer else "",
        why=make("why", "Why runs did not converge", lambda: _why(study)) or [],
        effects=rows,
        no_effects=no_effects or attempts.lines.get("effects", ""),
        interval=make("how", "Intervals", lambda: _interval(study)) if answer else "",
        how_sure=make("how", "How sure", lambda: _how_sure(study, convergence)) if answer else "",
        has_convergence=convergence is not None and convergence.mixed,
        outcome=study.measure.title,
        caveats=list(warnings),
        lost={key: attempts.lines.get(key, "") for key in LOST},
        unwritten=[line for key, line in attempts.lines.items() if key.startswith("files ")],
        claims=[one for one in told if one is not None],
        claims_judged=_judged(study),
        no_claims=attempts.lines.get("claims") or _no_claims(study),
        sections=sections,
        runs=make("runs", "The table of runs", lambda: table_of_runs(study)),
        files=files,
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        version=_version(),
        plotly_version=_plotly_version(),
        css=Markup(_part("template/report.css")),  # noqa: S704 - our own file
        script=Markup(_part("template/report.js")),  # noqa: S704 - our own file
        panes=[Markup(_part(f"template/{one}.js")) for one in PANES],  # noqa: S704 - our own files
        plotly=Markup(_plotly()),  # noqa: S704 - vendored
        data=Markup(data),  # noqa: S704 - escaped by `to_script`
    )
    return text


def _made_with(name: str) -> set[str]:
    """The attempts that a file beside the page was made by."""
    if name == "paper/main.tex":
        return {"files paper", f"files {name}", "answer", "brief"}
    if name.startswith("paper/"):
        return {"files paper"}
    return {"files effects.json" if name.startswith("effects.") else name}


@cache
def _part(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _plotly() -> str:
    """The library under its licence, which each copy of it must carry."""
    return f"/*\n{_part('vendor/LICENSE.plotly.txt')}*/\n{_part('vendor/plotly-cartesian.min.js')}"


def _plotly_version() -> str:
    named = re.search(r"v(\d+\.\d+\.\d+)", _part("vendor/plotly-cartesian.min.js")[:200])
    return named.group(1) if named else ""


def _version() -> str:
    try:
        return version("ablation-grid-runner")
    except PackageNotFoundError:
        return ""


# --- the head and what is said in full -----------------------------------------------------------


def _facts(study: Study) -> list[str]:
    info = study.info
    data, model, train = (dict(info.get(key) or {}) for key in ("data", "model", "train"))
    finished = int(study.runs[study.response].notna().sum())
    facts = [counted(finished, "run") if finished else "no run has finished"]
    facts.append(" × ".join(str(len(levels)) for levels in study.factors.values()) + " grid")
    free = varied(study)
    if (called := own_trainer(study)) is not None:
        facts.append(called)
    if data and model:
        where = "" if "data.name" in free else f" on {data.get('name')}"
        facts.append(f"{network_of(study)}{where}")
    if train and "train.epochs" not in free:
        facts.append(counted(int(train.get("epochs", 0)), "epoch"))
    if info.get("profile"):
        facts.append(f"profile {info['profile']}")
    return facts


def _interval(study: Study) -> str:
    why = "no combination ran twice" if study.by_lenth else study.grid.rule.reason
    return f"Brackets: 95% intervals, {interval_name(study)}; {why}."


def _how_sure(study: Study, convergence: Convergence | None) -> str:
    """What the words of the answer table mean."""
    judgement = study.judgement
    text = f"{judgement.rule} Clear: p < .001; "
    if not judgement.running:
        most = level_words(judgement.level or ALPHA)
        text += f"well supported: p < .01; supported: p up to {most}; "
    text += (
        "open: the interval excludes zero by itself, but not with all questions judged together; "
        "not shown: the interval holds zero, which is not evidence that there is nothing."
    )
    if any(len(levels) > 2 for levels in study.factors.values()):
        text += f" {WHOLE.capitalize()}: the levels differ, but no single difference is shown."
    if convergence is not None and convergence.mixed:
        text += f" Convergence: {convergence.compared.said}"
    return text


def _unfinished(study: Study) -> dict[str, Any] | None:
    """What the banner says while runs lack an outcome; None once every run has one."""
    state = progress(study)
    return state if state["done"] < state["planned"] else None


def _why(study: Study) -> list[str]:
    """Which runs did not converge, of what, and what removes it."""
    return why_sentences(study.causes, study.goal)


# --- claims -------------------------------------------------------------------------------------


def _judged(study: Study) -> str:
    """How claims are judged, beside the differences of the answer."""
    text = (
        "Planned before the grid ran, and judged together with all questions of the study; half "
        "of the level is kept for the claims."
    )
    if study.running:
        text += " The grid is not complete: every verdict is one so far, and none is a decision."
    return text


def _claim(row: Mapping[Any, Any], study: Study) -> dict[str, str]:
    """A claim as the page shows it."""
    verdict = str(row["verdict"])
    so_far = " so far" if study.running and verdict in ("supported", "refuted") else ""
    numbers = (float(row["estimate"]), float(row["low"]), float(row["high"]))
    shown = np.isfinite(numbers[0])
    return {
        "claim": str(row["claim"]),
        "verdict": f"{verdict}{so_far}",
        "kind": re.sub(r"[^a-z]", "", verdict),
        "estimate": difference_text(*numbers, claimed(study, str(row["outcome"])))
        if shown
        else "n/a",
        "sentence": f"{verdict.capitalize()}{so_far}: {row['reason']}",
    }


def _no_claims(study: Study) -> str:
    if study.planned_claims:
        return "The claims could not be answered from the runs at hand."
    whose = "The specification makes no claims" if study.info else "No claim was planned"
    return f"{whose}; everything here was found, not predicted."


# --- pictures and files -------------------------------------------------------------------------


def with_pictures(page: str, drawings: Mapping[str, Drawing], folder: Path) -> str:
    """The page of `render` with the SVG files of a folder in their places.

    They come last, as another process may still write them while the page is made. Everything that
    users wrote is escaped, so that no text of theirs is a mark.
    """
    for name, drawing in drawings.items():
        svg = (folder / f"{name}.svg").read_text("utf-8")
        picture = framed(inline(svg, f"svg-{name}", drawing.title, drawing.caption))
        page = page.replace(picture_mark(name), picture, 1)
    return page


def _files(study: Study, *, estimated: bool) -> list[tuple[str, str]]:
    """Files beside the page; those of figures only where something could be estimated."""
    files = [
        ("effects.json", "every estimate with its interval"),
        ("effects.schema.json", "the schema of effects.json"),
        ("outcomes.csv", "one row a run"),
        ("outcomes.parquet", "the same for pandas"),
    ]
    if study.curve_rows is not None and len(study.curve_rows):
        files += [
            ("curves.csv", "one row an epoch"),
            ("curves.parquet", "the same for pandas"),
        ]
    if not has("pyarrow"):
        files = [(name, words) for name, words in files if not name.endswith(".parquet")]
    if not estimated:
        return files
    changes = [("paper/from_baseline.csv", "one change at a time; as .tex and .md too")]
    if known(study.from_baseline) is None:
        changes = []
    following = [("follow_up.yaml", "the study that comes next")] if study.follow_up else []
    return [
        *files,
        ("paper/ablation.tex", "the ablation table for LaTeX"),
        ("paper/ablation.md", "the ablation table for Markdown"),
        ("paper/ablation.csv", "its numbers, unrounded"),
        *changes,
        *following,
        ("paper/methods.txt", "the methods paragraph"),
        ("paper/main.tex", "a paper that compiles as it is, each number a macro"),
        (
            "paper/",
            "the main figures one journal column (3.5 in) wide, as PDF; "
            "report --column draws all of them so, as SVG",
        ),
        ("figures/", "every figure as PNG and SVG with the CSV behind it"),
    ]
