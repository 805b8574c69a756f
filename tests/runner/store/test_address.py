from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from ablations.errors import InputError
from runner.store.database.address import resolve_address


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("ABLATIONS_STORAGE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_option_beats_the_environment_beats_the_default(
    somewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resolve_address().path == somewhere / "results" / "ablations.db"
    monkeypatch.setenv("ABLATIONS_STORAGE", "sqlite:///mine.db")
    assert resolve_address().path == somewhere / "mine.db"
    assert resolve_address("other.db").path == somewhere / "other.db"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("sqlite:///relative.db", "relative.db"),
        ("sqlite:////absolute/x.db", "/absolute/x.db"),
        ("sqlite+pysqlite:///r.db", "r.db"),
        ("sqlite:///what?.db", "what?.db"),
        ("sqlite:///per%20cent.db", "per%20cent.db"),
        ("plain/path.db", "plain/path.db"),
        ("/absolute/path.db", "/absolute/path.db"),
    ],
)
def test_a_file_is_resolved_once(somewhere: Path, given: str, path: str) -> None:
    address = resolve_address(given)
    assert address.path == somewhere / path
    assert str(address) == str(somewhere / path)
    assert pickle.loads(pickle.dumps(address)) == address  # noqa: S301


def test_a_home_folder_is_found() -> None:
    assert resolve_address("~/x.db").path == Path.home() / "x.db"


def test_a_server_keeps_its_password_to_itself() -> None:
    address = resolve_address("postgresql://ada:s3cret%40%7B@db.example:5433/grid")
    assert address.url.password == "s3cret@{"  # noqa: S105
    assert address.url.drivername == "postgresql+psycopg"
    assert str(address) == "postgresql+psycopg://ada:***@db.example:5433/grid"
    assert "s3cret" not in repr(address)
    assert address.path is None
    assert resolve_address("postgres://ada@db/grid") == resolve_address("postgresql://ada@db/grid")
    assert (
        len({address, resolve_address("postgresql://ada:s3cret%40%7B@db.example:5433/grid")}) == 1
    )


@pytest.mark.parametrize("name", ["password", "sslpassword", "passfile", "service"])
def test_a_secret_in_the_query_is_refused_without_being_shown(name: str) -> None:
    """Nothing masks it there: neither SQLAlchemy nor a list of processes."""
    with pytest.raises(InputError, match=f"{name} does not belong in the address's query") as said:
        resolve_address(f"postgresql://u@h/db?{name}=s3cret")
    assert "s3cret" not in str(said.value)


def test_a_server_without_a_password_travels_freely() -> None:
    address = resolve_address("postgresql://ada@db.example/grid")
    assert pickle.loads(pickle.dumps(address)) == address  # noqa: S301


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("mysql://u:s3cret@h/d", r"no database of kind 'mysql' is supported; expected one of"),
        ("postgresq://u:s3cret@h/d", r"did you mean 'postgresql'\?"),
        ("sqlite://", "SQLite needs a file"),
        ("sqlite:///:memory:", "SQLite needs a file"),
        ("sqlite:///file:x?mode=memory&uri=true", "SQLite needs a file"),
        ("postgresql://u:s3cret@h:port/d", "not a database address; expected postgresql://USER"),
        ("postgresql:/u:s3cret@h/d", "not a database address"),
    ],
)
def test_what_is_no_address_is_refused_without_quoting_it(given: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as refused:
        resolve_address(given)
    assert "s3cret" not in str(refused.value)


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'ablation-grid-runner\[postgres\]'"):
        resolve_address("postgresql://ada@db.example/grid")
