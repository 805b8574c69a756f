"""A study extended under another name, as a person does it: only its new cells are trained."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest

from runner.commands import main
from runner.store import open_store
from tests.faults.harness import specification

FACTORS = {"init": ["he", "xavier"], "optimizer": ["adam", "sgd"]}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A store and a results folder of the test's own; returns what writes a specification."""
    monkeypatch.setenv("ABLATIONS_STORAGE", f"sqlite:///{tmp_path}/ablations.db")
    monkeypatch.setenv("ABLATIONS_RESULTS", str(tmp_path / "results"))

    def write(name, **factors):
        changed = {"name": name, "factors": FACTORS | factors, "replicates": 1, "plugins": []}
        return str(specification(tmp_path, **changed))

    return write


def say(capsys, *arguments):
    code = main(list(arguments))
    said = capsys.readouterr()
    assert code == 0, said.err
    return " ".join(said.out.split())  # as the terminal would fold it


def test_an_extended_study_trains_only_its_new_cells(here, capsys):
    narrow = here("narrow")
    assert "adopted" not in say(capsys, "plan", narrow), "there is no store yet"
    assert "4 cells trained here" in say(capsys, "grid", narrow, "--no-report")
    (first,) = [info.name for info in open_store().studies()]

    wide = here("wide", optimizer=["adam", "sgd", "rmsprop"])
    would = f"to be adopted: 4 cells (4 from {first})"
    assert would in say(capsys, "plan", wide)
    assert would in say(capsys, "grid", wide, "--dry-run")
    assert [info.name for info in open_store().studies()] == [first], "a plan writes nothing"

    out = say(capsys, "grid", wide, "--no-report")
    assert "6 cells = 6 combinations x 1 replicate: 4 done, 2 to run" in out
    assert f"4 of them adopted, trained in other studies: 4 from {first}" in out
    assert "2 cells trained here" in out

    store = open_store()
    second = store.find_study("wide")
    runs = store.runs(second)
    assert Counter(run["adopted_from"] for run in runs) == {first: 4, None: 2}
    adopted = next(run for run in runs if run["adopted_from"])
    assert f"adopted: 4 from {first}" in say(capsys, "status", "wide")
    shown = say(capsys, "show", adopted["cell"], "--study", "wide")
    assert f"adopted from {first}, which trained the same content" in shown
    assert "log " in shown
    say(capsys, "export", "wide", "--out", str(store.address.path.parent))
    cells = pd.read_csv(store.address.path.parent / "cells.csv")
    assert (cells["state"] == "complete").all()
    assert cells["adopted_from"].count() == 4
    curves = pd.read_csv(store.address.path.parent / "curves.csv")
    assert set(curves["cell"]) == set(cells["cell"])


def test_a_study_adopted_as_a_whole_has_its_report_and_its_trials(here, capsys):
    say(capsys, "grid", here("one"), "--no-report")
    out = say(capsys, "grid", here("two"))
    assert "4 of them adopted" in out
    assert "nothing to do" in out
    assert "report:" in out
    store = open_store()
    assert not store.is_behind(store.find_study("two"))


def test_what_the_cpu_trained_is_trained_again_on_a_cuda_device(here, capsys, monkeypatch):
    say(capsys, "grid", here("slow"), "--no-report")
    assert "to be adopted: 4 cells" in say(capsys, "plan", here("fast"))
    monkeypatch.setenv("ABLATIONS_FAKE_DEVICES", "cuda:2")
    assert "adopted" not in say(capsys, "plan", here("fast"))
    assert "4 cells trained here" in say(capsys, "grid", here("fast"), "--no-report")
    assert open_store().adopted(open_store().find_study("fast")) == {}
