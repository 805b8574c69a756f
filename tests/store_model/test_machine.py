"""Row S11 of the fault matrix: whatever is said in whatever order, the store does as the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.store import open_store
from tests.store_model.machine import EXAMPLES, STEPS, run

pytestmark = pytest.mark.fault


@pytest.mark.parametrize(
    ("examples", "steps"),
    [
        (EXAMPLES, STEPS),
        pytest.param(1000, 100, marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
    ],
    ids=["short", "long"],
)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_any_order_of_words_outages_and_crashes_leaves_what_the_model_says(
    request: pytest.FixtureRequest, tmp_path: Path, database: str, examples: int, steps: int
) -> None:
    files = tmp_path / "files"
    files.mkdir()
    sqlite = database == "sqlite"
    url = f"sqlite:///{tmp_path}/store.db" if sqlite else request.getfixturevalue("postgres_url")
    with open_store(url, create=True) as store:
        run(store, files, examples, steps)
