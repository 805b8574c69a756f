from __future__ import annotations

from collections import Counter
from itertools import chain
from pathlib import Path

import pytest
from sqlalchemy import event

from ablations.errors import InputError
from runner.content.outcome import Reason
from runner.store import Lease, State, Store, StudyInfo, open_store
from runner.store.cells import leasing
from runner.store.cells.leasing import Holder, new_token
from tests.store_contract.crowd import crowd
from tests.store_contract.grids import LEASE, design, outcome, planned, register

JOBS = "tests.store_contract.jobs"


def test_eight_processes_claim_400_cells_once_each(store: Store, store_url: str) -> None:
    study = planned(store, 400)
    done = crowd(f"{JOBS}:work", 8, store_url, study.name)
    cells = Counter(cell for cell, _ in chain(*done))
    assert len(cells) == 400
    assert set(cells.values()) == {1}
    assert {attempt for _, attempt in chain(*done)} == {1}
    assert store.status(study).complete == 400
    assert len(store.attempts(study)) == 400
    assert len(store.curves(study)["epoch"]) == 1200


def test_cells_are_claimed_in_run_order_and_end_with_none(store: Store, study: StudyInfo) -> None:
    leases = []
    while lease := store.claim(study, "w", lease_seconds=LEASE):
        leases.append(lease)
    assert [lease.cell.id for lease in leases] == [cell.id for cell, _ in design()]
    assert leases[0].cell == design()[0][0]
    assert store.claim(study, "w", lease_seconds=LEASE) is None
    assert store.open_cells(study) == 20


def test_preferred_cells_come_first_and_never_block(store: Store, study: StudyInfo) -> None:
    late = [cell.id for cell, _ in design()[-2:]]
    first = store.claim_many(study, "w", 3, lease_seconds=LEASE, prefer=late)
    assert {lease.cell.id for lease in first} == {*late, design()[0][0].id}
    then = store.claim(study, "w", lease_seconds=LEASE, prefer=late)
    assert then is not None
    assert then.cell.id == design()[1][0].id


def test_an_attempt_says_where_it_came_from(store: Store, study: StudyInfo) -> None:
    provenance = {"commit": "abc123", "dirty": True, "versions": {"torch": "2.14"}}
    lease = store.claim(
        study, "host-1:77", lease_seconds=LEASE, slot="gpu0.1", device="H200", provenance=provenance
    )
    assert lease is not None
    (attempt,) = store.attempts(study)
    assert attempt["state"] == "running"
    assert (attempt["worker"], attempt["slot"], attempt["device"]) == (
        "host-1:77",
        "gpu0.1",
        "H200",
    )
    assert (attempt["commit"], attempt["dirty"]) == ("abc123", True)
    assert attempt["versions"] == {"torch": "2.14"}
    assert attempt["cell"] == lease.cell.id
    assert store.attempts(study, lease.cell.id) == [attempt]
    assert store.attempts(study, "0" * 16) == []


def test_a_beat_carries_progress_and_refuses_what_moved_on(store: Store, study: StudyInfo) -> None:
    one, two = store.claim_many(study, "w", 2, lease_seconds=LEASE)
    epoch = outcome(epochs=2).curve[1]
    assert store.beat([one, two], progress={one.token: epoch}) == set()
    rows = {row["cell"]: row for row in store.running(study)}
    assert rows[one.cell.id]["epoch"] == 2
    assert rows[one.cell.id]["accuracy"] == pytest.approx(0.75)
    assert rows[two.cell.id]["epoch"] is None
    store.finish(one, outcome())
    assert store.beat([one, two], lease_seconds=5.0) == {one.token}
    assert store.beat([]) == set()


def test_a_claim_tried_again_is_the_same_claim_or_none(store: Store, study: StudyInfo) -> None:
    """Its acknowledgement was lost; before it is tried again others may have taken the cell."""
    key, holder, tokens = store.find_key(study), Holder.here("w", "", "", {}), [new_token()]

    def claim(repeated: bool) -> list[Lease]:
        return store.database.write(
            lambda connection: leasing.claim(
                connection, key, holder, tokens, LEASE, repeated=repeated
            )
        )

    (lease,) = claim(repeated=False)
    assert claim(repeated=True) == [lease]
    assert store.release(lease)
    assert claim(repeated=True) == []
    assert store.status(study).waiting == 20


def test_a_claim_after_a_failure_says_why(store: Store) -> None:
    study = planned(store, 1)
    first = store.claim(study, "w", lease_seconds=LEASE)
    assert first is not None
    assert (first.attempt, first.previous) == (1, None)
    assert store.fail(first, Reason.OOM, "CUDA out of memory") is State.WAITING
    second = store.claim(study, "w", lease_seconds=LEASE)
    assert second is not None
    assert (second.attempt, second.previous) == (2, Reason.OOM)
    assert second.token != first.token


def test_a_cell_of_another_training_version_is_not_handed_out(
    store: Store, study: StudyInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.content.cell.TRAINING_VERSION", 999)
    with pytest.raises(InputError, match="another version of the training code"):
        store.claim(study, "w", lease_seconds=LEASE)
    assert store.status(study).waiting == 20
    assert store.attempts(study) == []


def test_studies_do_not_claim_each_others_cells(store: Store, study: StudyInfo) -> None:
    empty = register(store, "other-cpu-000000")
    assert store.claim(empty, "w", lease_seconds=LEASE) is None
    assert store.status(empty).planned == 0
    with pytest.raises(InputError, match="no study 'never'"):
        store.claim("never", "w", lease_seconds=LEASE)


def test_a_store_opened_before_a_fork_works_in_the_children(
    store: Store, study: StudyInfo, store_url: str
) -> None:
    assert crowd(f"{JOBS}:fork_with_open_store", 1, store_url, study.name) == [4]


def test_claiming_reads_an_index_and_not_the_grid(tmp_path: Path) -> None:
    """A partial index helps only a query that says its condition in the same words."""
    with open_store(str(tmp_path / "store.db"), create=True) as store:
        study = planned(store)
        said: list[tuple[str, object]] = []

        @event.listens_for(store.database.engine, "before_cursor_execute")
        def listen(_c: object, _cursor: object, statement: str, values: object, *_: object) -> None:
            said.append((statement, values))

        lease = store.claim(study, "w", lease_seconds=LEASE)
        assert lease is not None
        store.beat([lease])
        store.open_cells(study)
        store.reconcile(study)
        store.running(study)
        store.finish(lease, outcome())
        with store.database.engine.connect() as connection:
            plans = [
                (statement, row[3])
                for statement, values in said
                if statement.startswith(("SELECT", "UPDATE", "WITH"))
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            ]
    assert len(plans) > 10
    assert [plan for plan in plans if plan[1].startswith("SCAN") and "chosen" not in plan[1]] == []
    assert any("cells_waiting" in detail for _, detail in plans)
    assert any("cells_running" in detail for _, detail in plans)
