from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from ablations.errors import InputError
from runner.store import StoreDamaged, open_store
from runner.store.database.preparing import READABLE
from tests.postgres import PostgresServer
from tests.store_contract.crowd import ROOT, crowd
from tests.store_contract.grids import planned

JOBS = "tests.store_contract.jobs"

NEWEST = ("cell_points", "cell_responses")
"""Tables that came with the newest version."""


def test_sixteen_processes_open_a_fresh_store_at_once(store_url: str) -> None:
    assert crowd(f"{JOBS}:open_fresh", 16, store_url) == ["grid-cpu-a1b2c3"] * 16
    with open_store(store_url) as store:
        assert len(store.studies()) == 1


def test_eight_coordinators_make_optunas_tables_at_once(store_url: str) -> None:
    with open_store(store_url, create=True) as store:
        study = planned(store, 3)
        for _ in range(3):
            assert store.claim(study, "w", lease_seconds=60)
    made = crowd("tests.store_contract.mirror_jobs:mirror", 8, store_url, study.name)
    assert all(isinstance(trials, int) for trials in made), made
    assert sum(made) == 3


def test_a_closed_store_opens_again_when_used(store_url: str) -> None:
    with open_store(store_url, create=True) as store:
        study = planned(store)
    assert store.status(study).planned == 20
    store.close()
    store.close()


def test_foreign_tables_are_left_alone(store_url: str) -> None:
    """E.g. a database that so far only Optuna used."""
    import optuna

    database = open_store(store_url, create=True).database
    with database.engine.begin() as connection:  # turn it into somebody else's database
        for table in (*NEWEST, "epochs", "attempts", "cell_contents", "cells"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("DROP TABLE ablation_studies"))
        connection.execute(text("DROP TABLE ablation_schema"))
        connection.execute(text("CREATE TABLE visitors (name TEXT)"))
        connection.execute(text("INSERT INTO visitors VALUES ('Ada')"))
    from runner.optuna_mirror.optuna_tables import open_storage

    optuna.create_study(storage=open_storage(database), study_name="theirs")
    database.close()
    with pytest.raises(InputError, match="not a store: it holds no studies of this runner"):
        open_store(store_url)
    with open_store(store_url, create=True) as store:
        assert store.studies() == []
        study = planned(store)
        assert store.status(study).planned == 20
        with store.database.engine.connect() as connection:
            assert connection.scalar(text("SELECT name FROM visitors")) == "Ada"
            names = connection.scalars(text("SELECT study_name FROM studies")).all()
            assert names == ["theirs"]


@pytest.mark.parametrize(
    ("version", "advice"), [(min(READABLE) - 1, "start a new store"), (999, "install a newer")]
)
def test_another_schema_version_is_refused(store_url: str, version: int, advice: str) -> None:
    with open_store(store_url, create=True) as store, store.database.engine.begin() as connection:
        connection.execute(
            text("UPDATE ablation_schema SET version = :version"), {"version": version}
        )
    for create in (False, True):
        with pytest.raises(InputError, match=f"schema version {version}.*{advice}"):
            open_store(store_url, create=create)


def test_a_table_of_our_name_that_is_not_ours_is_refused(store_url: str) -> None:
    store = open_store(store_url, create=True)
    with store.database.engine.begin() as connection:
        for table in (*NEWEST, "epochs", "attempts", "cell_contents", "cells"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("DROP TABLE ablation_studies"))
        connection.execute(text("DROP TABLE ablation_schema"))
        connection.execute(text("CREATE TABLE cells (prisoner TEXT)"))
    store.close()
    with pytest.raises(InputError, match="already has a table 'cells' that is not this program's"):
        open_store(store_url, create=True)


# -- files --------------------------------------------------------------------------------


def made(path: Path, cells: int = 200) -> Path:
    with open_store(str(path), create=True) as store:
        planned(store, cells)
    return path


def test_a_missing_file_is_named_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    with pytest.raises(InputError, match=f"there is no store at {path}.*runner grid"):
        open_store(str(path))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "store.db"
    for create in (False, True):
        with pytest.raises(InputError, match=f"the folder of the store {path} does not exist"):
            open_store(f"sqlite:///{path}", create=create)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_nobody_named_is_told_what_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ABLATIONS_STORAGE", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"there is no store at .*ablations\.db.*runner grid FILE"):
        open_store()
    assert list(tmp_path.iterdir()) == []


def test_the_default_store_makes_its_folder_and_stays_where_it_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ABLATIONS_STORAGE", raising=False)
    monkeypatch.chdir(tmp_path)
    with open_store(create=True) as store:
        study = planned(store)
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        store.close()
        assert store.status(study).planned == 20
    assert (tmp_path / "results" / "ablations.db").exists()


def test_opening_a_store_twice_leaves_its_log_to_whoever_writes_into_it(tmp_path: Path) -> None:
    """Opened by itself and closed the file loses this process's locks, and the next program that
    ends deletes the write-ahead log."""
    path = tmp_path / "store.db"
    with open_store(str(path), create=True) as store:
        study = planned(store)
        with open_store(str(path)):
            pass
        look = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
        look += "c.execute('SELECT count(*) FROM cells').fetchone(); c.close()"
        subprocess.run([sys.executable, "-c", look, str(path)], check=True)
        assert path.with_name("store.db-wal").exists()
        assert store.status(study).planned == 20


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", r"is an empty file \(0 bytes\)"),
        (b"garbage" * 1000, "is not a SQLite database"),
        (b"SQLite format 3\0", "is not a SQLite database"),
    ],
)
def test_what_is_no_database_is_refused_and_kept(
    tmp_path: Path, content: bytes, complaint: str, create: bool
) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"{path} {complaint}"):
        open_store(str(path), create=create)
    assert path.read_bytes() == content


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_store_is_refused_and_kept(tmp_path: Path, share: float) -> None:
    path = made(tmp_path / "store.db")
    content = path.read_bytes()[: int(path.stat().st_size * share)]
    path.write_bytes(content)
    with pytest.raises(StoreDamaged, match=f"the store {path} is damaged: it is truncated"):
        open_store(str(path), create=True)
    assert path.read_bytes() == content


def test_a_damaged_store_is_named_when_the_damage_is_met(tmp_path: Path) -> None:
    path = made(tmp_path / "store.db")
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with (
        pytest.raises(StoreDamaged, match=f"the store {path} is damaged: .*malformed"),
        open_store(str(path)) as store,
    ):
        store.studies()


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder; expected a file"):
        open_store(str(tmp_path), create=True)


READ_ONLY = """
import os, sys
import sqlalchemy.dialects.sqlite, runner.store.store
from ablations.errors import InputError
from runner.store import open_store
if os.geteuid() == 0:
    os.setuid(65534)  # root may write anywhere; imported before, as nobody may not read /root
try:
    open_store(sys.argv[1], create=sys.argv[2] == "create")
    print("opened")
except InputError as error:
    print("refused:", error)
"""


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "how", "expected"),
    [
        (0o755, 0o444, "create", "refused: {path} cannot be used: attempt to write a readonly"),
        (0o755, None, "create", "refused: cannot write in the folder of the store {path}"),
        (0o755, 0o000, "read", "refused: cannot read the store {path}: Permission denied"),
    ],
)
def test_a_read_only_store_is_refused_before_anything_is_trained(
    tmp_path: Path, folder_mode: int, file_mode: int | None, how: str, expected: str
) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    path = folder / "store.db"
    if file_mode is not None:
        made(path)
        path.chmod(file_mode)
        folder.chmod(0o777)  # SQLite needs its log beside the file
    else:
        folder.chmod(folder_mode & 0o555)
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(path), how],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith(expected.format(path=path)), done.stdout + done.stderr


@pytest.mark.parametrize(
    "name",
    ["with space", "quote ' and \" both", "new\nline", "ünïcode 日本", "per%cent", "x" * 200],
)
def test_any_path_works(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    made(folder / f"{name}.db", cells=20)
    with open_store(f"sqlite:///{folder / name}.db") as store:
        assert store.status("grid-cpu-a1b2c3").planned == 20


def test_a_question_mark_in_a_path_is_no_query(tmp_path: Path) -> None:
    made(tmp_path / "what?#.db", cells=20)
    assert (tmp_path / "what?#.db").exists()


def test_power_loss_settings_are_on(tmp_path: Path) -> None:
    with (
        open_store(str(tmp_path / "store.db"), create=True) as store,
        store.database.engine.connect() as connection,
    ):
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2  # FULL


def test_a_store_that_was_never_closed_is_whole(tmp_path: Path) -> None:
    """Killed while it had a write-ahead log: the next reader finds everything committed."""
    path = tmp_path / "store.db"
    assert crowd(f"{JOBS}:plan_a_grid", 1, str(path), 40) == ["grid-cpu-a1b2c3"]
    assert crowd(f"{JOBS}:claim_and_die", 1, str(path), "grid-cpu-a1b2c3") == ["signal 9"]
    with open_store(str(path), create=True) as store:
        assert store.status("grid-cpu-a1b2c3").running == 1
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


# -- servers --------------------------------------------------------------------------------


def test_a_wrong_password_or_database_is_refused_at_once(postgres_server: PostgresServer) -> None:
    with pytest.raises(InputError, match=r"cannot be used: .*password authentication failed"):
        open_store(postgres_server.url("postgres", "guessed"), create=True)
    with pytest.raises(InputError, match=r'cannot be used: .*database "nowhere" does not exist'):
        open_store(postgres_server.url("nowhere"), create=True)
