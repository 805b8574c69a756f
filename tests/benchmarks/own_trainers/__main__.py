"""Measure what surrounds a function and a command of one's own, beside the peers.

    python -m tests.benchmarks.own_trainers [--quick] [--rounds N] [--output DIR]

Writes `own_trainers.json` (raw) after each round and `own_trainers.md` (the table). Run it on a
machine that does nothing else; what others use is shown. Needs the `bench` extra.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.benchmarks.contestants import REPOSITORY
from tests.benchmarks.machine import commit, machine
from tests.benchmarks.own_trainers.contestants import PEERS
from tests.benchmarks.own_trainers.page import render
from tests.benchmarks.own_trainers.rounds import Bench, lines_written
from tests.benchmarks.own_trainers.workload import QUICK, Plan
from tests.benchmarks.peers import say, to_json

COMMAND = "python -m tests.benchmarks.own_trainers"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the rounds, writing the table after each; returns the exit code."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--quick", action="store_true", help="minutes; shows only that it works")
    parser.add_argument("--rounds", type=int, help="of everybody; default: 3")
    parser.add_argument("--retries", type=int, default=1, help="of a run that others disturbed")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default: results/benchmarks")
    given = parser.parse_args(arguments)
    lacking = [one.needs for one in PEERS if not _is_there(one.needs)]
    if lacking:
        print(f"error: {lacking[0]} is missing: pip install -e '.[bench]'", file=sys.stderr)
        return 2
    plan = QUICK if given.quick else Plan()
    if given.rounds:
        plan = replace(plan, rounds=given.rounds)
    # A quick run is no measurement: it goes where nothing is published from.
    default = REPOSITORY / "results" / ("benchmarks-quick" if given.quick else "benchmarks")
    output: Path = given.output or default
    output.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    raw: dict[str, Any] = {
        "command": COMMAND + (" --quick" if given.quick else ""),
        "quick": given.quick,
        "plan": asdict(plan),
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": commit(),
        "machine": machine(),
        "lines": lines_written(),
        "rounds": [],
    }
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        bench = Bench(plan, Path(scratch), retries=0 if given.quick else given.retries)
        for number in range(plan.rounds):
            say(f"round {number + 1} of {plan.rounds} (after {time.monotonic() - began:.0f} s)")
            raw["rounds"].append(bench.round(number))
            raw["seconds"] = round(time.monotonic() - began)
            (output / "own_trainers.json").write_text(to_json(raw))
            (output / "own_trainers.md").write_text(render(raw))
    say(f"{output / 'own_trainers.md'} after {raw['seconds']} s")
    return 0


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package it lies in
        return False


if __name__ == "__main__":
    sys.exit(main())
