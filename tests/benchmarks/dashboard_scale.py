"""How long optuna-dashboard takes on a large study, and what publishing to it costs the run.

    python -m tests.benchmarks.dashboard_scale --output results/benchmarks/dashboard.md
    python -m tests.benchmarks.dashboard_scale --cells 1000 --databases sqlite

A study of 10,000 cells with curves of 20 epochs is written to a real store (outcomes made up by a
law, tests/analysis/report/simulated.py), mirrored to Optuna and published as a running grid does.
Then `python -m runner dashboard` is started and asked what its page asks: over HTTP, and once by a
headless Chromium. CPU seconds are the server's own, so that a busy machine does not blur them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import column, func, select, table

from analysis.dashboard import Board
from analysis.dashboard.board import SHARE
from runner.content.cell import Cell, Level
from runner.content.protocol import DataSpec, ModelSpec, TrainSpec
from runner.optuna_mirror.mirror import Mirror
from runner.store import Lease, Store, StudyInfo, open_store
from runner.store.cells import endings
from tests.analysis.report.simulated import PROVENANCE, outcome
from tests.benchmarks.store_scale import ROOT, fresh

EPOCHS = 20
LEVELS = {"augmentation": 4, "scheduler": 5, "init": 5, "bn_placement": 2, "optimizer": 5}
COMBINATIONS = 1000
RUNNING = 16
"""Cells in training; between two refreshes all of them end and as many begin."""
REFRESHES = 5
PAUSE = 11.0
"""Seconds between refreshes: the dashboard answers from memory for ten."""
FIRST, REFRESH = 15.0, 3.0
"""Seconds promised."""
SHOWN_WITHIN = 120
"""Seconds a browser gets for a page."""
TOKEN = "measured"  # noqa: S105  of a server that lives as long as a measurement
ATTRIBUTES = table("study_system_attributes", column("key"), column("value_json"))


def design(runs: int) -> Iterator[tuple[Cell, int]]:
    """Full replicates of a five-factor grid, in waves."""
    data, model, train = DataSpec(), ModelSpec(), TrainSpec(epochs=EPOCHS)
    grid = [[Level(f, f"level{n}", f"level{n}", {}) for n in range(k)] for f, k in LEVELS.items()]
    combinations = list(product(*grid))
    for order in range(runs):
        replicate, place = divmod(order, COMBINATIONS)
        yield Cell(combinations[place], (), replicate, data, model, train), order


def claim(store: Store, study: StudyInfo, count: int) -> list[Lease]:
    return store.claim_many(
        study, "node:1", count, lease_seconds=3600, slot="cpu:0", device="cpu",
        provenance=PROVENANCE,
    )  # fmt: skip


def finish(store: Store, held: list[Lease]) -> None:
    store.database.write(
        lambda connection: [
            endings.finish(connection, one.token, outcome(one.cell)) for one in held
        ]
    )


def register(store: Store, runs: int) -> StudyInfo:
    return store.register(
        name="dashboard-sim-000000",
        profile="sim",
        spec={"data": {}, "model": {}, "train": {"epochs": EPOCHS, "target": 0.9}},
        factors={f: [Level(f, f"level{n}", f"level{n}", {}) for n in range(k)]
                 for f, k in LEVELS.items()},
        replicates=-(-runs // COMBINATIONS),
        claims=["optimizer: level0 > level1"],
    )  # fmt: skip


def fill(store: Store, runs: int) -> tuple[StudyInfo, list[Lease]]:
    """All but a few cells ended, some running; returns the study and those that run."""
    study = register(store, runs)
    store.plan(study, design(runs))
    left = runs - RUNNING * (REFRESHES + 2)
    while left > 0:
        held = claim(store, study, min(500, left))
        finish(store, held)
        left -= len(held)
    return study, claim(store, study, RUNNING)


def step(store: Store, study: StudyInfo, running: list[Lease]) -> list[Lease]:
    """Everything that runs ends, as much begins."""
    finish(store, running)
    begun = claim(store, study, RUNNING)
    with Mirror(store, study) as mirror:
        mirror.sync()
    return begun


class Meter:
    """Wall and CPU seconds of a process's share in a call."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process

    def cpu(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def __call__(self, call: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
        before, began = self.cpu(), time.perf_counter()
        result = call()
        wall = time.perf_counter() - began
        return result, {"wall": wall, "cpu": self.cpu() - before}


def publish(store: Store, study: StudyInfo) -> dict[str, Any]:
    """Everything published by calls as the grid makes them, each weighed."""
    meter = Meter(psutil.Process())
    board = Board(store, study)
    calls = []
    while True:
        done, spent = meter(board.publish)
        calls.append(spent)
        if done:
            break
    unchanged = meter(board.publish)[1]
    return {"calls": calls, "unchanged": unchanged, "board": board}


def state(store: Store) -> dict[str, tuple[int, int]]:
    """Attributes and bytes the dashboard reads at every refresh: panels, notes, pictures."""

    def read(connection: Any) -> list[Any]:
        size = func.length(ATTRIBUTES.c.value_json) + func.length(ATTRIBUTES.c.key)
        return list(connection.execute(select(ATTRIBUTES.c.key, size)))

    found: dict[str, tuple[int, int]] = {}
    for key, size in store.database.read(read):
        kind = "panels" if ":plot_data:" in key else "pictures" if "artifacts" in key else "notes"
        count, bytes_ = found.get(kind, (0, 0))
        found[kind] = (count + 1, bytes_ + int(size))
    return found


# -- the server and who asks it --------------------------------------------------------------------


@contextlib.contextmanager
def serving(url: str, results: Path) -> Iterator[tuple[str, psutil.Process, dict[str, float]]]:
    """`python -m runner dashboard`: its address, its process, and what starting took."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "runner", "dashboard", "--port", str(port)],
        cwd=ROOT,
        env={
            **os.environ,
            "ABLATIONS_STORAGE": url,
            "ABLATIONS_RESULTS": str(results),
            "ABLATIONS_DASHBOARD_TOKEN": TOKEN,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                get(f"{address}/api/meta")
                break
            except OSError:
                if server.poll() is not None or time.perf_counter() - began > 120:
                    raise RuntimeError("the dashboard did not start") from None
                time.sleep(0.05)
        process = psutil.Process(server.pid)
        used = Meter(process).cpu()
        yield address, process, {"wall": time.perf_counter() - began, "cpu": used}
    finally:
        server.terminate()
        server.wait()


def get(url: str) -> Any:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {TOKEN}"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310  loopback
        return json.load(answer)


def first_page(address: str) -> dict[str, Any]:
    """What the list of studies and a study's page ask for, one after the other."""
    (listed,) = get(f"{address}/api/studies")["study_summaries"]
    page = f"{address}/api/studies/{listed['study_id']}"
    study = get(f"{page}?after=0")
    get(f"{page}/param_importances")
    return {"page": page, "study": study}


def after(study: dict[str, Any]) -> int:
    """Trials the page does not ask for again: those before the first unfinished one."""
    open_ends = (n for n, t in enumerate(study["trials"]) if t["state"] in ("Running", "Waiting"))
    return next(open_ends, len(study["trials"]))


def over_http(
    store: Store, study: StudyInfo, url: str, results: Path, running: list[Lease], board: Board
) -> tuple[dict[str, Any], list[Lease]]:
    """The first page of a fresh server, then refreshes of a page left open."""
    with serving(url, results) as (address, process, start):
        meter = Meter(process)
        got, first = meter(lambda: first_page(address))
        shown, size = got["study"], len(json.dumps(got["study"]))
        refreshes = []
        for _ in range(REFRESHES):
            until = time.monotonic() + PAUSE
            running = step(store, study, running)
            board.publish()
            time.sleep(max(0.0, until - time.monotonic()))
            known = after(shown)
            news, spent = meter(lambda known=known: get(f"{got['page']}?after={known}"))
            refreshes.append(
                spent | {"bytes": len(json.dumps(news)), "trials": len(news["trials"])}
            )
            shown["trials"] = [*shown["trials"][:known], *news["trials"]]
        memory = process.memory_info().rss
    return {
        "start": start, "first": first, "bytes": size, "panels": len(shown["plotly_graph_objects"]),
        "refreshes": refreshes, "memory": memory,
    }, running  # fmt: skip


def in_browser(url: str, results: Path) -> dict[str, Any] | None:
    """Seconds until Chromium shows the panels and the table of trials; None without Chromium.

    What it does not show in `SHOWN_WITHIN` seconds is None.
    """
    from playwright.sync_api import TimeoutError as NotShown
    from playwright.sync_api import sync_playwright

    from tests.browser import ARGUMENTS, chromium

    path = chromium()
    if path is None:
        return None
    with serving(url, results) as (address, process, _), sync_playwright() as playwright:
        meter = Meter(process)
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        tab = browser.new_page(
            viewport={"width": 1280, "height": 900},
            extra_http_headers={"Authorization": f"Bearer {TOKEN}"},
        )
        tab.set_default_timeout(SHOWN_WITHIN * 1000)
        asked: list[str] = []
        tab.on("request", lambda request: asked.append(request.url.removeprefix(address)))
        study = get(f"{address}/api/studies")["study_summaries"][0]["study_id"]

        def panels() -> None:
            tab.goto(f"{address}/dashboard/studies/{study}")
            tab.get_by_text("Main effects: mean").first.wait_for()

        def table_of_trials() -> None:
            tab.goto(f"{address}/dashboard/studies/{study}/trialTable")
            tab.locator("tbody tr").nth(5).wait_for()

        found: dict[str, Any] = {}
        for name, call in (("panels", panels), ("table", table_of_trials)):
            try:
                found[name] = meter(call)[1]
            except NotShown:
                found[name] = None
        browser.close()
    return found | {"asked": [one for one in asked if one.startswith("/api")]}


def measure(database: str, runs: int) -> dict[str, Any]:
    """One database from an empty store to a page in a browser."""
    with fresh(database) as url, contextlib.ExitStack() as stack:
        results = Path(stack.enter_context(_folder()))
        store = stack.enter_context(open_store(url, create=True))
        meter = Meter(psutil.Process())
        (study, running), filled = meter(lambda: fill(store, runs))
        with Mirror(store, study) as mirror:
            _, mirrored = meter(mirror.sync)
        published = publish(store, study)
        board = published.pop("board")
        http, running = over_http(store, study, url, results, running, board)
        running = step(store, study, running)
        _, changed = meter(board.publish)
        found = {
            "database": database, "runs": runs, "filled": filled, "mirrored": mirrored,
            "published": published | {"changed": changed}, "state": state(store), "http": http,
            "browser": in_browser(url, results) if database == "sqlite" else None,
        }  # fmt: skip
        return found


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="dashboard") as folder:
        yield folder


# -- the table -------------------------------------------------------------------------------------


def report(found: list[dict[str, Any]], load: float) -> str:
    """The committed table."""
    packages = ("optuna", "optuna-dashboard", "sqlalchemy")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    lines = [
        "# What the dashboard takes on a large study",
        "",
        f"`python -m tests.benchmarks.dashboard_scale`, {time.strftime('%Y-%m-%d', time.gmtime())}"
        f", {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
        f"{versions}. Load average at the start {load:.1f}: where it is far above the cores, read "
        "the CPU seconds, which are of the server's process (of the publisher's where it says so).",
        "",
        f"{found[0]['runs']:,} cells of five factors, {EPOCHS} intermediate values each; every "
        "ended cell has a note and a picture. *First page*: the list of studies, the whole study "
        "with panels and notes, importances, from a server just started. *Refresh*: what an open "
        f"page asks again while {RUNNING} cells end and begin between two refreshes.",
        "",
        "| database | what | seconds | CPU s | promised |",
        "|---|---|--:|--:|--:|",
    ]
    for one in found:
        http, browser = one["http"], one["browser"]
        rows: list[tuple[str, dict[str, float] | None, str]] = [
            ("start of the command", http["start"], ""),
            ("first page", http["first"], f"< {FIRST:g} s"),
            (
                "refresh, slowest",
                max(http["refreshes"], key=lambda r: r["wall"]),
                f"< {REFRESH:g} s",
            ),
            ("refresh, fastest", min(http["refreshes"], key=lambda r: r["wall"]), ""),
        ]
        if browser is not None:
            rows += [("Chromium shows the panels", browser["panels"], f"< {FIRST:g} s"),
                     ("Chromium shows the table of trials", browser["table"], "")]  # fmt: skip
        for what, spent, limit in rows:
            cost = f"not within {SHOWN_WITHIN} | "
            if spent is not None:
                cost = f"{spent['wall']:.1f} | {spent['cpu']:.1f}"
            lines.append(f"| {one['database']} | {what} | {cost} | {limit} |")
    lines += [
        "",
        "## Publishing, CPU seconds of the run's process",
        "",
        "| database | panels and note | a call with notes (250 a transaction) | 16 cells ended, "
        "panels not due | nothing new |",
        "|---|--:|--:|--:|--:|",
    ]
    for one in found:
        calls = one["published"]["calls"]
        later = [call["cpu"] for call in calls[1:]] or [calls[0]["cpu"]]
        lines.append(
            f"| {one['database']} | {calls[0]['cpu']:.1f} | {max(later):.2f} | "
            f"{one['published']['changed']['cpu']:.2f} | "
            f"{one['published']['unchanged']['cpu']:.3f} |"
        )
    share = f"{SHARE:.0%}"
    lines += [
        "",
        f"Panels are drawn anew when that costs at most {share} of one core, and at the end.",
        "",
        "## What is kept",
        "",
        "| database | panels | notes | pictures | page, MB | refresh, kB | server, MB |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for one in found:
        kept = {
            kind: f"{count:,} attributes, {size / 1e3:,.0f} kB"
            for kind, (count, size) in one["state"].items()
        }
        http = one["http"]
        lines.append(
            f"| {one['database']} | {kept['panels']} | {kept['notes']} | {kept['pictures']} | "
            f"{http['bytes'] / 1e6:.1f} | {http['refreshes'][-1]['bytes'] / 1e3:.0f} | "
            f"{http['memory'] / 1e6:.0f} |"
        )
    return "\n".join([*lines, ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, help="write the table here")
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    found = [measure(database, arguments.cells) for database in arguments.databases]
    text = report(found, load)
    print(text)
    if arguments.output:
        arguments.output.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
