"""A function's signature held against the factors, in a process of its own."""

from pathlib import Path

import pytest

from ablations.errors import InputError
from runner.spec import load_spec
from runner.trainers.look.signature import check_signature, look, values_of

FILE = """\
name: own
trainer: {file}:fit
factors: {{loss: [ce, focal], lr: [0.1, 0.01]}}
fixed: {{epochs: 3}}
replicates: {replicates}
responses: accuracy
"""


def looked_at(tmp_path: Path, body: str, replicates: int = 2):
    (tmp_path / "mine.py").write_text(body)
    file = tmp_path / "study.yaml"
    file.write_text(FILE.format(file="mine.py", replicates=replicates))
    spec = load_spec(file, cuda_visible=False)
    assert spec.trainer is not None
    return spec, look(spec.trainer, values_of(spec))


@pytest.mark.parametrize(
    "body",
    [
        "def fit(loss, lr, epochs, seed): ...",
        "def fit(loss: str, lr: float, epochs: int = 1, *, seed, run): ...",
        "def fit(*, seed, **rest): ...",
        "from typing import Literal\ndef fit(loss: Literal['ce', 'focal'], lr, epochs, seed): ...",
        "class Net: ...\ndef fit(loss: Net, lr, epochs, seed): ...",
        "def fit(loss: 'Absent', lr, epochs, seed): ...",
        "import functools\n@functools.lru_cache\ndef fit(loss, lr, epochs, seed): ...",
    ],
)
def test_what_takes_the_arguments_is_let_through(tmp_path, body):
    check_signature(*looked_at(tmp_path, body))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def fit(los, lr, epochs, seed): ...", "takes no argument 'loss'; did you mean 'los'"),
        ("def fit(loss, lr, epochs, data, seed): ...", "needs 'data', which nothing gives it"),
        ("def fit(loss, lr, epochs): ...", "takes no seed, so that 2 replicates would be copies"),
        ("def fit(loss: int, lr, epochs, seed): ...", "loss = 'ce' does not fit fit()"),
        ("def fit(loss, lr, epochs: str, seed): ...", "epochs = 3 does not fit"),
        ("def fit(loss, /, lr, epochs, seed): ...", "can only be given by position"),
        ("import absent_library", "importing it failed: ModuleNotFoundError"),
        ("def fit(:", "importing it failed: SyntaxError"),
        ("raise SystemExit(3)", "importing it failed: SystemExit: 3"),
        ("import os; os._exit(7)", "importing it ended the process (exit code 7)"),
        ("fit = 3", "is no function, it is 3"),
        ("def other(): ...", "has no function 'fit'; "),
    ],
)
def test_what_does_not_is_refused_with_its_place(tmp_path, body, said):
    spec, found = looked_at(tmp_path, body)
    with pytest.raises(InputError) as refused:
        check_signature(spec, found)
    assert said in str(refused.value)
    assert "study.yaml:" in str(refused.value)


def test_the_place_of_the_function_is_named(tmp_path):
    spec, found = looked_at(tmp_path, "\n\ndef fit(los, lr, epochs, seed): ...")
    with pytest.raises(InputError, match=r"mine\.py:3 takes no argument 'loss'"):
        check_signature(spec, found)


def test_what_it_prints_is_no_part_of_the_answer(tmp_path):
    _, found = looked_at(tmp_path, "print('{}')\ndef fit(loss, lr, epochs, seed): ...")
    assert not found.problem


def test_one_replicate_needs_no_seed(tmp_path):
    check_signature(*looked_at(tmp_path, "def fit(loss, lr, epochs): ...", replicates=1))


def test_libraries_that_it_imports_are_told(tmp_path):
    _, found = looked_at(tmp_path, "import numpy\ndef fit(loss, lr, epochs, seed): ...")
    assert "numpy" in found.libraries
    _, found = looked_at(tmp_path, "def fit(loss, lr, epochs, seed): ...")
    assert "torch" not in found.libraries
