"""Files beside the report: cells and curves as CSV and Parquet, tables and text for a paper.

Parquet where pyarrow is installed (extra `parquet`); a file of an earlier report goes with it.

What is written here is what was measured or estimated, unrounded; names are kept as they are.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from ablations.errors import InputError
from analysis.report.curve_files import write_curves
from analysis.report.words.papers.article.build import MAIN, main, taken_in
from analysis.report.words.papers.changes import changes_latex, changes_markdown
from analysis.report.words.papers.methods import methods
from analysis.report.words.papers.tables import ablation_rows, latex_table, markdown_table
from analysis.screening.follow_up import profiles_to_overrule
from analysis.screening.words import command_sentence
from analysis.study import known
from runner.program.files import write_whole
from runner.program.needs import has

if TYPE_CHECKING:
    from analysis.figures import Drawing
    from analysis.report.words.answer import Answer
    from analysis.report.words.brief.records import Brief
    from analysis.study import Study

WRITTEN = "% As the report wrote it: "
"""Begins the last line of a paper; a digest of the lines above follows."""


def write_tables(study: Study, folder: Path, *, curves_there: bool = False) -> None:
    """Write outcomes and curves.

    outcomes.csv and outcomes.parquet hold one row a planned run; curves.csv and curves.parquet
    one row an epoch, where there are any, and unless they are there already.
    """
    frame = _plain(study.frame)
    frame.to_csv(folder / "outcomes.csv", index=False)
    if has("pyarrow"):
        frame.to_parquet(folder / "outcomes.parquet", index=False)
    else:
        (folder / "outcomes.parquet").unlink(missing_ok=True)
    if study.curve_rows is not None and len(study.curve_rows) and not curves_there:
        write_curves(study.curve_rows, folder)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Lists as text, so that every format can hold every column."""
    plain = frame.copy()
    for name in plain.columns:
        if not pd.api.types.is_object_dtype(plain[name]):
            continue
        if plain[name].map(lambda value: isinstance(value, list | tuple | dict)).any():
            plain[name] = plain[name].map(
                lambda value: (
                    "; ".join(map(str, value)) if isinstance(value, list | tuple) else value
                )
            )
        if plain[name].isna().all():
            plain[name] = plain[name].astype("string")
    return plain


def write_paper(study: Study, folder: Path) -> list[Path]:
    """Write the ablation table (LaTeX, Markdown, CSV) and the methods paragraph."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = ablation_rows(study)
    texts = {
        "ablation.tex": latex_table(study, rows),
        "ablation.md": markdown_table(study, rows),
        "methods.txt": methods(study) + "\n",
    }
    files = []
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
        files.append(folder / name)
    table = folder / "ablation.csv"
    rows.to_csv(table, index=False)
    return [*files, table, *_write_changes(study, folder)]


def write_article(
    study: Study, folder: Path, found: Answer, brief: Brief, drawings: Sequence[Drawing]
) -> None:
    """Write a paper that compiles as it is; one that somebody has changed stays theirs.

    Args:
        study: what is told.
        folder: which holds the tables of `write_paper`.
        found: its answer.
        brief: what its report opens with.
        drawings: the figures that are in the folder.
    """
    for name, text in taken_in(study, found, brief, drawings).items():
        if text is None:
            (folder / name).unlink(missing_ok=True)  # of an earlier report
        else:
            write_whole(folder / name, text)
    paper = folder / MAIN
    if not paper.exists() or _is_as_written(paper.read_text("utf-8", errors="replace")):
        write_whole(paper, f"{main()}{WRITTEN}{_digest(main())}\n")


def _is_as_written(paper: str) -> bool:
    text, _, digest = paper.rpartition(WRITTEN)
    return digest.strip() == _digest(text)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


class Following(NamedTuple):
    """The file of the study that comes next: what runs it, in a sentence, and its content."""

    sentence: str
    text: str


def write_follow_up(study: Study, folder: Path) -> Following | None:
    """Write the specification that follows a screening study; None where there is none."""
    path = folder / "follow_up.yaml"
    following = study.follow_up
    if following is None:
        path.unlink(missing_ok=True)  # of an earlier report
        return None
    try:
        profiles = profiles_to_overrule(Path(following.source))
    except InputError:
        gone = f"The next study would extend {following.source}, which cannot be read any more."
        path.unlink(missing_ok=True)
        return Following(gone, "")
    text = following.text(Path(os.path.relpath(following.source, folder)).as_posix(), profiles)
    write_whole(path, text)
    return Following(command_sentence(following, path.as_posix()), text)


def _write_changes(study: Study, folder: Path) -> list[Path]:
    """Write the table of single changes of the baseline, where the baseline ran."""
    rows = known(study.from_baseline)
    files = [folder / f"from_baseline.{kind}" for kind in ("tex", "md", "csv")]
    if rows is None:
        for file in files:
            file.unlink(missing_ok=True)  # of an earlier report of more runs
        return []
    files[0].write_text(changes_latex(study, rows), encoding="utf-8")
    files[1].write_text(changes_markdown(study, rows), encoding="utf-8")
    rows.to_csv(files[2], index=False)
    return files
