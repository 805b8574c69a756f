"""Tables and text for a paper: right numbers, explained stars, names that LaTeX survives."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import analysis
from analysis.number_words import difference_text, p_words, stars, sureness
from analysis.report.words.papers.latex import escape_latex, row_of
from analysis.report.words.papers.methods import methods, shared
from analysis.report.words.papers.tables import (
    ablation_rows,
    escape_markdown,
    latex_table,
    markdown_table,
)
from analysis.study import Study
from runner.content.response import ACCURACY
from runner.program.wording import counted, listed
from tests.analysis.report.simulated import simulate
from tests.analysis.written import Written


@pytest.fixture(scope="module")
def small() -> Study:
    """Two factors with known means: sgd is 10 points better, he 0; no cell has the same noise."""
    noise = {
        ("adam", "he"): (-0.01, 0.0, 0.01),
        ("adam", "naive"): (0.01, -0.01, 0.0),
        ("sgd", "he"): (0.0, 0.01, -0.01),
        ("sgd", "naive"): (0.01, 0.0, -0.01),
    }
    rows = [
        (optimizer, init, seed, 0.8 + 0.1 * (optimizer == "sgd") + wiggle)
        for (optimizer, init), wiggles in noise.items()
        for seed, wiggle in enumerate(wiggles)
    ]
    frame = pd.DataFrame(rows, columns=["optimizer", "init_%", "seed", "acc"])
    return analysis.from_frame(frame, ["optimizer", "init_%"], "acc", "seed", name="two & two")


def test_rows_hold_means_and_differences_to_the_first_level(small: Study) -> None:
    rows = ablation_rows(small).set_index("level")
    assert rows.loc["adam", "mean"] == pytest.approx(0.8)
    assert rows.loc["sgd", "estimate"] == pytest.approx(0.1)
    assert rows.loc["sgd", "low"] < 0.1 < rows.loc["sgd", "high"]
    assert np.isnan(rows.loc["adam", "estimate"])
    assert rows.loc["sgd", "stars"] == "*"
    assert rows.loc["naive", "stars"] == ""


def test_markdown_table_has_a_row_a_level_and_explains_its_stars(small: Study) -> None:
    lines = markdown_table(small).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + 4
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert table[3].endswith(r"\* |")
    assert "p < .001" in lines[-1]


def test_latex_table_is_whole_and_escaped(small: Study) -> None:
    text = latex_table(small)
    assert text.count(r"\begin{") == text.count(r"\end{") == 2
    assert r"init\_\%" in text
    assert r"\label{tab:two-two}" in text
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 1 + 4
    assert {line.replace(r"\&", "").count("&") for line in rows} == {3}


@given(st.text())
def test_escaped_latex_is_ascii_without_a_bare_special_character(text: str) -> None:
    escaped = escape_latex(text)
    assert escaped.isascii()
    assert "\n" not in escaped
    assert "--" not in escaped or set("–—") & set(text)
    left = re.sub(
        r"\\ensuremath\{(?:-|\\[A-Za-z]+|[_^]\d|\^\\circ)\}|\\texttt\{U\+[0-9A-F]+\}"
        r"|\\[&%$#_{}]|\\[A-Za-z]+\{\}|\{\}-",
        "",
        escaped,
    )
    while (shorter := re.sub(r"\\[`'^~=.\"urHvdcb]\{[A-Za-z]?\}", "", left)) != left:
        left = shorter  # accents, which may stand on each other
    assert not set(left) & set("\\&%$#_{}~^<>|`")


def test_names_of_people_stay_legible_in_latex() -> None:
    assert escape_latex("é α ≥ −1 2×3 ß ấ 中 --lr") == (
        r"\'{e} \ensuremath{\alpha} \ensuremath{\geq} \ensuremath{-}1 2\ensuremath{\times}3 \ss{} "
        r"\'{\^{a}} \texttt{U+4E2D} -{}-lr"
    )


def test_a_row_that_begins_with_a_bracket_is_no_option_of_the_row_above() -> None:
    assert row_of(["[a]", "*"]) == r"{}[a] & * \\"
    assert row_of(["*", "[a]"]).startswith("{}*")


@given(st.text())
def test_escaped_markdown_holds_no_html_and_no_cell_border(text: str) -> None:
    escaped = escape_markdown(text)
    assert not re.search("<[A-Za-z/!?]|&[#A-Za-z0-9](?!mp;|t;)", escaped)
    assert not escaped.startswith(("#", ">", "+", "-"))
    assert "](" not in escaped.replace("\\](", "")
    assert "|" not in escaped.replace("\\|", "")
    assert "\n" not in escaped


def test_names_stay_legible_in_markdown() -> None:
    plain = "sgd_momentum (lr 0.1) over adam: +3.1 points [+2.0, +4.2], p < .001"
    assert escape_markdown(plain) == plain
    assert escape_markdown("__init__ *x* [a](b) <b> &lt; a|b") == (
        r"\_\_init\_\_ \*x\* [a\](b) &lt;b> &amp;lt; a\|b"
    )


def test_the_latex_caption_names_network_and_data(written: Written) -> None:
    assert r"\caption{Ablation of VGG-11" in latex_table(written.study)
    assert "on digits. " in latex_table(written.study)


def test_methods_name_what_was_run(written: Written) -> None:
    text = methods(written.study)
    for part in (
        "2 × 3 × 2 × 3 × 2 full factorial", "3 replicates (216 runs)", "VGG-11", "digits",
        "8 epochs", "sgd_momentum (lr ", "Cochran–Mantel–Haenszel", "commit 0123456789",
    ):  # fmt: skip
        assert part in text, part
    assert "  " not in text


PLUGIN = """
from ablations.registry import model


@model()
def theirs(classes, block, *, width: int = 4, bias: bool = True):
    from torch import nn

    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, classes))
"""

OF_PLUGIN = """
name: theirs
plugins: [theirs.py]
factors: {optimizer: [adam, sgd], model.parameters.width: [4, 8]}
fixed: {augmentation: none, scheduler: constant, bn_placement: none}
data: {name: digits}
model: {name: theirs}
replicates: 2
train: {epochs: 1}
"""


def test_methods_say_of_a_plugins_network_what_was_built_and_nothing_it_does_not_use(
    tmp_path: Path,
) -> None:
    (tmp_path / "theirs.py").write_text(PLUGIN)
    file = tmp_path / "theirs.yaml"
    file.write_text(OF_PLUGIN)
    url, info = simulate(tmp_path, file, profile="default")
    study = analysis.load(info.name, url)
    weights = study.frame["parameters"].iloc[0]
    text = methods(study)
    assert f"trained the network theirs of varied width ({weights:,} trainable weights) on" in text
    for absent in ("VGG", "-16", "depth", "bn placement", "usual channels"):
        assert absent not in text, absent
    assert "Held fixed: augmentation none, scheduler constant and init keep." in text
    rows = dict(shared(study))
    assert rows["model.name"] == "theirs"
    assert rows["model.parameters.bias"] == "True"
    for absent in ("model.depth", "model.width", "model.dropout", "model.parameters.width"):
        assert absent not in rows, absent
    made_of = {"layers": {"Conv2d": 2, "Linear": 1}, "weights": [9, 9], "calls_block": True}
    known = {**study.info, "spec": {**study.info["spec"], "networks": {"theirs": made_of}}}
    text = methods(replace(study, info=known))
    assert f"(2 Conv2d and 1 Linear; {weights:,} trainable weights)" in text
    assert "init keep and bn placement none" in text


def test_methods_count_the_layers_of_the_built_in_network(written: Written) -> None:
    assert "VGG-11 with 0.125 times the usual channels (8 convolutions and 1 linear layer; " in (
        methods(written.study)
    )


def test_methods_of_a_table_leave_out_what_it_does_not_know(small: Study) -> None:
    text = methods(small)
    assert "2 × 2 full factorial" in text
    assert "VGG" not in text
    assert "diverged" not in text


@pytest.mark.parametrize(
    ("p", "word", "star"),
    [(0.0001, "clear", "***"), (0.005, "well supported", "**"), (0.02, "supported", "*"),
     (0.5, "not shown", ""), (float("nan"), "cannot be tested", "")],
)  # fmt: skip
def test_words_and_stars_for_a_p_value(p: float, word: str, star: str) -> None:
    assert sureness(p) == word
    assert stars(p) == star


def test_numbers_in_words() -> None:
    assert difference_text(-0.031, -0.042, -0.02, ACCURACY) == "−3.1 points [−4.2, −2.0]"
    nan = float("nan")
    assert difference_text(nan, nan, nan, ACCURACY) == "not estimable"
    assert difference_text(0.031, nan, nan, ACCURACY) == "+3.1 points (no interval)"
    assert [p_words(p) for p in (0.0004, 0.034, 1.0)] == ["< .001", ".034", "1.000"]
    assert [p_words(p) for p in (0.0496, 0.0503)] == [".0496", ".0503"], "on which side of .05"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert [counted(1, "run"), counted(2, "run")] == ["1 run", "2 runs"]
