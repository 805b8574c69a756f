"""A thousand files with random mistakes, and a thousand tables: an answer or one sentence, each.

Every file has a number, from which it is made: what fails can be made again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from analysis.commands import run as analyse
from runner.commands import main
from tests.faults.random_specifications import random_specification
from tests.faults.random_tables import random_table

LONGEST = 1100
"""Letters of a refusal: whatever it quotes, it can be read."""

numbers = pytest.mark.parametrize(
    "numbers",
    [
        range(20),
        pytest.param(range(20, 50), marks=pytest.mark.long),
        *(
            pytest.param(range(first, first + 190), marks=pytest.mark.long)
            for first in range(50, 1000, 190)
        ),
    ],
    ids=lambda numbers: f"{numbers[0]}-{numbers[-1]}",
)


def assert_answered(
    number: int,
    program: Callable[[Sequence[str]], int],
    words: Sequence[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An answer and exit code 0, or a sentence a mistake and 2; a bug is raised, a warning too."""
    code = program(words)
    said = capsys.readouterr().err
    assert code in (0, 2), (number, said)
    if code:
        lines = said.splitlines()
        assert lines, number
        for line in lines:
            assert line.startswith("error: "), (number, said)
            assert len(line) < LONGEST, (number, said)


@numbers
def test_i6_a_random_specification_is_planned_or_refused_in_a_sentence(tmp_path, capsys, numbers):
    file = tmp_path / "random.yaml"
    where = ["--storage", f"sqlite:///{tmp_path}/none.db", "--results", str(tmp_path / "none")]
    for number in numbers:
        content, words = random_specification(number)
        file.write_bytes(content)
        assert_answered(number, main, ["plan", str(file), *where, *words], capsys)
        assert list(tmp_path.iterdir()) == [file], f"{number}: something was made"


@numbers
def test_i6_a_random_table_is_analysed_or_refused_in_a_sentence(tmp_path, capsys, numbers):
    file: Path = tmp_path / "random.csv"
    for number in numbers:
        content, words = random_table(number)
        file.write_bytes(content)
        assert_answered(number, analyse, ["effects", "--table", str(file), *words], capsys)
