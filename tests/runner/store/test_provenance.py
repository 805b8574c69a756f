"""Where attempts came from: versions of the specification, and what their trials say of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from analysis.report.current import STATE, is_current, state_of
from runner.machine.provenance import provenance
from runner.optuna_mirror.mirror import Mirror, load_study
from runner.store import Store, StudyInfo, open_store
from runner.store.cells.studies import spec_digest, spec_versions
from runner.store.database.tables import specs
from tests.store_contract.grids import LEASE, planned


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/store.db", create=True) as opened:
        yield opened


def again(store: Store, study: StudyInfo, **changes: object) -> StudyInfo:
    return store.register(
        name=study.name,
        profile=study.profile,
        spec={**study.spec, **changes},
        factors={},
        replicates=study.replicates,
    )


def test_every_version_of_a_specification_is_kept(store: Store) -> None:
    first = planned(store)
    second = again(store, first, claims=["optimizer: adam > sgd by 1"])
    again(store, second)
    kept = store.database.read(lambda connection: spec_versions(connection, first.name))
    assert list(kept) == [first.spec_digest, second.spec_digest]
    assert kept[first.spec_digest] == first.spec
    assert first.spec_digest == spec_digest(json.loads(json.dumps(first.spec)))


def test_a_store_made_before_versions_were_kept_gets_them(store: Store) -> None:
    study = planned(store)
    store.database.write(lambda connection: specs.drop(connection))
    assert store.database.read(lambda connection: spec_versions(connection, study.name)) == {}
    again(store, study)
    kept = store.database.read(lambda connection: spec_versions(connection, study.name))
    assert list(kept) == [study.spec_digest]


def test_trials_name_their_environment_and_the_study_holds_it_once(store: Store) -> None:
    study = planned(store)
    where = {**provenance(), "spec": study.spec_digest}
    for _ in range(3):
        store.claim(study, "host:1", lease_seconds=LEASE, provenance=where)
    with Mirror(store, study) as mirror:
        assert mirror.sync() == 3
    found = load_study(store, study)
    (name,) = {trial.user_attrs["environment"] for trial in found.trials}
    assert found.user_attrs[f"environment {name}"]["versions"]["torch"]
    assert found.user_attrs[f"environment {name}"]["system"]
    assert [trial.user_attrs["spec"] for trial in found.trials] == [study.spec_digest] * 3
    for trial in found.trials:
        more = {key: trial.user_attrs[key] for key in ("environment", "spec")}
        assert len(json.dumps(more)) < 80, "the dashboard reads every trial"


def test_a_report_is_old_once_the_specification_says_something_else(
    store: Store, tmp_path: Path
) -> None:
    study = planned(store)
    (tmp_path / "report.html").write_text("")
    state = tmp_path / STATE
    state.write_text(json.dumps(state_of(pd.DataFrame(store.runs(study)), study.spec)))
    assert is_current(store, study, tmp_path)
    assert not is_current(store, again(store, study, claims=["other"]), tmp_path)
    state.write_text(json.dumps(state_of(pd.DataFrame(store.runs(study)))))
    assert is_current(store, study, tmp_path), "written from a table: nothing to compare"
