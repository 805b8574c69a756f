"""Fault matrix, rows I1, I2 and S8 from the command line: what cannot be used is one sentence.

What each file says wrong, with its line, is tested beside the reader (tests/runner/spec). Here: the
exit code, one line on standard error, and that nothing was made or changed.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from ablations.errors import InputError
from runner.commands import main
from runner.spec.reading.files.source import read_file
from runner.store import open_store
from tests.faults.harness import specification
from tests.store_contract.grids import planned

pytestmark = pytest.mark.fault

GOOD = """\
name: faults
factors: {init: [he, xavier], optimizer: [adam, sgd]}
fixed: {augmentation: none, scheduler: constant, bn_placement: before}
"""


def given(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit code and standard error of `python -m runner ARGUMENTS`."""
    code = main([str(one) for one in arguments])
    return code, capsys.readouterr().err


def assert_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], file: Path, says: str, line: int | None
) -> None:
    before = sorted(folder.rglob("*"))
    results = folder / "results"
    code, error = given(
        capsys, "grid", file, "--storage", f"sqlite:///{folder}/none.db", "--results", results
    )
    assert code == 2, error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    where = str(file) if line is None else f"{file}:{line}: "
    assert where in error
    assert says in error
    assert sorted(folder.rglob("*")) == before, "nothing was made"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (GOOD + "replicates: 2\nreplicates: 3\n", 5, "'replicates' is given twice"),
        (GOOD + "train: {epochs: 3\n", 4, "a '{' is opened and not closed"),
        (GOOD + "train: {deterministic: on}\n", 4, "train.deterministic"),
        (GOOD + "train: {deterministic: no}\n", 4, "train.deterministic"),
        (GOOD + "train: {epochs: 1:30}\n", 4, "train.epochs"),
        (GOOD + "train: {target: nan}\n", 4, "train.target"),
        (GOOD + "train: {target: .nan}\n", 4, "train.target"),
        ("", None, "the file is empty"),
        ("- a\n- b\n", None, "the file is a list"),
        (GOOD + "---\n" + GOOD, 4, "a second document starts"),
        (GOOD + "train:\n\tepochs: 3\n", 5, "tab"),
        (GOOD + "x: " + "[" * 3000 + "\n", 4, "nested more than"),
        (GOOD + "a: &a [x, x]\nb: &b [*a, *a]\n", 4, "anchors are not read"),
        (GOOD + "a: !!python/object/apply:os.system ['touch pwned']\n", 4, "tags are not read"),
    ],
)  # fmt: skip
def test_i1_a_file_that_surprises_is_refused_in_one_line(tmp_path, capsys, text, line, says):
    file = tmp_path / "faults.yaml"
    file.write_text(text)
    assert_refused(tmp_path, capsys, file, says, line)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe" + GOOD.encode("utf-16-le"), "not UTF-8"),
        (GOOD.encode() + b"# caf\xe9\n", "not UTF-8"),
    ],
)
def test_i1_a_file_in_another_encoding_is_refused(tmp_path, capsys, content, says):
    file = tmp_path / "faults.yaml"
    file.write_bytes(content)
    assert_refused(tmp_path, capsys, file, says, None)


def test_i1_a_hundred_megabytes_are_not_read(tmp_path, capsys):
    file = tmp_path / "faults.yaml"
    file.write_text(GOOD)
    os.truncate(file, 100_000_000)
    assert_refused(tmp_path, capsys, file, "has 100,000,000 bytes; a specification has at", None)


def test_i1_a_device_without_an_end_is_not_read_to_it():
    """Its size says 0."""
    with pytest.raises(InputError, match="/dev/zero has more than 200,000 bytes"):
        read_file(Path("/dev/zero"))


def test_i1_what_yaml_1_1_would_misread_is_read_right(tmp_path, capsys):
    file = tmp_path / "faults.yaml"
    file.write_bytes(
        b"\xef\xbb\xbf" + GOOD.encode() + b"replicates: 012\ntrain: {label_smoothing: 5e-4}\n"
    )
    assert main(["plan", str(file), "--cells", "0"]) == 0
    assert "12 replicates" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("factors", "says"),
    [
        ("init: []", "two levels or more, found none"),
        ("init: [he]", "two levels or more, found only 'he'"),
        ("init: [he, he]", "level 'he' is given twice"),
        ("train.deterministic: [true, 1]", "expected a valid bool"),
        ("train.label_smoothing: [0, 0.0]", "'0' is given twice"),
        ("train.label_smoothing: [0, false]", "False"),
        ("inti: [he, xavier]", "did you mean 'init'?"),
        ("model.depth: [11, deep]", "'deep'"),
    ],
)
def test_i2_wrong_factors_are_refused_before_a_store_is_made(tmp_path, capsys, factors, says):
    file = tmp_path / "faults.yaml"
    init = "" if factors.startswith("init") else "init: he, "
    file.write_text(
        f"name: faults\nfactors:\n  optimizer: [adam, sgd]\n  {factors}\n"
        f"fixed: {{{init}augmentation: none, scheduler: constant, bn_placement: before}}\n"
    )
    assert_refused(tmp_path, capsys, file, says, 4)


MANY = {
    "init": ["he", "xavier"],
    "optimizer": ["adam", "sgd"],
    "train.batch_size": list(range(1, 1001)),
}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"replicates": 10**7}, "replicates: 10000000"),
        ({"replicates": 10_000, "factors": MANY}, "cells are too many"),
        ({"trian": {"epochs": 3}}, "did you mean 'train'?"),
        ({"train": {"epochs": "three"}}, "train.epochs"),
        ({"fixed": {"scheduler": "constant", "bn_placement": "before"}}, "'augmentation: none'"),
    ],
)
def test_i2_wrong_sections_are_refused_before_a_store_is_made(tmp_path, capsys, change, says):
    file = specification(tmp_path, plugins=[], **change)
    assert_refused(tmp_path, capsys, file, says, None)


# -- stores -----------------------------------------------------------------------------------


def garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 1000)


def truncated(path: Path) -> None:
    with open_store(str(path), create=True) as store:
        planned(store, 200)
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def a_folder(path: Path) -> None:
    path.mkdir()


def newer_schema(path: Path) -> None:
    with open_store(str(path), create=True) as store:
        planned(store, 4)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE ablation_schema SET version = 999")
    connection.close()


def foreign_table_of_our_name(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE cells (prisoner TEXT)")
    connection.close()


def foreign_tables(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE visitors (name TEXT)")
    connection.close()


def content_of(path: Path) -> object:
    """What a file holds: tables where SQLite can read them, else its bytes; None: no file."""
    if not path.is_file():
        return None
    try:
        with sqlite3.connect(path) as connection:
            held = list(connection.iterdump())
    except sqlite3.DatabaseError:
        return path.read_bytes()
    finally:
        connection.close()
    return held or path.read_bytes()


def missing_folder(path: Path) -> None:
    """There is nothing to make."""


@pytest.mark.parametrize("verb", ["grid", "status", "export"])
@pytest.mark.parametrize(
    "fault",
    [
        *(garbage, truncated, empty, a_folder, newer_schema, foreign_table_of_our_name),
        *(foreign_tables, missing_folder),
    ],
)
def test_s8_a_store_that_cannot_be_used_is_named_in_one_line(tmp_path, capsys, fault, verb):
    if fault is foreign_tables and verb == "grid":
        pytest.skip("the store may live beside other tables: tested in store_contract")
    folder = tmp_path / "nowhere" if fault is missing_folder else tmp_path
    path = folder / "store.db"
    fault(path)
    before = content_of(path)
    what = specification(tmp_path) if verb == "grid" else "faults"
    code, error = given(
        capsys, verb, what, "--storage", f"sqlite:///{path}", "--results", tmp_path / "results"
    )
    assert code == (4 if fault is truncated else 2), error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert str(path) in error
    assert content_of(path) == before, "it was not overwritten"
    assert not (tmp_path / "nowhere").exists()
