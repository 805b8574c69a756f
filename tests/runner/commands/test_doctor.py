"""`doctor FILE.py:make` as somebody types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.commands import main

FILE = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

def make(seed=0):
    print("reading the data")
    x = torch.randn(400, 4)
    y = (x[:, 0] > 0).long()
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2){END})
    loader = DataLoader(TensorDataset(x, y), 20, shuffle=True)
    return {"model": model, "loss": nn.CrossEntropyLoss(),
            "optimizer": torch.optim.SGD(model.parameters(), 0.2), "epochs": 5,
            "train_loader": loader, "val_loader": DataLoader(TensorDataset(x, y), 200)}

def lacks(seed=0):
    made = make(seed)
    del made["optimizer"]
    return made

def misspelt(seed=0):
    return make(seed) | {"epoch": 5}

def fails(seed=0):
    return {}["data"]

def nothing():
    return 3

def of_text(seed=0):
    return make(seed) | {"loss": "cross_entropy"}

def too_many(seed=0):
    made = make(seed)
    made["train_loader"] = DataLoader(TensorDataset(torch.randn(40, 5), torch.zeros(40).long()), 8)
    return made
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("sound.py").write_text(FILE.replace("{END}", ""))
    Path("twice.py").write_text(FILE.replace("{END}", ", nn.Softmax(1)"))
    return tmp_path


def test_a_healthy_training_is_told_so(here, capsys):
    assert main(["doctor", "sound.py:make", "--steps", "40"]) == 0
    said = capsys.readouterr().out
    assert "Healthy: it learns" in said
    assert "Range test of the learning rate" in said


def test_a_cause_is_told_with_its_evidence_and_what_to_change(here, capsys):
    assert main(["doctor", "twice.py:make", "--steps", "40"]) == 3
    said = capsys.readouterr().out
    line = next(k for k, one in enumerate(Path("twice.py").read_text().splitlines(), 1)
                if "Softmax" in one)  # fmt: skip
    assert "A softmax is taken twice" in said
    assert f"twice.py:{line}" in said
    assert "Change: Return the logits" in said


def test_a_program_reads_nothing_but_the_answer(here, capsys):
    assert main(["doctor", "twice.py:make", "--steps", "40", "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"schema", "verb", "healthy", "causes"}
    assert answer["healthy"] is False
    cause = answer["causes"][0]
    assert {"kind", "confidence", "where", "evidence", "change"} <= set(cause)
    assert cause["kind"] == "softmax_before_cross_entropy"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["sound.py"], "expected FILE.py:make"),
        (["missing.py:make"], "there is no file"),
        (["sound.py:mak"], "make"),
        (["sound.py:lacks"], "returned no optimizer"),
        (["sound.py:misspelt"], "epochs"),
        (["sound.py:nothing"], "expected a mapping"),
        (["sound.py:of_text"], "loss is str"),
        (["sound.py:fails"], "it failed: KeyError: 'data'"),
        (["sound.py:too_many"], "its first steps failed"),
        (["sound.py:make", "--seconds", "0"], "--seconds"),
        (["sound.py:make", "--steps", "0"], "--steps"),
        (["sound.py:make", "--run"], "--repair"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(here, capsys, given, said):
    assert main(["doctor", *given]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert "Traceback" not in error


def test_a_repair_is_written_as_a_grid_with_the_command_that_runs_it(here, capsys):
    from runner.spec import load_spec

    assert main(["doctor", "twice.py:make", "--steps", "40", "--repair"]) == 3
    said = capsys.readouterr().out
    file = "twice-softmax_before_cross_entropy.yaml"
    assert f"Could refute it: {file} (written)" in said
    assert f"run: python -m runner grid {file}" in said
    spec = load_spec(here / file, cuda_visible=False)
    (factor,) = spec.factors
    assert [level.label for level in factor.levels] == ["as given", "left out"]
    assert main(["plan", file]) == 0
    assert "trainer" not in capsys.readouterr().err


def test_what_no_program_can_repair_is_said_with_what_to_do_by_hand(here, capsys):
    Path("one.py").write_text(
        Path("sound.py").read_text().replace("(x[:, 0] > 0).long()", "torch.ones(400).long()")
    )
    assert main(["doctor", "one.py:make", "--steps", "20", "--repair"]) == 3
    said = capsys.readouterr().out
    assert "No grid: a program cannot make this change (labels_wrong). By hand: See where" in said
    assert not list(here.glob("*.yaml"))


def test_a_sound_training_has_nothing_to_refute(here, capsys):
    assert main(["doctor", "sound.py:make", "--steps", "40", "--repair"]) == 0
    assert not list(here.glob("*.yaml"))


@pytest.mark.long
def test_the_grid_of_a_repair_runs_and_says_whether_the_diagnosis_stands(here, capsys, monkeypatch):
    monkeypatch.setenv("ABLATIONS_STORAGE", f"sqlite:///{here}/ablations.db")
    monkeypatch.setenv("ABLATIONS_RESULTS", str(here / "results"))
    given = ["doctor", "twice.py:make", "--steps", "10", "--repair", "--run", "--json"]
    assert main(given) == 3
    captured = capsys.readouterr()
    repair = json.loads(captured.out)["repair"]
    assert repair["verdict"] in ("supported", "refuted", "undecided")
    assert repair["low"] <= repair["gain"] <= repair["high"]
    assert "95 % interval" in captured.err
