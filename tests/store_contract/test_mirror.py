from __future__ import annotations

import sys
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC

import optuna
import pytest
from optuna.trial import TrialState
from sqlalchemy import text

from ablations.errors import InputError
from runner.commands.looking.dashboard import keep_current
from runner.content.outcome import Reason, Status
from runner.optuna_mirror.mirror import Mirror, load_study, optuna_storage
from runner.optuna_mirror.optuna_tables import open_storage
from runner.store import Lease, Store, StoreUnavailable, StudyInfo
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


def claimed(store: Store, study: StudyInfo) -> Lease:
    lease = store.claim(
        study,
        "host:7",
        lease_seconds=LEASE,
        slot="cpu0",
        device="cpu",
        provenance={"commit": "abc"},
    )
    assert lease is not None
    return lease


def sync(store: Store, study: StudyInfo) -> int:
    with Mirror(store, study) as mirror:
        return mirror.sync()


def test_an_attempt_becomes_a_trial_that_says_what_is_known(store: Store, study: StudyInfo) -> None:
    lease = claimed(store, study)
    assert sync(store, study) == 1
    (running,) = load_study(store, study).trials
    assert running.state is TrialState.RUNNING
    assert running.params == {**lease.cell.labels, "replicate": "0"}
    assert running.user_attrs["cell"] == lease.cell.id
    assert running.user_attrs["attempt"] == 1
    assert running.user_attrs["host"] == store.attempts(study)[0]["host"]
    assert running.user_attrs["commit"] == "abc"

    store.finish(lease, outcome(accuracy=0.75, epochs=50))
    assert sync(store, study) == 1
    (done,) = load_study(store, study).trials
    assert done.state is TrialState.COMPLETE
    assert done.number == running.number
    assert done.value == 0.75
    assert done.user_attrs["status"] == "learned"
    assert done.user_attrs["best_validation_accuracy"] == 0.75
    assert len(done.intermediate_values) == 20
    assert min(done.intermediate_values) == 1
    assert max(done.intermediate_values) == 50
    assert done.intermediate_values[50] == pytest.approx(0.75)
    attempt = store.attempts(study)[0]
    assert done.datetime_start is not None
    assert done.datetime_complete is not None
    assert done.datetime_start.astimezone(UTC) == attempt["started"]
    assert done.datetime_complete.astimezone(UTC) == attempt["ended"]
    assert sync(store, study) == 0


def test_every_attempt_has_its_trial_and_failures_are_failed_trials(store: Store) -> None:
    study = planned(store, 3)
    killed = claimed(store, study)
    store.fail(killed, Reason.KILLED, "killed by SIGKILL")
    store.finish(claimed(store, study), outcome(accuracy=0.5))  # the same cell again
    store.release(claimed(store, study))
    store.fail(claimed(store, study), Reason.BUG, "ValueError: x")
    diverged = outcome(accuracy=0.1, status=Status.DIVERGED)
    store.finish(claimed(store, study), diverged)
    assert sync(store, study) == 5
    found = load_study(store, study).trials
    assert [trial.state.name for trial in found] == ["FAIL", "COMPLETE", "FAIL", "FAIL", "COMPLETE"]
    assert [trial.user_attrs.get("reason") for trial in found] == [
        "killed",
        None,
        "interrupted",
        "bug",
        None,
    ]
    assert found[0].user_attrs["detail"] == "killed by SIGKILL"
    assert [trial.user_attrs["attempt"] for trial in found] == [1, 2, 1, 2, 1]
    assert (found[4].value, found[4].user_attrs["status"]) == (0.1, "diverged")
    assert found[0].value is None


def test_optunas_own_tools_read_the_study(store: Store, study: StudyInfo) -> None:
    while lease := store.claim(study, "w", lease_seconds=LEASE):
        good = lease.cell.labels["optimizer"] == "adam"
        store.finish(lease, outcome(accuracy=0.9 if good else 0.4))
    sync(store, study)
    mirrored = load_study(store, study)
    frame = mirrored.trials_dataframe()
    assert len(frame) == 20
    assert set(frame["params_optimizer"]) == set(OPTIMIZERS)
    assert mirrored.direction.name == "MAXIMIZE"
    assert mirrored.best_value == 0.9
    importances = optuna.importance.get_param_importances(
        mirrored, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0)
    )
    assert max(importances, key=importances.__getitem__) == "optimizer"
    assert mirrored.user_attrs["profile"] == "cpu"
    with pytest.raises(RuntimeError, match="mirrors a grid"):
        mirrored.ask({"optimizer": optuna.distributions.CategoricalDistribution(OPTIMIZERS)})


def test_levels_added_later_leave_old_trials_as_they_were(store: Store, study: StudyInfo) -> None:
    before = {}
    while lease := store.claim(study, "w", lease_seconds=LEASE):
        before[lease.cell.id] = lease.cell.labels
        store.finish(lease, outcome())
    sync(store, study)
    # Before, between and after the old ones, and the old ones in another order.
    optimizers = ("adamw", *reversed(OPTIMIZERS), "sgd_nesterov")
    wider = register(store, optimizers=optimizers, replicates=2)
    store.plan(wider, design(optimizers, replicates=2))
    while lease := store.claim(wider, "w", lease_seconds=LEASE):
        before[lease.cell.id] = lease.cell.labels
        store.finish(lease, outcome())
    assert sync(store, wider) == 40
    found = load_study(store, wider).trials
    assert len(found) == 60
    for trial in found:
        labels = {name: trial.params[name] for name in ("optimizer", "scheduler")}
        assert labels == before[trial.user_attrs["cell"]]
    assert {str(trial.distributions["optimizer"]) for trial in found} == {
        str(optuna.distributions.CategoricalDistribution((*OPTIMIZERS, "adamw", "sgd_nesterov")))
    }
    assert Counter(trial.params["replicate"] for trial in found) == {"0": 30, "1": 30}


def test_coordinators_together_make_each_trial_once(
    store: Store, study: StudyInfo, store_url: str
) -> None:
    while lease := store.claim(study, "w", lease_seconds=LEASE):
        store.finish(lease, outcome())
    made = crowd("tests.store_contract.mirror_jobs:mirror", 4, store_url, study.name)
    assert sum(made) == 20, made
    cells = [trial.user_attrs["cell"] for trial in load_study(store, study).trials]
    assert sorted(cells) == sorted({row["cell"] for row in store.runs(study)})
    numbers = [trial.number for trial in load_study(store, study).trials]
    assert sorted(numbers) == list(range(20))


def test_threads_may_sync_one_mirror_while_cells_are_claimed(
    store: Store, study: StudyInfo
) -> None:
    problems: list[Exception] = []
    with Mirror(store, study) as mirror:
        done = threading.Event()

        def keep_syncing() -> None:
            try:
                while not done.is_set():
                    mirror.sync()
            except Exception as error:
                problems.append(error)

        threads = [threading.Thread(target=keep_syncing) for _ in range(2)]
        for thread in threads:
            thread.start()
        while lease := store.claim(study, "w", lease_seconds=LEASE):
            store.finish(lease, outcome())
        done.set()
        for thread in threads:
            thread.join()
        mirror.sync()
    assert problems == []
    assert [trial.state.name for trial in load_study(store, study).trials] == ["COMPLETE"] * 20


def test_what_people_do_in_the_dashboard_is_survived(store: Store, study: StudyInfo) -> None:
    one, two = claimed(store, study), claimed(store, study)
    sync(store, study)
    theirs = load_study(store, study)
    theirs.tell(0, state=TrialState.FAIL)  # ended by hand
    theirs.add_trial(optuna.trial.create_trial(value=0.5, user_attrs={"note": "mine"}))
    for lease in (one, two):
        store.finish(lease, outcome())
    sync(store, study)
    found = load_study(store, study).trials
    assert [trial.user_attrs.get("cell") for trial in found] == [one.cell.id, two.cell.id, None]
    assert [trial.state.name for trial in found] == ["FAIL", "COMPLETE", "COMPLETE"]
    assert sync(store, study) == 0
    assert store.status(study).complete == 2


def test_a_trial_that_vanished_is_made_again(store: Store, study: StudyInfo) -> None:
    lease = claimed(store, study)
    sync(store, study)
    with store.database.engine.begin() as connection:
        for table in ("trial_params", "trial_user_attributes", "trials"):
            connection.execute(text(f"DELETE FROM {table}"))
    store.finish(lease, outcome())
    sync(store, study)
    sync(store, study)
    (trial,) = load_study(store, study).trials
    assert (trial.user_attrs["cell"], trial.value) == (lease.cell.id, 0.75)


def test_a_study_deleted_in_the_dashboard_is_made_again(store: Store, study: StudyInfo) -> None:
    for _ in range(4):
        store.finish(claimed(store, study), outcome())
    with Mirror(store, study) as mirror:
        assert mirror.sync() == 4
        optuna.delete_study(study_name=study.name, storage=open_storage(store.database))
        store.finish(claimed(store, study), outcome())
        assert mirror.sync() == 5
    assert len(load_study(store, study).trials) == 5


def test_a_finished_study_deleted_in_the_dashboard_is_behind_and_made_again(
    store: Store, study: StudyInfo
) -> None:
    """By what `grid` and the dashboard's publisher ask: none of its attempts lacks a trial."""
    store.finish(claimed(store, study), outcome())
    assert store.is_behind(study)
    sync(store, study)
    assert not store.is_behind(study)
    optuna.delete_study(study_name=study.name, storage=open_storage(store.database))
    assert store.is_behind(study)
    assert list(keep_current(store, {})) == []
    assert len(load_study(store, study).trials) == 1


def test_a_strangers_parameter_of_the_same_name_is_named(store: Store, study: StudyInfo) -> None:
    storage = open_storage(store.database)
    stranger = optuna.create_study(study_name=study.name, storage=storage, direction="maximize")
    stranger.add_trial(
        optuna.trial.create_trial(
            value=0.5,
            params={"optimizer": 0.5},
            distributions={"optimizer": optuna.distributions.FloatDistribution(0, 1)},
        )
    )
    claimed(store, study)
    with pytest.raises(InputError, match="uses the parameter 'optimizer' as FloatDistribution"):
        sync(store, study)


def test_an_outcome_without_a_finite_accuracy_is_no_complete_trial(
    store: Store, study: StudyInfo
) -> None:
    store.finish(claimed(store, study), replace(outcome(), test_accuracy=float("nan")))
    sync(store, study)
    (trial,) = load_study(store, study).trials
    assert trial.state is TrialState.FAIL
    assert trial.user_attrs["status"] == "learned"


def test_a_study_of_the_mirror_knows_its_labels_in_declared_order(
    store: Store, study: StudyInfo
) -> None:
    claimed(store, study)
    with Mirror(store, study) as mirror:
        mirror.sync()
    (trial,) = load_study(store, study).trials
    assert trial.distributions["scheduler"] == optuna.distributions.CategoricalDistribution(
        SCHEDULERS
    )


def test_more_attempts_than_one_transaction_takes_are_mirrored_too(
    store: Store, study: StudyInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.optuna_mirror.mirror.BATCH", 2)
    for _ in range(3):
        store.finish(claimed(store, study), outcome())
    assert sync(store, study) == 3
    assert len(load_study(store, study).trials) == 3


# -- a later Optuna ------------------------------------------------------------------------------


def test_a_mirror_that_cannot_be_kept_is_a_warning_once(
    store: Store,
    study: StudyInfo,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = []

    def lacks(*_: object, **__: object) -> None:
        asked.append(1)
        raise AttributeError("no 'create_new_study'")

    monkeypatch.setattr("runner.optuna_mirror.mirror.Mirror._batch", lacks)
    claimed(store, study)
    with Mirror(store, study) as mirror:
        mirror.keep()
        mirror.keep()
    (said,) = caplog.records
    assert said.getMessage().endswith("kept up to date: AttributeError: no 'create_new_study'")
    assert said.exc_info is None
    assert len(asked) == 1


def test_a_lost_store_is_not_taken_for_a_mirror_that_cannot_be_kept(
    store: Store, study: StudyInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_gone(*_: object, **__: object) -> int:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(Mirror, "sync", is_gone)
    with Mirror(store, study) as mirror, pytest.raises(StoreUnavailable):
        mirror.keep()


def test_an_optuna_without_a_private_part_is_read_by_its_own_storage(
    store: Store,
    study: StudyInfo,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    claimed(store, study)
    sync(store, study)
    monkeypatch.delitem(sys.modules, "runner.optuna_mirror.reads", raising=False)
    monkeypatch.setitem(sys.modules, "optuna.study._frozen", None)
    (found,) = optuna_storage(store).get_all_studies()
    assert found.study_name == study.name
    (said,) = caplog.messages
    assert said.startswith("large studies are read slowly from this Optuna: ")
