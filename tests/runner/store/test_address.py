from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from ablations.errors import InputError
from runner.commands import main
from runner.store import open_store
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
        ("postgresql://u:x@s3cret@h:5432/d", "with @ : / and % of the password written as %40"),
        ("postgresql://u:x@a/s3cret@h/d", "not a database address"),
        ("postgresql://u:x@a?s3cret=1@h/d", "not a database address"),
        ("host=127.0.0.1 user=u password=s3cret", "not a database address"),
        ("user = u  password = 's3cret'", "not a database address"),
        ("HOST=h PASSWORD=s3cret", "not a database address"),
        ("sqlite://u:s3cret@h/x", "SQLite needs a file.*: sqlite:///FILE"),
        ("sqlite://u:s3cret@h", "SQLite needs a file"),
        (
            "postgresql://u@h/d?sslmod=require&x=s3cret",
            "no option 'sslmod'; did you mean 'sslmode'",
        ),
        ("postgresql://u@h/d?PASSWORD=s3cret", "PASSWORD does not belong in the address's query"),
        ("postgresql://u@h/d?passwd=s3cret", "passwd does not belong in the address's query"),
        ("postgresql://u@h/d?pasword=s3cret", "no option 'pasword'; "),
    ],
)
def test_what_is_no_address_is_refused_without_quoting_it(given: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as refused:
        resolve_address(given)
    assert "s3cret" not in str(refused.value)


def test_a_refused_address_ends_a_grid_at_once_and_leaves_no_file(
    somewhere: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABLATIONS_STORAGE", "host=127.0.0.1 user=u password=s3cret")
    assert main(["status"]) == 2
    said = capsys.readouterr()
    assert "s3cret" not in said.out + said.err
    assert said.err.count("\n") == 1
    assert list(somewhere.iterdir()) == []


def test_a_known_option_of_the_client_is_kept() -> None:
    address = resolve_address("postgresql://ada@db/grid?sslmode=require&connect_timeout=3")
    assert address.url.query == {"sslmode": "require", "connect_timeout": "3"}


def test_a_file_whose_name_has_signs_of_an_address_is_opened_where_it_is_there(
    somewhere: Path,
) -> None:
    for name in ("me@work.db", "host=a.db"):
        with pytest.raises(InputError, match="not a database address"):
            resolve_address(name)
        (somewhere / name).touch()
        assert resolve_address(name).path == somewhere / name
    assert resolve_address("sqlite:///you@work.db").path == somewhere / "you@work.db"


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'ablation-grid-runner\[postgres\]'"):
        resolve_address("postgresql://ada@db.example/grid")


@pytest.mark.parametrize("option", ["sslmode=requir", "keepalives=often"])
def test_a_wrong_value_of_an_option_is_not_waited_for(option: str) -> None:
    """The client itself refuses it, before any server is asked."""
    with pytest.raises(InputError, match=r"cannot be used: .*value"):
        open_store(f"postgresql://u:s3cret@127.0.0.1:9/d?{option}", read_patience=0)
