"""A study taken into another store is read as it was, and goes on there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ablations.errors import InputError
from runner.content.outcome import Reason
from runner.optuna_mirror.mirror import Mirror, load_study
from runner.store import Counts, Store, StudyInfo, open_store
from runner.tuning.groups import GIVEN, TRIALS
from tests.store_contract.grids import LEASE, design, outcome, register
from tests.store_contract.test_evidence import SEEN

NAME = "grid-cpu-a1b2c3"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/other.db", create=True) as opened:
        yield opened


def trained(store: Store, name: str = NAME, cells: int = 20, done: int = 3) -> StudyInfo:
    """A study of which some are complete, one failed once and for all, and one is running."""
    study = register(store, name)
    store.plan(study, design()[:cells])
    for number in range(done):
        lease = store.claim(study, "first", lease_seconds=LEASE, provenance={"commit": "c0ffee"})
        assert lease is not None
        assert store.finish(
            lease, replace(outcome(0.5 + number / 100), evidence=SEEN), log="/logs/one.log"
        )
    return study


def as_read(store: Store, name: str) -> dict[str, Any]:
    """What verbs read of a study."""
    study = store.load_study(name)
    return {
        "study": (study.profile, study.factors, study.claims, study.spec, study.created),
        "runs": [{k: v for k, v in one.items() if k != "state"} for one in store.runs(study)],
        "curves": store.curves(study),
        "evidence": store.evidence_of(study, [one["cell"] for one in store.runs(study)]),
        "attempts": [
            {k: v for k, v in one.items() if k not in ("id", "trial_id", "mirrored")}
            for one in store.attempts(study)
        ],
        "content": [store.content(study, one["cell"]) for one in store.runs(study)],
    }


@pytest.mark.parametrize("way", ["there", "back"])
def test_a_copied_study_is_read_as_it_was(store: Store, other: Store, way: str) -> None:
    source, target = (store, other) if way == "there" else (other, store)
    register(target, "another-cpu-000000")  # numbers of rows differ
    target.plan("another-cpu-000000", design())
    trained(source)
    copied = source.copy(NAME, target)
    assert (copied.studies, copied.cells, copied.complete) == ((NAME,), 20, 3)
    assert as_read(target, NAME) == as_read(source, NAME)
    assert len(target.curves(NAME)["cell"]) == 9


def test_what_is_being_trained_there_waits_here_and_the_rest_goes_on(
    store: Store, other: Store
) -> None:
    study = trained(store)
    failed = store.claim(study, "first", lease_seconds=LEASE)
    running = store.claim(study, "first", lease_seconds=LEASE)
    assert failed is not None
    assert running is not None
    store.fail(failed, Reason.BUG, "it broke", retry=False)
    store.copy(study, other)
    counts: Counts = other.status(NAME)
    assert (counts.complete, counts.failed, counts.running, counts.waiting) == (3, 1, 0, 16)
    lease = other.claim(NAME, "second", lease_seconds=LEASE, prefer=[running.cell.id])
    assert lease is not None
    assert lease.cell.id == running.cell.id
    assert other.finish(lease, outcome())
    assert store.finish(running, outcome()), "the store of before is as it was"


def test_studies_under_its_name_come_along_and_no_other(store: Store, other: Store) -> None:
    trained(store)
    trained(store, NAME + TRIALS + "optimizer=adam-123456", done=1)
    given = register(store, NAME + GIVEN)
    store.plan(given, design())  # adopts what the study trained
    trained(store, NAME + "00")
    copied = store.copy(NAME, other)
    names = (NAME, NAME + TRIALS + "optimizer=adam-123456", NAME + GIVEN)
    assert copied.studies == names
    for name in names:
        assert as_read(other, name) == as_read(store, name)
    assert other.adopted(NAME + GIVEN) == store.adopted(NAME + GIVEN)
    assert other.adopted(NAME + GIVEN)[NAME] == 3


def test_a_cell_whose_origin_stays_behind_takes_its_curve_along(store: Store, other: Store) -> None:
    trained(store, "origin-cpu-000000")
    study = register(store)
    store.plan(study, design())
    assert store.adopted(study) == {"origin-cpu-000000": 3}
    store.copy(study, other)
    assert len(other.curves(NAME)["cell"]) == 9
    assert other.curves(NAME) == store.curves(study)
    assert other.adopted(NAME) == {}


def test_what_the_other_store_has_is_left(store: Store, other: Store) -> None:
    trained(store)
    trained(other, done=1)
    before = as_read(other, NAME)
    with pytest.raises(InputError, match=f"has a study '{NAME}' already"):
        store.copy(NAME, other)
    assert as_read(other, NAME) == before


def test_a_copy_is_mirrored_anew(store: Store, other: Store) -> None:
    study = trained(store)
    store.copy(study, other)
    for one in (store, other):
        with Mirror(one, one.load_study(NAME)) as mirror:
            assert mirror.sync() == 3
    there, here = (load_study(one, one.load_study(NAME)).trials for one in (store, other))
    assert [one.value for one in here] == [one.value for one in there]
    assert len(here) == 3
