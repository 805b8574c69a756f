"""What the layers of a cell did, kept beside its outcome: in every database, old ones included."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from runner.content.outcome import Outcome
from runner.content.outcome_files import read_outcome, write_outcome
from runner.probe.record import Evidence, LayerName, Look
from runner.store import Store, StoreDamaged, StudyInfo, open_store
from runner.store.database.tables import evidence
from runner.store.traces import AT_ONCE
from tests.store_contract.grids import LEASE, design, outcome, register

LOOK = Look(0, 0, 2.3, 2.3, 0.1, 2.3, 0.1, 1.0, 1, 0.5, {"mean": (0.5,)})
SEEN: dict[str, Any] = Evidence(
    16, 64, 10, (LayerName("conv", "weighted", 4),), (LOOK,), losses=(2.3, 2.2)
).to_plain()


def finished(store: Store, study: StudyInfo, ended: Outcome) -> str:
    lease = store.claim(study, "w", lease_seconds=LEASE)
    assert lease is not None
    assert store.finish(lease, ended)
    assert store.finish(lease, ended)  # the acknowledgement was lost
    return lease.cell.id


def test_it_is_read_as_it_was_written_with_the_curve(store: Store, study: StudyInfo) -> None:
    cell = finished(store, study, replace(outcome(), evidence=SEEN))
    bare = finished(store, study, outcome())
    found = store.traces(study, [cell, bare, "nowhere"])
    assert found[cell].evidence == SEEN
    assert found[cell].curve == outcome().curve
    assert found[bare].evidence is None
    assert set(found) == {cell, bare}
    assert store.evidence_of(study, [cell, bare]) == {cell: SEEN}


def test_a_store_of_before_has_none_until_the_first(store: Store, study: StudyInfo) -> None:
    bare = finished(store, study, outcome())
    there = inspect(store.database.engine).has_table(evidence.name)
    assert not there or store.evidence_of(study, [bare]) == {}
    with store.database.engine.connect() as connection:
        before = connection.scalars(text("SELECT version FROM ablation_schema")).all()
    cell = finished(store, study, replace(outcome(), evidence=SEEN))
    with store.database.engine.connect() as connection:
        after = connection.scalars(text("SELECT version FROM ablation_schema")).all()
    assert before == after  # programs of before go on with it
    assert set(store.evidence_of(study, [bare, cell])) == {cell}


def test_an_adopted_cell_has_that_of_where_it_was_trained(store: Store, study: StudyInfo) -> None:
    cell = finished(store, study, replace(outcome(), evidence=SEEN))
    other = register(store, "other-cpu-d4e5f6")
    store.plan(other, design())
    assert store.traces(other, [cell])[cell].evidence == SEEN


def test_many_cells_are_asked_about_at_once(store: Store, study: StudyInfo) -> None:
    cell = finished(store, study, replace(outcome(), evidence=SEEN))
    names = [f"{number:016x}" for number in range(AT_ONCE + 1)]
    assert set(store.traces(study, [*names, cell])) == {cell}


def test_a_damaged_one_is_named(store: Store, study: StudyInfo) -> None:
    cell = finished(store, study, replace(outcome(), evidence=SEEN))
    with store.database.engine.begin() as connection:
        connection.execute(text('UPDATE cell_evidence SET evidence = \'{"images": "many"}\''))
    with pytest.raises(StoreDamaged, match=f"table cell_evidence, cell {cell} of study"):
        store.evidence_of(study, [cell])


def test_an_outcome_file_carries_it(tmp_path: Path) -> None:
    write_outcome(tmp_path, "cell", "token", replace(outcome(), evidence=SEEN))
    found = read_outcome(tmp_path, "cell", "token")
    assert found is not None
    assert found.evidence == SEEN


def test_a_store_that_is_only_read_gets_no_table(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    open_store(str(path), create=True).close()
    with open_store(str(path)) as store:
        study = register(store)
        assert store.traces(study, ["cell"]) == {}
        assert not inspect(store.database.engine).has_table(evidence.name)
