"""How a verb ends: its code and one sentence of a length that can be read."""

import pytest

from ablations.errors import InputError
from runner.program.exits import MachineError, exit_code_of
from runner.program.wording import MOST_LETTERS


@pytest.mark.parametrize(("error", "code"), [(InputError("no"), 2), (MachineError("no"), 4)])
def test_what_is_no_bug_is_one_sentence_and_a_code(error, code, capsys):
    def verb():
        raise error

    assert exit_code_of(verb) == code
    assert capsys.readouterr().err == "error: no\n"


def test_an_error_echoes_no_more_than_can_be_read(capsys):
    def verb():
        raise InputError(f"init: no level {'x' * 10_000!r}; did you mean 'he'?")

    assert exit_code_of(verb) == 2
    said = capsys.readouterr().err
    assert len(said) <= len("error: \n") + MOST_LETTERS
    assert said.startswith("error: init: no level 'xxx")
    assert said.endswith("did you mean 'he'?\n")
