r"""What evidence in the cells costs: the same cells with it and without, in turn, in CPU seconds.

Run by hand, from the root of the repository:

    python -m tests.benchmarks.evidence --pairs 6 --out results/benchmarks/evidence.md

Pairs take turns in one process, and who begins alternates, so that what else the machine does hits
both alike. Beside the difference stands the CPU time spent inside of the watching itself, which a
busy machine blurs less. That nothing else of an outcome differs is checked in every pair.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from runner.content.cell import Cell
from runner.content.outcome import Outcome
from runner.content.protocol import DataSpec
from runner.data import Images, load
from runner.probe.moments import images, moments
from runner.training import train
from runner.training.watching import Watch
from tests.benchmarks.machine import commit, in_words, machine
from tests.runner.cells import make_cell

WATCHING = ("__init__", "begin", "before_step", "after_step", "end_epoch")
"""Everything that the training loop calls."""


@dataclass(frozen=True)
class Case:
    """A kind of cell that is measured."""

    name: str
    cell: Cell


@dataclass(frozen=True)
class Pair:
    """The same cell twice. CPU seconds."""

    without: float
    watched: float
    inside: float  # of `watched`, what was spent in the watching
    kept: int  # bytes of evidence


def cases() -> tuple[Case, ...]:
    """On all of scikit-learn's digits, at 32x32 pixels."""

    def cell(width: float, batch: int, epochs: int) -> Cell:
        return make_cell(
            data={"limit": None},
            model={"width": width},
            train={"epochs": epochs, "batch_size": batch},
        )

    return (
        Case("VGG-11, width 1/8, batch 64, 6 epochs: the shipped grid's cell", cell(1 / 8, 64, 6)),
        Case("VGG-11, width 1/8, batch 64, 20 epochs", cell(1 / 8, 64, 20)),
    )


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Within the block the CPU seconds inside of `Watch` are added up."""
    spent = 0.0
    own = {name: getattr(Watch, name) for name in WATCHING}

    def wrapped(method: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            nonlocal spent
            began = time.thread_time()
            try:
                return method(*args, **kwargs)
            finally:
                spent += time.thread_time() - began

        return run

    for name, method in own.items():
        setattr(Watch, name, wrapped(method))
    try:
        yield lambda: spent
    finally:
        for name, method in own.items():
            setattr(Watch, name, method)


def measured(cell: Cell, digits: Images, *, watched: bool) -> tuple[Outcome, float, float]:
    """Outcome, CPU seconds, CPU seconds in the watching."""
    with timed() as inside:
        began = time.process_time()
        outcome = train(cell, digits, watched=watched)
        return outcome, time.process_time() - began, inside()


def pairs_of(cell: Cell, digits: Images, count: int) -> list[Pair]:
    """So many pairs; who begins alternates."""
    found = []
    for place in range(count):
        both = {
            watched: measured(cell, digits, watched=watched)
            for watched in ((True, False), (False, True))[place % 2]
        }
        assert learned(both[True][0]) == learned(both[False][0]), "evidence changed an outcome"
        kept = len(json.dumps(both[True][0].evidence, separators=(",", ":")))
        found.append(Pair(both[False][1], both[True][1], both[True][2], kept))
    return found


def learned(outcome: Outcome) -> dict[str, Any]:
    """An outcome without what a clock says, and without evidence."""
    curve = tuple(replace(one, seconds=0.0, images_per_second=0.0) for one in outcome.curve)
    quiet = replace(
        outcome,
        curve=curve,
        seconds=0.0,
        cpu_seconds=None,
        peak_memory_bytes=None,
        evidence=None,
    )
    return quiet.to_dict()


def row(case: Case, pairs: list[Pair], digits: Images) -> str:
    """A line of the table."""
    protocol = case.cell.train
    steps = len(digits.train_labels) // protocol.batch_size
    looks = moments(protocol.epochs, steps, protocol.batch_size)
    seen = images(protocol.epochs * steps, protocol.batch_size)
    differences = [100 * (one.watched / one.without - 1) for one in pairs]
    error = stdev(differences) / len(differences) ** 0.5 if len(pairs) > 1 else float("nan")
    inside = mean(100 * one.inside / (one.watched - one.inside) for one in pairs)
    return (
        f"| {case.name} | {protocol.epochs * steps} | {len(looks)} of {seen} images | "
        f"{mean(one.without for one in pairs):.2f} s | {mean(differences):+.1f} % ± {error:.1f} | "
        f"{inside:.2f} % | {pairs[0].kept / 1000:.1f} kB |"
    )


def page(rows: list[str], pairs: int, command: str) -> str:
    """The page of results."""
    found = machine()
    packages = ", ".join(
        f"{name} {number}"
        for name, number in found["packages"].items()
        if name in ("torch", "numpy")
    )
    return "\n".join(
        [
            "# What evidence in the cells costs",
            "",
            "The same cell with and without evidence, in turn; outcomes were equal bit by bit in "
            "every pair.",
            "",
            "| cell | steps | looks | CPU without | difference of pairs | spent in the watching | "
            "kept |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
            "Difference: mean over pairs of CPU seconds with by without, ± its standard error; "
            "where that error is above 1 %, the pairs do not tell whether it costs 1 %. "
            "Spent in the watching: CPU time inside of it by that of all the rest, which other "
            "programs on the machine blur less. A cell is looked at before its first step and "
            "after its last one however short it is, so that of the shortest these two cost more "
            "than 1 %; its evidence says so.",
            "",
            f"{pairs} pairs. {in_words(found)}; {packages}; commit {commit()}.",
            "",
            f"    {command}",
            "",
            "Other programs were running on this machine. Not measured: CUDA, where looks are "
            "taken eagerly beside the recorded step.",
            "",
        ]
    )


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    digits = load(DataSpec())
    train(cases()[0].cell, digits)  # kernels are compiled once
    where = f" --out {options.out}" if options.out else ""
    command = f"python -m tests.benchmarks.evidence --pairs {options.pairs}{where}"
    rows: list[str] = []
    for case in cases():
        rows.append(row(case, pairs_of(case.cell, digits, options.pairs), digits))
        print(rows[-1], flush=True)
        if options.out:  # what is measured so far stays, whatever ends the rest
            options.out.write_text(page(rows, options.pairs, command), encoding="utf-8")


if __name__ == "__main__":
    main()
