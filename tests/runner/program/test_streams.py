"""A terminal or a log that is not UTF-8 ends nothing."""

import os
import subprocess
import sys

import pytest

PRINTS = (
    "import sys; from runner.program.streams import prepare_streams; prepare_streams(); "
    "print('adam · he ─ \\udcff'); print('Δ', file=sys.stderr)"
)


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("ascii", "adam ? he ? ?\n"), ("latin-1", "adam · he ? ?\n"), ("utf-8", "adam · he ─ ?\n")],
)
def test_signs_that_a_stream_lacks_are_question_marks(encoding, shown):
    done = subprocess.run(
        [sys.executable, "-c", PRINTS],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode(encoding) == shown
