"""What the benchmark counts, without the minutes it takes."""

from __future__ import annotations

from pathlib import Path

from analysis.dashboard import Board
from runner.store import open_store
from tests.benchmarks.dashboard_scale import (
    RUNNING,
    after,
    claim,
    design,
    finish,
    register,
    report,
    state,
    step,
)


def test_replicates_are_full_grids() -> None:
    cells = [cell for cell, _ in design(2000)]
    assert len({cell.id for cell in cells}) == 2000
    assert len({tuple(cell.labels.values()) for cell in cells}) == 1000
    assert {cell.replicate for cell in cells[:1000]} == {0}


def test_an_open_page_asks_from_the_first_unfinished_trial_on() -> None:
    states = ["Complete", "Fail", "Running", "Complete", "Waiting"]
    assert after({"trials": [{"state": one} for one in states]}) == 2
    assert after({"trials": [{"state": "Complete"}]}) == 1


def test_what_is_published_is_weighed_by_kind(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "store.db"), create=True) as store:
        study = register(store, 1000)
        store.plan(study, design(60))
        finish(store, claim(store, study, 40))
        step(store, study, claim(store, study, RUNNING))
        assert Board(store, study).publish()
        kept = state(store)
    assert kept["pictures"][0] == 40 + RUNNING
    assert kept["notes"][0] >= 2 * (40 + RUNNING)
    assert kept["panels"][1] > 1000


def test_the_table_shows_the_slowest_refresh_and_the_promise() -> None:
    spent = {"wall": 2.0, "cpu": 1.0}
    refreshes = [spent | {"wall": wall, "bytes": 1000, "trials": 16} for wall in (0.5, 2.5, 1.0)]
    one = {
        "database": "sqlite",
        "runs": 10_000,
        "http": {
            "start": spent, "first": spent | {"wall": 9.0}, "refreshes": refreshes,
            "bytes": 2e7, "memory": 5e8,
        },
        "browser": {"panels": spent, "table": spent},
        "published": {"calls": [spent, spent], "changed": spent, "unchanged": spent},
        "state": {"panels": (40, 90_000), "notes": (20_000, 1e6), "pictures": (10_000, 1e6)},
    }  # fmt: skip
    text = report([one], load=0.5)
    assert "| sqlite | first page | 9.0 | 1.0 | < 15 s |" in text
    assert "| sqlite | refresh, slowest | 2.5 | 1.0 | < 3 s |" in text
    assert "40 attributes, 90 kB" in text
