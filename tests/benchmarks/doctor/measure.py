"""How often the cause is named: `python -m tests.benchmarks.doctor.measure CIFAR10_FOLDER`.

Each line of the raw file is one diagnosis, so that a stopped run goes on where it was.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from runner.doctor.diagnosis import Diagnosis, diagnose
from runner.doctor.watching.evidence import Budget
from runner.doctor.watching.made import Made, seed_all
from tests.benchmarks.doctor.healthy import HEALTHY
from tests.benchmarks.doctor.mutants import MUTANTS, training
from tests.benchmarks.doctor.rows import FOLDER, append, read

RAW, PAGE = FOLDER / "doctor.jsonl", FOLDER / "doctor.md"
LOWERS = 0.08
"""Of the score: a mutant that costs less than that in the steps that were run is no fault."""


def cases() -> Iterator[tuple[str, int, tuple[str, ...], Callable[[str], dict[str, Any]]]]:
    """Name, strength, kinds that are right, what makes it."""
    for name, healthy in HEALTHY.items():
        yield name, -1, (), healthy
    for strength in (1, 0, 2):
        for mutant in MUTANTS:
            yield (
                mutant.name, strength, mutant.right,
                lambda root, m=mutant, s=strength: m.made(root, s),
            )  # fmt: skip


def _made(make: Callable[[str], dict[str, Any]], root: str, seed: int) -> Made:
    seed_all(seed)
    returned = make(root)
    return Made(seed=seed, own_step="step" in returned, **returned)


def measure(root: str, seeds: int, steps: int, raw: Path, part: tuple[int, int]) -> None:
    """Diagnose what is not in the raw file yet, or one part of it beside other processes."""
    torch.set_num_threads(1)
    done = {(row["case"], row["strength"], row["seed"]) for row in read(raw)}
    for seed in range(seeds):
        every = [("VGG as it is", -2, (), training), *cases()]
        for number, (name, strength, right, make) in enumerate(every):
            if (name, strength, seed) in done or number % part[1] != part[0]:
                continue
            began = time.perf_counter()
            found = diagnose(
                _made(make, root, 10 + 2 * seed), _made(make, root, 11 + 2 * seed),
                Budget(60.0, steps),
            )  # fmt: skip
            row = _row(found) | {
                "case": name, "strength": strength, "right": right, "seed": seed,
                "seconds": round(time.perf_counter() - began, 1),
            }  # fmt: skip
            append(raw, row)
            print(name, strength, row["causes"], row["healthy"], row["score"], flush=True)


def _row(found: Diagnosis) -> dict[str, Any]:
    return {
        "healthy": found.healthy,
        "causes": [[one.kind, round(one.confidence, 2)] for one in found.causes],
        "proven": bool(found.causes) and found.causes[0].proven,
        "score": round(found.evidence.as_it_is.score, 3),
        "used": round(found.evidence.as_it_is.used.score, 3),
    }


def page(raw: Path, steps: int) -> str:
    """The table."""
    rows = read(raw)
    usual = {row["seed"]: row["used"] for row in rows if row["strength"] == -2}
    lines = ["| mutant | faults | first cause right | within two | not a fault here |",
             "|---|---|---|---|---|"]  # fmt: skip
    total = [0, 0, 0]
    for mutant in MUTANTS:
        mine = [row for row in rows if row["case"] == mutant.name and row["strength"] >= 0]
        if not mine:
            lines.append(f"| {mutant.name} | not run yet | | | |")
            continue
        faults = [row for row in mine if usual[row["seed"]] - _as_used(row) >= LOWERS]
        first = sum(_named(row, 1) for row in faults)
        two = sum(_named(row, 2) for row in faults)
        total = [a + b for a, b in zip(total, (len(faults), first, two), strict=True)]
        lines.append(
            f"| {mutant.name} | {len(faults)} | {first} | {two} | {len(mine) - len(faults)} |"
        )
    count, first, two = total
    lines.append(
        f"| **all** | {count} | {first} ({100 * first / max(count, 1):.0f} %) | "
        f"{two} ({100 * two / max(count, 1):.0f} %) | |"
    )
    planned = 3 * len(MUTANTS) * max(len(usual), 1)
    run = sum(row["strength"] >= 0 for row in rows)
    missed = [
        f"- {row['case']} (strength {row['strength'] + 1} of 3): "
        + (", ".join(kind for kind, _ in row["causes"]) or "nothing")
        for row in rows
        if row["strength"] >= 0
        and usual[row["seed"]] - _as_used(row) >= LOWERS
        and not _named(row, 2)
    ]
    healthy = [row for row in rows if row["strength"] == -1]
    alarms = [row for row in healthy if row["causes"]]
    unsure = [row for row in healthy if not row["causes"] and not row["healthy"]]
    seconds = sorted(row["seconds"] for row in rows)
    told = [f"- {row['case']}: {', '.join(kind for kind, _ in row['causes'])}" for row in alarms]
    told += [f"- {row['case']}: not known" for row in unsure]
    return "\n".join([
        "# How often `doctor` names the cause", "",
        f"A VGG of four convolutions on 4,000 images of CIFAR-10 (JPEG-encoded), {steps} steps a "
        f"trial, {len(usual)} seed(s), {run} of {planned} mutants and strengths so far (a stopped "
        "run goes on where it was). A mutant is a fault where "
        f"it lowers the score by {LOWERS} in the steps that were run. Thresholds were set on "
        "scikit-learn's digits with other networks and seeds. "
        f"Median time of a diagnosis {seconds[len(seconds) // 2]:.0f} s on one core of two, "
        "others at work beside it.", "",
        *lines, "",
        "Faults whose cause was not named, with what was said:", "", *missed, "",
        f"Healthy trainings: {len(healthy)}, of which {len(alarms)} raised an alarm and "
        f"{len(unsure)} got 'not known'.", "", *told, "",
        "`python -m tests.benchmarks.doctor.measure FOLDER_WITH_train_AND_test`; every diagnosis "
        "is a line of `doctor.jsonl`.", "",
    ])  # fmt: skip


def _as_used(row: dict[str, Any]) -> float:
    used = row["used"]
    return 0.0 if used != used else max(used, 0.0)


def _named(row: dict[str, Any], within: int) -> bool:
    return any(kind in row["right"] for kind, _ in row["causes"][:within])


def main() -> None:
    """Measure what is missing, write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", help="folder with train/CLASS and test/CLASS")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--part", default="0/1", help="of so many processes: 0/2 and 1/2")
    given = parser.parse_args()
    number, of = map(int, given.part.split("/"))
    measure(given.root, given.seeds, given.steps, RAW, (number, of))
    PAGE.write_text(page(RAW, given.steps), "utf-8")


if __name__ == "__main__":
    main()
