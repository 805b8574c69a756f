"""Databases that are locked, crash, refuse or fill up while cells train."""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from runner.optuna_mirror.mirror import Mirror
from runner.store import Lease, State, Store, StoreFull, StoreUnavailable, open_store
from runner.store.database import connections as database
from runner.store.database import outages
from tests.postgres import PostgresServer
from tests.store_contract.grids import LEASE, outcome, planned


@contextmanager
def write_lock(path: Path) -> Iterator[sqlite3.Connection]:
    """Another program that holds SQLite's one right to write."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield other
    finally:
        if other.in_transaction:
            other.rollback()
        other.close()


@pytest.mark.slow
def test_a_write_lock_of_seven_seconds_is_waited_out(tmp_path: Path) -> None:
    """Longer than the five seconds after which SQLite's default gives up."""
    path = tmp_path / "store.db"
    with open_store(str(path), create=True) as store:
        study = planned(store)
        lease = store.claim(study, "w", lease_seconds=LEASE)
        assert lease is not None
        with write_lock(path) as other:
            release = threading.Timer(7.0, other.rollback)
            release.start()
            began = time.monotonic()
            assert store.status(study).running == 1  # readers do not wait
            assert time.monotonic() - began < 5
            assert store.finish(lease, outcome())
            assert time.monotonic() - began > 6
            release.join()
        assert store.status(study).complete == 1


def test_a_write_lock_that_stays_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with open_store(str(path), create=True) as store:
        study = planned(store)
        lease = store.claim(study, "w", lease_seconds=LEASE)
        assert lease is not None
    with open_store(str(path), write_patience=0.5) as store:
        with (
            write_lock(path),
            pytest.raises(StoreUnavailable, match=f"{path} did not answer for 0") as e,
        ):
            store.finish(lease, outcome())
        assert "database is locked" in str(e.value)
        assert store.status(study).running == 1
        assert store.finish(lease, outcome())  # nothing was lost


def test_a_wait_is_said_once_with_its_length_and_so_is_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outages, "SAID_AFTER", 0.0)
    monkeypatch.setattr(database, "ANSWER_SECONDS", 0.01)
    path = tmp_path / "store.db"
    with open_store(str(path), create=True) as store:
        study = planned(store)
        claimed = []

        def claim() -> None:
            claimed.append(store.claim(study, "w", lease_seconds=LEASE))

        slots = [threading.Thread(target=claim) for _ in range(3)]
        with write_lock(path):
            for thread in slots:
                thread.start()
            while not caplog.messages:
                time.sleep(0.01)
        for thread in slots:
            thread.join()
    assert None not in claimed
    assert caplog.messages == [
        f"the store {path} does not answer (database is locked): "
        "waiting for it, up to 5 min 00 s in all",
        f"the store {path} answers again",
    ]


def test_time_in_which_nobody_could_write_expires_no_lease(tmp_path: Path) -> None:
    """A lock longer than a lease keeps every worker from beating: that makes none of them dead."""
    path = tmp_path / "store.db"
    now = [1000.0]
    with (
        open_store(str(path), create=True) as store,
        Store(store.address, write_patience=0.1, clock=lambda: now[0]) as watcher,
    ):
        study = planned(store)
        lease = store.claim(study, "w", lease_seconds=LEASE)
        assert lease is not None
        assert not watcher.reconcile(study)
        with write_lock(path):
            for _ in range(8):
                now[0] += LEASE / 6
                with pytest.raises(StoreUnavailable, match="locked"):
                    watcher.reconcile(study)
        assert not watcher.reconcile(study)
        assert store.beat([lease]) == set()


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with open_store(str(path), create=True) as store:
        study = planned(store)
        leases = [store.claim(study, "w", lease_seconds=LEASE) for _ in range(20)]
        pages = store.database.read(
            lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar()
        )
        store.close()

        @event.listens_for(store.database.engine, "connect")
        def no_more_pages(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute(f"PRAGMA max_page_count={pages + 4}")  # SQLite's own SQLITE_FULL

        finished: list[Lease] = []

        def finish_all() -> None:
            for lease in leases:
                assert lease is not None
                store.finish(lease, outcome(epochs=200))
                finished.append(lease)

        with pytest.raises(StoreFull, match=f"no space left for the store {path}: .*full"):
            finish_all()
    with open_store(str(path)) as store:
        status = store.status(study)
        assert (status.complete, status.running) == (len(finished), 20 - len(finished))
        assert len(store.curves(study)["epoch"]) == 200 * len(finished)
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.fixture
def server(postgres_server: PostgresServer) -> Iterator[PostgresServer]:
    """The server of all tests, running again afterwards whatever the test did to it."""
    yield postgres_server
    postgres_server.stop()
    postgres_server.start()


def test_a_crash_of_postgresql_mid_run_loses_no_outcome(
    server: PostgresServer, postgres_url: str
) -> None:
    with open_store(postgres_url, create=True) as store:
        study = planned(store, 60)
        crashed = threading.Event()
        crash_at = 15
        done: list[str] = []
        problems: list[Exception] = []

        def slot(number: int) -> None:
            try:
                while lease := store.claim(study, f"w{number}", lease_seconds=LEASE):
                    if len(done) >= crash_at:
                        crashed.wait(60)  # hold the lease across the crash
                    assert store.beat([lease]) == set()
                    assert store.finish(lease, outcome())
                    done.append(lease.cell.id)
            except Exception as error:
                problems.append(error)

        slots = [threading.Thread(target=slot, args=(number,)) for number in range(4)]
        for thread in slots:
            thread.start()
        while len(done) < crash_at and any(thread.is_alive() for thread in slots):
            threading.Event().wait(0.01)
        server.stop(signal.SIGQUIT)
        crashed.set()
        threading.Event().wait(0.5)  # connections are refused for a while
        server.start()
        for thread in slots:
            thread.join(120)
        assert problems == []
        assert sorted(done) == sorted(set(done))
        assert store.status(study).complete == 60
        assert len(store.attempts(study)) == 60


def test_a_host_that_falls_silent_within_a_transaction_keeps_no_cell_locked(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "IDLE_SECONDS", 1)
    silent, back = threading.Event(), threading.Event()
    refused: list[set[str]] = []
    now = [1000.0]

    def fall_silent(_connection: Connection) -> None:
        if not silent.is_set():
            silent.set()
            assert back.wait(60)

    with (
        open_store(postgres_url, create=True) as store,
        Store(store.address, clock=lambda: now[0]) as watcher,
    ):
        study = planned(store)
        lease = store.claim(study, "cut off", lease_seconds=LEASE)
        assert lease is not None
        event.listen(store.database.engine, "commit", fall_silent)
        beat = threading.Thread(target=lambda: refused.append(store.beat([lease])))
        beat.start()
        assert silent.wait(30)
        lost: dict[str, State] = {}
        deadline = time.monotonic() + 60
        while not lost and time.monotonic() < deadline:
            now[0] += LEASE / 4
            lost = watcher.reconcile(study).lost or {}
            time.sleep(0.05)
        back.set()
        beat.join(60)
        assert lost == {lease.cell.id: State.WAITING}
        assert refused == [{lease.token}]


def test_a_server_that_stays_away_is_one_clear_error(
    server: PostgresServer, postgres_url: str
) -> None:
    with open_store(postgres_url, create=True) as store:
        study = planned(store)
    with Store(store.address, write_patience=0.3, read_patience=0.3) as impatient:
        server.stop(signal.SIGQUIT)
        with pytest.raises(StoreUnavailable, match=r"did not answer for 0 s: .*refused"):
            impatient.claim(study, "w", lease_seconds=LEASE)
        with pytest.raises(StoreUnavailable):
            impatient.status(study)
        server.start()
        assert impatient.claim(study, "w", lease_seconds=LEASE) is not None


def test_the_mirror_waits_out_a_crash_too(server: PostgresServer, postgres_url: str) -> None:
    with open_store(postgres_url, create=True) as store:
        study = planned(store)
        with Mirror(store, study) as mirror:
            for _ in range(5):
                lease = store.claim(study, "w", lease_seconds=LEASE)
                assert lease is not None
                store.finish(lease, outcome())
            server.stop(signal.SIGQUIT)
            server.start()
            assert mirror.sync() == 5
            assert mirror.sync() == 0
