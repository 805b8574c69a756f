"""What `plan` says of a study that has begun: what is done, what is left, how long it takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.commands import main
from runner.content.outcome import Outcome, Reason, Status
from runner.store import Store, StudyInfo, open_store
from tests.faults.harness import specification

TRAIN = "def fit(lr, opt, seed):\n    return {'accuracy': lr}\n"
FILE = """
name: NAME
trainer: train.py:fit
factors: {lr: [0.1, 0.01], opt: [adam, sgd]}
replicates: 2
responses: {accuracy: {better: higher}}
"""
Ending = Callable[[Store, Any], object]


@pytest.fixture
def here(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A grid that plans its cells and trains none of them."""
    Path("train.py").write_text(TRAIN)
    Path("left.yaml").write_text(FILE.replace("NAME", "left"))
    monkeypatch.setattr("runner.commands.running.session.train_study", lambda *_a, **_k: 0)
    return here


def planned() -> str:
    assert main(["grid", "left.yaml", "--quiet", "--no-report"]) == 0
    with open_store() as store:
        (name,) = store.study_names()
    return name


def took(seconds: float) -> Ending:
    ended = Outcome(Status.FINISHED, seconds=seconds, responses={"accuracy": 0.5})
    return lambda store, lease: store.finish(lease, ended)


def fails(store: Store, lease: Any) -> None:
    store.fail(lease, Reason.BUG, "boom", retry=False)


def trains(_store: Store, _lease: Any) -> None:
    """It is claimed, and goes on."""


def end(name: str, *endings: Ending) -> StudyInfo:
    with open_store() as store:
        study = store.load_study(name)
        for ending in endings:
            lease = store.claim(study, "w", lease_seconds=60.0)
            assert lease is not None
            ending(store, lease)
        return study


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    assert main(["plan", "left.yaml", "--cells", "0"]) == 0
    return capsys.readouterr().out.splitlines()


def facts(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["plan", "left.yaml", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_study_that_is_not_there_has_everything_left(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not [line for line in said(capsys) if "done already" in line or "left to" in line]
    found = facts(capsys)
    assert found["done"]["waiting"] == found["left"]["cells"] == 8
    assert found["left"]["seconds"] is None, "nothing tells how long a function of one's own takes"
    planned()
    assert not [line for line in said(capsys) if "done already" in line]


def test_what_ran_is_told_and_says_how_long_the_rest_takes(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    end(planned(), took(10.0), took(10.0), fails, trains)
    lines = said(capsys)
    assert "done already: 3 of 8 cells (2 complete, 1 failed, 1 running, 4 waiting)" in lines
    (left,) = [line for line in lines if line.startswith("left to train")]
    # Five cells on two slots are three rounds of 10 s and of starting a process.
    assert left == (
        "left to train: 5 cells, about 31 s (10.0 s a cell) on 2 slots; basis: what 2 cells of "
        "this study took; `retry` puts failed cells back to waiting"
    )
    assert [line for line in lines if line.startswith("2 slots, disk ")]  # time stands above
    assert not [line for line in lines if "unknown" in line]
    found = facts(capsys)
    states = ("waiting", "running", "complete", "failed")
    assert [found["done"][one] for one in states] == [4, 1, 2, 1]
    assert found["left"]["cells"] == 5
    assert found["left"]["cell_seconds"] == pytest.approx(10)
    assert found["left"]["seconds"] == pytest.approx(3 * 10.3)


def test_nothing_is_left_of_a_study_that_ran(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    end(planned(), *[took(1.0)] * 8)
    assert said(capsys)[-2:] == [
        "done already: 8 of 8 cells (8 complete)",
        "nothing is left to train",
    ]
    assert facts(capsys)["left"] == {
        "cells": 0,
        "seconds": 0.0,
        "cell_seconds": None,
        "basis": "nothing is left",
    }


def test_what_other_studies_trained_is_not_left(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left = Path("left.yaml")
    specification(here, plugins=[], name="first").rename(left)
    learned = Outcome(Status.LEARNED, seconds=1.0, test_accuracy=0.5)
    first = planned()
    with open_store() as store:
        study = store.load_study(first)
        for _ in range(3):
            lease = store.claim(study, "w", lease_seconds=60.0, device="cpu")
            assert lease is not None
            store.finish(lease, learned)
    specification(here, plugins=[], name="second").rename(left)
    found = facts(capsys)
    assert found["done"]["adoptable"] == {first: 3}
    assert (found["done"]["complete"], found["left"]["cells"]) == (0, 5)
    lines = said(capsys)
    assert any("to be adopted: 3 cells" in line for line in lines)
    assert any(line.startswith("left to train: 5 cells, about") for line in lines)
    assert main(["grid", "left.yaml", "--quiet", "--no-report"]) == 0
    found = facts(capsys)
    assert found["done"]["adopted"] == {first: 3}
    assert (found["done"]["complete"], found["left"]["cells"]) == (3, 5)
    assert f"done already: 3 of 8 cells (3 complete, 5 waiting); adopted 3 from {first}" in said(
        capsys
    )
