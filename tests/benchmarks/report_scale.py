"""What a report costs: 216 runs as shipped, 500 and 10,000 x 100 epochs, 20,000 of a table.

Run it: python -m tests.benchmarks.report_scale --out results/benchmarks/report_scale.md

The runs are made up by a law (tests/analysis/report/simulated.py) and written to a real store.
Measured are reading the runs, reading the curves and making all that effects.json holds, each by
itself, and the command that people type, `python -m analysis report`, which does all of it and
writes figures, tables and the page: the fastest and the slowest of three. The last row is a table
of 6,656 combinations x 3 with how every run ended, for which `write_report` is called. Seconds
depend on what else the machine does, those of the clock most: those of the processors are given
too, of all processes. In the browser, where Chromium is installed: until the table and the controls
answer, and until the charts are drawn.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as `python -m analysis` does

import numpy as np
import pandas as pd

from tests.analysis.report.simulated import simulate
from tests.benchmarks.machine import in_words, machine

EPOCHS = 100
GRID = [
    "factors.augmentation=[none, basic, strong]",
    "factors.scheduler=[constant, cosine, one_cycle]",
    "factors.init=[he, naive]",
    "factors.bn_placement=[none, before, after]",
    "factors.optimizer=[adam, sgd_momentum]",
    "claims=[]",
]
CELLS = 108

AS_SHIPPED = 216
REPORTS = 3

TABLE = {"a": 13, "b": 8, "c": 8, "d": 8}
"""Factors of the table and their numbers of levels; three replicates."""
LEVELS = {name: [f"{name}{level}" for level in range(count)] for name, count in TABLE.items()}


@dataclass(frozen=True)
class Spent:
    """Seconds of the clock and of the processors, children included."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Spent:
        """Since whenever; only differences mean something."""
        times = os.times()
        own, children = times.user + times.system, times.children_user + times.children_system
        return cls(time.perf_counter(), own + children)

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.wall - other.wall, self.cpu - other.cpu)

    def __str__(self) -> str:
        return f"{self.wall:.1f} ({self.cpu:.1f})"


@dataclass(frozen=True)
class Browsed:
    """Milliseconds after opening the page; processor seconds of its main thread until ready."""

    usable: float
    ready: float
    busy: float


@dataclass(frozen=True)
class Result:
    """One report: seconds by phase, bytes of its page, what a browser took."""

    name: str
    read: Spent
    curves: Spent | None
    estimates: Spent
    reports: list[Spent]
    size: int
    browsed: Browsed | None


def measure(runs: int, folder: Path) -> Result:
    """Simulate about so many runs and report on them."""
    import analysis
    from analysis.document.document import document

    epochs = 12 if runs == AS_SHIPPED else EPOCHS
    settings = [f"train.epochs={epochs}"]
    if runs != AS_SHIPPED:
        settings += [*GRID, f"replicates={max(1, round(runs / CELLS))}"]
    url, info = simulate(folder, overrides=settings)
    began = Spent.now()
    study = analysis.load(info.name, url)
    read = Spent.now()
    study.curve_rows  # noqa: B018 - read when asked for
    curves = Spent.now()
    document(study)
    estimated = Spent.now()
    results = folder / "results"
    reports = []
    for _ in range(REPORTS):
        before = Spent.now()
        command = ["-m", "analysis", "report", info.name, "--storage", url, "--out", results]
        subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
        reports.append(Spent.now() - before)
    page = results / "report.html"
    name, size = f"{len(study.frame):,} x {epochs}", page.stat().st_size
    return Result(
        name, read - began, curves - read, estimated - curves, reports, size, browse(page)
    )


def measure_table(folder: Path) -> Result:
    """Report on a table of many combinations, as a notebook does."""
    import analysis
    from analysis.document.document import document
    from analysis.report import write_report

    def study() -> analysis.Study:
        return analysis.from_frame(frame, list(TABLE), "test_accuracy", "seed", levels=LEVELS)

    frame = many_cells()
    began = Spent.now()
    study()
    read = Spent.now()
    document(study())
    estimated = Spent.now()
    reports = []
    for _ in range(REPORTS):
        before = Spent.now()
        page = write_report(study(), folder)
        reports.append(Spent.now() - before)
    name, size = f"{len(frame):,} of a table", page.stat().st_size
    return Result(name, read - began, None, estimated - read, reports, size, browse(page))


def many_cells() -> pd.DataFrame:
    """Every combination of the table three times: levels of `a` from the sixth on converge more."""
    rng = np.random.default_rng(0)
    cells = pd.DataFrame(list(product(*LEVELS.values())), columns=list(TABLE))
    frame = cells.loc[cells.index.repeat(3)].reset_index(drop=True)
    size, level = len(frame), frame["a"].str[1:].astype(int)
    converged = rng.random(size) < np.where(level > 4, 0.9, 0.6)
    accuracy = np.where(converged, 0.6 + 0.01 * level + 0.02 * rng.normal(size=size), 0.1)
    ended = np.where(rng.random(size) < 0.8, "stalled", "diverged")
    return frame.assign(
        seed=np.tile(["0", "1", "2"], size // 3),
        test_accuracy=accuracy,
        test_correct=(1000 * accuracy).round(),
        status=np.where(converged, "converged", ended),
        converged=converged.astype(float),
        epochs_budget=20,
        epochs_run=20,
        epochs_to_target=np.where(converged, rng.integers(2, 20, size), np.nan),
        classes=10,
        n_test=1000,
        seconds=10 + rng.random(size),
    )


WATCH = """
new MutationObserver(() => {
  for (const key of ["usable", "ready"])
    if (document.documentElement.dataset[key] && !window["_" + key])
      window["_" + key] = performance.now();
}).observe(document, {attributes: true, subtree: true,
                      attributeFilter: ["data-usable", "data-ready"]});
"""


def browse(page: Path) -> Browsed | None:
    """Open the page as a reader would; None without a browser."""
    from playwright.sync_api import sync_playwright

    from tests.analysis.conftest import ARGUMENTS, chromium

    path = chromium()
    if path is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.add_init_script(WATCH)
        meter = tab.context.new_cdp_session(tab)
        meter.send("Performance.enable", {"timeDomain": "threadTicks"})
        tab.goto(page.as_uri())
        tab.wait_for_selector("html[data-ready=true]", state="attached")
        found = {
            one["name"]: one["value"] for one in meter.send("Performance.getMetrics")["metrics"]
        }
        usable, ready = tab.evaluate("[window._usable, window._ready]")
        browser.close()
    return Browsed(usable, ready, found["TaskDuration"])


def table(results: list[Result]) -> str:
    """The results in Markdown; seconds of the clock, those of the processors in brackets."""
    lines = [
        "| runs x epochs | read runs (s) | read curves (s) | effects.json (s) | "
        "report (s) | page (MB) | usable (s) | charts drawn (s) | "
        "main thread (CPU s) |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in results:
        seen = ["n/a"] * 3
        if one.browsed is not None:
            seen = [f"{one.browsed.usable / 1e3:.2f}", f"{one.browsed.ready / 1e3:.2f}",
                    f"{one.browsed.busy:.2f}"]  # fmt: skip
        lines.append(
            f"| {one.name} | {one.read} | {one.curves or 'none'} | {one.estimates} | "
            f"{min(one.reports, key=lambda report: report.wall)}, slowest "
            f"{max(report.wall for report in one.reports):.1f} | "
            f"{one.size / 1e6:.1f} | {' | '.join(seen)} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure every size and write the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("runs", type=int, nargs="*", default=[AS_SHIPPED, 500, 10_000])
    options.add_argument("--table", action="store_true", help="the table alone")
    options.add_argument("--out", type=Path, help="a Markdown file for the table")
    chosen = options.parse_args()
    results = []
    measures = [partial(measure, runs) for runs in ([] if chosen.table else chosen.runs)]
    for one in (*measures, measure_table):
        with tempfile.TemporaryDirectory() as folder:
            results.append(one(Path(folder)))
        print(table(results[-1:]), flush=True)
        if chosen.out is not None:  # after each: the largest takes many minutes to simulate
            chosen.out.write_text(page(results, chosen.out), encoding="utf-8")


def page(results: list[Result], out: Path) -> str:
    """The file: the command, the machine, the table."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        "# What a report costs\n\n"
        f"`python -m tests.benchmarks.report_scale --out {out}`\n\n"
        "Seconds of the clock, in brackets seconds of the processors (all processes). "
        f"A report is written {REPORTS} times, by `python -m analysis report` or, of a table, by "
        "`write_report`: the fastest, and the slowest by the clock. "
        f"{in_words(machine())}; load averages at the end {load}: where they are above the cores, "
        "seconds of the clock are those of a machine that does other work too.\n\n" + table(results)
    )


if __name__ == "__main__":
    main()
