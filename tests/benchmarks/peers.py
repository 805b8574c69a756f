"""`make bench`: cells per hour beside what people would use instead, on this machine's cores.

    python -m tests.benchmarks.peers [--quick | --long] [--images ARCHIVE] [--phases LIST] [--add]

One run: roofline, a cell process's start-up, interleaved rounds of all contestants on the same
cells, a wide network, growth from few to many cells, accuracy. Writes `speed.json` (raw) and
`speed.md` (the table); with `--add` the phases that an earlier run on the same machine left there
stay, each with the commit it was measured at. Run it on a machine that does nothing else; what
others use is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import Any

from ablations.errors import InputError
from tests.benchmarks import contestants
from tests.benchmarks.contestants import EVERYBODY, PEERS, REPOSITORY, RUNNER, Contestant, Run
from tests.benchmarks.images import archive, prepare
from tests.benchmarks.machine import commit, machine
from tests.benchmarks.summary import first_ends
from tests.benchmarks.table import render
from tests.benchmarks.workload import Plan, Workload, plan

PHASES = ("roofline", "startup", "throughput", "wide", "growth", "accuracy")
DISTURBED = 0.1
"""Share of the machine that others may use; a run above it is repeated once. Above the 8 % that Ray
shows on a machine that does nothing else: the kernel drops the times of its ended workers."""


class Bench:
    """The state of one benchmark: where it writes and what it has found."""

    def __init__(
        self, chosen: Plan, source: Path, scratch: Path, raw: dict[str, Any], retries: int
    ) -> None:
        self.plan, self.source, self.scratch = chosen, source, scratch
        self.raw, self.retries = raw, retries
        self._runs = 0

    def run(
        self, contestant: Contestant, workload: Workload, *, slim: bool = False
    ) -> dict[str, Any]:
        """One run of a contestant, repeated once when others used the machine meanwhile."""
        tries = [self._once(contestant, workload)]
        while tries[-1].meter["foreign_share"] > DISTURBED and len(tries) <= self.retries:
            say(f"    others used {tries[-1].meter['foreign_share']:.0%} of the machine: once more")
            tries.append(self._once(contestant, workload))
        best = min(tries, key=lambda one: float(one.meter["foreign_share"]))
        return facts_of(best, len(tries), slim=slim)

    def _once(self, contestant: Contestant, workload: Workload) -> Run:
        self._runs += 1
        folder = self.scratch / f"{self._runs:03}-{contestant.name}"
        run = contestants.run(contestant, workload, prepare(workload, self.source), folder)
        shutil.rmtree(folder)
        say(
            f"  {contestant.label}: {run.cells} cells of {workload.name!r} "
            f"in {run.meter['wall_seconds']:.1f} s"
        )
        return run

    def _alone(self, module: str, *arguments: str) -> list[dict[str, Any]]:
        """Rows of a module that measures in a process with one thread."""
        out = self.scratch / "rows.json"
        subprocess.run(
            [
                *(sys.executable, "-m", f"tests.benchmarks.{module}"),
                *(str(out), str(self.source), *arguments),
            ],
            cwd=REPOSITORY,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            check=True,
        )
        rows: list[dict[str, Any]] = json.loads(out.read_text())
        return rows

    def roofline(self) -> None:
        """Share of one core's peak in the training step."""
        self.raw["roofline"] = self._alone("roofline", str(self.plan.quick))

    def startup(self) -> None:
        """CPU time of a cell's process beyond training."""
        self.raw["startup"] = self._alone("startup", str(self.plan.starts))

    def throughput(self) -> None:
        """Rounds of everybody on the same cells, each round starting with another contestant."""
        self.raw["throughput"] = self._rounds(self.plan.throughput, self.plan.rounds)

    def wide(self) -> None:
        """The same with the wide network."""
        self.raw["wide"] = self._rounds(self.plan.wide, self.plan.wide_rounds)

    def _rounds(self, workload: Workload, rounds: int) -> list[list[dict[str, Any]]]:
        found = []
        for number in range(rounds):
            say(f"  round {number + 1} of {rounds}")
            fresh = workload.with_seeds(100 * number)
            start = number % len(EVERYBODY)
            order = (*EVERYBODY[start:], *EVERYBODY[:start])
            found.append([self.run(one, fresh) for one in order])
        return found

    def growth(self) -> None:
        """Few and many tiny cells; a contestant that takes too long gets a smaller second grid."""
        few = self.plan.growth[0]
        rates = len(self.plan.tiny.lrs)
        found: dict[str, list[dict[str, Any]]] = {}
        for contestant in EVERYBODY:
            first = self.run(contestant, self.plan.tiny.with_seeds(0, few // rates), slim=True)
            count = cells_to_afford(self.plan, first["seconds_between_ends"])
            second = self.run(contestant, self.plan.tiny.with_seeds(0, count // rates), slim=True)
            found[contestant.name] = [first, second]
        self.raw["growth"] = found

    def accuracy(self) -> None:
        """Peers' training beside the runner's in fp32 and bf16, over more seeds and images."""
        workload = self.plan.accuracy
        self.raw["accuracy"] = {
            "joblib": self.run(PEERS[1], workload),
            "runner": self.run(RUNNER, workload),
        }


def cells_to_afford(chosen: Plan, seconds: float) -> int:
    """Cells of the second grid of `growth` for a contestant that takes `seconds` a cell."""
    few, many = chosen.growth
    rates = len(chosen.tiny.lrs)
    affordable = int(min(many, chosen.growth_seconds / seconds)) // rates * rates
    return max(2 * few, affordable)


def facts_of(run: Run, tries: int, *, slim: bool) -> dict[str, Any]:
    """A run for the file: no paths of this machine; `slim` keeps means instead of records."""
    facts = run.facts()
    del facts["meter"]["command"]
    for record in facts["records"]:
        for moment in ("began", "ended"):
            record[moment] = round(record[moment] - run.meter["began"], 3)
    ends = first_ends(facts)
    facts["seconds_between_ends"] = (ends[-1] - ends[0]) / (len(ends) - 1)
    facts["cells"], facts["tries"] = run.cells, tries
    facts["trained"] = len(run.records)
    facts["mean_cpu_seconds"] = mean(r.cpu_seconds for r in run.records)
    facts["mean_seconds"] = mean(r.seconds or r.ended - r.began for r in run.records)
    if slim:
        del facts["records"]
    return facts


def continued(file: Path, head: dict[str, Any]) -> dict[str, Any]:
    """The phases an earlier run left in `file`, under the head of this run.

    Raises:
        InputError: there is none, or it had another plan, machine or set of packages.
    """
    if not file.exists():
        raise InputError(f"--add: there is no {file.name} to add to")
    earlier: dict[str, Any] = json.loads(file.read_text())
    for part in ("plan", "machine"):
        if earlier[part] != head[part]:
            raise InputError(
                f"--add: {file.name} was measured with another {part} (its packages included); "
                "expected the same: measure all phases anew"
            )
    facts = {"commit": earlier["commit"], "date": earlier["date"], "seconds": 0}
    measured = {phase: facts for phase in PHASES if phase in earlier}
    return {**earlier, **head, "measured": measured | earlier.get("measured", {})}


def to_json(raw: dict[str, Any]) -> str:
    """One line a part, so that a later run shows as few changed lines."""
    parts = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in raw.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the phases, writing the table after each; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.peers", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="minutes; shows only that it works")
    size.add_argument("--long", action="store_true", help="more rounds, seeds and cells")
    parser.add_argument("--images", metavar="ARCHIVE", help="JPEGs of CIFAR-10 (.tar.xz)")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default: results/benchmarks")
    parser.add_argument("--phases", default=",".join(PHASES), help="default: %(default)s")
    parser.add_argument("--rounds", type=int, help="rounds of the throughput comparison")
    parser.add_argument("--retries", type=int, default=1, help="of a run that others disturbed")
    parser.add_argument("--add", action="store_true", help="to the phases that are there")
    given = parser.parse_args(arguments)
    phases = given.phases.split(",")
    unknown = [phase for phase in phases if phase not in PHASES]
    name = "quick" if given.quick else "long" if given.long else "default"
    try:
        if unknown:
            raise InputError(f"--phases {unknown[0]!r}: expected some of {', '.join(PHASES)}")
        source = archive(given.images).resolve()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    chosen = plan(name)
    if given.rounds:
        chosen = replace(chosen, rounds=given.rounds)
    # A quick run is no measurement: it goes where nothing is published from.
    default = REPOSITORY / "results" / ("benchmarks-quick" if given.quick else "benchmarks")
    output = given.output or default
    output.mkdir(parents=True, exist_ok=True)
    words = list(sys.argv[1:] if arguments is None else arguments)
    raw: dict[str, Any] = {
        "plan": name,
        "command": " ".join(["python -m tests.benchmarks.peers", *_without_paths(words)]),
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "commit": commit(),
        "machine": machine(),
    }
    try:
        raw = continued(output / "speed.json", raw) if given.add else {**raw, "measured": {}}
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        bench = Bench(chosen, source, Path(scratch), raw, given.retries)
        for phase in phases:
            started = time.monotonic()
            say(f"{phase} (after {started - began:.0f} s)")
            measure: Callable[[], None] = getattr(bench, phase)
            measure()
            seconds = round(time.monotonic() - started)
            raw["measured"][phase] = {
                **{key: raw[key] for key in ("commit", "date")},
                "seconds": seconds,
            }
            raw["seconds"] = sum(part["seconds"] for part in raw["measured"].values())
            (output / "speed.json").write_text(to_json(raw))
            (output / "speed.md").write_text(render(raw))
    say(f"{output / 'speed.md'} after {time.monotonic() - began:.0f} s")
    return 0


def _without_paths(words: Sequence[str]) -> list[str]:
    """The arguments with folders left off: the file is published."""
    return [Path(word).name if "/" in word else word for word in words]


if __name__ == "__main__":
    sys.exit(main())
