"""Diagnose what is not in the raw file yet."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import torch

from runner.doctor.diagnosis import Diagnosis, diagnose
from runner.doctor.watching.evidence import Budget
from tests.benchmarks.doctor.published.case import VERSIONS, Case
from tests.benchmarks.doctor.rows import FOLDER, Clock, Row, append, read, stamp

RAW = FOLDER / "doctor_published.jsonl"


def budget_words(seconds: float, steps: int | None) -> str:
    """What a diagnosis may spend, as rows have it."""
    return f"{seconds:g} s" if steps is None else f"{steps} steps a trial"


def measure(
    cases: Sequence[Case],
    seeds: int,
    raw: Path,
    *,
    seconds: float,
    steps: int | None,
    part: tuple[int, int] = (0, 1),
) -> None:
    """Diagnose both versions of each case at each seed.

    Args:
        cases: in any order.
        seeds: how many; seed s makes the training with 2 s and its second one with 2 s + 1.
        raw: the file that rows are appended to.
        seconds: of a diagnosis, as `doctor --seconds`.
        steps: of a trial, as `doctor --steps`; None: the seconds decide.
        part: (number, of): this process takes every so-manieth.
    """
    torch.set_num_threads(1)
    budget = budget_words(seconds, steps)
    done = {(row["case"], row["version"], row["seed"], row["budget"]) for row in read(raw)}
    wanted = [(s, case, version) for s in range(seeds) for case in cases for version in VERSIONS]
    for number, (seed, case, version) in enumerate(wanted):
        key = (case.make, version, seed, budget)
        if key in done or number % part[1] != part[0]:
            continue
        clock = Clock()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's of a broadcast, which the tool is not told
            found = diagnose(
                case.made(version, 2 * seed), case.made(version, 2 * seed + 1),
                Budget(seconds, steps),
            )  # fmt: skip
        row = dict(zip(("case", "version", "seed", "budget"), key, strict=True))
        append(raw, row | row_of(found) | clock.spent() | stamp("torch"))
        print(*key, row_of(found)["causes"], found.healthy, flush=True)


def row_of(found: Diagnosis) -> Row:
    """What a diagnosis said, as a row."""
    base = found.evidence.as_it_is if found.evidence is not None else None
    return {
        "healthy": found.healthy,
        "causes": [[one.kind, round(one.confidence, 2)] for one in found.causes],
        "proven": bool(found.causes) and found.causes[0].proven,
        "used": None if base is None or base.broke else round(base.used.score, 3),
    }
