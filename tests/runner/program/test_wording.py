"""Lists, counts and spans of time read as a person would say them."""

from __future__ import annotations

import pytest

from runner.program.wording import MOST_LETTERS, brief, counted, duration, listed


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


def test_a_refusal_that_quotes_a_paragraph_keeps_both_its_ends():
    told = brief("file.yaml:3: claims: '" + "long\nwinded " * 1000 + "': expected a level")
    assert len(told) <= MOST_LETTERS
    assert told.startswith("file.yaml:3: claims: 'long winded long")
    assert told.endswith("winded ': expected a level")
    assert brief("two\n  lines") == "two lines"
