"""Lists, counts and spans of time read as a person would say them."""

from __future__ import annotations

import pytest

from runner.commands import main
from runner.program.wording import MOST_LETTERS, brief, counted, duration, listed, printable
from runner.trainers.function import detail_of


@pytest.mark.parametrize(
    ("words", "sentence"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_words_are_listed_as_in_a_sentence(words: list[str], sentence: str) -> None:
    assert listed(words) == sentence
    assert listed(words, "or") == sentence.replace(" and ", " or ")


def test_one_is_singular_and_everything_else_is_plural() -> None:
    assert [counted(number, "cell") for number in (0, 1, 2)] == ["0 cells", "1 cell", "2 cells"]
    assert counted(1728, "run") == "1,728 runs"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (90_000, "25 h 00 min"),
    ],
)
def test_a_span_of_time_has_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ümlaut, 字\n\ttab", "plain, ümlaut, 字\n\ttab"),
        ("\x1b]0;TITLE\x07", "\\x1b]0;TITLE\\x07"),
        ("\x9b31m\x7f\r", "\\x9b31m\\x7f\\r"),
        ("\udcff", "\\udcff"),
    ],
)
def test_what_would_change_a_terminal_is_spelled_out(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_an_error_about_a_path_with_controls_leaves_the_terminal_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plan", "\x1b]0;TITLE\x07.yaml"]) == 2
    error = capsys.readouterr().err
    assert "TITLE" in error
    assert not {"\x1b", "\x07"} & set(error)


def test_what_a_plugin_raises_is_told_without_its_controls() -> None:
    assert detail_of(ValueError("\x1b[31mRED\x1b[0m\nmore")) == "ValueError: \\x1b[31mRED\\x1b[0m"


def test_a_refusal_that_quotes_a_paragraph_keeps_both_its_ends():
    told = brief("file.yaml:3: claims: '" + "long\nwinded " * 1000 + "': expected a level")
    assert len(told) <= MOST_LETTERS
    assert told.startswith("file.yaml:3: claims: 'long winded long")
    assert told.endswith("winded ': expected a level")
    assert brief("two\n  lines") == "two lines"
