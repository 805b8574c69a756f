"""Differences of levels in fractions of a grid whose factors interact three at a time and more.

    python -m tests.benchmarks.fraction_means > results/benchmarks/fraction_means.md

Where combinations never ran, a model of main effects and pairs predicts them. How far the
combinations that ran lie from it is part of the error; here that is held against the error of the
runs alone, which assumes that the model is true.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from analysis.effects.term_tests.welch_tests import welch_test
from analysis.loading import from_frame
from analysis.model.completion import LackOfFit
from analysis.model.grid import Grid
from analysis.model.terms import Term
from runner.design.search.exchange import d_optimal

Array = Any
World = Callable[[np.random.Generator], Array]
DESIGNS = (
    ((4, 3, 4, 3, 2, 2), 96, 3),
    ((3, 2, 2, 3, 2), 36, 3),
    ((3, 2, 2, 3, 2), 54, 2),
    ((3, 2, 2, 3, 2), 71, 3),
    ((2, 2, 2, 2, 2, 2), 32, 3),
    ((3, 2, 2, 2, 2), 27, 3),
)
"""Levels of the factors, combinations that run (D-optimal for mains and pairs), runs of each."""


def worlds(levels: tuple[int, ...]) -> Iterator[tuple[str, World]]:
    """Means of all combinations, in standard deviations of a run, drawn for each study."""
    a, b, c = np.indices(levels)[1:4] == 0

    def departures(size: float) -> World:
        return lambda rng: rng.normal(0, size, levels)

    yield "mains and pairs alone", lambda rng: np.zeros(levels)
    for size in (0.5, 1.0, 3.0):
        yield f"departures of {size:g}", departures(size)
    yield "three factors together: 5", lambda rng: -5.0 * (a & b & c)
    noisy = 1.0 + 2.0 * a  # only where the second factor is at its first level
    yield "departures of 3 at one level, 1 at others", lambda rng: noisy * rng.normal(0, 1, levels)


def grid_of(rng: np.random.Generator, means: Array, design: Array, replicates: int) -> Grid:
    """A study of these true means."""
    names = [f"F{k}" for k in range(means.ndim)]
    cells = np.repeat(design, replicates, axis=0)
    frame = pd.DataFrame(cells.astype(str), columns=names)
    frame["y"] = means[tuple(cells.T)] + rng.normal(0, 1, len(cells))
    levels = {name: tuple(map(str, range(n))) for name, n in zip(names, means.shape, strict=True)}
    return from_frame(frame, names, "y", levels=levels).grid


def without(grid: Grid) -> Grid:
    """The same, its model taken to be true."""
    bare = Grid(grid.cells, grid.order, grid.screening)
    bare.completion.__dict__["lacks"] = {order: LackOfFit() for order, _ in bare.completion.models}
    return bare


def measure(
    rng: np.random.Generator, world: World, design: Array, replicates: int, shape: Any, studies: int
) -> Array:
    """Of the error of the runs alone, then with the misfit: covers, mean width, shown for nothing.

    Covers: the interval of the first two levels of the first factor, truth over the whole grid.
    Shown for nothing: p of that factor at most .05, in a world in which it does nothing.
    """
    found = np.zeros((2, 3))
    for _ in range(studies):
        means = world(rng)
        idle = np.broadcast_to(world(rng)[:1], shape)
        true = float((means[0] - means[1]).mean())
        whole = grid_of(rng, means, design, replicates)
        none = grid_of(rng, idle, design, replicates)
        weights = whole.cells.difference({"F0": "0"}, {"F0": "1"})
        for k, change in enumerate((without, lambda grid: grid)):
            one = change(whole).estimate(weights)
            p = welch_test(change(none).margin(Term(("F0",))))["p"]
            found[k] += (one.low <= true <= one.high, one.high - one.low, p <= 0.05)
    return found / studies


def lines(studies: int) -> Iterator[str]:
    """A row of the table a design and world."""
    for levels, count, replicates in DESIGNS:
        cells = np.array(list(product(*map(range, levels))))
        design = cells[d_optimal(cells, levels, count, order=2, seed=0, starts=2)[0]]
        name = f"{count} of {len(cells)} ({' x '.join(map(str, levels))}), {replicates} runs each"
        rng = np.random.default_rng([count, replicates])
        for world, draw in worlds(levels):
            found = measure(rng, draw, design, replicates, levels, studies)
            texts = [f"{one[0]:.1%} | {one[1]:.2f} | {one[2]:.1%}" for one in found]
            yield f"| {name} | {world} | {' | '.join(texts)} |"


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500, help="of a design and world")
    studies = parser.parse_args().studies
    print("# Differences of levels in fractions whose factors interact three at a time\n")
    print(
        f"Made by `python -m tests.benchmarks.fraction_means --studies {studies}`: {studies:,} "
        "studies of each design and world (one standard error at 95 %: "
        f"{100 * (0.05 * 0.95 / studies) ** 0.5:.1f} points). Everything is in standard deviations "
        "of a run. Departures: what a combination's true mean has beyond mains and pairs. Covers: "
        "the 95 % interval of the first two levels of the first factor, truth over all "
        "combinations. Nothing shown: p of that factor at most .05 where it does nothing, and the "
        "others what the world says. By the runs: their noise alone is the error, as if mains and "
        "pairs were all there is. With misfit: as the program has it.\n"
    )
    kinds = ("by the runs", "with misfit")
    columns = [f"{kind}: {what}" for kind in kinds for what in ("covers", "width", "nothing shown")]
    print(f"| design | world | {' | '.join(columns)} |\n|:--|:--|{'--:|' * len(columns)}")
    for line in lines(studies):
        print(line, flush=True)


if __name__ == "__main__":
    main()
