"""A store of an older schema version: read as it is, brought up by whoever may write."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from runner.commands import main
from runner.store import open_store
from runner.store.database import preparing
from tests.store_contract.grids import outcome, planned

STORES = Path(__file__).with_name("stores")
NEW_TABLES = {"cell_responses", "cell_points"}


def version_of(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        (found,) = connection.execute("SELECT version FROM ablation_schema").fetchone()
    connection.close()
    return int(found)


def tables_of(path: Path) -> set[str]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    return {name for (name,) in rows}


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store as the program of version 2 left it: a study of four cells, all complete."""
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as connection:
        connection.executescript((STORES / "version_2.sql").read_text())
    connection.close()
    monkeypatch.setenv("ABLATIONS_STORAGE", f"sqlite:///{path}")
    monkeypatch.setenv("ABLATIONS_RESULTS", str(tmp_path / "results"))
    return path


def test_a_store_of_version_2_is_read_as_it_is(old: Path, capsys: pytest.CaptureFixture) -> None:
    before = old.read_bytes()
    assert main(["status"]) == 0
    assert re.search(r"old-default-8df428 .*  4      4  ", capsys.readouterr().out)
    assert main(["status", "old"]) == 0
    assert old.read_bytes() == before
    assert version_of(old) == 2
    assert not NEW_TABLES & tables_of(old)


def test_a_cell_of_version_2_is_shown(old: Path, capsys: pytest.CaptureFixture) -> None:
    with open_store(str(old)) as store:
        cell = store.runs(store.find_study("old"))[0]["cell"]
    assert main(["show", cell]) == 0
    assert f"cell {cell} of old-default-8df428" in capsys.readouterr().out
    assert version_of(old) == 2


def test_a_grid_brings_it_up_and_loses_nothing(old: Path, capsys: pytest.CaptureFixture) -> None:
    with open_store(str(old)) as store:
        before = store.runs(store.find_study("old"))
    file = str(STORES / "version_2.yaml")
    assert main(["grid", file, "--no-report", "--set", "seeds=shared"]) == 0  # as it was made
    assert version_of(old) == 3
    assert tables_of(old) >= NEW_TABLES
    with open_store(str(old)) as store:
        there = {run["cell"]: run for run in store.runs(store.find_study("old"))}
    assert [there[run["cell"]] for run in before] == before


def test_a_program_of_before_refuses_what_was_brought_up(
    old: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(str(old), create=True).close()
    monkeypatch.setattr(preparing, "READABLE", (2,))
    monkeypatch.setattr(preparing, "SCHEMA_VERSION", 2)
    for words in (["status"], ["grid", str(STORES / "version_2.yaml")]):
        assert main(words) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "has schema version 3, this program reads 2; install a newer version" in said


def test_every_database_is_brought_up_once(store_url: str) -> None:
    with open_store(store_url, create=True) as store:
        study = planned(store, 3)
        lease = store.claim(study, "w", lease_seconds=60)
        assert lease
        assert store.finish(lease, outcome())
        before = store.runs(study)
        with store.database.engine.begin() as connection:
            for table in NEW_TABLES:
                connection.execute(text(f"DROP TABLE {table}"))
            connection.execute(text("UPDATE ablation_schema SET version = 2"))
    for _ in range(2):
        with open_store(store_url) as store:
            assert store.runs(study) == before
            assert not NEW_TABLES & set(inspect(store.database.engine).get_table_names())
    for _ in range(2):
        with open_store(store_url, create=True) as store:
            assert store.runs(study) == before
            assert set(inspect(store.database.engine).get_table_names()) >= NEW_TABLES
            with store.database.engine.connect() as connection:
                version = connection.scalars(text("SELECT version FROM ablation_schema")).all()
            assert version == [3]
