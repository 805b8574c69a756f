r"""What a part of the compute tells, by the order in which cells run: real factorials replayed.

Run by hand, from the root of the repository:

    python -m tests.benchmarks.budget_order --replays 100 --out results/benchmarks/budget_order.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from analysis.model.classical import ClassicalFit
from analysis.model.grid import Grid
from analysis.model.terms import terms_up_to
from analysis.stats.estimates import t_limits
from runner.content.level import Factor, Level
from runner.content.protocol import DataSpec, ModelSpec, TrainSpec
from runner.design import Design, design_of
from runner.design.order.best_next import BestNext
from runner.design.search.quality import model_matrix
from runner.spec import Spec
from tests.benchmarks.coverage.worlds import cells_of
from tests.benchmarks.factorials import (
    LEFT_OUT,
    Factorial,
    Floats,
    Rows,
    command_line,
    factorials,
)

SHARES = (0.1, 0.2, 0.4, 0.6)
SCATTER = 0.1
"""Standard deviation of the logarithm of a run's seconds about what its levels say."""
AGAIN = 8
"""Cells after which the order is chosen anew from the seconds seen so far."""
HELD = ("augmentation", "scheduler", "init", "bn_placement", "optimizer")
COSTS: dict[str, Callable[[Sequence[int]], float]] = {
    # Levels in the tables' sorted order. Steps an epoch, and what an epoch takes beside them.
    "ml_fcnet_protein_5f": lambda run: 0.2 + (0.125, 1.0)[run[1]],
    # Starting, then steps of a millisecond or the arithmetic of a perceptron on 600 rows.
    "ml_hpobench_vehicle_5f": lambda run: (
        0.05
        + (0.002, 0.15)[run[1]]
        + 7e-7 * (1024, 16)[run[4]] * (22 + run[2] * (1024, 16)[run[4]])
    ),
    # Multiplications of the cell's operations, and of the network around them.
    "ml_nasbench201_2x6_unbalanced": lambda run: 10.0 + 9.0 * sum(one == 0 for one in run),
    "nasbench201_5x5x5": lambda run: 37.0 + sum((0.0, 0.0, 1.0, 9.0, 0.5)[one] for one in run),
}
"""Seconds of a run by its levels, up to a factor: the tables hold none, so they are assumed."""


@dataclass(frozen=True)
class Replay:
    """A factorial, with a design that could have run it."""

    one: Factorial
    design: Design
    runs: tuple[tuple[int, ...], ...]  # of each cell of the design
    costs: Floats  # expected, of each cell

    @staticmethod
    def of(one: Factorial) -> Replay:
        """As many replicates as every combination has."""
        factors = tuple(
            Factor(f"f{f}", tuple(Level(f"f{f}", str(k), f"level{k}", {}) for k in range(size)))
            for f, size in enumerate(one.levels)
        )
        spec = Spec(
            name="replay", profile="default", data=DataSpec(), model=ModelSpec(),
            train=TrainSpec(), factors=factors, replicates=one.least,
            fixed=tuple(Level(name, "x", "x", {}) for name in HELD),
        )  # fmt: skip
        design = design_of(spec)
        runs = tuple(tuple(int(one) for one in cell.labels.values()) for cell in design.cells)
        costs = np.array([COSTS[one.name](run) for run in runs])
        return Replay(one, design, runs, costs)

    def as_listed(self, rng: np.random.Generator, took: Floats) -> list[int]:
        """Replicate by replicate, levels in the order of the file."""
        cells = self.design.cells
        return sorted(range(len(cells)), key=lambda i: (cells[i].replicate, self.runs[i]))

    def shuffled(self, rng: np.random.Generator, took: Floats) -> list[int]:
        """Replicate by replicate, each in random order: what `grid` does without --hours."""
        cells = self.design.cells
        drawn = rng.random(len(cells))
        return sorted(range(len(cells)), key=lambda i: (cells[i].replicate, drawn[i]))

    def by_worth(self, rng: np.random.Generator, took: Floats) -> list[int]:
        """What `grid --hours` does, the costs learned on the way."""
        best = BestNext(self.design)
        place = {cell.id: i for i, cell in enumerate(self.design.cells)}
        order: list[int] = []
        seen: dict[str, float] = {}
        while len(order) < len(place):
            waiting = place.keys() - seen.keys()
            for cell in islice(best.choose(seen.keys(), waiting, seen), AGAIN):
                order.append(place[cell])
                seen[cell] = float(took[place[cell]])
        return order


ORDERS: dict[str, Callable[[Replay, np.random.Generator, Floats], list[int]]] = {
    "as listed": Replay.as_listed,
    "shuffled (grid)": Replay.shuffled,
    "grid --hours": Replay.by_worth,
}


@dataclass(frozen=True)
class Known:
    """What a part of the runs tells.

    Attributes:
        information: D-efficiency of the main effects (and of mains and pairs), as a share of all
            runs'; 0 where they cannot all be estimated.
        estimates, widths: of every difference between levels; NaN where there is none.
    """

    information: tuple[float, float]
    estimates: Floats
    widths: Floats


def known(replay: Replay, done: Sequence[int], drawn: Floats) -> Known:
    """What the analysis makes of these cells of the design."""
    values = np.full_like(drawn, np.nan)
    for i in done:
        where = (replay.design.cells[i].replicate, *replay.runs[i])
        values[where] = drawn[where]
    shares = tuple(_information(replay, done, order) for order in (1, 2))
    estimates, widths = _differences(values)
    return Known((shares[0], shares[1]), estimates, widths)


def _information(replay: Replay, done: Sequence[int], order: int) -> float:
    matrix, _ = model_matrix(np.array(replay.runs), replay.one.levels, order)
    part = matrix[list(done)]
    if np.linalg.matrix_rank(part) < matrix.shape[1]:
        return 0.0
    some, all_ = (float(np.linalg.slogdet(one.T @ one)[1]) for one in (part, matrix))
    return float(np.exp((some - all_) / matrix.shape[1]))


def _differences(values: Floats) -> tuple[Floats, Floats]:
    """Estimates and half-widths of all differences between levels."""
    cells = cells_of(values)
    if cells.pure_df == 0:
        fit = ClassicalFit.of_cells(cells, 2 if cells.n > 2 * sum(cells.shape) else 1)
        found = [
            fit.contrast(cells.difference({name: a}, {name: b}), 0.95)
            for name, levels in cells.factors.items()
            for k, a in enumerate(levels)
            for b in levels[k + 1 :]
        ]
        high, low = (np.array([getattr(one, end) for one in found]) for end in ("high", "low"))
        return np.array([one.estimate for one in found]), (high - low) / 2
    grid = Grid(cells, 2)
    estimates, widths = [], []
    for term in terms_up_to(cells.names, 1):
        margin = grid.margin(term)
        _, weights = margin.pair_weights()
        own = margin.combine(weights, "welch")
        low, high = t_limits(*own)[:2]
        estimates.append(np.asarray(own[0]))
        widths.append((high - low) / 2)
    return np.concatenate(estimates), np.concatenate(widths)


def measure(one: Factorial, replays: int, seed: int = 18) -> Iterator[tuple[object, ...]]:
    """Factorial, order, share, information of mains, and with pairs, error, width, judged."""
    replay = Replay.of(one)
    whole = _differences(one.runs)[0]
    size = float(np.sqrt(np.mean(whole**2)))
    for name, order_of in ORDERS.items():
        rng = np.random.default_rng(seed)
        found: dict[float, list[tuple[float, ...]]] = {share: [] for share in SHARES}
        judged = []
        for _ in range(replays):
            took = replay.costs * np.exp(SCATTER * rng.standard_normal(len(replay.costs)))
            drawn = one.own(one.least, rng)
            order = order_of(replay, rng, took)
            spent = np.cumsum(took[order]) / took.sum()
            judged.append(_two_each(replay, order, spent))
            full = _differences(drawn)[1]
            for share in SHARES:
                part = known(replay, order[: int(np.sum(spent <= share))], drawn)
                error = np.nan_to_num(part.estimates) - whole
                with np.errstate(invalid="ignore", divide="ignore"):
                    width = np.nan_to_num(part.widths / full, nan=np.inf)
                found[share].append(
                    (*part.information, float(np.sqrt(np.mean(error**2))) / size, np.median(width))
                )
        for share, rows in found.items():
            numbers = np.array(rows)
            row = (
                one.name, name, share, *numbers[:, :3].mean(axis=0).tolist(),
                float(np.median(numbers[:, 3])), float(np.mean(judged)),
            )  # fmt: skip
            print(row, flush=True)
            yield row


def _two_each(replay: Replay, order: Sequence[int], spent: Floats) -> float:
    """Share of the compute after which every combination has run twice."""
    second = [k for k, i in enumerate(order) if replay.design.cells[i].replicate == 1]
    return float(spent[max(second)])


def page(rows: Rows, replays: int, command: str) -> str:
    """The table as Markdown."""
    lines = [
        "# Within a budget: what a part of the compute tells, by the order of the cells",
        "",
        f"{replays:,} replays of each order on factorials that others trained completely, with one",
        "slot and no claims. The tables hold no seconds: a run costs what the arithmetic of its",
        f"levels says (`COSTS` in the program), with a scatter of {SCATTER:.0%}. `grid --hours`",
        "starts without knowing any cost and learns it from the runs that ended.",
        "",
        "- *Information*: D-efficiency of the main effects as a share of that of all runs, and of",
        "  main effects with pairs; 0 where they cannot all be estimated. By the model alone.",
        "- *Error*: root mean square of what the analysis estimates of the differences between",
        "  levels minus the differences in all runs of the table, over the size of those; what",
        "  cannot be estimated counts as no difference, so 1 is to know nothing.",
        "- *Width*: median of the half-widths of these differences over those of all runs of the",
        "  replay, where every combination ran twice: before, nothing is judged.",
        "- *Judged from*: share of the compute at which every combination has run twice.",
        "",
        f"Made by `{command}`.",
        "",
        *_beside(rows),
        "",
        "| factorial | order | compute | mains | mains, pairs | error | width | judged from |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, order, share, mains, pairs, error, width, judged in sorted(
        rows, key=lambda row: (row[0], row[2], list(ORDERS).index(row[1]))
    ):
        shown = f"{width:.2f}" if judged < share else "-"
        lines.append(
            f"| {name} | {order} | {share:.0%} | {mains:.0%} | {pairs:.0%} | {error:.2f} | {shown} "
            f"| {judged:.0%} |"
        )
    return "\n".join([*lines, "", *LEFT_OUT, ""])


def _beside(rows: Rows) -> list[str]:
    """What the order of `grid --hours` is worth beside a shuffled one, also where it is less."""
    by = {(row[0], row[1], row[2]): row for row in rows}
    lines = []
    for name in dict.fromkeys(row[0] for row in rows):
        ours, theirs = (
            [by[name, order, share] for share in SHARES]
            for order in ("grid --hours", "shuffled (grid)")
        )
        times = ", ".join(f"{a[3] / b[3]:.2f}" for a, b in zip(ours, theirs, strict=True))
        worse = [
            f"{a[2]:.0%} ({a[5]:.2f} against {b[5]:.2f})"
            for a, b in zip(ours, theirs, strict=True)
            if round(a[5], 2) > round(b[5], 2)
        ]
        text = f"- {name}: {times} times the information on the mains that a shuffled order has at "
        text += ", ".join(f"{share:.0%}" for share in SHARES)
        lines.append(f"{text} of the compute; its error is larger at {', '.join(worse) or 'none'}.")
    return lines


def everything(replays: int) -> Rows:
    """All factorials."""
    return [row for one in factorials() for row in measure(one, replays)]


if __name__ == "__main__":
    command_line("budget_order", (__doc__ or "").splitlines()[0], everything, page)
