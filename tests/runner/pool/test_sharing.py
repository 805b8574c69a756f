"""Who trains beside whom on a device."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from runner.pool.sharing import SharedDevice


@pytest.fixture
def device() -> SharedDevice:
    made = SharedDevice()
    for _ in range(3):
        made.open_slot()
    return made


def test_cells_train_side_by_side(device):
    assert device.enter()
    assert device.enter()
    device.leave(alone=False)
    assert device.enter()


def test_a_cell_is_alone_once_its_neighbours_have_left_and_nobody_enters_meanwhile(device):
    assert device.enter()  # the neighbour
    assert device.enter()
    with ThreadPoolExecutor() as pool:
        alone = pool.submit(device.be_alone)
        with pytest.raises(TimeoutError):
            alone.result(timeout=0.1)
        assert not device.enter(), "a third slot would be a neighbour again"
        device.leave(alone=False)
        alone.result(timeout=10)
        assert not device.enter()
        waiting = pool.submit(device.wait)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.1)
        device.leave(alone=True)
        waiting.result(timeout=10)
    assert device.enter()


def test_two_cells_that_want_to_be_alone_take_turns(device):
    inside = threading.Semaphore(1)
    both = threading.Barrier(2)

    def train_alone():
        assert device.enter()
        both.wait()
        device.be_alone()
        assert inside.acquire(blocking=False), "two cells are alone at once"
        inside.release()
        device.leave(alone=True)

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(train_alone) for _ in range(2)]:
            done.result(timeout=10)
    assert device.enter()


def test_a_slot_closes_only_where_being_alone_helped(device):
    assert not device.fitted_alone("never ran out here")
    device.ran_out("a")
    assert device.fitted_alone("a")
    assert device.slots == 2
    device.ran_out("b")
    assert device.fitted_alone("b")
    device.ran_out("c")
    assert not device.fitted_alone("c"), "the last slot stays"
    assert device.slots == 1
