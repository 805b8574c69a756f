"""The same content in two studies of one store is trained once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from optuna.trial import TrialState

from ablations import registry
from runner.content.outcome import Reason, Status
from runner.optuna_mirror.mirror import Mirror, load_study
from runner.store import Lease, Planned, Store, StudyInfo, open_store
from runner.store.cells.adoption import adopt, trained_elsewhere
from tests.store_contract.crowd import crowd
from tests.store_contract.grids import LEASE, OPTIMIZERS, design, outcome, register

JOBS = "tests.store_contract.jobs"
OTHER = "wider-cpu-d4e5f6"
WIDER = (*OPTIMIZERS, "adamw")


def claimed(store: Store, study: StudyInfo, device: str = "cpu") -> Lease:
    lease = store.claim(
        study, "first", lease_seconds=LEASE, device=device, provenance={"commit": "c0ffee"}
    )
    assert lease is not None
    return lease


def trained(store: Store, study: StudyInfo, cells: int, device: str = "cpu") -> None:
    for number in range(cells):
        lease = claimed(store, study, device)
        assert store.finish(lease, outcome(accuracy=0.5 + number / 100), log="/logs/one.log")


def test_an_extended_study_under_another_name_trains_only_its_new_cells(
    store: Store, study: StudyInfo
) -> None:
    trained(store, study, 20)
    wider = register(store, OTHER, optimizers=WIDER)
    cells = [cell for cell, _ in design(WIDER)]
    assert store.adoptable(wider, cells) == {study.name: 20}
    assert store.plan(wider, design(WIDER)) == Planned(25, 0, 0, adopted={study.name: 20})
    assert store.adoptable(wider, cells) == {}
    assert store.adopted(wider) == {study.name: 20}
    assert store.adopted(study) == {}
    left = set()
    while lease := store.claim(wider, "second", lease_seconds=LEASE):
        left.add(lease.cell.labels["optimizer"])
        assert store.finish(lease, outcome())
    assert left == {"adamw"}
    assert store.status(wider).complete == 25
    assert store.status(study).complete == 20
    # Planning again is a no-op, and the first study finds nothing to take from the second.
    assert store.plan(wider, design(WIDER)) == Planned(0, 25, 0)
    assert store.plan(study, design()) == Planned(0, 20, 0)


def test_an_adopted_cell_reads_as_if_it_had_been_trained_here(
    store: Store, study: StudyInfo
) -> None:
    trained(store, study, 3)
    other = register(store, OTHER)
    store.plan(other, design())
    there = {row["cell"]: row for row in store.runs(study) if row["state"] == "complete"}
    here = {row["cell"]: row for row in store.runs(other) if row["state"] == "complete"}
    assert len(there) == 3
    assert {row["adopted_from"] for row in there.values()} == {None}
    assert here == {
        cell: row | {"adopted_from": study.name, "run_order": here[cell]["run_order"]}
        for cell, row in there.items()
    }
    assert store.curves(other) == store.curves(study)
    assert store.attempts(other) == store.attempts(study)
    (attempt,) = store.attempts(other, next(iter(here)))
    assert (attempt["commit"], attempt["log"]) == ("c0ffee", "/logs/one.log")
    assert store.status(other).statuses == {"reached": 3}


def test_an_adopted_cell_is_a_trial_of_the_adopting_study_too(
    store: Store, study: StudyInfo
) -> None:
    trained(store, study, 2)
    other = register(store, OTHER)
    store.plan(other, design())
    for info in (study, other):
        with Mirror(store, info) as mirror:
            assert mirror.sync() == 2
            assert mirror.sync() == 0
    first, second = load_study(store, study).trials, load_study(store, other).trials
    assert [trial.state for trial in second] == [TrialState.COMPLETE] * 2
    for one, two in zip(first, second, strict=True):
        assert two.user_attrs == one.user_attrs | {"adopted_from": study.name}
        assert (two.params, two.value) == (one.params, one.value)
        assert two.intermediate_values == one.intermediate_values
        assert len(two.intermediate_values) == 3
        assert two.datetime_complete == one.datetime_complete


def test_what_is_not_complete_elsewhere_is_planned_as_usual(store: Store, study: StudyInfo) -> None:
    store.fail(claimed(store, study), Reason.BUG, "boom")
    lost = claimed(store, study)
    claimed(store, study)  # runs on
    store.fail(lost, Reason.KILLED, "a signal")  # waits again
    other = register(store, OTHER)
    assert store.plan(other, design()) == Planned(20, 0, 0)
    assert store.status(other).waiting == 20


def test_a_diverged_cell_is_an_outcome_and_adopted(store: Store, study: StudyInfo) -> None:
    store.finish(claimed(store, study), outcome(0.1, Status.DIVERGED))
    other = register(store, OTHER)
    assert store.plan(other, design()).adopted == {study.name: 1}
    assert store.status(other).statuses == {"diverged": 1}


def test_a_cell_that_waits_here_is_completed_when_it_is_planned_again(
    store: Store, study: StudyInfo
) -> None:
    other = register(store, OTHER)
    store.plan(other, design())
    mine = claimed(store, other)  # the first cell: held here, so nothing is taken from under it
    failed = claimed(store, other)
    store.fail(failed, Reason.BUG, "boom")
    released = claimed(store, other)
    store.release(released)
    trained(store, study, 20)
    assert store.plan(other, design()) == Planned(0, 20, 0, adopted={study.name: 18})
    status = store.status(other)
    assert (status.complete, status.running, status.failed, status.waiting) == (18, 1, 1, 0)
    assert [row["state"] for row in store.attempts(other, released.cell.id)] == [
        "released",
        "complete",
    ]
    assert store.finish(mine, outcome())
    store.retry(other)
    assert store.plan(other, design()).adopted == {study.name: 1}
    assert store.status(other).complete == 20


def test_a_cell_claimed_between_look_and_adoption_is_left_to_its_worker(
    store: Store, study: StudyInfo
) -> None:
    other = register(store, OTHER)
    store.plan(other, design())
    mine = claimed(store, other)
    trained(store, study, 1)
    number = store.find_key(other).id
    seen = store.database.read(lambda connection: trained_elsewhere(connection, other.name))
    assert list(seen) == [mine.cell.id]
    assert not store.database.write(lambda connection: adopt(connection, number, seen))
    assert store.beat([mine]) == set()
    assert store.finish(mine, outcome())
    assert store.adopted(other) == {}


def test_the_origin_is_the_study_that_trained_also_through_a_chain(
    store: Store, study: StudyInfo
) -> None:
    trained(store, study, 4)
    second, third = register(store, OTHER), register(store, "third-cpu-000000")
    store.plan(second, design())
    trained(store, second, 2)
    assert store.plan(third, design()).adopted == {study.name: 4, second.name: 2}
    assert store.adopted(third) == {study.name: 4, second.name: 2}
    assert len(store.curves(third)["epoch"]) == 18


def test_the_origin_is_the_study_that_trained_whichever_was_planned_first(
    store: Store, study: StudyInfo
) -> None:
    second, third = register(store, OTHER), register(store, "third-cpu-000000")
    store.plan(second, design())
    trained(store, second, 2)
    assert store.plan(study, design()).adopted == {second.name: 2}
    assert store.plan(third, design()).adopted == {second.name: 2}


def test_a_cell_the_other_study_no_longer_holds_is_adopted_all_the_same(
    store: Store, study: StudyInfo
) -> None:
    trained(store, study, 5)
    store.plan(study, [])
    other = register(store, OTHER)
    assert store.plan(other, design()).adopted == {study.name: 5}


def test_other_content_is_not_adopted(store: Store, study: StudyInfo) -> None:
    trained(store, study, 20)
    other = register(store, OTHER, replicates=2)
    changed = store.plan(other, design(epochs=4))
    assert (changed.new, changed.adopted) == (20, {})
    again = store.plan(other, [pair for pair in design(replicates=2) if pair[0].replicate == 1])
    assert (again.new, again.adopted) == (20, {})


@pytest.mark.parametrize(("device", "kind"), [("cpu", "cpu"), ("GPU-5c1b", "cuda")])
def test_only_what_the_same_kind_of_device_trained_is_adopted(
    store: Store, study: StudyInfo, device: str, kind: str
) -> None:
    trained(store, study, 2, device)
    taken = {}
    for asked in ("cpu", "cuda"):
        other = register(store, f"on-{asked}-000000")
        cells = [cell for cell, _ in design()]
        would = store.adoptable(other, cells, kind=asked)  # type: ignore[arg-type]
        taken[asked] = store.plan(other, design(), kind=asked).adopted  # type: ignore[arg-type]
        assert taken[asked] == would
    assert taken == {kind: {study.name: 2}, ({"cpu", "cuda"} - {kind}).pop(): {}}


def test_a_cell_of_a_plugin_is_trained_in_each_study(store: Store, tmp_path: Path) -> None:
    """Its id does not hash the plugin's code, so two of one name may be two trainings."""
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "from ablations.registry import level\n@level('optimizer')\ndef homemade(parameters): ...\n"
    )
    registry.load_plugins((str(plugin),))
    labels = ("adam", "homemade")
    studies = [register(store, name, optimizers=labels) for name in ("one-cpu-0", "two-cpu-0")]
    store.plan(studies[0], design(labels))
    trained(store, studies[0], 10)
    assert store.plan(studies[1], design(labels)).adopted == {"one-cpu-0": 5}
    waiting = [row for row in store.runs(studies[1]) if row["state"] == "waiting"]
    assert {row["factor:optimizer"] for row in waiting} == {"homemade"}
    other_model = [
        (replace(cell, model=cell.model.model_copy(update={"name": "mine"})), order)
        for cell, order in design(("adam",))
    ]
    assert all(cell.is_built_in for cell, _ in design(("adam",)))
    registry._register("model", "mine", registry.find("optimizer", "homemade").function, {})
    assert not any(cell.is_built_in for cell, _ in other_model)


def test_launchers_and_workers_at_one_instant_complete_each_cell_once(
    store: Store, study: StudyInfo, store_url: str
) -> None:
    trained(store, study, 20)
    other = register(store, OTHER, replicates=3)
    store.plan(other, [pair for pair in design(replicates=3) if pair[0].replicate])
    results = crowd(f"{JOBS}:plan_and_work", 6, store_url, OTHER)
    done = Counter(cell for cells in results for cell in cells)
    assert len(done) == 40, results
    assert set(done.values()) == {1}
    assert store.status(other).complete == 60
    assert store.adopted(other) == {study.name: 20}
    assert len(store.attempts(other)) == 60


def test_a_curve_of_not_a_number_is_adopted_as_it_is(store: Store, study: StudyInfo) -> None:
    told = outcome(epochs=1)
    (epoch,) = told.curve
    strange = replace(told, curve=(replace(epoch, train_loss=float("nan")),))
    store.finish(claimed(store, study), strange)
    other = register(store, OTHER)
    store.plan(other, design())
    assert store.curves(other)["train_loss"] == [None]


def test_adopted_cells_survive_the_process_that_planned_them(
    store: Store, study: StudyInfo, store_url: str
) -> None:
    trained(store, study, 1)
    other = register(store, OTHER)
    store.plan(other, design())
    with open_store(store_url) as again:
        assert again.adopted(other) == {study.name: 1}
        assert not again.reconcile(other)
        assert again.status(other).complete == 1
