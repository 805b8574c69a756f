"""The page in Markdown, from the raw data of the rounds.

python -m tests.benchmarks.own_trainers.page results/benchmarks/own_trainers.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

from tests.benchmarks import summary
from tests.benchmarks.machine import in_words
from tests.benchmarks.own_trainers.contestants import EVERYBODY, PEERS, RUNNER, WORKERS
from tests.benchmarks.own_trainers.workload import EMPTY, ONE_SECOND, Job
from tests.benchmarks.summary import Raw
from tests.benchmarks.table import in_range, markdown_table

MOST_CPU = {"function": 0.1, "command": 0.05}
"""Seconds of CPU time that a cell may cost beyond its own."""

LEAST_SHARE = 0.95
"""Of the cells an hour that two slots can do at most."""

LEAST_RATIO = 1.5
"""Times the cells an hour of each peer."""

MOST_LINES = {"function": 3, "command": 0}
"""Lines of the function, of the command, that may have to be changed."""

CHANGED = 0
"""Lines that are: all programs import and start the very same two files."""


def render(raw: Raw) -> str:
    """The whole document."""
    parts = [
        _head(raw),
        "## What a cell costs beyond its own work\n\n" + _costs(raw),
        "## Cells per hour\n\n" + "\n\n".join(_rates(raw, job) for job in ONE_SECOND),
        "## Lines\n\n" + _lines(raw),
        "## Goals\n\n" + _goals(raw),
    ]
    return "\n\n".join(parts) + "\n"


def _head(raw: Raw) -> str:
    machine, shares = raw["machine"], [run["meter"]["foreign_share"] for run in _runs(raw)]
    versions = ", ".join(f"{name} {found}" for name, found in machine["packages"].items())
    text = f"""# A function or a command of one's own, beside what people would use instead

`{raw["command"]}` on {raw["date"]}, commit {raw["commit"]}, {raw["seconds"] / 60:.0f} minutes.

{in_words(machine)}, {versions}.

Everybody runs the same function (`tests/benchmarks/programs/own/fit.py`) and the same command \
(`fit.sh`), two cells at a time; the programs lie beside them. {len(raw["rounds"])} rounds, \
interleaved; a ratio is taken within a round, numbers are the median of the rounds (least to \
greatest). Others used {median(shares):.0%} of the machine in the middle run and at most \
{max(shares):.0%} in any (Ray's own ended workers show as others: the kernel drops their times)."""
    if raw["quick"]:
        text += "\n\n**A quick run: it shows that the benchmark works and measures nothing.**"
    return text


def _runs(raw: Raw) -> Iterator[Raw]:
    for one in raw["rounds"]:
        for pairs in one["empty"].values():
            for pair in pairs.values():
                yield from pair
        for runs in one["one_second"].values():
            yield from runs.values()


def beyond(raw: Raw, job: Job, name: str) -> list[dict[str, float]]:
    """What a further empty cell costs a contestant (`summary.growth`), by round."""
    return [summary.growth(*one["empty"][job.name][name], WORKERS) for one in raw["rounds"]]


def _costs(raw: Raw) -> str:
    rows = []
    for one in EVERYBODY:
        row = [one.label]
        for job in EMPTY:
            found = beyond(raw, job, one.name)
            pairs = [each["empty"][job.name][one.name] for each in raw["rounds"]]
            cpu = [
                few["meter"]["cpu_seconds"] - few["cells"] * cost["cpu"]
                for (few, _many), cost in zip(pairs, found, strict=True)
            ]
            row += [
                in_range(summary.spread(1000 * cost["beyond_cpu"] for cost in found), 0),
                in_range(summary.spread(1000 * cost["beyond_slot"] for cost in found), 0),
                f"{median(cost['start_up'] for cost in found):.1f}",
                f"{median(cpu):.1f}",
            ]
        rows.append(row)
    columns = ("CPU ms a cell", "a slot's ms a cell", "start-up s", "start-up CPU s")
    header = ["contestant", *(f"{job.trainer}: {name}" for job in EMPTY for name in columns)]
    plan, alone = raw["plan"], [one["bare"] for one in raw["rounds"]]
    own = {key: median(one[key] for one in alone) for key in ("cpu_seconds", "wall_seconds")}
    return f"""{markdown_table(header, rows)}

- A function that returns at once and a command that ends at once. What a further cell costs is \
the difference of two grids, of {plan["few"]} and of {plan["many"]} cells (of fewer where the \
larger one would take over {plan["patience"]:.0f} s); what is left of the smaller one is *start-up*.
- *CPU*: user and system time of every process that the tool started; of Ray at least so much, \
because the last fifth of a second of a worker is not seen.
- *a slot's ms*: how long one of the two places is taken by a cell, waiting included.
- Of the command its own {1000 * own["cpu_seconds"]:.1f} ms of CPU time and \
{1000 * own["wall_seconds"]:.1f} ms are taken off: the median of {plan["bare"]} runs by itself, \
each round."""


def steady(run: Raw) -> float:
    """Cells an hour once both places have ended their first cell."""
    return summary.steady_rate(run, WORKERS)


def ideal(job: Job) -> float:
    """Cells an hour that two places can do at most."""
    return 3600 * WORKERS / job.seconds


def of_peer(raw: Raw, job: Job, peer: str, rate: Callable[[Raw], float]) -> list[float]:
    """The runner's rate over a peer's, by round."""
    rounds = [one["one_second"][job.name] for one in raw["rounds"]]
    return [rate(runs[RUNNER.name]) / rate(runs[peer]) for runs in rounds]


def _rates(raw: Raw, job: Job) -> str:
    rows = []
    for one in EVERYBODY:
        runs = [each["one_second"][job.name][one.name] for each in raw["rounds"]]
        rates, whole = [steady(run) for run in runs], [summary.whole_rate(run) for run in runs]
        ratios = [
            "1" if one is RUNNER else in_range(summary.spread(of_peer(raw, job, one.name, rate)), 2)
            for rate in (steady, summary.whole_rate)
        ]
        rows.append(
            [
                one.label,
                in_range(summary.spread(rates), 0),
                f"{median(rates) / ideal(job):.1%}",
                ratios[0],
                f"{ideal(job) / median(rates):.2f}",
                f"{median(whole):.0f}",
                f"{median(whole) / ideal(job):.1%}",
                ratios[1],
                f"{median(summary.cpu_seconds_a_cell(run) for run in runs):.2f}",
                f"{max(run['meter']['foreign_share'] for run in runs):.0%}",
            ]
        )
    header = [
        *("contestant", "cells/h", f"of {ideal(job):,.0f}", "runner's ratio", "most possible"),
        *("cells/h with start-up", f"of {ideal(job):,.0f}", "its ratio", "CPU s a cell", "others"),
    ]
    twice = sum(
        each["one_second"][job.name][one.name]["trained"] - raw["plan"]["cells"]
        for each in raw["rounds"]
        for one in EVERYBODY
    )
    note = f" Cells run twice by a contestant: {twice}." if twice else ""
    return (
        f"{raw['plan']['cells']} cells of {job.words}.{note} {WHY[job.name]}\n\n"
        + markdown_table(header, rows)
    )


WHY = {
    "sleep": "Threads that sleep hold no lock, so two of them wait side by side as two processes "
    "do; *most possible* is the ratio of a runner that loses nothing.",
    "work": "Threads of one process take turns at the interpreter's lock: two of them compute as "
    "much as one. Processes do not; their tool's own CPU time is taken from the cells.",
    "command_1s": "A command is a process of its own whoever starts it: threads that wait for "
    "commands hold no lock.",
}


def _lines(raw: Raw) -> str:
    kinds = ("function", "command")
    rows = [
        [one.label]
        + [
            text
            for kind in kinds
            for text in (str(CHANGED), f"{raw['lines'][one.name][kind]} (`{one.program(kind)}`)")
        ]
        for one in EVERYBODY
    ]
    header = ["contestant"]
    header += [part for kind in kinds for part in (f"{kind}: changed", f"{kind}: beside it")]
    return (
        f"{markdown_table(header, rows)}\n\n"
        "*changed*: lines of the function or the command; all programs use the same two files as "
        "they are. *beside it*: lines of the program or the YAML file, neither empty nor a comment."
    )


def goals(raw: Raw) -> list[tuple[str, str, bool]]:
    """Each goal, what was measured, and whether it was met."""
    found: list[tuple[str, str, bool]] = []
    for job in EMPTY:
        most = MOST_CPU[job.trainer]
        cost = median(one["beyond_cpu"] for one in beyond(raw, job, RUNNER.name))
        own = "" if job.trainer == "function" else " beyond its own"
        found.append((f"≤ {most:g} s of CPU{own}: {job.words}", f"{cost:.3f} s", cost <= most))
    for job in ONE_SECOND:
        runs = [one["one_second"][job.name][RUNNER.name] for one in raw["rounds"]]
        share = median(steady(run) for run in runs) / ideal(job)
        goal = f"≥ {LEAST_SHARE:.0%} of {ideal(job):,.0f} cells/h: {job.words}"
        found.append((goal, f"{share:.1%}", share >= LEAST_SHARE))
        for peer in PEERS:
            ratio = median(of_peer(raw, job, peer.name, steady))
            rates = [steady(one["one_second"][job.name][peer.name]) for one in raw["rounds"]]
            most = ideal(job) / median(rates)
            text = f"{ratio:.2f}x" + (f", most possible {most:.2f}x" if most < LEAST_RATIO else "")
            goal = f"≥ {LEAST_RATIO}x {peer.label}: {job.words}"
            found.append((goal, text, ratio >= LEAST_RATIO))
    for kind, most in MOST_LINES.items():
        found.append((f"≤ {most} lines of a {kind} changed", str(CHANGED), most >= CHANGED))
    return found


def _goals(raw: Raw) -> str:
    rows = [[goal, text, "met" if met else "**missed**"] for goal, text, met in goals(raw)]
    return markdown_table(["goal", "measured", ""], rows)


def main(arguments: Sequence[str]) -> None:
    """Write the page again from its raw data, beside it."""
    file = Path(arguments[0])
    file.with_suffix(".md").write_text(render(json.loads(file.read_text())))


if __name__ == "__main__":
    main(sys.argv[1:])
