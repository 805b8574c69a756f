"""What verbs that train nothing cost: processor seconds of each, imports included.

Run it: python -m tests.benchmarks.verbs --out results/benchmarks/verbs.md

Each is called on a store of the 216 made-up runs of the shipped grid, and the fastest of some calls
counts. The clock says what else the machine does; seconds of the processors are given, user and
system, which a busy machine lengthens too, though by less. Where they go: `python -X importtime`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from runner.store import open_store
from tests.analysis.report.simulated import FIVE_FACTOR, simulate
from tests.benchmarks.machine import in_words, machine, version_of

CALLS = 3
ABLATE = "import sys, _ablate; raise SystemExit(_ablate.main())"
LIBRARIES = ("numpy", "pandas", "scipy", "sqlalchemy", "optuna", "matplotlib", "pyarrow")


def processor_seconds(command: list[str]) -> float:
    """User and system time of a command with its children."""
    # An installed program has its bytecode; where Python is told to write none, each call compiles.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before = os.times()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    after = os.times()
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    spent = after.children_user + after.children_system
    return spent - before.children_user - before.children_system


def verbs(url: str, study: str, other: str, cell: str) -> dict[str, list[str]]:
    """What people type, by how the table names it."""
    store = ["--storage", url]
    return {
        "--version": ["--version"],
        "--help": ["--help"],
        "plan": ["plan", str(FIVE_FACTOR), "--profile", "cpu", "--cells", "0"],
        "status": ["status", study, *store],
        "show": ["show", cell, *store],
        "decided": ["decided", study, *store],
        "claims": ["claims", study, *store],
        "power": ["power", study, *store],
        "compare": ["compare", study, other, *store],
        "effects": ["effects", study, *store],
    }


def measure(calls: int) -> dict[str, float]:
    """Processor seconds of the fastest call of each verb."""
    spent = {}
    with tempfile.TemporaryDirectory() as folder:
        _, other = simulate(Path(folder), overrides=["train.epochs=3"])
        url, info = simulate(Path(folder))
        with open_store(url) as store:
            cell = store.runs(info)[0]["cell"]
        for name, given in verbs(url, info.name, other.name, cell).items():
            command = [sys.executable, "-c", ABLATE, *given]
            spent[name] = min(processor_seconds(command) for _ in range(calls))
    return spent


def table(spent: dict[str, float], out: str, calls: int) -> str:
    """The table as Markdown, with machine, versions and command."""
    versions = ", ".join(f"{name} {version_of(name)}" for name in LIBRARIES)
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    lines = [
        "# What verbs that train nothing cost",
        "",
        f"`python -m tests.benchmarks.verbs --out {out} --calls {calls}`",
        "",
        "Processor seconds (user and system) of the fastest of "
        f"{calls} calls on a store with 216 made-up runs of the shipped grid. "
        f"{in_words(machine())}; {versions}; load averages at the end {load}: above the cores, "
        "seconds of the processors are longer too.",
        "",
        "| verb | processor s |",
        "|---|---:|",
        *(f"| {name} | {seconds:.2f} |" for name, seconds in spent.items()),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", required=True)
    parser.add_argument("--calls", type=int, default=CALLS)
    given = parser.parse_args()
    text = table(measure(given.calls), given.out, given.calls)
    Path(given.out).write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
