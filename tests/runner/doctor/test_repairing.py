"""A diagnosis is a claim that a grid can refute: what is so stands, what is not is refuted."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

import analysis
from ablations.errors import InputError
from runner.commands.diagnosing.repair_file import (
    MOST_REPLICATES,
    Question,
    claim_of,
    replicates_for,
    write_repair,
)
from runner.content.own.trainer import Trainer
from runner.design import design_of
from runner.doctor.causes.changes import of_data, of_learning, of_network
from runner.doctor.causes.changes.named import WORDS, Change, read_change
from runner.doctor.causes.finding import Finding, Remedy, by
from runner.doctor.diagnosis import diagnose, tried_remedy
from runner.doctor.repairing import CALL
from runner.doctor.watching.evidence import Budget
from runner.doctor.watching.made import make_training
from runner.doctor.watching.task import Task, usual_predict
from runner.spec import load_spec
from runner.trainers.function import call
from runner.trainers.run import Diverged

FILE = """
from torch import nn
from tests.runner.doctor.trainings import made, mlp

def make(seed=0):
    return {MADE}
"""
STEPS = 60


def examined(folder: Path, text: str):
    """The diagnosis of a file, its training of another seed, and what the cause would be asked."""
    file = folder / f"train_{abs(hash(text))}.py"
    file.write_text(FILE.replace("{MADE}", text))
    one, other = (
        make_training(Trainer("function", f"{file}:make", str(folder)), seed) for seed in (0, 1)
    )
    budget = Budget(60, STEPS)
    return diagnose(one, other, budget), other, budget, file


def grid_of(folder, finding, diagnosis, again, budget, file):
    """Write the grid and run its cells here, as a cell calls the function; the judged claim."""
    finding = tried_remedy(finding, diagnosis.evidence, again, budget)
    question = Question(finding, diagnosis.evidence.task, f"{file.name}:make", file)
    target = write_repair(question)
    spec = load_spec(target, cuda_visible=False)
    rows = []
    for cell in design_of(spec).cells:
        try:
            returned = call(
                CALL, cell.arguments, seed=cell.seed, device="cpu", folder=str(folder / cell.id)
            )
        except Diverged:  # by the processor's rounding: the analysis counts such a cell as chance
            returned = {"accuracy": diagnosis.evidence.task.chance}
        (factor,) = spec.factors
        rows.append({factor.name: cell.level(factor.name).label, **returned})
    study = analysis.from_frame(
        pd.DataFrame(rows), [factor.name], "accuracy", claims=[one.text for one in spec.claims]
    )
    return spec, study.claims().iloc[0]


BROKEN = {
    "learning_rate_too_high": "made(rate=20.0)",
    "softmax_before_cross_entropy": "made(mlp(end=(nn.Softmax(1),)))",
    "no_normalisation": "made(scale=255.0)",
}


@pytest.fixture
def here(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_so_stands(here, kind):
    diagnosis, *rest = examined(here, BROKEN[kind])
    assert diagnosis.causes[0].kind == kind
    spec, claim = grid_of(here, diagnosis.causes[0], diagnosis, *rest)
    assert claim["verdict"] == "supported", claim["sentence"]
    assert claim["low"] > 0
    assert 3 <= spec.replicates <= MOST_REPLICATES


def test_what_is_not_so_is_refuted(here):
    diagnosis, *rest = examined(here, "made()")
    assert diagnosis.healthy
    wrong = Finding(
        "learning_rate_too_high", 0.9, "optimizer", "Somebody said so.", "Lower it.",
        remedy=by("rate_times", factor=0.001),
    )  # fmt: skip
    spec, claim = grid_of(here, wrong, diagnosis, *rest)
    assert claim["verdict"] == "refuted", claim["sentence"]
    assert claim["high"] < 0
    assert spec.replicates == MOST_REPLICATES  # no number decides for what its own trials deny


def test_a_repair_of_more_steps_gives_them_to_its_own_level(here):
    diagnosis, *_, file = examined(here, "made(rate=20.0)")
    remedy = Remedy(Change("longer", {"times": 3}), 40, 120, scores=((0.2, 0.6),))
    finding = Finding("too_few_epochs", 0.75, "epochs", "Said.", "Longer.", remedy=remedy)
    question = Question(finding, diagnosis.evidence.task, f"{file.name}:make", file)
    spec = load_spec(write_repair(question), cuda_visible=False)
    assert [cell.arguments["steps"] for cell in design_of(spec).cells].count(120) == spec.replicates
    assert {cell.arguments["steps"] for cell in design_of(spec).cells} == {40, 120}


def test_a_file_that_says_something_else_is_never_written_over(here):
    diagnosis, *_, file = examined(here, "made(rate=20.0)")
    question = Question(diagnosis.causes[0], diagnosis.evidence.task, f"{file.name}:make", file)
    first = write_repair(question)
    assert write_repair(question) == first
    first.write_text("mine")
    second = write_repair(question)
    assert second.name == f"{first.stem}-2.yaml"
    assert first.read_text() == "mine"


@pytest.mark.parametrize(
    ("scores", "count", "decided"),
    [
        (((0.0, 0.85), (0.0, 0.86)), 3, True),
        (((0.0, 0.85),), 3, True),
        (((0.1, 0.4), (0.1, 0.46)), 3, True),
        (((0.1, 0.26), (0.12, 0.3)), 4, True),
        (((0.3, 0.42), (0.2, 0.4)), 5, False),
        (((0.3, 0.3), (0.3, 0.32)), 5, False),
    ],
)
def test_the_fewest_seeds_that_decide_the_difference_of_the_trials(scores, count, decided):
    remedy = Remedy(Change("rate_times", {"factor": 0.1}), 60, scores=scores)
    finding = Finding("learning_rate_too_high", 0.9, "optimizer", "Said.", "Lower.", remedy=remedy)
    question = Question(finding, Task("classes", 10, 0.1, usual_predict), "a.py:make", Path("a.py"))
    assert replicates_for(question) == (count, decided)
    assert claim_of(question) == 'learning_rate: "times 0.1" > "as given" by 7.2 points'


SETTINGS = {
    "rate_times": {"factor": 0.1}, "other_optimizer": {"kind": "Adam"}, "clipped": {"norm": 1.0},
    "longer": {"times": 3}, "regrouped": {"size": 50}, "norm_momentum": {"momentum": 0.1},
    "dropout": {"p": 0.0}, "rectified": {"names": ["2"], "weighted": ["1"]},
    "standardised_targets": {"mean": 0.0, "deviation": 1.0},
    "held_out_as_training": {"mean": 0.0, "deviation": 1.0, "to_mean": 0.0, "to_deviation": 1.0},
}  # fmt: skip
OF_MODULES = ("rectifier_added", "left_out", "batch_normalised", "drawn_anew")


@pytest.mark.parametrize("name", WORDS)
def test_every_change_can_be_written_read_and_put_in_force(here, name):
    settings = SETTINGS.get(name, {})
    if name in (*OF_MODULES, "norm_momentum", "dropout"):
        settings = settings | {"names": ["4"] if name in OF_MODULES[:3] else []}
    change = Change(name, settings)
    assert read_change(change.plain()) == change
    assert change.factor
    assert change.level
    numbers = "made(loss=lambda o, y: ((o.mean(1) - y) ** 2).mean())"
    text = FILE.replace("{MADE}", numbers if name == "standardised_targets" else "made()")
    (here / f"train_{name}.py").write_text(text)
    made = make_training(Trainer("function", f"{here}/train_{name}.py:make", str(here)), 0)
    hooks = [len(one._forward_hooks) for one in made.model.modules()]
    with change(made) as repaired:
        x, y = next(iter(repaired.train_loader))
        repaired.step(repaired.model, repaired.loss, repaired.optimizer, x, y)
        assert all(math.isfinite(float(p.detach().sum())) for p in repaired.model.parameters())
    assert [len(one._forward_hooks) for one in made.model.modules()] == hooks


def test_every_function_of_the_room_has_a_name_that_a_file_can_say():
    rooms = (of_data, of_learning, of_network)
    there = {
        name for room in rooms for name, one in vars(room).items()
        if hasattr(one, "__wrapped__") and one.__module__ == room.__name__ and name[0] != "_"
    }  # fmt: skip
    assert there - {"hooked"} == set(WORDS)


@pytest.mark.parametrize(
    ("written", "said"),
    [({"rate_time": {}}, "rate_times"), ("rate_times", "expected one"), ({}, "expected one")],
)
def test_a_repair_that_is_none_is_refused(written, said):
    with pytest.raises(InputError, match=said):
        read_change(written)
