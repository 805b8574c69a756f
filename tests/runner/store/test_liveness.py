from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.store.cells.liveness import Watch, is_gone, machine, owner


def test_this_process_is_not_gone() -> None:
    assert owner() == owner()
    assert not is_gone(owner())


def test_a_process_that_ended_is_gone_even_as_a_zombie() -> None:
    code = "from runner.store.cells.liveness import owner; print(owner(), flush=True); input()"
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    holder = child.stdout.readline().strip()
    assert holder != owner()
    assert not is_gone(holder)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and still in the table
    assert is_gone(holder)
    child.communicate()
    assert is_gone(holder)


def test_a_reused_process_number_is_another_process() -> None:
    where, pid, started = owner().rsplit(" ", 2)
    assert is_gone(f"{where} {pid} {int(started) - 1}")


@pytest.mark.parametrize(
    "holder",
    ["", "nonsense", "a b c", f"other machine {os.getpid()} 1"],
    ids=["nobody", "nonsense", "three words", "other machine"],
)
def test_nobody_is_gone_who_cannot_be_seen_from_here(holder: str) -> None:
    assert not is_gone(holder)


def test_processes_of_one_machine_know_it_by_one_name() -> None:
    code = (
        "from runner.store.cells.liveness import machine, owner; print(machine()); print(owner())"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert said[0] == machine()
    assert said[1] != owner()


LOOK = st.tuples(st.floats(0, 500), st.booleans())


@given(st.lists(LOOK, max_size=40))
def test_a_claim_expires_only_when_it_stood_still_for_its_lease(
    looks: list[tuple[float, bool]],
) -> None:
    """Seconds between looks and whether the holder beat meanwhile, against a plain count."""
    now, beats, still = 0.0, 0, 0.0
    watch = Watch(lambda: now)
    assert watch.expired([("t", beats, 60.0)]) == set()
    for seconds, beat in looks:
        now += seconds
        beats += beat
        still = 0.0 if beat else still + min(seconds, 15.0)
        assert watch.expired([("t", beats, 60.0)]) == ({"t"} if still >= 60.0 else set())


def test_a_lease_that_ended_is_forgotten() -> None:
    now = 0.0
    watch = Watch(lambda: now)
    watch.expired([("t", 0, 60.0)])
    for _ in range(3):
        now += 15
        watch.expired([("t", 0, 60.0)])
    watch.expired([])
    now += 15
    assert watch.expired([("t", 0, 60.0)]) == set()
