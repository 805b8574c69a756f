"""When failures are the grid's and not a cell's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.content.outcome import Outcome, Reason, Status
from runner.pool.alike import FirstCells, alike
from runner.store import Store, StudyInfo, open_store
from tests.store_contract.grids import outcome, planned

FACTORS = {"init": ["he", "naive"], "optimizer": ["adam", "sgd"]}
GRID = [("he", "adam"), ("he", "sgd"), ("naive", "adam"), ("naive", "sgd")]


def failed(init: str, optimizer: str, detail: str, reason: str = "bug") -> dict[str, Any]:
    return {
        "cell": f"{init}-{optimizer}",
        "factor:init": init,
        "factor:optimizer": optimizer,
        "reason": reason,
        "detail": detail,
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("KeyError: 'width'", "KeyError: 'width'"),
        ("cannot open /data/a/1.npy", "cannot open /data/b/27.npy"),
        ("got 32 of shape [3, 8]", "got 7 of shape [12, 8.5]"),
        ("<Net at 0x7f00aa>: no run 0123456789ab", "<Net at 0x7e11>: no run fedcba987654"),
    ],
)
def test_messages_that_differ_in_what_is_the_cells_own_are_alike(first: str, second: str) -> None:
    rows = [failed(*one, (first, second)[n % 2]) for n, one in enumerate(GRID)]
    found = alike(rows, FACTORS, 4)
    assert found is not None
    assert found == (4, "he-adam", "bug", first)


def test_too_few_or_another_mistake_stop_nothing() -> None:
    rows = [failed(*one, "KeyError: 'width'") for one in GRID]
    assert alike(rows[:3], FACTORS, 4) is None
    assert alike([*rows[:3], failed(*GRID[3], "KeyError: 'depth'")], FACTORS, 4) is None
    assert alike([*rows[:3], failed(*GRID[3], "KeyError: 'width'", "data")], FACTORS, 4) is None


def test_a_level_that_all_of_them_share_may_be_what_fails() -> None:
    rows = [failed("naive", optimizer, "boom") for _, optimizer in GRID]
    assert alike(rows, FACTORS, 4) is None
    assert alike(4 * rows, FACTORS, 4) is not None, "so many would not share it by chance"
    assert alike(rows, {**FACTORS, "init": ["naive"]}, 4) is not None, "there is no other level"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/store.db", create=True) as opened:
        yield opened


def fail(store: Store, study: StudyInfo, count: int, detail: str = "boom") -> None:
    for _ in range(count):
        lease = store.claim(study, "w", lease_seconds=60.0)
        assert lease is not None
        store.fail(lease, Reason.BUG, detail, retry=False)


def test_a_run_is_stopped_once_all_of_its_first_cells_failed(store: Store) -> None:
    study = planned(store)
    first = FirstCells(store, study, slots=2)
    fail(store, study, 3)
    assert first.look() is None
    fail(store, study, 6)
    found = first.look()
    assert found is not None
    assert (found.cells, found.reason, found.detail) == (9, "bug", "boom")
    again = FirstCells(store, study, slots=2)
    assert again.look() is None, "a run that continues counts its own"
    fail(store, study, 9)
    assert again.look() is not None


@pytest.mark.parametrize("status", [Status.LEARNED, Status.DIVERGED])
def test_one_result_is_enough_to_go_on(store: Store, status: Status) -> None:
    study = planned(store)
    first = FirstCells(store, study, slots=2)
    lease = store.claim(study, "w", lease_seconds=60.0)
    assert lease is not None
    ended = outcome() if status is Status.LEARNED else Outcome(Status.DIVERGED, diverged_epoch=1)
    store.finish(lease, ended)
    fail(store, study, 18)
    assert first.look() is None


def test_more_slots_want_more_failures_and_nothing_that_waits_wants_none(store: Store) -> None:
    study = planned(store)
    many, few = FirstCells(store, study, slots=8), FirstCells(store, study, slots=1)
    fail(store, study, 15)
    assert many.look() is None
    assert few.look() is not None
    last = FirstCells(store, study, slots=1)
    fail(store, study, 5)
    assert last.look() is None, "there is no further cell to leave alone"
