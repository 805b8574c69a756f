"""A bench for each test, on SQLite; on PostgreSQL where the test asks for `postgres_bench`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.harness import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh SQLite store and results folder."""
    made = Bench(tmp_path, f"sqlite:///{tmp_path}/ablations.db")
    yield made
    made.close()


@pytest.fixture
def postgres_bench(tmp_path: Path, postgres_url: str) -> Iterator[Bench]:
    """A fresh PostgreSQL database and results folder."""
    made = Bench(tmp_path, postgres_url)
    yield made
    made.close()
