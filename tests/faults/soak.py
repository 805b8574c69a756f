"""`python -m tests.faults.soak --minutes 30 --seed 0`: grids under random, seeded destruction.

Two launchers share one study on a PostgreSQL of their own while cell processes, fork servers,
launchers and the database are killed, stopped and restarted at random. When a study is done the
next begins, until the time is up. At the end every cell of every study must be complete exactly
once or failed with its named reason; nothing may be lost, doubled, stuck or orphaned. The summary
goes to the folder given by --out, the events to a log beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import psutil

from ablations.errors import InputError
from tests.faults.harness import Bench, finish, specification
from tests.postgres import PostgresServer

CELLS = {"init": ["he", "xavier", "default", "orthogonal"], "optimizer": ["adam", "sgd", "adamw"]}
REPLICATES = 8
LAUNCHERS = 2
EXPECTED = {0, 3, 4, 143, -signal.SIGKILL, -signal.SIGTERM}
"""How a launcher may end here: done, the database gone for long, killed. 1 would be a bug."""
MACHINE = {"killed", "lost", "cuda"}
"""Reasons for which a cell may be given up here: nothing that is injected is the cell's fault."""


@dataclass
class Soak:
    """One run: its bench, its database, its dice and what they did."""

    bench: Bench
    server: PostgresServer
    file: Path
    rng: random.Random
    log: Path
    events: Counter[str] = field(default_factory=Counter)
    endings: Counter[int] = field(default_factory=Counter)  # exit codes of launchers
    said: dict[int, deque[str]] = field(default_factory=dict)  # process id to its last lines

    def say(self, text: str) -> None:
        """Write one line to the log."""
        with self.log.open("a") as log:
            log.write(f"{datetime.now(UTC):%H:%M:%S} {text}\n")

    def launchers(self) -> list[psutil.Process]:
        """Living `python -m runner grid` processes."""
        return [p for p in self.bench.living() if "runner" in self._words(p)]

    def fork_servers(self) -> list[psutil.Process]:
        """Living fork servers: not cell processes, which lead sessions of their own."""
        cells = {p.pid for p in self.bench.cell_processes()}
        return [
            p
            for p in self.bench.living()
            if any("forkserver" in word for word in self._words(p)) and p.pid not in cells
        ]

    @staticmethod
    def _words(process: psutil.Process) -> list[str]:
        with contextlib.suppress(psutil.Error):
            return process.cmdline()
        return []

    def keep_launchers(self) -> None:
        """Start launchers until there are enough, and read what the dead ones said."""
        alive = []
        for process in self.bench.processes:
            if process.poll() is None:
                alive.append(process)
            else:
                self._ended(process)
        self.bench.processes = alive
        while len(self.bench.processes) < LAUNCHERS:
            started = self.bench.grid(self.file, "--slots-per-device", 1)
            lines = self.said[started.pid] = deque(maxlen=20)
            threading.Thread(target=_drain, args=(started.stdout, lines), daemon=True).start()

    def _ended(self, process: subprocess.Popen[str]) -> None:
        self.endings[process.returncode] += 1
        lines = self.said.pop(process.pid, deque())
        if process.returncode not in EXPECTED:
            self.say(f"a launcher ended with exit code {process.returncode}:")
            for line in lines:
                self.say(f"    {line.rstrip()}")

    def end_launchers(self) -> None:
        """Wait for every launcher to end by itself."""
        for process in self.bench.processes:
            process.wait(timeout=120)
            self._ended(process)
        self.bench.processes = []

    def strike(self) -> None:
        """One random fault."""
        kind = self.rng.choices(
            ["cell killed", "cell stopped", "launcher killed", "launcher terminated",
             "fork server killed", "database crashed"],
            [40, 10, 15, 10, 10, 3],
        )[0]  # fmt: skip
        act: dict[str, Callable[[], bool]] = {
            "cell killed": lambda: self._signal(self.bench.cell_processes(), signal.SIGKILL),
            "cell stopped": self._stop_cell,
            "launcher killed": lambda: self._signal(self.launchers(), signal.SIGKILL),
            "launcher terminated": lambda: self._signal(self.launchers(), signal.SIGTERM),
            "fork server killed": lambda: self._signal(self.fork_servers(), signal.SIGKILL),
            "database crashed": self._crash_database,
        }
        if act[kind]():
            self.events[kind] += 1
            self.say(kind)

    def _signal(self, processes: list[psutil.Process], number: signal.Signals) -> bool:
        if not processes:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            self.rng.choice(processes).send_signal(number)
            return True
        return False

    def _stop_cell(self) -> bool:
        cells = self.bench.cell_processes()
        if not cells:
            return False
        victim = self.rng.choice(cells)
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.suspend()
            time.sleep(self.rng.uniform(0.5, 4))
            victim.resume()
            return True
        return False

    def _crash_database(self) -> bool:
        self.server.stop(signal.SIGQUIT)
        time.sleep(self.rng.uniform(0.1, 3))
        self.server.start()
        return True


def _drain(stream: IO[str], lines: deque[str]) -> None:
    with stream:
        lines.extend(stream)


def main() -> int:
    """Run the soak; exit code 0 only when nothing was lost, doubled, stuck or orphaned."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="soak"))
    server = PostgresServer(folder, settings=())  # fsync on: a crash must lose nothing
    server.start()
    bench = Bench(folder, server.url())
    soak = Soak(bench, server, folder, random.Random(options.seed), folder / "soak.log")
    try:
        summary, clean = run(soak, options.minutes * 60, options.seed)
    finally:
        bench.close()
        server.stop(signal.SIGQUIT)
    (options.out / "soak.md").write_text(summary)
    shutil.copy(soak.log, options.out / "soak.log")
    print(summary)
    shutil.rmtree(folder, ignore_errors=True)
    return 0 if clean else 1


def run(soak: Soak, seconds: float, seed: int) -> tuple[str, bool]:
    """Strike for `seconds`, let the last study end in peace, count."""
    began = time.monotonic()
    study = 0
    while time.monotonic() - began < seconds:
        study += 1
        # Another base seed is another protocol, so a study of its own.
        soak.file = specification(
            soak.bench.folder, name="soak", factors=CELLS, replicates=REPLICATES,
            train={"epochs": 4, "seed": study, "checkpoint_epochs": 1},
        )  # fmt: skip
        soak.say(f"study {study} begins")
        while time.monotonic() - began < seconds:
            soak.keep_launchers()
            time.sleep(soak.rng.uniform(0.5, 4))
            if _is_done(soak.bench, study):
                break
            soak.strike()
        if _is_done(soak.bench, study):
            soak.end_launchers()
    soak.say("peace")
    stuck = 0
    deadline = time.monotonic() + 600
    while not _is_done(soak.bench, study) and not stuck:
        soak.keep_launchers()
        time.sleep(1)
        stuck = int(time.monotonic() > deadline)
    soak.end_launchers()
    return count(soak, seed, seconds, time.monotonic() - began)


def rerun_does_nothing(soak: Soak) -> bool:
    """Whether the last study's command, given again, trains nothing."""
    store = soak.bench.store()
    last = store.studies()[-1]
    before = store.attempts(last)
    code, _ = finish(soak.bench.grid(soak.file))
    return code in (0, 3) and store.attempts(last) == before


def _is_done(bench: Bench, study: int) -> bool:
    try:
        store = bench.store()
    except InputError:  # no launcher has made it yet
        return False
    studies = store.studies()
    return len(studies) == study and not store.open_cells(studies[-1])


def count(soak: Soak, seed: int, asked: float, seconds: float) -> tuple[str, bool]:
    """The summary, and whether it is clean."""
    store = soak.bench.store()
    cells, complete, attempts = 0, 0, 0
    lost, doubled, stuck = 0, 0, 0
    reasons: Counter[str] = Counter()
    for info in store.studies():
        runs = store.runs(info)
        tried = store.attempts(info)
        cells += len(runs)
        attempts += len(tried)
        complete += sum(r["state"] == "complete" for r in runs)
        reasons.update(r["reason"] for r in runs if r["state"] == "failed")
        lost += len(CELLS["init"]) * len(CELLS["optimizer"]) * REPLICATES - len(runs)
        stuck += sum(r["state"] in ("running", "waiting") for r in runs)
        stuck += sum(a["state"] == "running" for a in tried)
        ends = Counter(a["cell"] for a in tried if a["state"] == "complete")
        doubled += sum(n > 1 for n in ends.values())
        lost += sum(r["state"] == "complete" and ends[r["cell"]] == 0 for r in runs)
    again = rerun_does_nothing(soak)
    time.sleep(5)
    orphans = len(soak.bench.living())
    faults = ", ".join(f"{n} x {kind}" for kind, n in sorted(soak.events.items()))
    crashed = sum(n for code, n in soak.endings.items() if code not in EXPECTED)
    codes = ", ".join(f"{n} x {code}" for code, n in sorted(soak.endings.items()))
    given_up = ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items())) or "0"
    summary = "\n".join(
        [
            "# Soak: grids under random destruction",
            "",
            f"`python -m tests.faults.soak --minutes {asked / 60:g} --seed {seed}`, "
            f"{datetime.now(UTC):%Y-%m-%d}, {psutil.cpu_count()} cores, "
            f"Python {platform.python_version()}, PostgreSQL 18 (fsync on), {LAUNCHERS} launchers.",
            "",
            "| what | count |",
            "|---|---|",
            f"| minutes | {seconds / 60:.1f} |",
            f"| studies | {len(store.studies())} |",
            f"| cells | {cells} |",
            f"| attempts | {attempts} |",
            f"| faults injected | {sum(soak.events.values())}: {faults} |",
            f"| complete exactly once | {complete} |",
            f"| given up after bounded retries, with their reason | {given_up} |",
            f"| launchers ended, by exit code | {codes} |",
            f"| of them crashed | {crashed} |",
            f"| lost | {lost} |",
            f"| doubled | {doubled} |",
            f"| stuck | {stuck} |",
            f"| orphans | {orphans} |",
            f"| the command given again | {'trains nothing' if again else 'TRAINS'} |",
            "",
        ]
    )
    wrong = lost or doubled or stuck or orphans or crashed or set(reasons) - MACHINE
    return summary, again and not wrong


if __name__ == "__main__":
    sys.exit(main())
