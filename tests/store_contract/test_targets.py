"""Reaching the target is told when a study is read: another target retrains nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from runner.content.outcome import Status, Target, told
from runner.store import Store, StudyInfo
from runner.store.database.tables import cells
from runner.store.store import Planned
from tests.store_contract.grids import LEASE, design, outcome, register

NAME = "grid-cpu-a1b2c3"


def trained(store: Store, target: float | None = None) -> StudyInfo:
    """Five cells: 25, 75 and 50 % right, one stalled, one that diverged at its best."""
    study = register(store, target=target)
    store.plan(study, design(target=target)[:5])
    endings = [outcome(0.25), outcome(0.75), outcome(0.5), outcome(0.125, Status.STALLED)]
    for ended in [*endings, outcome(0.9, Status.DIVERGED)]:
        lease = store.claim(study, "w", lease_seconds=LEASE)
        assert lease is not None
        assert store.finish(lease, ended)
    return study


def statuses(store: Store, study: StudyInfo) -> list[str]:
    return [row["status"] for row in store.runs(study)]


def test_runs_are_told_by_the_target_of_the_file_as_it_is_now(store: Store) -> None:
    study = trained(store, 0.75)
    assert statuses(store, study) == ["short", "reached", "short", "stalled", "diverged"]
    assert [row["epochs_to_target"] for row in store.runs(study)][:4] == [None, 3, None, None]
    lower = register(store, target=0.5)
    assert store.plan(lower, design(target=0.5)[:5]) == Planned(new=0, known=5, retired=0)
    assert store.status(lower).complete == 5
    assert store.find_target(lower) == Target(0.5)
    assert statuses(store, lower) == ["short", "reached", "reached", "stalled", "diverged"]
    assert [row["epochs_to_target"] for row in store.runs(lower)][:4] == [None, 2, 3, None]
    counts = {"short": 1, "reached": 2, "stalled": 1, "diverged": 1}
    assert store.status(lower).statuses == counts
    guessing = [True, True, True, False, False]
    assert [row["better_than_guessing"] for row in store.runs(lower)] == guessing


def test_a_target_nobody_named_lies_half_way_from_chance_to_the_best(store: Store) -> None:
    study = register(store)
    assert store.find_target(study) is None  # nothing to derive it from
    trained(store)
    assert store.find_target(study) == Target(0.5, derived=True)  # (0.1 + 0.9) / 2
    assert statuses(store, study) == ["short", "reached", "reached", "stalled", "diverged"]


def test_a_study_that_learned_nothing_has_no_target(store: Store) -> None:
    study = register(store)
    store.plan(study, design()[:2])
    for accuracy in (0.0625, 0.1):
        lease = store.claim(study, "w", lease_seconds=LEASE)
        assert lease is not None
        assert store.finish(lease, outcome(accuracy, Status.STALLED))
    assert store.find_target(study) is None
    assert statuses(store, study) == ["stalled", "stalled"]


def test_the_converged_of_before_become_reached_or_short(store: Store) -> None:
    study = trained(store, 0.75)
    store.database.write(
        lambda connection: connection.execute(
            update(cells).where(cells.c.status == "learned").values(status="converged")
        )
    )
    assert statuses(store, study) == ["short", "reached", "short", "stalled", "diverged"]
    counts = {"short": 2, "reached": 1, "stalled": 1, "diverged": 1}
    assert store.status(study).statuses == counts


def test_an_adopted_run_is_told_by_the_target_of_its_new_study(store: Store) -> None:
    trained(store, 0.75)
    other = register(store, name="other-cpu-a1b2c3", target=0.25)
    planned = store.plan(other, design(target=0.25)[:5])
    assert planned.adopted == {NAME: 5}
    assert statuses(store, other) == ["reached", "reached", "reached", "stalled", "diverged"]
    assert [row["epochs_to_target"] for row in store.runs(other)][:3] == [3, 1, 2]


@pytest.mark.parametrize(
    ("status", "reached", "read"),
    [
        (Status.LEARNED, True, Status.REACHED),
        (Status.LEARNED, False, Status.SHORT),
        (Status.STALLED, True, Status.REACHED),  # it was there, and fell back
        (Status.STALLED, False, Status.STALLED),
        (Status.DIVERGED, True, Status.DIVERGED),  # it ended without a network
        (Status.TIMEOUT, True, Status.TIMEOUT),
    ],
)
def test_the_status_as_people_read_it(status: Status, reached: bool, read: Status) -> None:
    assert told(status, reached) is read


def test_a_target_is_no_part_of_a_cell() -> None:
    ((one, _),) = design(target=0.5)[:1]
    ((other, _),) = design(target=0.9)[:1]
    assert one.id == other.id
    assert one.id != replace(one, replicate=1).id
