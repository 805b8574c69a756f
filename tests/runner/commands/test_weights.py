"""`run: {keep_weights: ...}` through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from runner.commands import main
from runner.store import open_store
from tests.faults.harness import specification

OWN = """
name: own
trainer: train.py:fit
factors: {lr: [0.1, 0.01]}
replicates: 2
run: {keep_weights: best}
responses: {accuracy: {better: higher}}
"""


def study_of(folder: Path, *settings: str) -> str:
    """Names the study that the grid of these settings has."""
    given = [word for one in settings for word in ("--set", one)]
    file = specification(folder, plugins=[], factors={"init": ["he", "xavier"]}, replicates=1,
                         fixed={"augmentation": "none", "scheduler": "constant",
                                "bn_placement": "before", "optimizer": "adam"})  # fmt: skip
    assert main(["grid", str(file), "--quiet", "--no-report", *given]) == 0
    with open_store() as store:
        (name,) = store.study_names()
    return name


@pytest.mark.slow
def test_each_cell_leaves_its_weights_and_show_says_where(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = study_of(here, "run.keep_weights=final")
    with open_store() as store:
        cells = [row["cell"] for row in store.runs(name)]
    folder = here / "results" / name / "weights"
    assert {path.name for path in folder.iterdir()} == {f"{cell}.pt" for cell in cells}
    capsys.readouterr()
    for cell in cells:
        assert main(["show", cell, "--json"]) == 0
        (shown,) = json.loads(capsys.readouterr().out)["cells"]
        assert shown["weights"] == str(folder / f"{cell}.pt")
        assert torch.load(shown["weights"], weights_only=True)["cell"] == cell
        assert main(["show", cell]) == 0
        assert f"weights {folder / f'{cell}.pt'}\n" in capsys.readouterr().out
    # It is no part of what is trained: another choice is the same study, and nothing is to do.
    assert study_of(here, "run.keep_weights=none") == name
    (folder / f"{cells[0]}.pt").unlink()
    capsys.readouterr()
    assert main(["show", cells[0], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cells"][0]["weights"] is None


def test_a_trainer_of_ones_own_keeps_its_own(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("train.py").write_text("def fit(lr, seed):\n    return {'accuracy': lr}\n")
    Path("own.yaml").write_text(OWN)
    assert main(["plan", "own.yaml"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "own.yaml:6: run.keep_weights: " in line
    assert "a trainer of one's own" in line
