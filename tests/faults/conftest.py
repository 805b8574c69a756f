"""A bench for each test: on SQLite, or on PostgreSQL where it asks for `postgres_bench`.

What is marked `both_databases` runs on SQLite in `make test` and on both in `make faults`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.harness import Bench


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give every test of a bench its database, those marked `both_databases` one after another."""
    if "database" in metafunc.fixturenames:
        databases = [pytest.param("sqlite")]
        if metafunc.definition.get_closest_marker("both_databases"):
            databases.append(pytest.param("postgresql", marks=pytest.mark.long))
        metafunc.parametrize("database", databases, indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a fresh database of the kind."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path}/ablations.db"


@pytest.fixture
def bench(tmp_path: Path, database: str) -> Iterator[Bench]:
    """A fresh store and results folder."""
    made = Bench(tmp_path, database)
    yield made
    made.close()


@pytest.fixture
def postgres_bench(tmp_path: Path, postgres_url: str) -> Iterator[Bench]:
    """A fresh PostgreSQL database and results folder."""
    made = Bench(tmp_path, postgres_url)
    yield made
    made.close()
