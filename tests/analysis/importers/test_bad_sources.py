"""A source that is none ends in one sentence and exit code 2, and nothing is written."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import pytest

from ablations.errors import InputError
from analysis import from_optuna
from analysis.commands import run
from tests.analysis.importers.conftest import Kept


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    Path("text.txt").write_text("hello\n")
    Path("t.csv").write_text("a,b\n1,2\n")
    connection = sqlite3.connect("other.db")
    connection.execute("CREATE TABLE t (a)")
    connection.commit()
    connection.close()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("optunna x", "--from optunna: no such tool; did you mean 'optuna'?"),
        ("optuna", "--from optuna: expected --from optuna SOURCE [STUDY]"),
        ("hydra a b", "--from hydra a b: expected --from hydra SOURCE"),
        ("optuna none.db", "'none.db' is no file and no URL: expected sqlite:///study.db"),
        ("optuna sqlite:///none.db", "there is no file 'none.db'"),
        ("optuna text.txt", "it is neither an SQLite file nor a journal of Optuna"),
        ("optuna other.db", "is a database, but not one of Optuna: it has no studies"),
        ("optuna empty", "'empty' is a folder; expected the URL or the file of a database"),
        ("optuna nosuch://host/db", "'nosuch://host/db' cannot be read as a database of Optuna"),
        ("optuna postgresql://me:secret@127.0.0.1:1/db", "'postgresql://me:***@127.0.0.1:1/db'"),
        ("wandb none", "folder 'none' does not exist; expected a CSV export or the folder wandb"),
        ("wandb empty", "folder 'empty' has no runs of W&B"),
        ("wandb t.csv", "is no export of W&B: it has no column Name; any other table goes with"),
        ("mlflow none", "folder 'none' does not exist; expected mlruns"),
        ("mlflow empty", "folder 'empty' has no runs of MLflow"),
        ("mlflow other.db", "is a database, but not one of MLflow: it has no runs"),
        ("mlflow text.txt", "'text.txt' is no database of MLflow"),
        ("mlflow sqlite:///none.db", "there is no file 'none.db'"),
        ("tensorboard none", "folder 'none' does not exist; expected a folder of TensorBoard's"),
        ("tensorboard empty", "folder 'empty' has no event files of TensorBoard"),
        ("hydra none", "folder 'none' does not exist; expected a folder of Hydra's"),
        ("hydra text.txt", "'text.txt' is no folder; expected multirun/DATE/TIME"),
        ("hydra empty", "folder 'empty' has no job of Hydra's"),
    ],
)
def test_a_source_that_is_none(
    words: str, said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    assert run(["report", "--from", *words.split()]) == 2
    caught = capsys.readouterr()
    assert said in caught.err
    assert "secret" not in caught.err
    assert len(caught.err.strip().splitlines()) == 1
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("kind", "module", "said"),
    [
        ("wandb", "wandb.proto.wandb_internal_pb2", "pip install wandb"),
        ("mlflow_sql", "mlflow", "pip install mlflow-skinny"),
        ("tensorboard", "tensorboard.plugins.hparams.plugin_data_pb2", "pip install tensorboard"),
    ],
)
def test_a_library_that_is_not_there_is_named(
    kind: str,
    module: str,
    said: str,
    kept: Kept,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = kept(kind)
    monkeypatch.setitem(sys.modules, module, None)
    assert run(["decided", "--from", *words]) == 2
    error = capsys.readouterr().err
    assert "which is not installed" in error
    assert error.strip().endswith(said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["power", "--from", "optuna", "a.db", "--std", "s"], "--std says how a table is written"),
        (["power", "--from", "optuna", "a.db", "--table", "t.csv"], "give --table or --from"),
        (["power", "s", "--from", "optuna", "a.db"], "give a study ('s') or --from, not both"),
        (["power", "s", "--only", "a=1"], "--only says something of another tool's runs"),
        (["power", "s", "--response", "x"], "--response (--outcome) says something of a table"),
        (["effects", "--table", "t.csv", "--factors", "a", "--response", "b", "--bins", "a=2"],
         "--bins says something of another tool's runs: it goes with --from"),
    ],
)  # fmt: skip
def test_options_that_do_not_go_together(
    arguments: list[str], said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("told", ["bins lr", "bins lr=1", "bins lr=a,b", "bins =3", "only lr"])
def test_an_option_that_says_nothing(told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(["power", "--from", "optuna", "a.db", *f"--{told}".split()])
    assert ended.value.code == 2
    assert "expected NAME=" in capsys.readouterr().err


def test_what_is_no_study_at_all() -> None:
    with pytest.raises(InputError, match="None is no study of Optuna, no URL and no path"):
        from_optuna(None)
