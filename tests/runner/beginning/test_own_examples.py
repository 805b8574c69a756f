"""The examples that `init --example` writes run as they are and find something."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runner.beginning.own_examples import FILES, FOLDER, KINDS
from tests.faults.harness import ROOT

FOUND = {
    "function": "optimizer",
    "command": "momentum",
    "lightning": "optimizer",
    "hydra": "forest.depth",
}
"""The factor that each claim is about: it is shown to matter."""


def test_every_kind_has_its_files():
    assert {one.name for one in FOLDER.iterdir() if one.is_dir()} == set(KINDS) == set(FOUND)
    for kind in KINDS:
        compile((FOLDER / kind / "train.py").read_text(), kind, "exec")
        assert all((FOLDER / kind / file).is_file() for file in FILES)


def runner(*words: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "runner", *words],
        cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL,
        env={
            **{name: one for name, one in os.environ.items() if not name.startswith("ABLATIONS_")},
            "PYTHONPATH": str(ROOT), "ABLATIONS_FAKE_DEVICES": "cpu:2",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def grid(kind: str, folder: Path, *more: str) -> str:
    runner("init", "--example", kind, "example", cwd=folder)
    assert sorted(one.name for one in (folder / "example").iterdir()) == sorted(FILES)
    return runner("grid", "study.yaml", *more, cwd=folder / "example")


@pytest.mark.long
def test_the_command_runs_and_is_reported(tmp_path):
    grid("command", tmp_path, "--set", "replicates=1")
    (report,) = (tmp_path / "example" / "results").glob("*/report.html")
    assert report.stat().st_size > 0
    (rows,) = (tmp_path / "example" / "results").glob("*/outcomes.csv")
    assert rows.read_text().count("\n") == 1 + 8


@pytest.mark.long
def test_the_command_finds_what_it_claims(tmp_path):
    said = grid("command", tmp_path)
    assert re.search(r"momentum: 0\.9 > 0 .*\bsupported\b", said)
    (rows,) = (tmp_path / "example" / "results").glob("*/outcomes.csv")
    assert rows.read_text().count("\n") == 1 + 24


def test_the_command_goes_on_where_it_was_and_ends_the_same(tmp_path):
    def train(folder: str, *more: str) -> list[dict]:
        script = [sys.executable, str(FOLDER / "command" / "train.py"), "--out", folder, *more]
        subprocess.run(script, cwd=tmp_path, check=True, capture_output=True)
        lines = (tmp_path / folder / "metrics.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    whole = train("whole", "--epochs", "4")
    train("parts", "--epochs", "2")
    assert train("parts", "--epochs", "4", "--resume", "parts/last.npz") == whole


@pytest.mark.long
@pytest.mark.parametrize("kind", ["function", "lightning", "hydra"])
def test_the_other_examples_run_and_find_something(tmp_path, kind):
    if kind != "function" and importlib.util.find_spec(kind) is None:
        pytest.skip(f"{kind} is not installed: pip install -e '.[test]'")
    said = grid(kind, tmp_path)
    assert "report: " in said
    improves = next(line for line in said.splitlines() if line.startswith("What improves"))
    assert FOUND[kind] in improves
