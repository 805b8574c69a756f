"""What the processes of a crowd do."""

from __future__ import annotations

import os
import signal
import time

from runner.content.outcome import Reason
from runner.store import open_store
from tests.store_contract.grids import LEASE, design, outcome, planned, register


def open_fresh(_index: int, url: str) -> str:
    """Open a store nobody has made yet, and write into it."""
    with open_store(url, create=True) as store:
        return register(store).name


def plan_the_same(_index: int, url: str) -> list[int]:
    """Plan one design, as every other launcher does."""
    with open_store(url, create=True) as store:
        study = register(store, replicates=3)
        planned = store.plan(study, design(replicates=3))
        return [planned.new, planned.known, planned.retired]


def work(index: int, url: str, name: str) -> list[list[str | int]]:
    """Claim and finish until nothing waits; returns cell and attempt of each claim."""
    done: list[list[str | int]] = []
    with open_store(url) as store:
        while (lease := store.claim(name, f"worker {index}", lease_seconds=LEASE)) is not None:
            done.append([lease.cell.id, lease.attempt])
            assert store.finish(lease, outcome())
    return done


def claim_and_die(index: int, url: str, name: str) -> None:
    """Killed between claim and start."""
    store = open_store(url)
    assert store.claim(name, f"worker {index}", lease_seconds=LEASE) is not None
    os.kill(os.getpid(), signal.SIGKILL)


def die_again_and_again(_index: int, url: str, name: str, kills: int) -> int:
    """Children claim the next cell and are killed, one after the other; returns how many."""
    with open_store(url) as store:
        for number in range(kills):
            child = os.fork()
            if not child:
                lease = store.claim(name, f"child {number}", lease_seconds=LEASE)
                os.kill(os.getpid(), signal.SIGKILL if lease is not None else signal.SIGTERM)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
            assert len(store.reconcile(name).lost or {}) == 1
    return kills


def repair(_index: int, url: str, name: str) -> dict[str, str]:
    """Every member finds the same vanished workers."""
    with open_store(url) as store:
        return dict(store.reconcile(name).lost or {})


def claim_in_zone(_index: int, url: str, name: str, zone: str) -> list[str]:
    """Claim and beat in a time zone of its own; returns when the store says it started."""
    os.environ["TZ"] = zone
    time.tzset()
    with open_store(url) as store:
        lease = store.claim(name, zone, lease_seconds=LEASE)
        assert lease is not None
        assert store.beat([lease]) == set()
        started = next(row["started"] for row in store.runs(name) if row["cell"] == lease.cell.id)
        return [started.isoformat()]


def fork_with_open_store(_index: int, url: str, name: str) -> int:
    """Children of a process with open connections use the same `Store`; returns what they did."""
    with open_store(url) as store:
        store.status(name)
        children = []
        for _ in range(4):
            pid = os.fork()
            if not pid:
                lease = store.claim(name, "child", lease_seconds=LEASE)
                ok = lease is not None and bool(store.fail(lease, Reason.BUG, "on purpose"))
                os._exit(0 if ok else 1)
            children.append(pid)
        failures = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
        assert failures == [0, 0, 0, 0]
        return store.status(name).failed


def plan_and_work(index: int, url: str, name: str) -> list[str]:
    """Plan three replicates, then claim and finish until nothing waits; returns the cells."""
    with open_store(url) as store:
        store.plan(name, design(replicates=3))
        return [str(cell) for cell, _ in work(index, url, name)]


def plan_a_grid(_index: int, url: str, cells: int) -> str:
    """Plan a study and leave."""
    with open_store(url, create=True) as store:
        return planned(store, cells).name
