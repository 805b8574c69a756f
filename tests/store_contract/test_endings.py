from __future__ import annotations

import math
from dataclasses import replace

import pytest

from runner.content.outcome import Outcome, Reason, Status
from runner.store import Lease, State, Store, StudyInfo
from runner.store.cells.policy import ATTEMPTS
from tests.store_contract.grids import LEASE, outcome, planned


def claimed(store: Store, study: StudyInfo) -> Lease:
    lease = store.claim(study, "w", lease_seconds=LEASE)
    assert lease is not None
    return lease


def test_an_outcome_is_read_back_as_it_was_told(store: Store, study: StudyInfo) -> None:
    lease = claimed(store, study)
    told = outcome(accuracy=0.8125)
    assert store.finish(lease, told, log="logs/1.log")
    run = store.runs(study)[0]
    assert run["cell"] == lease.cell.id
    assert run["factor:optimizer"] == lease.cell.labels["optimizer"]
    assert (run["state"], run["status"], run["reason"]) == ("complete", "reached", None)
    for name in ("test_accuracy", "test_loss", "test_correct", "n_test", "classes", "seconds"):
        assert run[name] == getattr(told, name)
    assert run["notes"] == ["horizontal flip left out"]
    assert run["epochs_to_target"] == 2  # half way from chance to 0.8125, the best there is
    assert run["better_than_guessing"] is True
    assert run["attempts"] == 1
    assert run["ended"] >= run["started"]
    curves = store.curves(study)
    assert curves["cell"] == [lease.cell.id] * 3
    assert curves["epoch"] == [1, 2, 3]
    assert curves["validation_accuracy"] == pytest.approx([0.8125 / 3, 0.8125 * 2 / 3, 0.8125])
    (attempt,) = store.attempts(study)
    assert (attempt["state"], attempt["log"], attempt["seconds"]) == ("complete", "logs/1.log", 1.5)


def test_a_diverged_cell_is_complete_and_its_nan_is_absent(store: Store, study: StudyInfo) -> None:
    told = outcome(accuracy=0.1, status=Status.DIVERGED)
    curve = (replace(told.curve[0], train_loss=math.nan, validation_loss=math.inf),)
    assert store.finish(claimed(store, study), replace(told, test_loss=math.nan, curve=curve))
    run = store.runs(study)[0]
    assert (run["state"], run["status"]) == ("complete", "diverged")
    assert run["test_loss"] is None
    assert store.curves(study)["train_loss"] == [None]
    assert store.curves(study)["validation_loss"] == [math.inf]
    assert store.status(study).statuses == {"diverged": 1}


def test_a_word_is_accepted_twice_but_only_of_its_own_lease(store: Store, study: StudyInfo) -> None:
    lease = claimed(store, study)
    assert store.finish(lease, outcome(accuracy=0.5))
    assert store.finish(lease, outcome(accuracy=0.9))  # its acknowledgement may have been lost
    assert store.runs(study)[0]["test_accuracy"] == 0.5
    assert store.fail(lease, Reason.BUG, "late") is None
    assert not store.release(lease)
    stranger = replace(lease, token="0" * 32)
    assert not store.finish(stranger, outcome())
    assert store.beat([stranger]) == {stranger.token}
    assert store.status(study).complete == 1


def test_a_late_outcome_is_refused_after_a_failure(store: Store, study: StudyInfo) -> None:
    lease = claimed(store, study)
    assert store.fail(lease, Reason.TIMEOUT, "stopped at its limit") is State.FAILED
    assert store.fail(lease, Reason.TIMEOUT, "again") is State.FAILED
    assert not store.finish(lease, outcome())
    run = store.runs(study)[0]
    assert (run["state"], run["status"], run["reason"]) == ("failed", "timeout", "timeout")
    assert run["test_accuracy"] is None


def test_a_failure_told_twice_is_answered_alike_whoever_has_the_cell_by_then(
    store: Store,
) -> None:
    study = planned(store, 1)
    lease = claimed(store, study)
    assert store.fail(lease, Reason.KILLED, "") is State.WAITING
    claimed(store, study)
    assert store.fail(lease, Reason.KILLED, "its acknowledgement was lost") is State.WAITING


@pytest.mark.parametrize("reason", [r for r in Reason if r is not Reason.INTERRUPTED])
def test_a_failure_is_tried_again_as_often_as_the_policy_says(store: Store, reason: Reason) -> None:
    study = planned(store, 1)
    states = []
    while lease := store.claim(study, "w", lease_seconds=LEASE):
        states.append(store.fail(lease, reason, "on purpose"))
    allowed = ATTEMPTS.get(reason, 1)
    assert states == [State.WAITING] * (allowed - 1) + [State.FAILED]
    status = store.status(study)
    assert (status.failed, status.reasons) == (1, {reason.value: 1})
    assert [row["attempt"] for row in store.attempts(study)] == list(range(1, allowed + 1))


def test_reasons_are_counted_apart(store: Store) -> None:
    study = planned(store, 1)
    reasons = [Reason.KILLED, Reason.CUDA, Reason.OOM, Reason.KILLED]
    assert [store.fail(claimed(store, study), reason, "") for reason in reasons] == [
        State.WAITING
    ] * 4
    assert store.fail(claimed(store, study), Reason.CUDA, "") is State.FAILED


def test_a_failure_that_may_not_be_repeated_is_final(store: Store) -> None:
    study = planned(store, 1)
    assert store.fail(claimed(store, study), Reason.KILLED, "", retry=False) is State.FAILED


def test_an_interrupted_cell_waits_again_and_nothing_is_counted(store: Store) -> None:
    study = planned(store, 1)
    for _ in range(10):
        assert store.release(claimed(store, study))
    run = store.runs(study)[0]
    assert (run["state"], run["status"], run["attempts"]) == ("waiting", None, 0)
    assert (run["worker"], run["detail"]) == (None, None)
    assert {row["state"] for row in store.attempts(study)} == {"released"}
    assert store.finish(claimed(store, study), outcome())
    assert store.runs(study)[0]["attempts"] == 1


def test_an_outcome_that_failed_or_timed_out_is_a_failure(store: Store, study: StudyInfo) -> None:
    one, two, three = (claimed(store, study) for _ in range(3))
    assert store.finish(one, Outcome(Status.FAILED, reason=Reason.DATA, detail="no images"))
    assert store.finish(two, Outcome(Status.TIMEOUT, detail="after 3 s"))
    assert store.finish(three, Outcome(Status.FAILED))
    assert store.status(study).reasons == {"data": 1, "timeout": 1, "bug": 1}
    assert store.status(study).statuses == {"failed": 2, "timeout": 1}
    assert {row["detail"] for row in store.runs(study)} >= {"no images", "after 3 s"}


def test_any_text_can_be_a_detail(store: Store, study: StudyInfo) -> None:
    odd = "nul \0, half a pair \udcff, 'quotes', {braces} %s, 日本語, " + "x" * 10_000
    assert store.fail(claimed(store, study), Reason.BUG, odd) is State.FAILED
    kept = store.runs(study)[0]["detail"]
    assert kept.startswith("nul , half a pair ?, 'quotes', {braces} %s, 日本語, xxx")
    assert len(kept) > 10_000


def test_progress_is_how_each_planned_cell_stands_and_what_it_cost(
    store: Store, study: StudyInfo
) -> None:
    done, runs = claimed(store, study), claimed(store, study)
    assert store.finish(done, outcome(accuracy=0.5))
    progress = store.progress(study)
    assert len(progress) == 20
    assert progress.pop(done.cell.id) == (State.COMPLETE, 1.5)
    assert progress.pop(runs.cell.id) == (State.RUNNING, None)
    assert set(progress.values()) == {(State.WAITING, None)}
