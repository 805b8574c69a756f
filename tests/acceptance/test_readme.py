"""What the README shows is what works: its plugins are run, its commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from runner.commands import VERBS, main
from runner.store import open_store

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_plugins_of_the_readme_run_as_printed(tmp_path, monkeypatch):
    monkeypatch.setenv("ABLATIONS_STORAGE", f"sqlite:///{tmp_path}/ablations.db")
    monkeypatch.setenv("ABLATIONS_RESULTS", str(tmp_path / "results"))
    for name in ("my_level.py", "my_model.py", "my_data.py"):
        (code,) = [block for block in blocks("python") if block.startswith(f"# {name}\n")]
        (tmp_path / name).write_text(code)
        assert len([line for line in code.splitlines() if line.strip()]) <= 14
    (text,) = [block for block in blocks("yaml") if block.startswith("plugins:")]
    content = yaml.safe_load(text) | {
        "name": "readme",
        "train": {"epochs": 2, "batch_size": 32},
        "fixed": {
            "augmentation": "none",
            "scheduler": "constant",
            "init": "he",
            "bn_placement": "before",
        },
        "replicates": 1,
    }
    file = tmp_path / "readme.yaml"
    file.write_text(yaml.safe_dump(content))
    assert main(["grid", str(file), "--no-report"]) == 0
    store = open_store()
    (study,) = store.studies()
    runs = store.runs(study)
    assert len(runs) == 4
    assert {run["factor:optimizer"] for run in runs} == {"nadam", "sgd"}
    assert {run["status"] for run in runs} <= {"converged", "stalled"}
    assert {run["classes"] for run in runs} == {2}
    store.close()


def test_the_specification_of_the_readme_is_valid(tmp_path, capsys):
    (text,) = [block for block in blocks("yaml") if block.startswith("name: five_factor")]
    file = tmp_path / "question.yaml"
    file.write_text(text)
    assert main(["plan", str(file), "--cells", "0"]) == 0
    out = capsys.readouterr().out
    assert "excluded" in out


def test_every_command_of_the_readme_exists_and_every_command_is_in_it():
    named = set(re.findall(r"^\| `([a-z-]+)", README, re.MULTILINE))
    assert set(VERBS) <= named


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_file_the_readme_points_to_is_there(path):
    assert (ROOT / path).exists()
