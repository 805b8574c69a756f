"""The simulation itself, small: that it counts what it says, and what 10,000 cells cost."""

from __future__ import annotations

import pytest

from tests.benchmarks.store_cost import cost
from tests.benchmarks.store_scale import Scenario, in_a_process, missed, plan, report, summary


@pytest.mark.slow
def test_ten_thousand_cells_cost_a_tenth_of_what_is_promised(tmp_path: object) -> None:
    """Promised are 60 s, 2 GB and 2 s for 100,000."""
    cost = plan("sqlite", 10_000, f"{tmp_path}/store.db")
    assert cost["plan_s"] < 30  # a tenth would be 6: this machine may be busy with other tests
    assert cost["peak_mb"] - cost["before_mb"] < 200
    assert cost["status_s"] < 1


def test_slot_time_lost_is_claim_and_finish_over_all_slot_time() -> None:
    scenario = Scenario("sqlite", 2, 5, 10)
    calls = [
        ("claim", 0.0, 0.5),  # the two first cells: not counted
        ("claim", 0.0, 1.0),
        ("train", 1.0, 3.0),
        ("finish", 4.0, 0.25),
        ("claim", 4.25, 0.25),
        ("beat", 5.0, 0.1),
        ("train", 4.5, 6.0),
        ("finish", 10.5, 0.5),
    ]
    found = summary(scenario, calls, 0.0, 0)
    assert found["first_cells_s"] == 1.0
    assert found["claims"] == 1
    assert found["lost"] == pytest.approx(1.0 / (1.0 + 9.0))
    assert found["claim_p99_ms"] == 250


@pytest.mark.slow
def test_a_small_simulation_runs_to_a_table(tmp_path: object) -> None:
    import json

    from runner.store import open_store
    from tests.benchmarks.store_scale import cells, register

    url = f"sqlite:///{tmp_path}/store.db"
    with open_store(url, create=True) as store:
        store.plan(register(store, 200), cells(200))
    scenario = Scenario("sqlite", 4, 0.2, 2.0)
    found = in_a_process("--child", json.dumps([scenario.__dict__, url]))
    assert found["refused"] == 0
    assert found["claims"] > 4
    with open_store(url) as store:
        study = store.studies()[0]
        assert store.status(study).complete >= found["claims"] - 4
    table = report([], [found], {"sqlite": cost("sqlite", 4)}, "Quiet.")
    assert "| sqlite | 4 | 0.2 |" in table
    assert "| sqlite | trial told |" in table
    assert "No promise was measured here." in table
    kept = report([], [found | {"limit": 1.0}], {}, "Quiet.")
    assert "Every promise measured here was kept." in kept


def test_a_promise_that_was_not_kept_is_said_first() -> None:
    slow = {"scenario": "sqlite 16 x 5", "lost": 0.03, "limit": 0.02}
    planned = {
        "database": "sqlite", "cells": 100_000, "plan_s": 61, "status_s": 1, "peak_mb": 90
    }  # fmt: skip
    assert missed([planned], [slow, slow | {"limit": None}]) == [
        "sqlite 16 x 5: 3.00% lost",
        "sqlite, 100000 cells: planned in 61 s",
    ]
    assert missed([planned | {"plan_s": 30}], [slow | {"lost": 0.01}]) == []
