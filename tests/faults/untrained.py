"""`python -m tests.faults.untrained`: runs in which nothing is trained, each killed at a point.

Reads a line of JSON a run, `[storage, results, when, number, arguments]`, forks a process that runs
`python -m runner ARGUMENTS` and is killed right before or right after its `number`-th point; prints
what it ended with. A point is a commit, a sync or a rename. A cell process is a stand-in that
leaves an outcome file as a real one does, but here: all points of a run lie in one process. What it
begins is noted in a file of the results.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from runner.content.cell import Cell
from runner.content.outcome_files import read_outcome, write_outcome
from runner.machine.device import Slot
from runner.pool import slot
from runner.pool.process import launch
from runner.pool.process.child import CellJob
from runner.pool.process.launch import Ended
from tests.store_contract.grids import outcome

POINTS = ((DefaultDialect, "do_commit"), (os, "fsync"), (os, "rename"), (os, "replace"))
BEGUN = "begun"
"""The file that names each cell whose training was begun."""

PRELOADED = (
    "runner.commands.running.grid",
    "runner.pool.coordinate",
    "runner.optuna_mirror.mirror",
)


class UntrainedProcess:
    """What a slot takes for a cell process."""

    reusable = True

    def __init__(self, slot: Slot) -> None:
        """Nothing is started."""

    def train(self, job: CellJob, **_watch: Any) -> Ended:
        """Note that it is begun, and leave an outcome."""
        cell, folder = Cell.from_json(job.cell), Path(job.folder)
        with Path(os.environ["ABLATIONS_RESULTS"], BEGUN).open("a") as noted:
            noted.write(f"{cell.id}\n")
        write_outcome(folder, cell.id, job.token, outcome())
        return Ended(read_outcome(folder, cell.id, job.token))

    def close(self) -> None:
        """Nothing is ended."""


class Doom:
    """Kills this process at one of its points."""

    def __init__(self, when: str, number: int) -> None:
        self._when, self._number = when, number
        self._reached = 0
        self._lock = threading.Lock()
        for owner, name in POINTS:
            setattr(owner, name, self._around(getattr(owner, name)))

    def _around(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def point(*arguments: Any, **named: Any) -> Any:
            with self._lock:
                self._reached += 1
                doomed = self._reached == self._number
            if doomed and self._when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            result = original(*arguments, **named)
            if doomed:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return point


def run(storage: str, results: str, when: str, number: int, arguments: list[str]) -> int:
    """Exit code of a run in a process of its own, which shares what is imported here."""
    pid = os.fork()
    if not pid:
        os.environ |= {"ABLATIONS_STORAGE": storage, "ABLATIONS_RESULTS": results}
        with Path(f"{results}.log").open("a") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        launch.start_fork_server = lambda *_: None
        launch.prepare_images = lambda cell: None
        slot.CellProcess = UntrainedProcess  # type: ignore[assignment,misc]
        Doom(when, number)
        from runner.commands import main

        code = 1
        try:
            code = main(arguments) or 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    for module in PRELOADED:
        __import__(module)
    for line in sys.stdin:
        print(run(*json.loads(line)), flush=True)
