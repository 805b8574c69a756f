"""A grid whose first cells all fail alike leaves the others alone, and says how it goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.commands import main
from runner.store import State, open_store

TRAIN = """
from pathlib import Path

def fit(lr, opt, seed):
    if not Path(FOLDER, "mended").exists():
        raise RuntimeError(f"no file for seed {seed}")
    return {"accuracy": lr}
"""
FILE = """
name: failing
trainer: train.py:fit
factors: {lr: [0.1, 0.01, 0.001], opt: [adam, sgd]}
replicates: REPLICATES
responses: {accuracy: {better: higher}}
"""
GRID = ["grid", "failing.yaml", "--no-report", "--quiet"]


@pytest.fixture
def here(here: Path) -> Path:
    Path("train.py").write_text(TRAIN.replace("FOLDER", repr(str(here))))
    return here


def write(replicates: str) -> None:
    Path("failing.yaml").write_text(FILE.replace("REPLICATES", replicates))


def states() -> dict[str, int]:
    with open_store() as store:
        (name,) = store.study_names()
        return store.status(store.load_study(name)).states


@pytest.mark.slow
def test_what_was_not_begun_waits_and_the_same_command_continues(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("4")
    assert main(GRID) == 3
    (line,) = capsys.readouterr().err.splitlines()
    before = states()
    assert 4 <= before[State.FAILED] < 24
    assert before[State.FAILED] + before[State.WAITING] == 24
    assert line.startswith("stopped: the first ")
    assert "cells all failed alike (bug: RuntimeError: no file for seed" in line
    assert f"so the {before[State.WAITING]} others were left waiting" in line
    cell = line.partition("runner show ")[2][:8]
    assert main(["show", cell]) == 0
    assert "RuntimeError: no file for seed" in capsys.readouterr().out
    (here / "mended").touch()
    assert main(GRID) == 3, "those that failed stay failed"
    assert states()[State.COMPLETE] == before[State.WAITING]


@pytest.mark.slow
def test_keep_going_fails_them_all(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("2")
    assert main([*GRID, "--keep-going"]) == 3
    assert states()[State.FAILED] == 12
    assert "alike" not in capsys.readouterr().err


@pytest.mark.slow
def test_no_wave_follows_one_that_was_stopped(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("{min: 2, max: 6, until: mains}")
    assert main([*GRID[:-1]]) == 3
    said = capsys.readouterr()
    assert "all failed alike" in said.err
    assert "look" not in said.out
    assert sum(states().values()) == 12
