"""Interleaved rounds: everybody does each job, each round beginning with another contestant."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.own_trainers.contestants import EVERYBODY, Contestant
from tests.benchmarks.own_trainers.run import PROGRAMS, bare, lines, run
from tests.benchmarks.own_trainers.workload import EMPTY, ONE_SECOND, Job, Plan
from tests.benchmarks.peers import DISTURBED, say
from tests.benchmarks.summary import Raw


class Bench:
    """One benchmark: who is compared, how much, where it may write."""

    def __init__(
        self,
        plan: Plan,
        scratch: Path,
        everybody: Sequence[Contestant] = EVERYBODY,
        retries: int = 1,
    ) -> None:
        self.plan, self.scratch, self.everybody = plan, scratch, everybody
        self.retries = retries
        self._runs = 0

    def round(self, number: int) -> Raw:
        """One round: of each job the runs of everybody, by contestant; and the command alone."""
        start = number % len(self.everybody)
        order = (*self.everybody[start:], *self.everybody[:start])
        found: Raw = {
            "bare": bare("0", self.plan.bare, self.scratch),
            "empty": {},
            "one_second": {},
        }
        for job in EMPTY:
            found["empty"][job.name] = {
                one.name: self._slope(one, job, found["bare"]) for one in order
            }
        for job in ONE_SECOND:
            found["one_second"][job.name] = {
                one.name: self._run(one, job, self.plan.cells) for one in order
            }
        return found

    def _slope(self, contestant: Contestant, job: Job, alone: dict[str, float]) -> list[Raw]:
        """Few and many empty cells, without their records; what a cell itself takes is known."""
        few = self._run(contestant, job, self.plan.few)
        count = self.plan.cells_to_afford(few["seconds_between_ends"])
        pair = [few, self._run(contestant, job, count)]
        own = alone if job.trainer == "command" else {"cpu_seconds": 0.0, "wall_seconds": 0.0}
        for one in pair:
            del one["records"]
            one["mean_cpu_seconds"], one["mean_seconds"] = own["cpu_seconds"], own["wall_seconds"]
        return pair

    def _run(self, contestant: Contestant, job: Job, cells: int) -> Raw:
        """One run, repeated when others used the machine meanwhile; the least disturbed one."""
        tries = [self._once(contestant, job, cells)]
        while tries[-1]["meter"]["foreign_share"] > DISTURBED and len(tries) <= self.retries:
            share = tries[-1]["meter"]["foreign_share"]
            say(f"    others used {share:.0%} of the machine: once more")
            tries.append(self._once(contestant, job, cells))
        best = min(tries, key=lambda one: float(one["meter"]["foreign_share"]))
        return {**best, "tries": len(tries)}

    def _once(self, contestant: Contestant, job: Job, cells: int) -> Raw:
        self._runs += 1
        folder = self.scratch / f"{self._runs:03}-{contestant.name}"
        found = run(contestant, job, cells, folder)
        shutil.rmtree(folder)
        seconds = found["meter"]["wall_seconds"]
        say(f"  {contestant.name}: {cells} cells of {job.words} in {seconds:.1f} s")
        return found


def lines_written(everybody: Sequence[Contestant] = EVERYBODY) -> dict[str, dict[str, int]]:
    """Lines of each contestant's two programs, beside the function and the command."""
    return {
        one.name: {kind: lines(PROGRAMS / one.program(kind)) for kind in ("function", "command")}
        for one in everybody
    }
