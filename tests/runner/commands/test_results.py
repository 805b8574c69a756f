"""`--results DIR` names the folder of everything, the store too where nobody names that."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.commands import run as analysis
from runner.commands import main
from runner.store import open_store
from tests.faults.harness import specification


@pytest.fixture
def here(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a specification; nothing says where the store is, and no cell is trained."""
    monkeypatch.delenv("ABLATIONS_STORAGE")
    monkeypatch.delenv("ABLATIONS_RESULTS")
    monkeypatch.setattr("runner.commands.running.session.train_study", lambda *_a, **_k: 0)
    specification(here, plugins=[])
    return here


def grid(*words: str, code: int = 0) -> None:
    assert main(["grid", "faults.yaml", "--quiet", "--no-report", *words]) == code


def test_grid_makes_folder_and_store_and_every_verb_finds_them(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grid("--results", "mine/deep")
    assert (here / "mine" / "deep" / "ablations.db").exists()
    assert not (here / "results").exists()
    with open_store("mine/deep/ablations.db") as store:
        (name,) = store.study_names()
        cell = store.runs(name)[0]["cell"]
    there = ["--results", "mine/deep"]
    for words in (
        ["status"], ["status", "faults"], ["show", cell], ["retry", "faults"], ["export", "faults"],
    ):  # fmt: skip
        assert main([*words, *there]) == 0, words
    assert (here / "mine" / "deep" / name / "cells.csv").exists()
    capsys.readouterr()
    assert main(["plan", "faults.yaml", *there, "--set", "replicates=1"]) == 0
    assert "4 cells of the study leave" in capsys.readouterr().out
    for words in (["effects", "faults"], ["power", "faults"], ["compare", "faults", "faults"]):
        analysis([*words, *there])  # whatever a study is told that has trained nothing
        assert "no store" not in capsys.readouterr().err, words
        assert analysis(words) == 2
        assert "there is no store at " in capsys.readouterr().err
    assert analysis(["report", "faults", *there]) == 0
    assert (here / "mine" / "deep" / name / "report.html").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--results", "mine", "--storage", "named.db"],
        ["--storage", "named.db", "--results", "mine"],
    ],
)
def test_a_store_that_is_named_stays_where_it_is(here: Path, words: list[str]) -> None:
    grid(*words)
    assert (here / "named.db").exists()
    assert (here / "mine").is_dir()
    assert not list((here / "mine").glob("*.db"))


def test_the_last_folder_counts_and_the_variables_do_what_the_options_do(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid("--results", "first", "--results", "last")
    assert [path.parent.name for path in here.glob("*/ablations.db")] == ["last"]
    monkeypatch.setenv("ABLATIONS_RESULTS", "variable")
    grid()
    assert (here / "variable" / "ablations.db").exists()
    monkeypatch.setenv("ABLATIONS_STORAGE", "named.db")
    grid("--results", "other")
    assert (here / "named.db").exists()
    assert not (here / "other" / "ablations.db").exists()


def test_a_store_that_would_be_left_behind_is_named(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grid()
    assert "a new store is made" not in capsys.readouterr().err
    grid("--results", "mine")
    said = capsys.readouterr().err
    assert "note: a new store is made, mine/ablations.db; --storage results/ablations.db" in said
    grid("--results", "mine")
    assert "a new store is made" not in capsys.readouterr().err
