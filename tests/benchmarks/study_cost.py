r"""What part of a published study gives its verdicts: its runs replayed through smaller designs.

Run by hand, from the root of the repository; a stopped run goes on where it was, by the rows in
`results/benchmarks/study_cost.jsonl`:

    python -m tests.benchmarks.study_cost --replays 200 --out results/benchmarks/study_cost.md

Unlike `cost_to_answer` it asks the planned claims, and of a fraction: a smaller design is a
D-optimal part of its combinations and so many of the runs that each of them had.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

import analysis
from analysis.study import Study
from runner.design.search.exchange import d_optimal
from runner.design.search.quality import parameter_count
from runner.spec.adaptive import FIRST
from tests.benchmarks.doctor.rows import FOLDER
from tests.benchmarks.factorials import Row, Rows, command_line, once

STUDY = "cifar10_cpu"
STORE = Path("results/published/cifar10-cpu/study.db")
GOAL = 0.95


@dataclass(frozen=True)
class Design:
    """A part of a study.

    Attributes:
        combinations: of those that the study has.
        replicates: of each.
        order: of the model that it is chosen for, and that predicts what did not run.
        of: combinations of the study.
    """

    combinations: int
    replicates: int
    order: int
    of: int

    def __str__(self) -> str:
        if self.combinations == self.of:
            return f"all {self.of} x {self.replicates}"
        model = "mains" if self.order == 1 else "mains and pairs"
        return f"D-optimal for {model}, {self.combinations} of {self.of} x {self.replicates}"


def designs(study: Study) -> Iterator[Design]:
    """Those that are replayed: few to all of the combinations, each once to as often as all ran."""
    cells = study.frame.groupby(list(study.factors), observed=True).size()
    of, least = len(cells), int(cells.min())
    sizes = [len(levels) for levels in study.factors.values()]
    parts = ((1 / 4, 1), (1 / 2, 1), (1 / 2, 2), (3 / 4, 2))
    for (share, order), k in product(parts, range(1, least + 1)):
        count = round(of * share)
        if count > parameter_count(sizes, order):
            yield Design(count, k, order, of)
    for k in range(1, least + 1):
        yield Design(of, k, study.order, of)


def drawn(study: Study, design: Design, rng: np.random.Generator) -> Study:
    """The study as if only so much of it had been planned, all at once."""
    names = list(study.factors)
    frame = study.frame.assign(_order=rng.random(len(study.frame))).sort_values("_order")
    frame = frame.drop(columns="_order")
    if design.combinations < design.of:
        combinations = frame[names].drop_duplicates().reset_index(drop=True)
        codes = np.column_stack([
            pd.Categorical(combinations[name].astype(str), list(levels)).codes
            for name, levels in study.factors.items()
        ]).astype(np.int64)  # fmt: skip
        sizes = [len(levels) for levels in study.factors.values()]
        seed = int(rng.integers(2**31))
        kept, _ = d_optimal(
            codes, sizes, design.combinations, order=design.order, seed=seed, starts=1
        )
        frame = frame.merge(combinations.iloc[kept], on=names)
    number = frame.groupby(names, observed=True).cumcount()
    frame = frame[number < design.replicates].reset_index(drop=True)
    frame = frame.astype({name: study.frame[name].dtype for name in names})
    planned = {key: value for key, value in study.info.items() if key != "spec"}
    return replace(
        study, frame=frame, info=planned, order=design.order, read_curves=None,
        read_evidence=None, attempt_rows=None, checked=None, as_given=None,
    )  # fmt: skip


def verdicts(study: Study) -> list[str]:
    """Of every planned claim, in order."""
    return [str(one) for one in study.claims()["verdict"]]


def measure(
    study: Study, design: Design, reference: list[str], replays: int, seed: int = 20
) -> Row:
    """Design, share of runs, replays with every verdict alike, verdicts alike, verdicts reversed.

    A verdict is reversed where a claim is supported by one and refuted by the other.
    """
    rng = np.random.default_rng(seed)
    alike, against, runs = [], [], 0
    for _ in range(replays):
        part = drawn(study, design, rng)
        said = verdicts(part)
        pairs = list(zip(said, reference, strict=True))
        alike.append([one == other for one, other in pairs])
        against.append([{*pair} == {"supported", "refuted"} for pair in pairs])
        runs += len(part.frame)
    each = np.array(alike)
    share = runs / replays / len(study.frame)
    return str(design), share, float(each.all(axis=1).mean()), float(each.mean()), float(
        np.mean(against)
    )  # fmt: skip


def everything(replays: int) -> Rows:
    """Every design on the published study."""
    study = analysis.load(STUDY, f"sqlite:///{STORE}")
    reference = verdicts(study)
    kept = FOLDER / "study_cost.jsonl"
    return [
        once(
            kept,
            (study.name, len(study.frame), str(design), replays),
            partial(measure, study, design, reference, replays),
        )
        for design in designs(study)
    ]


def page(rows: Rows, replays: int, command: str) -> str:
    """The table as Markdown."""
    enough = [row for row in rows if row[2] >= GOAL]
    first = min(enough, key=lambda row: row[1], default=None)
    found = "no smaller design" if first is None else f"{first[0]}, {first[1]:.0%} of the runs"
    lines = [
        f"# Cost to answer of `{STUDY}`",
        "",
        f"{replays:,} replays of each smaller design of the published study: a part of its",
        "combinations, and of the runs that each of them had, judged as if no more had been",
        "planned. The verdicts of all its runs are the reference. Alike: replays in which every",
        "verdict is the same, and share of single verdicts that are; reversed: supported where all",
        f"runs refute, or the other way round. Every verdict in {GOAL:.0%} of replays: {found}.",
        f"Runs in waves are no row: they decide nothing before {FIRST} runs of each combination",
        "(decision 110), more than the study has.",
        "",
        f"Made by `{command}`.",
        "",
        "| design | runs | all verdicts alike | verdicts alike | reversed |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {share:.0%} | {every:.1%} | {each:.1%} | {against:.2%} |"
            for name, share, every, each, against in sorted(rows, key=lambda row: row[1])
        ),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    command_line("study_cost", (__doc__ or "").splitlines()[0], everything, page)
