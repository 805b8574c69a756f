"""All that is wrong with a file is said at once, and a key of another place is told which."""

from __future__ import annotations

from pathlib import Path

import pytest

from ablations.errors import InputError, InputErrors, Mistakes
from runner.program.exits import MOST_MISTAKES, exit_code_of
from runner.spec import load_spec

WRONG = """name: wrong
factors: {optimizer: [adm, sgd], inti: [he, naive], scheduler: [constant, cosin]}
train: {epoch: 3, ema: 0.9}
data: {nam: digits}
replicates: two
repeats: 3
"""

OWN = """name: own
trainer: {command: "python train.py {args}"}
factors: {lr: [1, 1], seed: [1, 2]}
replicates: two
"""

SMALL = """name: small
factors: {init: [he, naive]}
fixed: {augmentation: none, scheduler: constant, bn_placement: none, optimizer: adam}
data: {name: digits}
"""

FIVE = """name: five
extends: five_factor
"""


def _said(text: str, folder: Path) -> list[str]:
    file = folder / "file.yaml"
    file.write_text(text)
    with pytest.raises(InputErrors) as refused:
        load_spec(file, cuda_visible=False)
    return [str(one).removeprefix(f"{file}:") for one in refused.value.each]


def test_every_part_of_a_file_is_looked_at(tmp_path):
    said = _said(WRONG, tmp_path)
    begins = [one.partition(" ")[0] + one.partition(" ")[2].partition(":")[0] for one in said]
    assert sorted(begins) == [
        "2:factors.inti",
        "2:factors.optimizer[0]",
        "2:factors.scheduler[1]",
        "3:train.ema",
        "3:train.epoch",
        "4:data.nam",
        "5:replicates",
        "6:repeats",
    ]


def test_levels_of_ones_own_are_looked_at_too(tmp_path):
    said = _said(OWN, tmp_path)
    assert len(said) == 3
    assert any("factors.lr[1]: level '1' is given twice" in one for one in said)
    assert any("factors.seed" in one for one in said)
    assert any("replicates: 'two'" in one for one in said)


def test_claims_and_exclusions_are_looked_at_together(tmp_path):
    text = SMALL + 'claims: ["init: hee > naive", "optimiser: adam > sgd"]\nexclude: [{init: hi}]\n'
    said = _said(text, tmp_path)
    assert len(said) == 3
    assert sum("claims[" in one for one in said) == 2


def test_all_of_what_does_not_fit_under_fixed_is_said(tmp_path):
    said = _said(FIVE + "fixed: {los: hinge, mixing: mixap, init: he}\n", tmp_path)
    assert len(said) == 3


def test_one_mistake_is_one_sentence_and_many_are_cut(capsys):
    def refuse(count: int) -> int:
        mistakes = Mistakes()
        for number in range(count):
            for _ in range(2):  # the same twice is said once
                with mistakes.noted():
                    raise InputError(f"mistake {number}")
        mistakes.refuse()
        return 0

    assert exit_code_of(lambda: refuse(0)) == 0
    assert exit_code_of(lambda: refuse(1)) == 2
    assert capsys.readouterr().err == "error: mistake 0\n"
    assert exit_code_of(lambda: refuse(MOST_MISTAKES + 2)) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == MOST_MISTAKES + 1
    assert lines[-1] == "error: and 2 more mistakes"


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("epoch", "did you mean 'epochs'?"),
        ("ema", "ema is a level of averaging: write 'fixed: {averaging: ema}'"),
        ("lr", "lr is a parameter of levels of optimizer: write 'fixed: {optimizer: {adam: {lr"),
        ("depth", "did you mean 'model.depth'?"),
        ("loss", "did you mean 'factors.loss' or 'fixed.loss'?"),
        ("xyz", "expected one of batch_size, "),
    ],
)
def test_a_key_is_told_where_it_belongs(key, hint, tmp_path):
    file = tmp_path / "file.yaml"
    file.write_text(FIVE + f"train: {{{key}: 1}}\n")
    with pytest.raises(InputError) as refused:
        load_spec(file, cuda_visible=False)
    assert f"train.{key}: unknown key; {hint}" in str(refused.value)


def test_every_setting_of_the_command_line_is_looked_at(tmp_path):
    file = tmp_path / "file.yaml"
    file.write_text(SMALL)
    settings = [
        "train.epochs",
        "train.epochs=many",
        "profiles.cpu=1",
        "init=he",
        "model.depth=[1",
        "replicates=0",
        "train.batch_size=50",
        "factors.init=[he, naiv]",
    ]
    with pytest.raises(InputErrors) as refused:
        load_spec(file, overrides=settings, cuda_visible=False)
    said = [str(one) for one in refused.value.each]
    for setting in settings:
        about = [one for one in said if one.startswith(f"--set {setting}: ")]
        assert len(about) == (0 if setting == "train.batch_size=50" else 1), (setting, said)
    assert len(said) == 7


def test_one_setting_that_is_wrong_is_one_sentence(tmp_path):
    file = tmp_path / "file.yaml"
    file.write_text(SMALL)
    with pytest.raises(InputError, match=r"^--set train\.epochs: expected key=value") as refused:
        load_spec(file, overrides=["train.epochs"], cuda_visible=False)
    assert not isinstance(refused.value, InputErrors)
