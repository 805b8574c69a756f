"""Which factor decides convergence, asked in fractions of a grid.

    python -m tests.benchmarks.fraction_rates > results/benchmarks/fraction_rates.md

In a designed fraction hardly two combinations are alike in all factors but one, so that the exact
test within such pairs has nothing to count; the program then asks a linear model of the shares.
Here the first factor does nothing, while the others do what a world says, and the question is how
often it is shown to decide all the same; then it does something, and the question is how often that
is seen, by the model and by the exact test, and how often the interval of its first two levels
covers what is true over the whole grid.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import combinations, product
from typing import Any

import numpy as np
from scipy.special import expit, logit

from analysis.outcomes.rates.modelled import MET, ModelledRates, met
from analysis.stats.counts.cmh import exact_test
from runner.design.search.exchange import d_optimal

Array = Any
Draw = Callable[[np.random.Generator], Array]
DESIGNS = (
    ((4, 3, 4, 3, 2, 2), 96, 3),
    ((3, 2, 2, 3, 2), 36, 3),
    ((2, 3, 2, 3, 2), 36, 2),
    ((2, 2, 2, 2, 2, 2), 32, 1),
    ((2, 2, 2, 2, 2), 20, 3),
)
"""Levels of the factors, combinations that run (D-optimal for mains and pairs), runs of each."""
STRONG = 2.0
"""Logits between the first two levels where the first factor does something."""


def worlds(levels: tuple[int, ...]) -> Iterator[tuple[str, Draw]]:
    """Names, and shares of all combinations, the same at every level of the first factor.

    What is random of a world is drawn for each study.
    """
    a, b, c = np.indices(levels)[1:4] == 0
    yield "half everywhere", lambda _: np.full(levels, 0.5)
    yield "a tenth everywhere", lambda _: np.full(levels, 0.1)
    yield "two levels together decide", lambda _: np.where(a & b, 0.98, 0.02)
    yield "three factors decide", lambda _: np.where((a & b) | c, 0.98, 0.02)
    yield "mains and pairs, mild", lambda rng: _logistic(rng, levels, 1.0)
    yield "mains and pairs, strong", lambda rng: _logistic(rng, levels, 4.0)
    yield "each combination of the others its own", lambda rng: _lottery(rng, levels)


def _lottery(rng: np.random.Generator, levels: tuple[int, ...]) -> Array:
    return np.broadcast_to(rng.beta(0.3, 0.3, levels[1:]), levels)


def _logistic(rng: np.random.Generator, levels: tuple[int, ...], size: float) -> Array:
    logits = np.zeros(levels)
    others = range(1, len(levels))
    at = np.indices(levels)
    for axis in others:
        logits += rng.normal(0, size, levels[axis])[at[axis]]
    for one, two in combinations(others, 2):
        pair = rng.normal(0, size / 2, (levels[one], levels[two]))
        logits += pair[at[one], at[two]]
    return expit(logits)


def runs_of(levels: tuple[int, ...], count: int, replicates: int) -> Array:
    """Runs of each combination of the grid."""
    cells = np.array(list(product(*map(range, levels))))
    chosen, _ = d_optimal(cells, levels, count, order=2, seed=0, starts=2)
    runs = np.zeros(len(cells))
    runs[chosen] = replicates
    return runs.reshape(levels)


def with_effect(draw: Draw) -> Draw:
    """The same with `STRONG` logits between the first two levels of the first factor."""

    def drawn(rng: np.random.Generator) -> Array:
        logits = logit(np.clip(draw(rng), 0.02, 0.98))
        logits[0] += STRONG / 2
        logits[1] -= STRONG / 2
        return expit(logits)

    return drawn


def asked(rng: np.random.Generator, shares: Array, runs: Array) -> tuple[float, float, bool]:
    """p of the model and of the exact test, and whether the interval covers what is true."""
    hits = rng.binomial(runs.astype(int), shares).astype(float)
    factors = {f"F{k}": tuple(map(str, range(n))) for k, n in enumerate(runs.shape)}
    exact = exact_test(*(grid.reshape(len(runs), -1).T for grid in (hits, runs)), None).p
    model = ModelledRates.of(hits, runs, runs, factors, 2)
    interval = model.between("F0", "0", "1", 0.95)
    true = float((shares[0] - shares[1]).mean())
    covers = interval.low <= true + 1e-9 and true - 1e-9 <= interval.high
    return model.test("F0")[2], 1.0 if exact is None else exact, covers


def measure(rng: np.random.Generator, draw: Draw, runs: Array, studies: int) -> Array:
    """Share of studies: the model shows it, the exact test shows it, the interval covers."""
    found = [asked(rng, draw(rng), runs) for _ in range(studies)]
    p, exact, covers = (np.array(one) for one in zip(*found, strict=True))
    return np.array([(p <= 0.05).mean(), (exact <= 0.05).mean(), covers.mean()])


def lines(studies: int) -> Iterator[str]:
    """A row of the table a design and world."""
    for levels, count, replicates in DESIGNS:
        runs = runs_of(levels, count, replicates)
        name = f"{count} of {runs.size} ({' x '.join(map(str, levels))}), {replicates} runs each"
        name += f" | {met(runs, 0):.0%}"
        rng = np.random.default_rng([count, replicates])
        for world, draw in worlds(levels):
            nothing = measure(rng, draw, runs, studies)
            something = measure(rng, with_effect(draw), runs, studies)
            cells = [*nothing, *something]
            yield f"| {name} | {world} | {' | '.join(f'{one:.1%}' for one in cells)} |"


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500, help="of a design and world")
    studies = parser.parse_args().studies
    print("# Which factor decides convergence, in fractions\n")
    print(
        f"Made by `python -m tests.benchmarks.fraction_rates --studies {studies}`: {studies:,} "
        "studies of each design and world (one standard error at 5 %: "
        f"{100 * (0.05 * 0.95 / studies) ** 0.5:.1f} points). Shown: p of the first factor is at "
        "most .05. Met: share of runs that lie where both levels compared ran; below "
        f"{MET:.0%} the program asks the model, else the exact test. Nothing: it does nothing. "
        f"Something: {STRONG:g} logits between its first two levels, on top of what the others "
        "do. Covers: the 95 % interval of these two by the model.\n"
    )
    columns = [f"{of}: {what}" for of in ("nothing", "something")
               for what in ("shown by the model", "by the exact test", "covers")]  # fmt: skip
    print(f"| design | met | world | {' | '.join(columns)} |\n|:--|--:|:--|{'--:|' * len(columns)}")
    for line in lines(studies):
        print(line, flush=True)


if __name__ == "__main__":
    main()
