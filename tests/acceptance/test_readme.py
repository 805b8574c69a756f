"""What the README shows is what works: its specification is planned, its commands exist.

Pages of docs/ are held to the same by `tests/docs`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.commands import VERBS, main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


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


def test_it_is_read_in_one_sitting():
    """What is longer has a page in docs/."""
    assert len(README.splitlines()) <= 220
