"""A grid of short cells in processes of its own, and what must hold after a fault."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml
from sqlalchemy import create_engine

from runner.store import Store, open_store

ROOT = Path(__file__).parents[2]
LEVELS = Path(__file__).parent / "levels.py"
PATIENCE = 120.0
"""Seconds after which a condition that must come true has not."""


def specification(folder: Path, **changes: Any) -> Path:
    """Write a specification of short cells: `init` by `optimizer`, digits, one epoch."""
    content: dict[str, Any] = {
        "name": "faults",
        "plugins": [str(LEVELS)],
        "data": {"name": "digits", "limit": 100},
        "model": {"depth": 11, "width": 0.03125},
        "train": {"epochs": 1, "batch_size": 50, "target": 0.5},
        "fixed": {"augmentation": "none", "scheduler": "constant", "bn_placement": "before"},
        "factors": {"init": ["he", "xavier"], "optimizer": ["adam", "sgd"]},
        "replicates": 2,
    }
    for key, value in changes.items():
        if isinstance(value, dict) and key in ("data", "model", "train"):
            content[key] = {**content[key], **value}
        else:
            content[key] = value
    path = folder / "faults.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


@dataclass
class Bench:
    """One store, one results folder, the processes started on them."""

    folder: Path
    storage: str
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self.processes: list[subprocess.Popen[str]] = []
        self._store: Store | None = None

    @property
    def results(self) -> Path:
        """Where the runs write."""
        return self.folder / "results"

    def start(self, *arguments: object, **environment: str) -> subprocess.Popen[str]:
        """Start `python -m runner ARGUMENTS` and return at once."""
        return self.program("-m", "runner", *arguments, **environment)

    def crashing(
        self, when: str, place: str, count: int, *arguments: object
    ) -> subprocess.Popen[str]:
        """Start the runner so that it is killed before or after the call of a function."""
        return self.program("-m", "tests.faults.crash_at", when, place, count, *arguments)

    def program(
        self,
        *words: object,
        stay_open: bool = False,
        prefix: Sequence[str] = (sys.executable,),
        **environment: str,
    ) -> subprocess.Popen[str]:
        """Start Python with these words in this bench's environment."""
        process = subprocess.Popen(
            [*prefix, *map(str, words)],
            cwd=ROOT,
            env={
                **os.environ,
                "ABLATIONS_STORAGE": self.storage,
                "ABLATIONS_RESULTS": str(self.results),
                "FAULT_TEST_MARK": self.mark,
                "PYTHONWARNINGS": "default",
                **environment,
            },
            stdin=subprocess.PIPE if stay_open else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def grid(self, file: Path, *arguments: object, **environment: str) -> subprocess.Popen[str]:
        """Start the grid without its report: the analysis has tests of its own."""
        return self.start("grid", file, "--no-report", *arguments, **environment)

    def run(self, *arguments: object, **environment: str) -> tuple[int, str]:
        """Exit code and output of `python -m runner ARGUMENTS`."""
        return finish(self.start(*arguments, **environment))

    def store(self) -> Store:
        """The store as another process sees it."""
        if self._store is None:
            self._store = open_store(self.storage)
        return self._store

    @contextlib.contextmanager
    def withheld(self) -> Iterator[None]:
        """Another program holds the cells: nobody can write to them meanwhile."""
        engine = create_engine(self.store().address.url)
        with engine.connect() as other:
            sqlite = engine.dialect.name == "sqlite"
            other.exec_driver_sql("BEGIN IMMEDIATE" if sqlite else "LOCK TABLE cells")
            yield
            other.rollback()
        engine.dispose()

    def runs(self) -> list[dict[str, Any]]:
        """One row a planned cell."""
        store = self.store()
        (study,) = store.studies()
        return store.runs(study)

    def attempts(self) -> list[dict[str, Any]]:
        """One row an attempt."""
        store = self.store()
        (study,) = store.studies()
        return store.attempts(study)

    def completed(self) -> int:
        """Cells that are complete."""
        return sum(run["state"] == "complete" for run in self.runs())

    def living(self) -> list[psutil.Process]:
        """Processes, of whatever parent, that this bench's runs have left alive."""
        alive = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):  # it may end between two looks at it
                marked = process.environ().get("FAULT_TEST_MARK") == self.mark
                if marked and process.status() != psutil.STATUS_ZOMBIE:
                    alive.append(process)
        return alive

    def cell_processes(self) -> list[psutil.Process]:
        """The living cell processes: children of the fork server, each its own session."""
        return [
            p
            for p in self.living()
            if "forkserver" in " ".join(_quiet(p.cmdline, [])) and os.getsid(p.pid) == p.pid
        ]

    @staticmethod
    def training(process: psutil.Process) -> tuple[str, int] | None:
        """Cell and attempt that a cell process trains: what it prints goes to their log."""
        try:
            log = Path(os.readlink(f"/proc/{process.pid}/fd/1"))
        except OSError:
            return None  # it has ended
        cell, _, attempt = log.stem.partition("-")
        return (cell, int(attempt)) if log.parent.name == "attempts" else None

    def assert_exact(self, cells: int, failed: dict[str, int] | None = None) -> None:
        """Each cell complete exactly once or failed with its reason; nothing left over."""
        runs = self.runs()
        states = Counter(run["state"] for run in runs)
        reasons = Counter(str(run["reason"]) for run in runs if run["state"] == "failed")
        assert len(runs) == cells
        assert reasons == Counter(failed or {}), [r["detail"] for r in runs if r["reason"]]
        assert states == Counter(
            {k: v for k, v in {"complete": cells - sum(reasons.values())}.items() if v}
        ) + Counter({"failed": sum(reasons.values())} if reasons else {})
        complete = Counter(a["cell"] for a in self.attempts() if a["state"] == "complete")
        assert set(complete.values()) <= {1}, "a cell was completed twice"
        assert set(complete) == {r["cell"] for r in runs if r["state"] == "complete"}
        self.assert_no_orphans()

    def assert_no_orphans(self, seconds: float = 5.0) -> None:
        """Nothing this bench started lives on."""
        wait_until(lambda: not self.living(), seconds, lambda: f"orphans: {self.living()}")

    def forget(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def close(self) -> None:
        """Kill whatever is left, so that one failed test does not spoil the next."""
        self.forget()
        for process in self.living():
            with contextlib.suppress(psutil.Error):
                process.kill()
        for started in self.processes:
            started.wait(timeout=30)
            for stream in (started.stdin, started.stdout):
                if stream is not None:
                    stream.close()


def finish(process: subprocess.Popen[str], seconds: float = PATIENCE) -> tuple[int, str]:
    """Exit code and whole output of a started run."""
    output, _ = process.communicate(timeout=seconds)
    return process.returncode, output


def wait_until(
    condition: Callable[[], object],
    seconds: float = PATIENCE,
    otherwise: Callable[[], str] = lambda: "the condition never came true",
) -> None:
    """Return as soon as `condition` holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.02)


@contextlib.contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    """The process frozen by SIGSTOP for the length of the block."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)


def _quiet(call: Callable[[], Sequence[str]], otherwise: Sequence[str]) -> Sequence[str]:
    try:
        return call()
    except psutil.Error:
        return otherwise
