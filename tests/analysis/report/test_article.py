"""A paper that compiles as it is, whose numbers are those of the study, whatever its names are."""

from __future__ import annotations

import re
import shutil
import string
import subprocess
import unicodedata
from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import analysis
from analysis.number_words import signed
from analysis.report.exports import write_article, write_paper
from analysis.report.words.answer import answer
from analysis.report.words.brief.build import brief
from analysis.report.words.papers import latex
from analysis.report.words.papers.article.build import taken_in
from analysis.report.words.papers.article.checklist import NOT_RECORDED
from analysis.report.words.papers.latex import escape_latex
from analysis.report.words.papers.macros import Macros, letters
from analysis.study import Study
from tests.analysis.report.simulated import simulate, specification
from tests.analysis.written import Written

ROOT = Path(__file__).parents[3]
HOSTILE = {
    "a_b": ("50%", "#1", "x&y"),
    "[é α ≥]": ("\\input{x}", "{", "}$^~"),
    "*": ("中文 --lr", "'\"`|<>"),
}
"""Factors and levels whose names would be commands."""
CLAIMS = ('a_b: "50%" > "#1"', 'a_b: "x&y" > "50%" by 0.5 | "[é α ≥]" != "{"')
DEFINED = re.compile(r"^\\newcommand\{\\(Abl[A-Za-z]+)\}\{(.*?)\} % ", re.MULTILINE)


def table_of(factors: dict[str, tuple[str, ...]]) -> pd.DataFrame:
    """Three runs of each combination, the first level of each factor the better one."""
    rng = np.random.default_rng(3)
    rows = []
    for levels in product(*factors.values()):
        first = sum(level == all_[0] for level, all_ in zip(levels, factors.values(), strict=True))
        rows += [(*levels, seed, 0.5 + 0.1 * first + 0.01 * rng.normal()) for seed in range(3)]
    return pd.DataFrame(rows, columns=[*factors, "seed", "acc_%"])


def hostile() -> Study:
    return analysis.from_frame(
        table_of(HOSTILE), list(HOSTILE), "acc_%", "seed", name="#a_study & more", claims=CLAIMS
    )


def texts_of(study: Study) -> dict[str, str]:
    found = answer(study)
    files = taken_in(study, found, brief(study, found), [])
    return {name: text for name, text in files.items() if text is not None}


def write(study: Study, folder: Path) -> dict[str, str]:
    """A paper without figures; its files."""
    found = answer(study)
    write_paper(study, folder)
    write_article(study, folder, found, brief(study, found), [])
    return {path.name: path.read_text("utf-8") for path in folder.glob("*.tex")}


def files_of(report: Written) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in (report.folder / "paper").glob("*.tex")}


def numbers_of(texts: dict[str, str]) -> dict[str, str]:
    return dict(DEFINED.findall(texts["numbers.tex"]))


def check_macros(folder: Path) -> None:
    """Each that is used is there, each that is there is there once."""
    texts = {path.name: path.read_text("utf-8") for path in folder.glob("*.tex")}
    names = Counter(re.findall(r"^\\newcommand\{\\(\w+)\}", texts.pop("numbers.tex"), re.MULTILINE))
    used = {name for text in texts.values() for name in re.findall(r"\\(Abl[A-Za-z]*)", text)}
    assert {"AblRuns", "AblFindings", "AblJudgement"} <= used <= set(names)
    assert set(names.values()) == {1}
    assert all(name.isascii() and name.isalpha() for name in names)


def compiled(folder: Path, at: Path) -> str:
    """The log of `main.tex`, compiled twice."""
    program = shutil.which("pdflatex")
    if program is None:
        pytest.skip("no pdflatex on this machine: install texlive-latex-recommended")
    shutil.copytree(folder, at)
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "main"]
    for _ in range(2):
        done = subprocess.run(command, cwd=at, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-3000:]
    assert (at / "main.pdf").read_bytes().startswith(b"%PDF")
    return (at / "main.log").read_text("utf-8", errors="replace")


# --- it compiles ------------------------------------------------------------------------------


def test_the_paper_of_a_report_compiles_untouched(written: Written, tmp_path: Path) -> None:
    log = compiled(written.folder / "paper", tmp_path / "paper")
    assert "undefined" not in log
    assert "multiply defined" not in log
    assert "Overfull" not in log
    for figure in ("main_effects", "forest", "interaction_matrix", "convergence_rates"):
        assert f"{figure}.pdf" in log, "a figure that the report drew stands in it"


def test_the_paper_of_a_grid_that_still_runs_compiles(partial: Written, tmp_path: Path) -> None:
    assert "undefined" not in compiled(partial.folder / "paper", tmp_path / "paper")
    assert "Runs are still to come" in (partial.folder / "paper/numbers.tex").read_text("utf-8")


def test_names_that_are_commands_of_tex_compile(tmp_path: Path) -> None:
    folder = tmp_path / "paper"
    write(hostile(), folder)
    check_macros(folder)
    log = compiled(folder, tmp_path / "compiled")
    assert "undefined" not in log
    assert "Missing character" not in log


def test_every_letter_that_is_spelled_compiles(tmp_path: Path) -> None:
    accented = [unicodedata.normalize("NFC", f"i{mark}a{mark}ế{mark}") for mark in latex._ACCENTS]
    letters_ = " ".join([*latex._SPELLED, *accented, string.printable, "中é≥"])
    paper = tmp_path / "paper"
    paper.mkdir()
    body = f"\\section{{{escape_latex(letters_)}}}"
    (paper / "main.tex").write_text(
        f"\\documentclass{{article}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n", "ascii"
    )
    assert "Missing character" not in compiled(paper, tmp_path / "compiled")


# --- its numbers ------------------------------------------------------------------------------


def test_every_macro_is_defined_once(written: Written, partial: Written) -> None:
    for report in (written, partial):
        check_macros(report.folder / "paper")


def test_prose_has_macros_in_place_of_numbers(written: Written) -> None:
    for name in ("main.tex", "checklist.tex"):
        text = (written.folder / "paper" / name).read_text("utf-8")
        prose = text.rpartition(r"\begin{document}")[2].partition("% As the report wrote it")[0]
        assert re.findall(r"\d+", prose.replace(r"95\%", "")) == [], name
    methods = (written.folder / "paper" / "methods.tex").read_text("utf-8")
    numbers = numbers_of(files_of(written))
    for name in ("AblRuns", "AblWeights", "AblEpochs", "AblTarget", "AblTrainingTime", "AblGrid"):
        assert rf"\{name}{{}}" in methods, name
    for name in ("AblRuns", "AblWeights", "AblTarget", "AblTrainingTime", "AblGrid"):
        assert numbers[name] not in methods, name


def test_a_difference_is_that_of_the_study(written: Written) -> None:
    numbers = numbers_of(files_of(written))
    rows = written.study.contrasts()
    for row in rows.to_dict("records"):
        stem = f"AblDiff{letters(row['factor'])}{letters(row['second'])}Over{letters(row['first'])}"
        for end, value in (("", "estimate"), ("Low", "high"), ("High", "low")):
            text = numbers[stem + end].replace(r"\ensuremath{-}", "−")
            assert text == signed(-100 * row[value]), stem
    assert numbers["AblRuns"] == str(written.study.cells.n)
    assert numbers["AblSeeds"] == "3", "cells of a replicate share it"


def test_verdicts_are_those_of_the_judgement(written: Written) -> None:
    numbers = numbers_of(files_of(written))
    claims = written.study.claims()
    assert len(claims) == 5
    for row in claims.to_dict("records"):
        assert numbers[f"AblClaim{letters(row['claim'])}Verdict"] == row["verdict"]
    rows = {row.asked: row for row in brief(written.study).rows if row.about == "Test accuracy"}
    for factor, row in rows.items():
        name = f"AblFactor{letters(factor)}"
        assert numbers[f"{name}Verdict"] == row.verdict
        better = f"{numbers[f'{name}Best']} over {numbers[f'{name}Worst']}"
        assert better.replace("\\", "") == row.levels
    judged = written.study.judgement.of("difference")
    shown = {numbers[name] for name in numbers if re.fullmatch("AblDiff.*Verdict", name)}
    assert ("not shown" in shown or "open" in shown) == (not judged["shown"].all())


def test_too_few_runs_say_nothing(tmp_path: Path) -> None:
    """Two runs of four combinations: no verdict, whatever the p values are."""
    factors = {"optimizer": ["adam", "sgd"], "bn_placement": ["none", "before"]}
    url, info = simulate(tmp_path, specification(tmp_path, factors))
    study = analysis.load(info.name, url)
    assert study.judgement.silent
    numbers = numbers_of(texts_of(study))
    told = [name for name in numbers if re.fullmatch("Abl(Diff|Factor|Pair).*Verdict", name)]
    assert {numbers[name] for name in told} == {"undecided"}


def test_a_rerun_changes_the_numbers_and_nothing_that_a_person_writes_in(tmp_path: Path) -> None:
    frame = table_of({"lr": ("0.1", "0.01"), "loss": ("mse", "ce")})

    def run(runs: pd.DataFrame) -> dict[str, str]:
        return write(analysis.from_frame(runs, ["lr", "loss"], "acc_%", "seed"), tmp_path)

    before, paper = run(frame), tmp_path / "main.tex"
    theirs = before["main.tex"].replace("article", "report")
    paper.write_text(theirs, "utf-8")
    more = frame.assign(**{"acc_%": frame["acc_%"] + 0.2 * (frame["lr"] == "0.01")})
    after = run(more)
    assert after["main.tex"] == theirs
    difference = "AblDiffLrZeroPointOneOverZeroPointZeroOne"
    first, second = (numbers_of(one) for one in (before, after))
    assert first.keys() == second.keys(), "names do not depend on results"
    assert first[difference] != second[difference]
    paper.unlink()
    assert run(more)["main.tex"] == before["main.tex"]


def test_every_macro_that_the_how_to_names_is_there(written: Written) -> None:
    page = (ROOT / "docs" / "how-to" / "paper.md").read_text("utf-8")
    found = re.findall(r"\\(Abl[A-Za-z]+)", page)
    names = {name for name in found if not re.search("[A-Z]{5}", name)}  # FACTOR, LEVEL
    numbers = numbers_of(files_of(written))
    assert len(names) > 8
    assert names <= set(numbers)


# --- the checklist ----------------------------------------------------------------------------


def test_the_checklist_has_seeds_error_bars_and_compute(written: Written) -> None:
    text = (written.folder / "paper" / "checklist.tex").read_text("utf-8")
    for part in (
        r"levels: \AblCells{}; runs of each: \AblReplicates{}; runs in all: \AblRuns{}; different",
        r"seeds: \AblSeeds{}. A seed decides initialisation, data order and augmentation;",
        "neither standard deviations nor standard errors",
        r"\AblJudgement{}",
        r"\AblComputeHours{} hours",
        "No attempt failed",
        "nothing was tuned before the grid",
    ):
        assert part in text, part


def test_lost_and_waiting_runs_are_told(partial: Written) -> None:
    text = (partial.folder / "paper" / "checklist.tex").read_text("utf-8")
    assert r"\AblLostRuns{} of \AblPlannedRuns{} planned runs ended without a result" in text
    assert r"\AblWaitingRuns{} of \AblPlannedRuns{} are still to come" in text
    assert r"\AblFailedAttempts{} attempts failed or ended early" in text


def test_what_a_table_does_not_know_is_said_to_be_unknown() -> None:
    study = hostile()
    text = texts_of(study)["checklist.tex"]
    assert text.count(NOT_RECORDED) == 4
    text = texts_of(replace(study, replicate=None, checked=None))["checklist.tex"]
    assert "What differs between runs of a combination is not recorded" in text
    assert "CPU" not in text


# --- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [("sgd_momentum", "SgdMomentum"), ("0.1", "ZeroPointOne"), ("1e-4", "OneEMinusFour"),
     ("-2", "MinusTwo"), ("a-2", "ATwo"), ("50%", "FiveZeroPercent"), ("#1", "HashOne"),
     ("x&y", "XAndY"), ("é", "E"), ("α", "Alpha"), ("≥", "GreaterThanOrEqualTo"),
     ("init: he > naive | bn != none", "InitHeOverNaiveGivenBnNotNone"), ("", "")],
)  # fmt: skip
def test_a_name_is_letters(text: str, name: str) -> None:
    assert letters(text) == name


@given(st.lists(st.lists(st.text(max_size=3), min_size=1, max_size=3), max_size=6))
@settings(max_examples=50)
def test_names_never_collide(names: list[list[str]]) -> None:
    macros = Macros()
    for words in names:
        macros.block(words, {"": ("1", "a"), "Low": ("2", "b"), "LowLow": ("3", "c")})
        macros.say("Low", "4", "d")
    told = re.findall(r"^\\newcommand\{\\(.*?)\}\{", macros.file([]), re.MULTILINE)
    assert all(re.fullmatch("Abl[A-Za-z]*", name) for name in told)
    assert len(told) == len(set(told)) == 3 * len(names) + bool(names)


@given(st.text())
def test_a_comment_ends_with_its_line(text: str) -> None:
    macros = Macros()
    macros.section(text)
    macros.say("One", text, text)
    lines = macros.file([text]).encode("utf-8").decode("utf-8").split("\n")
    assert all(line.startswith(("%", r"\newcommand{\AblOne}")) for line in lines if line)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "\n".join(lines))


def test_a_number_stands_in_prose_as_its_macro() -> None:
    macros = Macros()
    prose = f"We ran {macros.say('Runs', '216', 'runs')} runs & {macros.told('Runs')}."
    assert macros.tex(prose) == r"We ran \AblRuns{} runs \& \AblRuns{}."
    forged = "\ue000AblNever\ue001"
    assert macros.tex(f"a {forged}") == "a AblNever"
    with pytest.raises(KeyError):
        macros.told("Never")
