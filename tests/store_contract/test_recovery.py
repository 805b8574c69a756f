from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from optuna.trial import TrialState

from runner.content.outcome import Outcome, Reason, Status
from runner.content.outcome_files import outcome_path, write_outcome
from runner.optuna_mirror.mirror import Mirror, load_study
from runner.store import Lease, State, Store, StudyInfo
from runner.store.cells.liveness import machine
from runner.store.cells.policy import ATTEMPTS
from runner.store.cells.recovery import lose, running_cells
from runner.store.database.address import resolve_address
from tests.store_contract.crowd import crowd
from tests.store_contract.grids import LEASE, outcome, planned

JOBS = "tests.store_contract.jobs"


class Clock:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watcher(store: Store, store_url: str, clock: Clock) -> Iterator[Store]:
    """Another coordinator, with a clock of its own."""
    with Store(resolve_address(store_url), clock=clock) as other:
        yield other


def claimed(store: Store, study: StudyInfo) -> Lease:
    lease = store.claim(study, "w", lease_seconds=LEASE)
    assert lease is not None
    return lease


def watch(watcher: Store, study: StudyInfo, clock: Clock, seconds: float) -> dict[str, State]:
    """Let the watcher look every 10 s for so long; returns what it found lost."""
    lost: dict[str, State] = {}
    for _ in range(int(seconds / 10)):
        clock.seconds += 10
        lost |= watcher.reconcile(study).lost
    return lost


def test_a_lease_that_is_not_renewed_is_lost_and_its_late_outcome_refused(
    store: Store, study: StudyInfo, watcher: Store, clock: Clock
) -> None:
    lease = claimed(store, study)
    assert not watcher.reconcile(study)
    assert watch(watcher, study, clock, 50) == {}
    assert watch(watcher, study, clock, 20) == {lease.cell.id: State.WAITING}
    assert store.beat([lease]) == {lease.token}
    assert not store.finish(lease, outcome())
    again = claimed(store, study)
    assert again.cell == lease.cell
    assert (again.attempt, again.previous) == (2, Reason.LOST)
    assert store.finish(again, outcome())
    assert [row["state"] for row in store.attempts(study)] == ["lost", "complete"]
    assert store.runs(study)[0]["attempts"] == 1


def test_a_lease_that_is_renewed_is_kept_however_long_it_takes(
    store: Store, study: StudyInfo, watcher: Store, clock: Clock
) -> None:
    lease = claimed(store, study)
    for _ in range(20):
        assert store.beat([lease]) == set()
        assert watch(watcher, study, clock, 40) == {}
    assert store.finish(lease, outcome())


def test_a_cell_that_beats_between_look_and_verdict_is_kept(store: Store, study: StudyInfo) -> None:
    lease = claimed(store, study)
    number = store.find_key(study).id
    seen = store.database.read(lambda connection: running_cells(connection, number))
    assert store.beat([lease]) == set()
    assert store.database.write(lambda connection: lose(connection, seen, {lease.token})) == {}
    assert store.finish(lease, outcome())


def test_time_nobody_watched_expires_no_lease(
    store: Store, study: StudyInfo, watcher: Store, clock: Clock
) -> None:
    """A database or a watcher that was away for an hour must not make live claims look dead."""
    lease = claimed(store, study)
    watcher.reconcile(study)
    clock.seconds += 3600
    assert not watcher.reconcile(study)
    assert store.beat([lease]) == set()


def test_the_calendar_may_jump(
    store: Store, study: StudyInfo, watcher: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = claimed(store, study)
    watcher.reconcile(study)
    for hours in (+1, -1):
        monkeypatch.setattr("time.time", lambda hours=hours: 1.8e9 + hours * 3600)
        assert watch(watcher, study, clock, 20) == {}
        assert store.beat([lease]) == set()
    assert store.finish(lease, outcome())
    assert store.attempts(study)[0]["seconds"] == 1.5


def test_hosts_in_other_time_zones_agree(store: Store, study: StudyInfo, store_url: str) -> None:
    zones = ("America/New_York", "Asia/Tokyo", "Australia/Lord_Howe")
    started = [
        crowd(f"{JOBS}:claim_in_zone", 1, store_url, study.name, zone)[0][0] for zone in zones
    ]
    assert all(moment.endswith("+00:00") for moment in started)
    rows = store.attempts(study)
    seconds = [row["started"].timestamp() for row in rows]
    assert seconds == sorted(seconds)
    assert seconds[-1] - seconds[0] < 120
    assert not store.reconcile(study).adopted
    # The three processes ended without a word: this is their machine, so that is known at once.
    assert store.status(study).waiting == 20


def test_a_worker_killed_between_claim_and_start_costs_no_lease_and_no_attempt(
    store: Store, study: StudyInfo, store_url: str
) -> None:
    assert crowd(f"{JOBS}:claim_and_die", 3, store_url, study.name) == ["signal 9"] * 3
    assert store.status(study).running == 3
    found = crowd(f"{JOBS}:repair", 4, store_url, study.name)
    lost = [cell for one in found for cell in one]
    assert sorted(lost) == sorted(set(lost))  # each found by one of the four
    assert len(lost) == 3
    assert store.status(study).waiting == 20
    assert {row["attempts"] for row in store.runs(study)} == {0}


def test_a_live_process_of_this_machine_is_not_taken_for_dead(
    store: Store, study: StudyInfo, watcher: Store
) -> None:
    claimed(store, study)
    assert not watcher.reconcile(study)
    assert machine()


def test_a_cell_that_keeps_losing_its_workers_is_given_up(
    store: Store, watcher: Store, clock: Clock
) -> None:
    study = planned(store, 1)
    states = []
    while lease := store.claim(study, "w", lease_seconds=LEASE):
        watcher.reconcile(study)
        states.append(watch(watcher, study, clock, 60)[lease.cell.id])
    assert states == [State.WAITING] * (ATTEMPTS[Reason.LOST] - 1) + [State.FAILED]
    assert store.status(study).reasons == {"lost": 1}


def test_cells_given_back_do_not_count_with_leases_that_ran_out(
    store: Store, watcher: Store, clock: Clock
) -> None:
    study = planned(store, 1)
    for _ in range(ATTEMPTS[Reason.LOST]):
        assert store.release(claimed(store, study), reason=Reason.LOST)
    lease = claimed(store, study)
    watcher.reconcile(study)
    assert watch(watcher, study, clock, 60) == {lease.cell.id: State.WAITING}


def test_killed_runs_are_never_held_against_the_cell_they_trained(
    store: Store, store_url: str
) -> None:
    """Who kills a run decides whether to start it again; it says nothing about the cell."""
    study = planned(store, 1)
    kills = ATTEMPTS[Reason.LOST] + 1
    assert crowd(f"{JOBS}:die_again_and_again", 1, store_url, study.name, kills) == [kills]
    assert store.status(study).waiting == 1
    assert store.runs(study)[0]["attempts"] == 0
    tries = store.attempts(study)
    assert [(row["state"], row["reason"]) for row in tries] == [("released", "lost")] * kills
    assert all("vanished" in row["detail"] for row in tries)


def test_an_outcome_file_whose_telling_was_lost_is_adopted(
    store: Store, study: StudyInfo, tmp_path: Path
) -> None:
    lease = claimed(store, study)
    write_outcome(tmp_path, lease.cell.id, lease.token, outcome(accuracy=0.625))
    assert store.reconcile(study, tmp_path).adopted == (lease.cell.id,)
    assert store.runs(study)[0]["test_accuracy"] == 0.625
    assert [row["state"] for row in store.attempts(study)] == ["complete"]
    assert store.finish(lease, outcome())  # its own worker may still be telling it
    assert not store.reconcile(study, tmp_path)
    assert store.runs(study)[0]["test_accuracy"] == 0.625


def test_an_outcome_found_after_the_lease_was_lost_spares_the_training(
    store: Store, study: StudyInfo, watcher: Store, clock: Clock, tmp_path: Path
) -> None:
    lease = claimed(store, study)
    watcher.reconcile(study)
    assert watch(watcher, study, clock, 60) == {lease.cell.id: State.WAITING}
    write_outcome(tmp_path, lease.cell.id, lease.token, outcome(accuracy=0.625))
    assert store.reconcile(study, tmp_path).adopted == (lease.cell.id,)
    run = store.runs(study)[0]
    assert (run["state"], run["test_accuracy"]) == ("complete", 0.625)
    assert [(row["attempt"], row["state"]) for row in store.attempts(study)] == [
        (1, "lost"),
        (2, "complete"),
    ]


def test_an_outcome_found_after_the_cell_was_given_back_is_a_trial_of_its_own(
    store: Store, study: StudyInfo, tmp_path: Path
) -> None:
    lease = claimed(store, study)
    assert store.release(lease)
    with Mirror(store, study) as mirror:
        assert mirror.sync() == 1
        write_outcome(tmp_path, lease.cell.id, lease.token, outcome(accuracy=0.625))
        assert store.reconcile(study, tmp_path).adopted == (lease.cell.id,)
        assert mirror.sync() == 1
    trials = load_study(store, study).trials
    assert [(trial.state, trial.value) for trial in trials] == [
        (TrialState.FAIL, None),
        (TrialState.COMPLETE, 0.625),
    ]


def test_a_cell_that_timed_out_stays_so_whatever_it_writes_later(
    store: Store, study: StudyInfo, tmp_path: Path
) -> None:
    lease = claimed(store, study)
    assert store.fail(lease, Reason.TIMEOUT, "killed at its time limit") is State.FAILED
    late = write_outcome(tmp_path, lease.cell.id, lease.token, outcome())
    assert not store.reconcile(study, tmp_path).adopted
    assert store.status(study).reasons == {"timeout": 1}
    assert not late.exists()


def test_a_time_limit_passed_before_a_retry_says_nothing_of_the_attempt_after_it(
    store: Store, study: StudyInfo, tmp_path: Path
) -> None:
    assert store.fail(claimed(store, study), Reason.TIMEOUT, "stopped") is State.FAILED
    store.retry(study)
    again = claimed(store, study)
    assert store.release(again)
    write_outcome(tmp_path, again.cell.id, again.token, outcome(accuracy=0.625))
    assert store.reconcile(study, tmp_path).adopted == (again.cell.id,)
    assert store.runs(study)[0]["test_accuracy"] == 0.625


def test_a_file_goes_once_the_store_holds_what_it_says(
    store: Store, study: StudyInfo, tmp_path: Path
) -> None:
    lease = claimed(store, study)
    path = write_outcome(tmp_path, lease.cell.id, lease.token, outcome())
    assert store.reconcile(study, tmp_path).adopted == (lease.cell.id,)
    assert path.exists(), "its own worker may be about to read it"
    assert not store.reconcile(study, tmp_path).adopted
    assert not path.exists()


def test_an_outcome_of_an_attempt_before_the_last_is_not_adopted(
    store: Store, study: StudyInfo, watcher: Store, clock: Clock, tmp_path: Path
) -> None:
    lease = claimed(store, study)
    write_outcome(tmp_path, lease.cell.id, lease.token, outcome(accuracy=0.625))
    watcher.reconcile(study)
    watch(watcher, study, clock, 60)
    again = claimed(store, study)
    assert not store.reconcile(study, tmp_path)
    assert store.beat([again]) == set()
    assert store.finish(again, outcome(accuracy=0.75))
    assert store.runs(study)[0]["test_accuracy"] == 0.75


def test_a_failure_found_on_disk_is_recorded_once(
    store: Store, study: StudyInfo, tmp_path: Path
) -> None:
    lease = claimed(store, study)
    failed = Outcome(Status.FAILED, reason=Reason.KILLED, detail="segmentation fault")
    write_outcome(tmp_path, lease.cell.id, lease.token, failed)
    assert store.reconcile(study, tmp_path).adopted == (lease.cell.id,)
    assert store.status(study).waiting == 20
    assert not store.reconcile(study, tmp_path)
    assert [row["reason"] for row in store.attempts(study)] == ["killed"]


def test_files_that_are_no_outcome_of_this_study_are_left_alone(
    store: Store, study: StudyInfo, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lease = claimed(store, study)
    whole = write_outcome(tmp_path, lease.cell.id, lease.token, outcome())
    text = whole.read_text()
    whole.write_text(text[: len(text) // 2])
    write_outcome(tmp_path, lease.cell.id, "f" * 32, outcome())  # a token nobody drew
    write_outcome(tmp_path, "0" * 16, lease.token, outcome())  # another cell's
    renamed = outcome_path(tmp_path, "1" * 16, lease.token)
    renamed.write_text(text)
    with caplog.at_level(logging.WARNING):
        assert not store.reconcile(study, tmp_path)
    assert f"ignored {whole}: not a whole outcome file" in caplog.text
    assert f"ignored {renamed}: it holds the outcome of another attempt" in caplog.text
    assert store.status(study).running == 1


def test_retry_sends_back_what_failed_for_the_reasons_named(store: Store, study: StudyInfo) -> None:
    for reason in (Reason.BUG, Reason.BUG, Reason.DATA, Reason.TIMEOUT):
        assert store.fail(claimed(store, study), reason, "") is State.FAILED
    store.finish(claimed(store, study), outcome())
    assert store.retry(study, [Reason.OOM]) == 0
    assert store.retry(study, [Reason.BUG, Reason.TIMEOUT]) == 3
    assert store.status(study).reasons == {"data": 1}
    assert store.retry(study) == 1
    assert store.retry(study) == 0
    assert (store.status(study).waiting, store.status(study).complete) == (19, 1)


def test_retry_starts_the_count_of_attempts_again(store: Store) -> None:
    study = planned(store, 1)
    for _ in range(2):
        for expected in (State.WAITING, State.WAITING, State.FAILED):
            assert store.fail(claimed(store, study), Reason.KILLED, "") is expected
        store.retry(study)
    assert claimed(store, study).attempt == 7
