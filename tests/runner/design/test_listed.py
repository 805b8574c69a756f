"""Designs whose runs are listed: around a baseline, or in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ablations.errors import InputError
from runner.design import design_of, facts
from runner.spec import Spec, load_spec

FILE = """\
name: listed
trainer: mine.py:fit
factors: {lr: [0.1, 0.01, 0.001], loss: [ce, focal], amp: [true, false]}
design: DESIGN
responses: accuracy
"""


@pytest.fixture
def made(tmp_path: Path):
    (tmp_path / "mine.py").write_text("def fit(lr, loss, amp, seed): ...")

    def make(design: str, more: str = "") -> Spec:
        (tmp_path / "study.yaml").write_text(FILE.replace("DESIGN", design) + more)
        return load_spec(tmp_path / "study.yaml", cuda_visible=False)

    return make


def runs_of(spec: Spec) -> set[tuple[str, ...]]:
    design = design_of(spec)
    assert len(design.cells) == 3 * design.combinations
    return {tuple(cell.labels.values()) for cell in design.cells}


def test_one_factor_at_a_time_differs_from_the_baseline_once(made):
    spec = made("{kind: one_at_a_time, baseline: {lr: 1e-2, amp: false}}")
    base = ("0.01", "ce", "false")
    assert runs_of(spec) == {
        base,
        *(("0.1", *base[1:]), ("0.001", *base[1:]), ("0.01", "focal", "false")),
        ("0.01", "ce", "true"),
    }
    found = facts(design_of(spec))
    assert found is not None
    assert "lr:loss" in found.not_estimable
    assert any("seen at the baseline alone" in one for one in found.sentences)


def test_without_a_word_the_first_levels_are_the_baseline(made):
    assert ("0.1", "ce", "true") in runs_of(made("{kind: one_at_a_time}"))


def test_leave_one_out_takes_two_levels_a_factor(made):
    with pytest.raises(InputError, match=r"study.yaml:3: factors.lr: leave_one_out needs"):
        design_of(made("{kind: leave_one_out}"))


def test_a_file_lists_the_runs(made, tmp_path):
    (tmp_path / "runs.csv").write_text("loss,lr,note,amp\nce,0.1,x,true\nfocal,1e-2,,false\n"
                                       "focal,0.001,,true\n")  # fmt: skip
    assert runs_of(made("{kind: custom, file: runs.csv}")) == {
        ("0.1", "ce", "true"), ("0.01", "focal", "false"), ("0.001", "focal", "true"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("design", "said"),
    [
        ("{kind: one_at_a_time, baseline: {lrr: 1}}", "is no factor of this file; did you mean"),
        ("{kind: one_at_a_time, baseline: {loss: cee}}", "has no level 'cee'; did you mean 'ce'"),
        ("{kind: custom, file: absent.csv}", "cannot read"),
        ("{kind: custom}", "is missing"),
        ("{kind: one_at_a_tim}", "did you mean 'one_at_a_time'"),
    ],
)
def test_mistakes_are_named(made, design, said):
    with pytest.raises(InputError) as refused:
        design_of(made(design))
    assert said in str(refused.value)
    assert "study.yaml:4" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("loss,lr\nce,0.1\n", "lacks a column for amp; it has loss, lr"),
        ("loss,lr,amp\n", "lists no run"),
        ("loss,lr,amp\nce,0.2,true\n", "has no level '0.2'"),
        ("loss,lr,amp\nce,0.1,true\nce,0.1,true\n", "runs.csv:3 is listed twice (runs.csv:2)"),
        ("loss,lr,amp\nce\n", "has no level ''"),
        ("", "lacks a column for lr, loss and amp; it has nothing"),
    ],
)
def test_a_file_that_lists_no_runs_is_named(made, tmp_path, text, said):
    (tmp_path / "runs.csv").write_text(text)
    with pytest.raises(InputError) as refused:
        design_of(made("{kind: custom, file: runs.csv}"))
    assert said in str(refused.value)


def test_what_is_excluded_is_no_baseline(made):
    with pytest.raises(InputError, match="is a combination that 'exclude' or 'only' takes"):
        design_of(made("{kind: one_at_a_time}", "exclude: [{lr: 0.1, loss: ce}]\n"))
