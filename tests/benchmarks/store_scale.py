"""How much slot time the store costs, from 16 to 1,024 slots, by simulation.

Everything is real but the training: coordinators are processes, their slots threads that claim a
cell, sleep for as long as it would train, and finish it with a curve of 30 epochs; each coordinator
beats, reconciles and mirrors at the intervals of a run (`coordinate`). PostgreSQL runs on the same
machine with its default durability. A cell takes its nominal seconds give or take a fifth, as real
ones do. Slot time lost is what a slot spends in `claim` and `finish`, over that and its training.

    python -m tests.benchmarks.store_scale              # everything, into the committed table
    python -m tests.benchmarks.store_scale --promised   # only what was promised, printed
    python -m tests.benchmarks.store_scale --only "postgresql 1024" --cells 0
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.content.cell import Cell, Level
from runner.content.outcome import Epoch, Outcome, Status
from runner.content.protocol import DataSpec, ModelSpec, TrainSpec
from runner.optuna_mirror.mirror import Mirror
from runner.pool.coordinate import BEAT_SECONDS, MIRROR_SECONDS, REPAIR_SECONDS
from runner.store import Lease, Store, StudyInfo, open_store

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "results/benchmarks/store_scale.md"
SLOTS_OF_A_COORDINATOR = 16  # a machine of eight devices, two slots each
LEASE_SECONDS = 60.0
EPOCHS = 30
FACTORS, LEVELS = 5, 4  # 1,024 cells a replicate
CELLS = 100_000
PLAN_SECONDS, PLAN_MEGABYTES, STATUS_SECONDS = 60.0, 2000.0, 2.0  # promised for CELLS


@dataclass(frozen=True)
class Scenario:
    database: str
    slots: int
    cell_seconds: float
    run_seconds: float  # of steady state, after every slot has its first cell
    limit: float | None = None  # share of slot time that may be lost, where one was promised

    @property
    def name(self) -> str:
        return f"{self.database} {self.slots} x {self.cell_seconds:g}"


SCENARIOS = (
    Scenario("sqlite", 16, 1, 20),
    Scenario("sqlite", 16, 5, 40, limit=0.02),
    Scenario("sqlite", 64, 5, 40),
    Scenario("sqlite", 64, 60, 90),
    Scenario("postgresql", 64, 1, 20),
    Scenario("postgresql", 64, 5, 40),
    Scenario("postgresql", 256, 5, 40),
    Scenario("postgresql", 256, 60, 90),
    Scenario("postgresql", 1024, 60, 120, limit=0.01),
)


def cells(n: int) -> Iterator[tuple[Cell, int]]:
    """A full factorial of five factors at four levels, as many replicates as `n` takes."""
    data, model, train = DataSpec(), ModelSpec(), TrainSpec(epochs=EPOCHS)
    names = ("augmentation", "scheduler", "init", "bn_placement", "optimizer")
    for order in range(n):
        replicate, rest = divmod(order, LEVELS**FACTORS)
        levels = []
        for name in names:
            rest, level = divmod(rest, LEVELS)
            parameters = {"lr": 0.1, "weight_decay": 5e-4, "momentum": 0.9}
            levels.append(Level(name, f"level{level}", f"level{level}", parameters))
        yield Cell(tuple(levels), (), replicate, data, model, train), order


def register(store: Store, n: int) -> StudyInfo:
    replicates = -(-n // LEVELS**FACTORS)
    levels = {
        level.factor: [Level(level.factor, f"level{i}", f"level{i}", {}) for i in range(LEVELS)]
        for level in next(cells(1))[0].levels
    }
    return store.register(
        name="scale-sim-000000",
        profile="sim",
        spec={"data": {}, "model": {}, "train": {}},
        factors=levels,
        replicates=replicates,
    )


def outcome(seconds: float) -> Outcome:
    draw = random.random()
    curve = tuple(
        Epoch(epoch, 1 / epoch, draw, 1.1 / epoch, draw * epoch / EPOCHS, 0.1, 1.0, 0.1, 5000.0)
        for epoch in range(1, EPOCHS + 1)
    )
    return Outcome(
        Status.LEARNED,
        test_accuracy=draw,
        test_loss=0.5,
        n_test=10000,
        classes=10,
        epochs_run=EPOCHS,
        epochs_budget=EPOCHS,
        seconds=seconds,
        curve=curve,
    )


PROVENANCE = {
    "commit": "0" * 40,
    "dirty": False,
    "versions": {f"package{i}": "1.2.3" for i in range(8)},
    "host": "node",
    "system": platform.platform(),
}


# -- a coordinator and its slots -------------------------------------------------------------------


class Coordinator:
    """One process of a run: slots that train nothing, and the duties beside them."""

    def __init__(self, number: int, slots: int, url: str, cell_seconds: float) -> None:
        self.number = number
        self.slots = slots
        self.cell_seconds = cell_seconds
        self.store = open_store(url)
        self.study = self.store.studies()[0]
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.held: dict[str, Lease] = {}
        self.calls: list[tuple[str, float, float]] = []  # what, when it began, seconds
        self.refused = 0

    def timed(self, what: str, call: Callable[[], Any]) -> Any:
        began = time.monotonic()
        result = call()
        seconds = time.monotonic() - began
        with self.lock:
            self.calls.append((what, began, seconds))
        return result

    def slot(self, number: int) -> None:
        draw = random.Random(self.number * 1000 + number)
        while not self.stop.is_set():
            claim = self.timed(
                "claim",
                lambda: self.store.claim(
                    self.study,
                    f"node{self.number}",
                    lease_seconds=LEASE_SECONDS,
                    slot=f"gpu{number}",
                    device="simulated",
                    provenance=PROVENANCE,
                ),
            )
            if claim is None:
                raise RuntimeError("the simulation ran out of cells: plan more")
            with self.lock:
                self.held[claim.token] = claim
            seconds = self.cell_seconds * draw.uniform(0.8, 1.2)
            self.timed("train", lambda seconds=seconds: self.stop.wait(seconds))
            with self.lock:
                del self.held[claim.token]
            if self.stop.is_set():
                return
            told = outcome(seconds)
            accepted = self.timed(
                "finish", lambda claim=claim, told=told: self.store.finish(claim, told)
            )
            self.refused += not accepted

    def duty(self, seconds: float, what: str, call: Callable[[], Any]) -> None:
        # Coordinators of a real cluster do not start in step.
        self.stop.wait(random.random() * seconds)
        while not self.stop.is_set():
            self.timed(what, call)
            self.stop.wait(seconds)

    def beat(self) -> None:
        with self.lock:
            held = list(self.held.values())
        taken_away = self.store.beat(held)
        with self.lock:  # a cell that was finished meanwhile is no claim any more
            self.refused += len(taken_away & self.held.keys())

    def run(self, go: int, seconds: float) -> dict[str, Any]:
        mirror = Mirror(self.store, self.study)
        os.read(go, 1)  # ends when all coordinators of the scenario may start
        duties = [
            (BEAT_SECONDS, "beat", self.beat),
            (REPAIR_SECONDS, "reconcile", lambda: self.store.reconcile(self.study)),
            (MIRROR_SECONDS, "mirror", lambda: mirror.sync(wait=False)),
        ]
        threads = [threading.Thread(target=self.slot, args=(n,)) for n in range(self.slots)]
        for duty in duties:  # a mirror that lags at the end is not waited for
            threading.Thread(target=self.duty, args=duty, daemon=True).start()
        for thread in threads:
            thread.start()
        self.stop.wait(seconds)
        self.stop.set()
        for thread in threads:
            thread.join()
        with self.lock:
            return {"calls": list(self.calls), "refused": self.refused}


def simulate(scenario: Scenario, url: str) -> dict[str, Any]:
    """Run a scenario's coordinators and gather their calls. Prints one JSON object when a child."""
    per = SLOTS_OF_A_COORDINATOR if scenario.database == "postgresql" else scenario.slots
    started = time.monotonic()
    ramp = 5 + scenario.slots / 40  # seconds in which every slot gets its first cell
    members = []
    go_read, go_write = os.pipe()
    for number in range(-(-scenario.slots // per)):
        read, write = os.pipe()
        pid = os.fork()  # nothing is open yet: neither a connection nor a thread
        if not pid:
            os.close(read)
            os.close(go_write)
            try:
                slots = min(per, scenario.slots - number * per)
                coordinator = Coordinator(number, slots, url, scenario.cell_seconds)
                os.write(write, b" ")  # connected, mirror open
                result = coordinator.run(go_read, ramp + scenario.run_seconds)
                code = 0
            except BaseException as error:
                result, code = {"error": f"{type(error).__name__}: {error}"}, 1
            with os.fdopen(write, "w") as channel:
                json.dump(result, channel)
            os._exit(code)
        os.close(write)
        members.append((pid, os.fdopen(read)))
    for _, channel in members:
        channel.read(1)
    os.close(go_write)
    gathered = [json.loads(channel.read()) for _, channel in members]
    for pid, _ in members:
        os.waitpid(pid, 0)
    errors = [one["error"] for one in gathered if "error" in one]
    if errors:
        raise RuntimeError(errors[0])
    calls = [call for one in gathered for call in one["calls"]]
    return summary(scenario, calls, started, sum(one["refused"] for one in gathered))


def summary(
    scenario: Scenario, calls: list[tuple[str, float, float]], started: float, refused: int
) -> dict[str, Any]:
    first = sorted(began + took for what, began, took in calls if what == "claim")[: scenario.slots]
    ready = first[-1]  # about when the last slot got its first cell
    steady = [call for call in calls if call[1] >= ready]
    span = max(began for what, began, _ in steady if what in ("claim", "finish")) - ready
    spent = {
        what: [took for kind, _, took in steady if kind == what]
        for what in ("claim", "finish", "train", "beat", "reconcile", "mirror")
    }
    lost = sum(spent["claim"]) + sum(spent["finish"])
    return {
        "scenario": scenario.name,
        "claims": len(spent["claim"]),
        "claims_per_second": len(spent["claim"]) / span,
        "claim_p50_ms": 1000 * statistics.median(spent["claim"]),
        "claim_p99_ms": 1000 * _p99(spent["claim"]),
        "finish_p50_ms": 1000 * statistics.median(spent["finish"]),
        "finish_p99_ms": 1000 * _p99(spent["finish"]),
        "beat_p99_ms": 1000 * _p99(spent["beat"]),
        "lost": lost / (lost + sum(spent["train"])),
        "limit": scenario.limit,
        "first_cells_s": ready - min(began for what, began, _ in calls if what == "claim"),
        "refused": refused,
    }


def _p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.99 * len(values)))] if values else 0.0


# -- planning 100,000 cells ------------------------------------------------------------------------


def plan(database: str, n: int, url: str) -> dict[str, Any]:
    """Plan `n` cells into an empty store and look at it."""
    with open_store(url, create=True) as store:
        study = register(store, n)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.monotonic()
        planned = store.plan(study, cells(n))
        seconds = time.monotonic() - began
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.monotonic()
        again = store.plan(study, cells(n))
        seconds_again = time.monotonic() - began
        status = []
        for _ in range(5):
            began = time.monotonic()
            counts = store.status(study)
            status.append(time.monotonic() - began)
        claims = []
        for _ in range(50):
            began = time.monotonic()
            claim = store.claim(study, "w", lease_seconds=LEASE_SECONDS)
            claims.append(time.monotonic() - began)
            if claim is None:
                raise RuntimeError("nothing to claim")
        began = time.monotonic()
        rows = len(store.runs(study))
        runs = time.monotonic() - began
    if (planned.new, again.known, counts.planned, rows) != (n, n, n, n):
        raise RuntimeError(f"planned {planned}, then {again}, counted {counts}")
    return {
        "database": database,
        "cells": n,
        "plan_s": seconds,
        "plan_again_s": seconds_again,
        "peak_mb": memory / 1024,
        "before_mb": before / 1024,
        "status_s": max(status),
        "claim_p50_ms": 1000 * statistics.median(claims),
        "runs_s": runs,
    }


# -- the command -----------------------------------------------------------------------------------


@contextmanager
def fresh(database: str) -> Iterator[str]:
    """The address of an empty database that is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="scale"))
    try:
        if database == "sqlite":
            yield f"sqlite:///{folder}/store.db"
        else:
            from tests.postgres import PostgresServer

            # Durable as PostgreSQL comes, room for 64 coordinators of up to 8 connections.
            server = PostgresServer(folder, settings=("fsync=on", "max_connections=600"))
            server.start()
            try:
                yield server.url()
            finally:
                server.stop(signal.SIGINT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def in_a_process(*arguments: str) -> Any:
    """Run this module in a process of its own, so that memory and connections are only its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.store_scale", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def run_scenario(scenario: Scenario) -> dict[str, Any]:
    rate = scenario.slots / scenario.cell_seconds
    enough = int(3 * scenario.slots + 1.5 * rate * (scenario.run_seconds + 60))
    with fresh(scenario.database) as url:
        with open_store(url, create=True) as store:
            store.plan(register(store, enough), cells(enough))
        found: dict[str, Any] = in_a_process("--child", json.dumps([scenario.__dict__, url]))
        return found


def missed(plans: list[dict[str, Any]], runs: list[dict[str, Any]]) -> list[str]:
    """The promises this run did not keep, in words."""
    found = [
        f"{run['scenario']}: {run['lost']:.2%} lost"
        for run in runs
        if run["limit"] is not None and run["lost"] >= run["limit"]
    ]
    for one in plans:
        said = f"{one['database']}, {one['cells']} cells: {{}}"
        if one["plan_s"] >= PLAN_SECONDS:
            found.append(said.format(f"planned in {one['plan_s']:.0f} s"))
        if one["status_s"] >= STATUS_SECONDS:
            found.append(said.format(f"status in {one['status_s']:.1f} s"))
        if one["peak_mb"] >= PLAN_MEGABYTES:
            found.append(said.format(f"{one['peak_mb']:.0f} MB"))
    return found


def report(
    plans: list[dict[str, Any]],
    runs: list[dict[str, Any]],
    costs: dict[str, list[dict[str, Any]]],
    load: str,
    options: Sequence[str] = (),
) -> str:
    """The committed table; `load` says how busy the machine was beside it."""
    from tests.benchmarks.store_cost import table

    unkept = missed(plans, runs)
    tried = [run for run in runs if run["limit"] is not None]
    tried += [one for one in plans if one["cells"] >= CELLS]
    kept = "Every promise measured here was kept." if tried else "No promise was measured here."
    command = " ".join(["python -m tests.benchmarks.store_scale", *options])
    lines = [
        "# What the store costs",
        "",
        f"`{command}`, {time.strftime('%Y-%m-%d', time.gmtime())}, "
        f"{os.cpu_count()} cores for database, coordinators and slots together (one machine, "
        f"loopback), {platform.system()}, Python {platform.python_version()}. {load}",
        "",
        kept if not unkept else f"**Not kept: {'; '.join(unkept)}.**",
        "",
        "## Slots",
        "",
        "Slots claim, sleep for a cell's seconds (± 20 %) and finish with 30 epochs; each "
        "coordinator (16 slots; on SQLite one for all) beats every 5 s, reconciles every 15 s and "
        "mirrors to Optuna every 2 s. *Lost* is the share of slot time spent in claim and finish "
        "in steady state; *first cells* is how long all slots together took to get their first "
        "cell when they start at one instant.",
        "",
        "| database | slots | cell s | claims/s | claim ms p50 / p99 | finish ms p50 / p99 | "
        "beat ms p99 | lost | promised | first cells s |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for run in runs:
        database, slots, _, seconds = run["scenario"].split(" ")
        promised = "" if run["limit"] is None else f"< {run['limit']:.0%}"
        lines.append(
            f"| {database} | {slots} | {seconds} | {run['claims_per_second']:.1f} | "
            f"{run['claim_p50_ms']:.0f} / {run['claim_p99_ms']:.0f} | "
            f"{run['finish_p50_ms']:.0f} / {run['finish_p99_ms']:.0f} | "
            f"{run['beat_p99_ms']:.0f} | {run['lost']:.2%} | {promised} | "
            f"{run['first_cells_s']:.1f} |"
        )
    lines += [
        "",
        f"Claims or outcomes refused: {sum(run['refused'] for run in runs)}.",
        "",
        f"## {plans[0]['cells'] if plans else CELLS:,} cells",
        "",
        "| database | plan s | plan again s | peak MB (at start) | status s (slowest of 5) | "
        "claim ms p50 | all runs read s |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {one['database']} | {one['plan_s']:.1f} | {one['plan_again_s']:.1f} | "
        f"{one['peak_mb']:.0f} ({one['before_mb']:.0f}) | {one['status_s']:.2f} | "
        f"{one['claim_p50_ms']:.1f} | {one['runs_s']:.1f} |"
        for one in plans
    ]
    lines += [
        "",
        "Promised for 100,000: plan < 60 s and < 2 GB, status < 2 s.",
        "",
        "## One cell",
        "",
        "Processor time, not waiting, of one process that does nothing else (*here*) and of all "
        "processes of the server; a curve has 30 epochs. *Beat* is one for 16 cells.",
        "",
        *table(costs),
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--output", type=Path, help=f"write the table here (default of a full run: {TABLE.name})"
    )
    parser.add_argument("--promised", action="store_true", help="only rows with a promise")
    parser.add_argument("--only", default="", help="only scenarios whose name begins so")
    parser.add_argument("--seconds", type=float, help="seconds of steady state")
    parser.add_argument("--cells", type=int, default=CELLS, help="cells to plan; 0: skip it")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--plan", help=argparse.SUPPRESS)
    parser.add_argument("--cost", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        import runner.optuna_mirror.mirror  # imported before the coordinators are forked

        assert runner.optuna_mirror.mirror
        fields, url = json.loads(arguments.child)
        print(json.dumps(simulate(Scenario(**fields), url)))
        return 0
    if arguments.plan:
        database, n, url = json.loads(arguments.plan)
        print(json.dumps(plan(database, n, url)))
        return 0
    if arguments.cost:
        from tests.benchmarks.store_cost import cost

        print(json.dumps(cost(arguments.cost)))
        return 0
    before = os.getloadavg()[0]
    costs: dict[str, list[dict[str, Any]]] = {}
    plans = []
    for database in ("sqlite", "postgresql") if arguments.cells else ():
        costs[database] = in_a_process("--cost", database)
        print(costs[database], flush=True)
        with fresh(database) as url:
            plans.append(in_a_process("--plan", json.dumps([database, arguments.cells, url])))
        print(plans[-1], flush=True)
    after_plans = os.getloadavg()[0]
    runs = []
    for scenario in SCENARIOS:
        promised = scenario.limit is not None or not arguments.promised
        if promised and scenario.name.startswith(arguments.only):
            if arguments.seconds:
                scenario = Scenario(**{**scenario.__dict__, "run_seconds": arguments.seconds})
            runs.append(run_scenario(scenario))
            print(runs[-1], flush=True)
    load = (
        f"Load average at the start {before:.1f}, after the planning {after_plans:.1f}, at the end "
        f"{os.getloadavg()[0]:.1f} (the run's own included)."
    )
    options = sys.argv[1:]
    if "--output" in options:  # where it lies says nothing about it
        place = options.index("--output")
        del options[place : place + 2]
    text = report(plans, runs, costs, load, options)
    whole = not (arguments.promised or arguments.only or arguments.seconds) and (
        arguments.cells == CELLS
    )
    output = arguments.output or (TABLE if whole else None)
    if output is None:
        print(text)
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text)
    return int(bool(missed(plans, runs)))


if __name__ == "__main__":
    sys.exit(main())
