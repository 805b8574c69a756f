from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from ablations.errors import InputError
from runner.content.cell import Level
from runner.content.outcome import Reason
from runner.store import Planned, State, Store, StudyInfo
from runner.store.cells.liveness import machine
from runner.store.database.tables import attempts
from tests.store_contract.crowd import crowd
from tests.store_contract.grids import (
    LEASE,
    OPTIMIZERS,
    SCHEDULERS,
    design,
    outcome,
    planned,
    register,
)

JOBS = "tests.store_contract.jobs"


def test_a_study_is_read_back_as_registered(store: Store) -> None:
    study = register(store)
    assert store.find_study("grid-cpu") == study
    assert study.factors == {"optimizer": list(OPTIMIZERS), "scheduler": list(SCHEDULERS)}
    assert list(study.factors) == ["optimizer", "scheduler"]
    assert study.levels["optimizer"]["sgd"] == {"name": "sgd", "parameters": {}}
    assert (study.profile, study.replicates) == ("cpu", 1)
    assert study.claims == ["optimizer: adam > sgd"]
    assert study.data["name"] == "digits"
    assert study.model["depth"] == 16
    assert study.train["batch_size"] == 128
    assert abs((study.created - datetime.now(UTC)).total_seconds()) < 60


def test_a_study_is_found_by_an_unambiguous_beginning(store: Store) -> None:
    with pytest.raises(InputError, match="holds no study yet"):
        store.find_study("grid")
    one = register(store, "grid-cpu-aaaaaa")
    two = register(store, "grid-cpu-aaaaaa-long")
    assert store.find_study("grid-cpu-aaaaaa") == one
    assert store.find_study("grid-cpu-aaaaaa-") == two
    with pytest.raises(InputError, match=r"beginning of several studies: .*aaaaaa, .*long"):
        store.find_study("gri")
    with pytest.raises(InputError, match="did you mean 'grid-cpu-aaaaaa'"):
        store.find_study("grid-cpu-aaaaab")


def test_the_name_in_the_file_is_not_the_beginning_of_another(store: Store) -> None:
    one = register(store, "vgg-cpu-aaaaaa")
    two = register(store, "vgg_more-cpu-bbbbbb")
    assert store.find_study("vgg") == one
    assert store.find_study("vgg_") == two
    register(store, "vgg-cuda-cccccc")
    with pytest.raises(InputError, match=r"several studies: vgg-cpu-aaaaaa, vgg-cuda-cccccc$"):
        store.find_study("vgg")


def test_planning_again_changes_nothing(store: Store, study: StudyInfo) -> None:
    before = store.runs(study)
    assert store.plan(study, design()) == Planned(new=0, known=20, retired=0)
    assert store.runs(study) == before
    assert (
        store.register(
            name=study.name,
            profile="cpu",
            spec=study.spec,
            factors={
                factor: [Level(factor, label, **study.levels[factor][label]) for label in labels]
                for factor, labels in study.factors.items()
            },
            replicates=1,
            claims=study.claims,
        )
        == study
    )


def test_two_launchers_of_one_specification_share_the_rows(store: Store, store_url: str) -> None:
    results = crowd(f"{JOBS}:plan_the_same", 4, store_url)
    assert sum(new for new, _, _ in results) == 60
    assert all(new + known == 60 and retired == 0 for new, known, retired in results)
    (study,) = store.studies()
    assert store.status(study).planned == 60
    assert len({row["cell"] for row in store.runs(study)}) == 60


def test_a_level_and_a_replicate_added_later_add_only_their_cells(
    store: Store, study: StudyInfo
) -> None:
    lease = store.claim(study, "w", lease_seconds=LEASE)
    assert lease is not None
    store.finish(lease, outcome())
    wider = register(store, optimizers=(*OPTIMIZERS, "adamw"), replicates=2)
    changed = store.plan(wider, design((*OPTIMIZERS, "adamw"), replicates=2))
    assert changed == Planned(new=30, known=20, retired=0)
    assert store.find_study(study.name).factors["optimizer"][-1] == "adamw"
    status = store.status(wider)
    assert (status.planned, status.complete) == (50, 1)
    assert sorted(status.replicates) == [0, 1]
    orders = [row["run_order"] for row in store.runs(wider)]
    assert orders == sorted(orders)


def test_a_cell_that_left_the_design_is_kept_out_and_comes_back(
    store: Store, study: StudyInfo
) -> None:
    lease = store.claim(study, "w", lease_seconds=LEASE)  # adam, constant
    assert lease is not None
    store.finish(lease, outcome(accuracy=0.625))
    without_adam = OPTIMIZERS[1:]
    register(store, optimizers=without_adam)
    assert store.plan(study, design(without_adam)) == Planned(new=0, known=15, retired=5)
    status = store.status(study)
    assert (status.planned, status.retired, status.complete) == (15, 5, 0)
    assert {row["factor:optimizer"] for row in store.runs(study)} == set(without_adam)
    assert store.curves(study)["cell"] == []
    next_lease = store.claim(study, "w", lease_seconds=LEASE)
    assert next_lease is not None
    assert next_lease.cell.labels["optimizer"] == "sgd"
    assert store.plan(study, design()) == Planned(new=0, known=20, retired=0)
    assert store.status(study).complete == 1
    (there,) = store.runs(study, state=State.COMPLETE)
    assert there["test_accuracy"] == 0.625


def test_a_cell_may_finish_while_it_is_out_of_the_design(store: Store, study: StudyInfo) -> None:
    lease = store.claim(study, "w", lease_seconds=LEASE)
    assert lease is not None
    store.plan(study, design(OPTIMIZERS[1:]))
    assert store.finish(lease, outcome())
    assert store.status(study).complete == 0
    store.plan(study, design())
    assert store.status(study).complete == 1


def test_a_failed_cell_out_of_the_design_is_not_retried(store: Store, study: StudyInfo) -> None:
    lease = store.claim(study, "w", lease_seconds=LEASE)
    assert lease is not None
    store.fail(lease, Reason.BUG, "")
    store.plan(study, design(OPTIMIZERS[1:]))
    assert store.retry(study) == 0


def test_a_new_name_for_a_level_is_the_same_cell(store: Store, study: StudyInfo) -> None:
    renamed = [
        (
            replace(
                cell,
                levels=tuple(
                    replace(one, label="quick") if one.label == "adam" else one
                    for one in cell.levels
                ),
            ),
            order,
        )
        for cell, order in design()
    ]
    assert store.plan(study, renamed) == Planned(new=0, known=20, retired=0)
    assert store.runs(study)[0]["factor:optimizer"] == "quick"
    lease = store.claim(study, "w", lease_seconds=LEASE)
    assert lease is not None
    assert lease.cell.labels["optimizer"] == "quick"


def test_a_cell_listed_twice_is_planned_once(store: Store) -> None:
    study = register(store)
    assert store.plan(study, [*design(), *design()]) == Planned(new=20, known=0, retired=0)


def test_an_empty_design_retires_everything(store: Store, study: StudyInfo) -> None:
    assert store.plan(study, []) == Planned(new=0, known=0, retired=20)
    assert store.runs(study) == []
    assert store.claim(study, "w", lease_seconds=LEASE) is None


def test_status_counts_by_state_reason_and_replicate(store: Store) -> None:
    study = planned(store, 40)
    for order in range(22):
        lease = store.claim(study, "w", lease_seconds=LEASE)
        assert lease is not None
        if order < 3:
            store.fail(lease, Reason.BUG, "")
        elif order < 21:
            store.finish(lease, outcome())
    status = store.status(study)
    assert (status.waiting, status.running, status.complete, status.failed) == (18, 1, 18, 3)
    assert status.replicates[0] == {"waiting": 0, "running": 0, "complete": 17, "failed": 3}
    assert status.replicates[1] == {"waiting": 18, "running": 1, "complete": 1, "failed": 0}
    assert status.statuses == {"reached": 18, "failed": 3}
    assert store.open_cells(study) == 19


def test_cells_that_another_plan_took_out_are_counted(store: Store, study: StudyInfo) -> None:
    whole = [cell for cell, _ in design()]
    assert store.taken_out(study, whole) == 0
    store.plan(study, design(OPTIMIZERS[:2]))
    assert store.taken_out(study, whole) == 10
    assert store.taken_out(study, whole[:10]) == 0


def test_who_trains_a_study_is_known_but_for_processes_that_are_gone(
    store: Store, study: StudyInfo
) -> None:
    assert store.trainers(study) == {}
    leases = [store.claim(study, worker, lease_seconds=LEASE) for worker in ("a", "a", "b")]
    assert store.trainers(study) == {"a": 2, "b": 1}
    gone = update(attempts).where(attempts.c.worker == "a").values(owner=f"{machine()} 1 never")
    store.database.write(lambda connection: connection.execute(gone))
    assert store.trainers(study) == {"b": 1}
    assert leases[2] is not None
    store.finish(leases[2], outcome())
    assert store.trainers(study) == {}
