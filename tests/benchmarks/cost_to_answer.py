r"""What part of a replicated factorial gives its answers: real ones replayed through designs.

Run by hand, from the root of the repository:

    python -m tests.benchmarks.cost_to_answer --replays 1000 \
        --out results/benchmarks/cost_to_answer.md

A strategy is a function from a factorial and a generator to the runs that it would have made and
what is said of them; `strategies` has those that are measured, and further ones are added there.
A strategy's row is kept in `cost_to_answer.jsonl` beside the page when it is there, so that a
stopped run goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from itertools import combinations, product
from pathlib import Path

import numpy as np

from runner.design.search.exchange import d_optimal, orthogonal_array
from runner.design.search.quality import parameter_count
from runner.spec.adaptive import Adaptive
from tests.benchmarks.adaptive import differences, in_waves
from tests.benchmarks.doctor.rows import FOLDER
from tests.benchmarks.factorials import (
    LEFT_OUT,
    Factorial,
    Floats,
    Row,
    Rows,
    Said,
    command_line,
    factorials,
    judge,
    once,
)

GOAL = 0.95
LIMITS = {1: 0.2, 2: 0.4}
"""Share of the compute that is hoped for, by order: mains, and mains with pairs."""
ORDERS = {1: "mains", 2: "mains and pairs"}


@dataclass(frozen=True)
class Used:
    """What a strategy made of a factorial.

    Attributes:
        runs: trained.
        said: of all questions of the order.
    """

    runs: int
    said: Said


Strategy = Callable[[Factorial, np.random.Generator], Used]


def full(replicates: int, order: int) -> Strategy:
    """Every combination, so many times."""

    def strategy(one: Factorial, rng: np.random.Generator) -> Used:
        runs = one.own(replicates, rng)
        return Used(int(np.isfinite(runs).sum()), judge(runs, order=order))

    return strategy


def fraction(kind: str, cells: int, replicates: int, order: int) -> Strategy:
    """A part of the combinations, levels in random order, so many times."""

    def strategy(one: Factorial, rng: np.random.Generator) -> Used:
        codes = _grid(one.levels)[_chosen(kind, one.levels, cells, order)]
        renamed = [rng.permutation(size)[codes[:, at]] for at, size in enumerate(one.levels)]
        runs = np.full((replicates, *one.levels), np.nan)
        where = (slice(None), *renamed)
        runs[where] = one.own(replicates, rng)[where]
        return Used(int(np.isfinite(runs).sum()), judge(runs, order=order))

    return strategy


def adaptive(order: int) -> Strategy:
    """The first runs of every combination, then waves where the noise is, until all is decided."""

    def strategy(one: Factorial, rng: np.random.Generator) -> Used:
        runs = one.own(one.least, rng)
        flat = np.moveaxis(runs, 0, -1).reshape(1, -1, one.least)
        counts = in_waves(
            flat, one.levels, rows=_asked(one.levels, order), rule=Adaptive(2, one.least)
        ).counts.reshape(one.levels)
        kept = np.where(
            np.arange(one.least).reshape(-1, *[1] * runs[0].ndim) < counts, runs, np.nan
        )
        return Used(int(counts.sum()), judge(kept, order=order))

    return strategy


def _asked(levels: tuple[int, ...], order: int) -> Floats:
    """Differences of levels; with pairs also the differences of two such differences."""
    rows = differences(levels)
    if order == 1:
        return np.asarray(rows)
    codes = _grid(levels)
    more = []
    for first, second in combinations(range(len(levels)), 2):
        for a, b in combinations(range(levels[first]), 2):
            for c, d in combinations(range(levels[second]), 2):
                one = (codes[:, first] == a) * 1.0 - (codes[:, first] == b)
                other = (codes[:, second] == c) * 1.0 - (codes[:, second] == d)
                more.append(one * other * levels[first] * levels[second] / len(codes))
    return np.array([*rows, *more])


def _grid(levels: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.array(list(product(*map(range, levels))))


@cache
def _chosen(
    kind: str, levels: tuple[int, ...], cells: int, order: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    candidates = _grid(levels)
    if kind == "orthogonal":
        return orthogonal_array(candidates, levels, cells, seed=0, starts=2, steps=50)
    return d_optimal(candidates, levels, cells, order=order, seed=0, starts=3)[0]


def strategies(one: Factorial, order: int) -> dict[str, Strategy]:
    """Those that are measured on a factorial, by name."""
    cells = int(np.prod(one.levels))
    least = parameter_count(one.levels, order)
    found = {f"full x {k}": full(k, order) for k in range(1, one.least + 1)}
    if one.least > 2:
        found[f"adaptive 2 to {one.least}"] = adaptive(order)
    for share in (1 / 8, 1 / 4, 1 / 2, 3 / 4):
        size = round(cells * share)
        for k in range(1, one.least + 1):
            if size > 1.3 * least:
                name = f"D-optimal {size} of {cells} x {k}"
                found[name] = fraction("d-optimal", size, k, order)
            if order == 1 and share == 1 / 2 and size > least and cells <= 72:
                found[f"orthogonal {size} of {cells} x {k}"] = fraction("orthogonal", size, k, 1)
    return found


def measure(
    one: Factorial, order: int, replays: int, seed: int = 18, kept: Path | None = None
) -> Rows:
    """Every strategy: factorial, order, name, share of compute, all verdicts alike, one alike.

    Args:
        one: the factorial.
        order: 1 asks of factors, 2 of pairs too.
        replays: of each strategy.
        seed: of the draws.
        kept: file of rows; what is there is not measured again, what is new is added.
    """
    reference = judge(one.runs, order=order).sign
    return [
        once(
            kept,
            (one.name, order, name, replays, seed),
            partial(_alike, one, order, name, strategy, reference, replays, seed),
        )
        for name, strategy in strategies(one, order).items()
    ]


def _alike(
    one: Factorial, order: int, name: str, strategy: Strategy, reference: Floats, replays: int,
    seed: int,
) -> Row:  # fmt: skip
    """The row of a strategy."""
    rng = np.random.default_rng(seed)
    alike: list[Floats] = []
    runs = 0
    for _ in range(replays):
        used = strategy(one, rng)
        alike.append(used.said.sign == reference)
        runs += used.runs
    each = np.array(alike)
    shares = runs / replays / one.count, float(each.all(axis=1).mean()), float(each.mean())
    return one.name, ORDERS[order], name, *shares


def page(rows: list[tuple[str, str, str, float, float, float]], replays: int, command: str) -> str:
    """The tables as Markdown."""
    lines = [
        "# Cost to answer: share of the compute, and of the verdicts of the whole",
        "",
        f"{replays:,} replays of each design on factorials that others trained completely and on",
        "this project's published grid. The verdicts of all runs (Welch, Holm at 5 %; shown with",
        "its sign, or not) are the reference.",
        "Alike: replays in which every verdict is the same, and share of single verdicts that are.",
        "A run costs the same wherever it is. Runs are drawn from those that there are, so that a",
        "design which uses all of them agrees by construction. Adaptive: `replicates` of 2 to as",
        "many as every combination has: the first runs are one design (decision 110), further",
        "ones go where the noise is until everything is decided or hopeless; its compute is the",
        "mean of the replays. Cells that did not run are predicted by the model of the order,",
        "which assumes that no more factors interact: where they do, more runs of a fraction do",
        "not make it agree.",
        "",
        f"Made by `{command}`.",
        "",
    ]
    for order, words in ORDERS.items():
        some = [row for row in rows if row[1] == words]
        lines += [f"## {words[0].upper()}{words[1:]}", ""]
        for name in dict.fromkeys(row[0] for row in some):
            enough = [row for row in some if row[0] == name and row[4] >= GOAL]
            first = min(enough, key=lambda row: row[3], default=None)
            best = "no design" if first is None else f"{first[2]} at {first[3]:.0%} of compute"
            met = first is not None and first[3] <= LIMITS[order]
            lines.append(
                f"- {name}: all verdicts in {GOAL:.0%} of replays by {best} "
                f"(hoped for: {LIMITS[order]:.0%}, {'met' if met else 'missed'})."
            )
        lines += ["", "| factorial | design | compute | all verdicts alike | verdicts alike |"]
        lines.append("|---|---|---|---|---|")
        lines += [
            f"| {name} | {design} | {share:.0%} | {every:.1%} | {each:.1%} |"
            for name, _, design, share, every, each in sorted(some, key=lambda r: (r[0], r[3]))
        ]
        lines.append("")
    return "\n".join([*lines, *LEFT_OUT, ""])


def everything(replays: int) -> Rows:
    """All factorials, mains and pairs."""
    kept = FOLDER / "cost_to_answer.jsonl"
    return [
        row
        for one in factorials()
        for order in ORDERS
        for row in measure(one, order, replays, kept=kept)
    ]


if __name__ == "__main__":
    command_line("cost_to_answer", (__doc__ or "").splitlines()[0], everything, page)
