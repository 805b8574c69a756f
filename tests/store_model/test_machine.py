"""Row S12 of the fault matrix: whatever is said in whatever order, the store does as the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.store import open_store
from tests.store_model.machine import EXAMPLES, STEPS, run

# As long as it takes beside others: it waits for nothing that may never come.
pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(7200)]


def long(database: str, lives: int) -> object:
    """Only in `make faults`."""
    return pytest.param(database, lives, 100, marks=pytest.mark.long)


@pytest.mark.parametrize(
    ("database", "lives", "steps"),
    [
        ("sqlite", EXAMPLES, STEPS),
        ("postgresql", EXAMPLES // 5, STEPS),  # each word is some round trips there
        long("sqlite", 1250),
        long("postgresql", 125),
    ],
)
def test_any_order_of_words_outages_and_crashes_leaves_what_the_model_says(
    request: pytest.FixtureRequest, tmp_path: Path, database: str, lives: int, steps: int
) -> None:
    files = tmp_path / "files"
    files.mkdir()
    sqlite = database == "sqlite"
    url = f"sqlite:///{tmp_path}/store.db" if sqlite else request.getfixturevalue("postgres_url")
    with open_store(url, create=True) as store:
        run(store, files, lives, steps)
