"""Effects that all runs of real factorials show: how often few replicates show them, now and then.

Run by hand, from the root of the repository; a stopped run goes on where it was, by the rows in
`results/benchmarks/power_replay.jsonl`:

    python -m tests.benchmarks.power_replay --replays 1000 --out results/benchmarks/power_replay.md

Now: every combination has runs of its own, and Welch judges. Then: the same run numbers of all
combinations, judged by t over replicates, or by the larger p of both (decision 075).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from tests.benchmarks.doctor.rows import FOLDER
from tests.benchmarks.factorials import (
    LEFT_OUT,
    Factorial,
    Rule,
    command_line,
    factorials,
    judge,
    once,
)

REPLICATES = (2, 3, 5)
RULES: tuple[tuple[str, Rule], ...] = (
    ("now: own seeds, Welch", "own"),
    ("then: shared seeds, t over replicates", "replicates"),
    ("then: shared seeds, the wider of both", "wider"),
)
Row = tuple[str, int, int, str, int, float, float]


def replay(one: Factorial, replicates: int, rule: Rule, replays: int, seed: int) -> Row:
    """Share of the effects that all runs show which are shown, and how many others are."""
    rng = np.random.default_rng(seed)
    truth = judge(one.runs).sign
    there = truth != 0
    again, others = [], []
    for _ in range(replays):
        runs = one.own(replicates, rng) if rule == "own" else one.shared(replicates, rng)
        found = judge(runs, rule).sign
        again.append(float((found[there] == truth[there]).mean()) if there.any() else 1.0)
        others.append(float((found[~there] != 0).mean()) if (~there).any() else 0.0)
    name = next(name for name, key in RULES if key == rule)
    shown, count = int(there.sum()), len(truth)
    return one.name, shown, count, name, replicates, float(np.mean(again)), float(np.mean(others))


def measure(replays: int, seed: int = 18) -> list[Row]:
    """Of all factorials; where as many runs are asked for as there are, there is one way."""
    kept = FOLDER / "power_replay.jsonl"
    rows = []
    for one in factorials():
        for replicates in (k for k in REPLICATES if k <= one.least):
            number = 1 if replicates == len(one.runs) else replays
            for _, rule in RULES:
                row = partial(replay, one, replicates, rule, number, seed)
                rows.append(once(kept, (one.name, replicates, rule, number, seed), row))
    return rows


def page(rows: list[Row], replays: int, command: str) -> str:
    """The table as Markdown."""
    lines = [
        "# Power on real factorials: now against then",
        "",
        "All runs of a factorial, judged by Welch and Holm at 5 %, show some of its effects",
        "(differences of two levels, factors as a whole, pairs of factors). Share of them that so",
        f"many replicates show too, mean of {replays:,} replays (one where all runs are used), and",
        "share of the other questions of which something is said. What all runs show is a",
        "reference, not the truth: what they leave open may be so.",
        "",
        f"Made by `{command}`.",
        "",
        "| factorial | effects shown by all runs | replicates | rule | shown again "
        "| said of others |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {shown} of {count} | {k} | {rule} | {again:.1%} | {others:.1%} |"
        for name, shown, count, rule, k, again, others in rows
    ]
    return "\n".join([*lines, "", *LEFT_OUT, ""])


if __name__ == "__main__":
    command_line("power_replay", (__doc__ or "").splitlines()[0], measure, page)
