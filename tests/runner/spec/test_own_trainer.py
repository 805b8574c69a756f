"""A file whose trainer is a function or a command of one's own: read, and what is refused of it."""

import json
from pathlib import Path

import pytest

from ablations.errors import InputError
from runner.design import design_of
from runner.spec import Spec, load_spec

FILE = """\
name: own
trainer: my_train.py:fit
factors:
  loss: [ce, focal]
  lr: [0.1, 0.01]
  optimizer:
    - {as: sgd, set: {optimizer: sgd, momentum: 0.9}}
    - {as: adam, set: {optimizer: adam}}
fixed: {epochs: 3}
replicates: 2
responses:
  accuracy: {unit: share, chance: 0.1, target: 0.8}
  minutes: {better: lower}
claims:
  - "loss: focal > ce"
  - "lr: 0.1 < 0.01 on minutes"
  - "loss: focal > ce on convergence"
"""
COMMAND = """\
name: own
trainer:
  command: python train.py {args} --seed {seed}
  metrics: "{folder}/m.jsonl"
factors:
  loss: [ce, focal]
responses: accuracy
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_train.py").write_text("raise SystemExit('nobody imports this')\n")
    (tmp_path / "train.py").write_text("# a script\n")

    def read(text: str = FILE, *settings: str) -> Spec:
        (tmp_path / "study.yaml").write_text(text)
        return load_spec("study.yaml", overrides=settings, cuda_visible=False)

    return read


def test_a_file_is_read_without_importing_the_function(load):
    spec = load()
    assert spec.trainer is not None
    assert [factor.labels for factor in spec.factors] == [
        *(("ce", "focal"), ("0.1", "0.01"), ("sgd", "adam")),
    ]
    assert list(spec.records) == ["accuracy", "minutes"]
    assert [claim.outcome for claim in spec.claims] == ["accuracy", "minutes", "convergence"]
    cells = design_of(spec).cells
    assert len({cell.id for cell in cells}) == 16
    given = [cell.arguments for cell in cells]
    assert {"epochs": 3, "loss": "ce", "lr": 0.1, "optimizer": "adam"} in given
    assert {"epochs": 3, "loss": "ce", "lr": 0.1, "optimizer": "sgd", "momentum": 0.9} in given


def test_it_goes_to_json_and_back(load):
    spec = load()
    again = Spec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert again.study == spec.study


def test_an_alias_is_no_part_of_what_a_cell_is(load):
    renamed = load(FILE.replace("as: sgd", "as: plain_sgd"))
    assert {c.id for c in design_of(renamed).cells} == {c.id for c in design_of(load()).cells}


@pytest.mark.parametrize(
    "level",
    ["1", "0.5", "true", "null", "text", "[1, 2]", "{depth: 3, name: x}", "{as: a, value: [1]}"],
)
def test_any_value_is_a_level(load, level):
    spec = load(FILE.replace("[0.1, 0.01]", f"[{level}, other]").replace("lr: 0.1 <", "lr: other <")
                .replace('  - "lr: other < 0.01 on minutes"\n', ""))  # fmt: skip
    assert spec.factors[1].labels[1] == "other"


def test_edited_code_makes_other_cells(load, tmp_path):
    before = {cell.id for cell in design_of(load()).cells}
    (tmp_path / "my_train.py").write_text("# edited\n")
    spec = load()
    assert before.isdisjoint(cell.id for cell in design_of(spec).cells)


def test_named_code_is_part_of_a_cell(load, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "net.py").write_text("1")
    text = COMMAND.replace("metrics:", "code: ['src/**/*.py']\n  metrics:")
    first = load(text)
    assert first.trainer is not None
    assert [name for name, _ in first.trainer.code] == ["src/net.py", "train.py"]
    (tmp_path / "src" / "net.py").write_text("2")
    assert load(text).trainer != first.trainer


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("my_train.py:fit", "other.py:fit", "there is no file"),
        ("my_train.py:fit", "my_train.py", "expected FILE.py:FUNCTION"),
        ("my_train.py:fit", "no_such_package.mod:fit", "there is no module"),
        ("loss: [ce, focal]", "loss: [ce]", "study.yaml:4: factors.loss: a factor needs two"),
        ("loss: [ce, focal]", "loss: [ce, ce]", "level 'ce' is given twice"),
        ("lr: [0.1, 0.01]", "lr: [1, 1.0]", "level '1' is given twice"),
        ("loss: [ce, focal]", "'a:b': [ce, focal]", "has no colon"),
        ("loss: [ce, focal]", "seed: [1, 2]", "'seed' is no factor: each cell draws its own"),
        ("fixed: {epochs: 3}", "fixed: {loss: ce}", "is under 'factors' as well"),
        ("fixed: {epochs: 3}", "fixed: {momentum: 1}", "'fixed.momentum' gives as well"),
        ("as: sgd, set", "set", "needs a name"),
        ("{as: adam, set: {optimizer: adam}}", "{as: adam}", "found nothing beside 'as'"),
        ("accuracy: {unit: share", "accuracy: {unt: share", "did you mean 'unit'"),
        ("target: 0.8", "target: 0.8, low: 0.9", "'chance' must lie between 'low' and 'high'"),
        ("minutes: {better: lower}", "x: {}", "which is better of 'x'"),
        ("minutes: {better: lower}", "minutes: {better: lower, target: 1}", "only the first"),
        ("minutes: {better: lower}", "loss: {better: lower}", "'loss' is a factor"),
        ("minutes: {better: lower}", "status: {better: lower}", "is a column of every table"),
        (", target: 0.8", "", "needs a target"),
        ("on minutes", "on minute", "did you mean 'minutes'"),
        ("replicates: 2", "replicates: 2\nmodel: {depth: 11}", "is the image classifier's"),
        ("replicates: 2", "replicates: 2\ntrain: {epochs: 2}", "'fixed: {epochs: ...}'"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(load, old, new, said):
    assert old in FILE
    with pytest.raises(InputError) as refused:
        load(FILE.replace(old, new))
    assert said in str(refused.value)
    assert "study.yaml" in str(refused.value) or "no module" in said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (" --seed {seed}", "", "takes no seed, so that 3 replicates would be copies"),
        ("{args}", "{arg}", "nobody fills {arg}; did you mean 'args'"),
        ("{args}", "", "the command does not take 'loss'"),
        ('"{folder}/m.jsonl"', "{stdout: 'acc ('}", "is no regular expression"),
        ('"{folder}/m.jsonl"', "{stdout: 'acc .*'}", "expected a named group"),
        ("python train.py", "python 'train.py", "cannot be read"),
        ("responses: accuracy", "", "'responses' is missing"),
        ("metrics:", "code: ['*.rs']\n  metrics:", "fits no file"),
        ("metrics:", "function: a.py:f\n  metrics:", "either 'function' or 'command'"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_command_too(load, old, new, said):
    assert old in COMMAND
    with pytest.raises(InputError) as refused:
        load(COMMAND.replace(old, new))
    assert said in str(refused.value)


def test_without_a_seed_replicates_may_differ_by_chance_where_the_file_says_so(load):
    text = COMMAND.replace(" --seed {seed}", "").replace("metrics:", "unseeded: true\n  metrics:")
    assert load(text).trainer is not None
    assert load(COMMAND.replace(" --seed {seed}", ""), "replicates=1").replicates == 1


def test_responses_without_a_trainer_are_refused(load):
    text = "name: x\nfactors: {optimizer: [adam, sgd]}\nresponses: accuracy\n"
    with pytest.raises(InputError, match="are of a trainer of one's own"):
        load(text)
