"""The state machine: Hypothesis tells processes what to say, and what goes wrong meanwhile.

After every step the whole database is what the model says, and the promises hold that no model is
needed for.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from runner.store import Store, open_store
from tests.store_model import words
from tests.store_model.model import TRIES
from tests.store_model.pictures import Picture, modelled, stored
from tests.store_model.troubles import Kind, Trouble
from tests.store_model.wiping import wipe
from tests.store_model.words import Pick, Setting, Word
from tests.store_model.world import MACHINES, STUDIES, World

BY = st.integers(0, len(MACHINES) - 1)
NUMBERS = st.integers(0, 10**9)
WHERE = st.sampled_from((0, 0, 0, 1, 2))  # most words are one transaction
TROUBLES = st.none() | st.builds(Trouble, st.sampled_from(Kind), WHERE)
MEANWHILE = (
    words.silence,
    words.claim,
    words.beat,
    words.finish,
    words.fail,
    words.release,
    words.retry,
    words.plan,
    words.reconcile,
)
OTHERS = st.lists(st.tuples(st.sampled_from(MEANWHILE), BY, NUMBERS), max_size=2)

EXAMPLES, STEPS = 25, 40
"""Lives, and the steps of each, that `make test` can wait for."""


def says(word: Word, sense: Callable[[World], object] = lambda _: True) -> object:
    """A rule: some process says this word, and something may go wrong.

    `sense` tells when the word can do anything at all.
    """

    def step(self: Machine, by: int, number: int, trouble: Trouble | None, others: list) -> None:
        setting = Setting(trouble, partial(self.go_on, others))
        word(self.world, self.world.processes[by], Pick(number), setting)

    step.__name__ = word.__name__
    told = rule(by=BY, number=NUMBERS, trouble=TROUBLES, others=OTHERS)(step)
    return precondition(lambda self: sense(self.world))(told)


def given(world: World) -> bool:
    """Whether there is a lease to speak of."""
    return bool(world.given)


def waiting(world: World) -> bool:
    """Whether there is anything to claim."""
    return any(row.state == "waiting" and row.planned for row in world.model.rows())


class Machine(RuleBasedStateMachine):
    """One life of a store of two studies and eight cells each."""

    store: ClassVar[Store]
    folder: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        wipe(self.store.database)
        for path in self.folder.iterdir():
            path.unlink()
        self.world = World(self.store, self.folder)
        self._answers = ExitStack()
        self._answers.enter_context(self.world.answers())
        self._told: dict[object, object] = {}

    @initialize(number=NUMBERS)
    def plan_first(self, number: int) -> None:
        """There is something to do."""
        for study in range(len(STUDIES)):
            pick = Pick(len(STUDIES) * number + study)  # the first digit is the study's
            words.plan(self.world, self.world.processes[0], pick, Setting())

    plan = says(words.plan)
    claim = says(words.claim, waiting)
    claim_more = says(words.claim, waiting)
    beat = says(words.beat, given)
    finish = says(words.finish, given)
    finish_more = says(words.finish, given)
    fail = says(words.fail, given)
    fail_more = says(words.fail, given)
    release = says(words.release, given)
    retry = says(words.retry, given)
    leave_file = says(words.leave_file, given)
    reconcile = says(words.reconcile, given)
    silence = says(words.silence, given)
    publish = says(words.publish, given)

    @rule(by=BY, seconds=st.sampled_from((7.0, 100.0, 3600.0)), hours=st.integers(-2, 2))
    def clocks_step(self, by: int, seconds: float, hours: int) -> None:
        """A process stood still for a while; somebody set the calendar."""
        self.world.processes[by].clock[0] += seconds
        self.world.calendar += timedelta(hours=hours)

    def go_on(self, others: list[tuple[Word, int, int]]) -> None:
        """What others do while a process waits."""
        for word, by, number in others:
            word(self.world, self.world.processes[by], Pick(number), Setting())

    @invariant()
    def the_store_is_what_the_model_says(self) -> None:
        """Cells, attempts and curves, to the last column that matters."""
        found = stored(self.store.database)
        for real, wanted in zip(found, modelled(self.world.model), strict=True):
            apart = [(key, real.get(key), wanted.get(key)) for key in {*real, *wanted}]
            assert not [one for one in apart if one[1] != one[2]]
        assert {path.name for path in self.folder.iterdir()} == set(self.world.model.files)
        self.the_promises_hold(*found[:2])

    def the_promises_hold(self, cells: Picture, attempts: Picture) -> None:
        """At most one live attempt a cell, an outcome told once and for ever, tries bounded."""
        for place, cell in cells.items():
            tries = attempts.get(place, ())
            states = Counter(one[2] for one in tries)
            assert states["running"] == (cell[2] == "running") <= 1
            assert states["complete"] == (cell[2] == "complete") <= 1
            assert not states["running"] or tries[-1][2] == "running"
            ends = Counter((t[1], t[4]) for t in tries if t[2] in ("failed", "lost"))
            assert all(n <= TRIES.get(reason, 1) for (_, reason), n in ends.items())
            told = (*cell[2:4], *cell[9:10], cell[-2])  # state, status, token, accuracy
            if cell[2] == "complete" or place in self._told:
                assert self._told.setdefault(place, told) == told

    def teardown(self) -> None:
        """Everything is let go of."""
        self._answers.close()
        self.world.close()


def run(store: Store, folder: Path, examples: int, steps: int, *, shrink: bool = False) -> None:
    """So many lives of so many steps on an open store; what it holds is wiped.

    The same each time: no test may fail by chance.
    """
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
    )
    here = type("Machine", (Machine,), {"store": store, "folder": folder})
    run_state_machine_as_test(here, settings=chosen)


if __name__ == "__main__":  # by hand: the shortest life that goes wrong
    with (
        tempfile.TemporaryDirectory() as files,
        tempfile.TemporaryDirectory() as place,
        open_store(f"{place}/store.db", create=True) as opened,
    ):
        run(opened, Path(files), *map(int, sys.argv[1:3]), shrink="--shrink" in sys.argv)
