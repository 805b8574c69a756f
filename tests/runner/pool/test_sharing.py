"""Who trains beside whom on a device."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from runner.pool.sharing import Room


@pytest.fixture
def room() -> Room:
    made = Room()
    for _ in range(3):
        made.open_slot()
    return made


def test_cells_train_side_by_side(room):
    assert room.enter()
    assert room.enter()
    room.leave(alone=False)
    assert room.enter()


def test_a_cell_is_alone_once_its_neighbours_have_left_and_nobody_enters_meanwhile(room):
    assert room.enter()  # the neighbour
    assert room.enter()
    with ThreadPoolExecutor() as pool:
        alone = pool.submit(room.be_alone)
        with pytest.raises(TimeoutError):
            alone.result(timeout=0.1)
        assert not room.enter(), "a third slot would be a neighbour again"
        room.leave(alone=False)
        alone.result(timeout=10)
        assert not room.enter()
        waiting = pool.submit(room.wait)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.1)
        room.leave(alone=True)
        waiting.result(timeout=10)
    assert room.enter()


def test_two_cells_that_want_to_be_alone_take_turns(room):
    inside = threading.Semaphore(1)
    both = threading.Barrier(2)

    def train_alone():
        assert room.enter()
        both.wait()
        room.be_alone()
        assert inside.acquire(blocking=False), "two cells are alone at once"
        inside.release()
        room.leave(alone=True)

    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(train_alone) for _ in range(2)]:
            done.result(timeout=10)
    assert room.enter()


def test_a_slot_closes_only_where_being_alone_helped(room):
    assert not room.fitted_alone("never ran out here")
    room.ran_out("a")
    assert room.fitted_alone("a")
    assert room.slots == 2
    room.ran_out("b")
    assert room.fitted_alone("b")
    room.ran_out("c")
    assert not room.fitted_alone("c"), "the last slot stays"
    assert room.slots == 1
