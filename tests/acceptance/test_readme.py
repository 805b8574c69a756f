"""What the README shows is what works: its plugins are run, its commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from runner.commands import VERBS, main
from runner.store import open_store

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def lines_of_code(text: str) -> int:
    """Lines that are neither empty, nor a comment, nor a one-line docstring."""
    lines = [line.strip() for line in text.splitlines()]
    return len([line for line in lines if line and not line.startswith(("#", '"""'))])


def test_the_plugins_of_the_readme_run_as_printed(tmp_path, monkeypatch):
    monkeypatch.setenv("ABLATIONS_STORAGE", f"sqlite:///{tmp_path}/ablations.db")
    monkeypatch.setenv("ABLATIONS_RESULTS", str(tmp_path / "results"))
    for name in ("my_level.py", "my_model.py", "my_data.py"):
        (code,) = [block for block in blocks("python") if block.startswith(f"# {name}\n")]
        (tmp_path / name).write_text(code)
        assert lines_of_code(code) <= 10
    (text,) = [block for block in blocks("yaml") if block.startswith("# my_study.yaml")]
    file = tmp_path / "my_study.yaml"
    file.write_text(text)
    imported = "import sys; from runner.commands import main; main(sys.argv[1:]); "
    planned = subprocess.run(
        [sys.executable, "-c", imported + "print('torch' in sys.modules)", "plan", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert planned.stdout.endswith("False\n"), "a plan that loads torch takes seconds"
    cheap = ("train.epochs=2", "train.batch_size=32", "replicates=1")
    settings = [word for setting in cheap for word in ("--set", setting)]
    assert main(["grid", str(file), "--no-report", *settings]) == 0
    store = open_store()
    (study,) = store.studies()
    runs = store.runs(study)
    assert len(runs) == 4
    assert {run["factor:optimizer"] for run in runs} == {"nadam", "sgd"}
    assert {run["status"] for run in runs} <= {"reached", "short", "stalled"}
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
