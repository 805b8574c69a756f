"""Where the store is: an address given by option, environment or default, resolved once.

Promises that a password never leaves through a message, a `repr` or a pickle, and that a relative
SQLite path means the same file wherever the process goes later. Opens nothing.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from ablations.errors import InputError, did_you_mean
from runner.program.places.storage import FILE_NAME, VARIABLE, results_folder

NOT_AN_ADDRESS = (
    "--storage: not a database address; expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
    "with @ : / and % of the password written as %40 %3A %2F %25"
)

SECRETS = ("password", "passfile", "sslpassword", "sslkey", "service", "servicefile")
"""What PostgreSQL's client takes from a URL's query and nobody else may see."""

_KEYWORDS = re.compile(r"\b(password|passfile|user|host|hostaddr|dbname|service)\s*=", re.I)
"""What tells PostgreSQL's other form, `host=... password=...`, from the name of a file."""

POSTGRESQL = ("postgresql", "postgresql+psycopg", "postgres")


class Address:
    """The database's address. `str` and `repr` mask the password; pickling leaves it out."""

    def __init__(self, url: URL) -> None:
        self._url = url

    @property
    def url(self) -> URL:
        """The address with its password: for opening connections, never for people."""
        return self._url

    @property
    def path(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        return Path(self._url.database or "") if self.is_sqlite else None

    @property
    def has_secret(self) -> bool:
        """Whether it holds a password, which no other process may be told."""
        return bool(self._url.password)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a file of this machine."""
        return self._url.get_backend_name() == "sqlite"

    def __str__(self) -> str:
        """The file, or the URL with the password masked."""
        return str(self.path) if self.is_sqlite else self._url.render_as_string(hide_password=True)

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and self._url == other._url

    def __hash__(self) -> int:
        return hash(self._url)

    def __reduce__(self) -> tuple[object, tuple[str, bool]]:
        """Pickle the address without its password; the reader must have its own."""
        bare = self._url._replace(password=None)
        return _unpickled, (
            bare.render_as_string(hide_password=False),
            bool(self._url.password),
        )


def _unpickled(bare: str, needs_password: bool) -> Address:
    """Rebuild an address in another process, with the password of that process's environment."""
    url = make_url(bare)
    if not needs_password:
        return Address(url)
    here = os.environ.get(VARIABLE)
    if here is not None:
        address = resolve_address(here)
        if address.url._replace(password=None) == url:
            return address
    raise InputError(
        f"the store {bare} needs a password, which is never sent between processes: "
        f"set {VARIABLE} to its full address where this worker runs"
    )


def default_path() -> Path:
    """Where the store is that nobody names: in the folder of results."""
    return results_folder() / FILE_NAME


def resolve_address(given: str | None = None) -> Address:
    """The address of the store.

    Args:
        given: A SQLAlchemy URL (`sqlite:///FILE`, `postgresql://USER:PASSWORD@HOST/DATABASE`) or a
            plain path of a SQLite file. None: `$ABLATIONS_STORAGE`, then `ablations.db` in
            `$ABLATIONS_RESULTS` or `results/`.

    Raises:
        InputError: not an address, a database of another kind, or no driver for it.
    """
    given = given or os.environ.get(VARIABLE) or str(default_path())
    scheme, is_url, rest = given.partition("://")
    if not is_url:
        if ("@" in given or _KEYWORDS.search(given)) and not Path(given).exists():
            raise InputError(NOT_AN_ADDRESS)  # a mistyped URL: quoting it would show its password
        return _sqlite(given)
    if scheme in ("sqlite", "sqlite+pysqlite"):
        # Cut by hand: in a URL a path could hold neither "?" nor "#". Between the second slash and
        # the third stands a user, a password and a host, of which a file has none.
        return _sqlite(rest.removeprefix("/") if rest.startswith("/") else "")
    if scheme not in POSTGRESQL:
        hint = did_you_mean(scheme, ("sqlite", "postgresql"))
        raise InputError(f"--storage: no database of kind {scheme!r} is supported; {hint}")
    if rest.count("@") > 1:  # SQLAlchemy cuts at the first, and shows what comes after it
        raise InputError(NOT_AN_ADDRESS)
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        # Their messages may quote the URL, and with it the password.
        raise InputError(NOT_AN_ADDRESS) from None
    if importlib.util.find_spec("psycopg") is None:
        raise InputError(
            "--storage: PostgreSQL needs its driver: pip install 'ablation-grid-runner[postgres]'"
        )
    _check_query(url.query)
    return Address(url.set(drivername="postgresql+psycopg"))


def _check_query(query: Mapping[str, object]) -> None:
    """Refuse options that PostgreSQL's client does not know, and those that hold a secret."""
    if not query:
        return
    from psycopg import pq

    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    for name in sorted(query):
        # Masked nowhere: not by SQLAlchemy, not by whoever prints an address.
        if name.lower() in (*SECRETS, "passwd", "pass"):
            raise InputError(
                f"--storage: {name} does not belong in the address's query; write the password as "
                "postgresql://USER:PASSWORD@HOST/DATABASE, the rest into PGPASSFILE, PGSSLKEY or "
                "PGSERVICE of the environment"
            )
        if name not in known:
            hint = did_you_mean(name, known.difference(SECRETS))
            raise InputError(f"--storage: PostgreSQL's client has no option {name!r}; {hint}")


def _sqlite(path: str) -> Address:
    if path in ("", "/") or path.startswith((":memory:", "file:")):
        raise InputError(
            "--storage: SQLite needs a file, which several processes can open: sqlite:///FILE"
        )
    # absolute() and not resolve(): a link to the store stays the name the user knows.
    return Address(URL.create("sqlite", database=str(Path(path).expanduser().absolute())))
