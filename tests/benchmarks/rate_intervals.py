"""Intervals of a difference of shares of runs, where combinations converge unlike each other.

    python -m tests.benchmarks.rate_intervals > results/benchmarks/rate_intervals.md

Two levels run a few times each in every combination of the other factors (a stratum). Three
intervals of their difference: Newcombe's of the pooled counts, Klingenberg's closed form with the
variance of Sato, and the score interval that agrees with the exact test, which the program has.
True is the difference of the strata's own shares, by the weights of Mantel and Haenszel.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.special import expit, ndtri

from analysis.stats.counts.common_difference import CommonDifference
from analysis.stats.counts.proportions import newcombe

Array = Any
STRATA, REPLICATES = (2, 4, 6, 12, 36), (2, 3, 5, 8)
NAMES = ("pooled Newcombe", "Sato and Klingenberg", "score, with the exact test")
MEASURED = 60
"""Studies whose score intervals are measured in length; whether they cover is told for all."""


def worlds(rng: np.random.Generator, strata: int) -> Iterator[tuple[str, Array]]:
    """Names, and shares of both levels in each stratum, shape (strata, 2)."""

    def alike(*shares: float) -> Array:
        return np.repeat(np.resize(shares, strata)[:, None], 2, axis=1)

    yield "nothing: 5 % everywhere", alike(0.05)
    yield "nothing: half everywhere", alike(0.5)
    yield "nothing: 95 % everywhere", alike(0.95)
    yield "nothing: any shares", np.repeat(rng.random((strata, 1)), 2, axis=1)
    yield "nothing: 2 and 98 %", alike(0.02, 0.98)
    yield "nothing: none, all and half", alike(0, 1, 0.5)
    yield "nothing: all but a fourth at 60 %", alike(1, 1, 1, 0.6)
    yield "95 against 75 %", np.tile([0.95, 0.75], (strata, 1))
    yield "all against 70 %", np.tile([1, 0.7], (strata, 1))
    base = np.resize([-2.5, -0.5, 1, 3], strata)
    yield "1.5 logits", np.column_stack([expit(base + 1.5), expit(base)])
    first, second = np.resize([0.4, 0.3, 1, 1], strata), np.resize([0, 0.3, 0.7, 1], strata)
    yield "in some strata only", np.column_stack([first, second])
    one = alike(1.0)
    one[0, 1] = 0.2
    yield "in one stratum only", one
    turned = np.resize([0.1, 0.9], strata)
    yield "turned round between strata", np.column_stack([turned, 1 - turned])


def klingenberg(x: Array, n: Array) -> tuple[Array, Array]:
    """Limits (Klingenberg 2014), x and n of shape (studies, strata, 2)."""
    (x1, x2), (n1, n2), total = np.moveaxis(x, -1, 0), np.moveaxis(n, -1, 0), n.sum(-1)
    weight = (n1 * n2 / total).sum(-1)
    d = ((x1 * n2 - x2 * n1) / total).sum(-1) / weight
    p = ((n1**2 * x2 - n2**2 * x1 + n1 * n2 * (n2 - n1) / 2) / total**2).sum(-1)
    q = ((x1 * (n2 - x2) + x2 * (n1 - x1)) / (2 * total)).sum(-1)
    c = (float(ndtri(0.975)) / weight) ** 2
    middle = d + c * p / 2
    half = np.sqrt(np.maximum(middle**2 - d**2 + c * q, 0))
    return middle - half, middle + half


def measure(rng: np.random.Generator, shares: Array, replicates: int, studies: int) -> Array:
    """Of each interval (rows): covers, length, says otherwise than the exact test at 5 %."""
    n = np.full((studies, *shares.shape), float(replicates))
    if replicates > 2:  # a tenth of the runs is lost
        n = np.maximum(rng.binomial(replicates, 0.9, n.shape), 1).astype(float)
    x = rng.binomial(n.astype(int), shares).astype(float)
    weights = n.prod(-1) / n.sum(-1)
    true = (weights * (shares[:, 0] - shares[:, 1])).sum(1) / weights.sum(1)
    (a, b), (m, k) = np.moveaxis(x.sum(1), -1, 0), np.moveaxis(n.sum(1), -1, 0)
    pooled = newcombe(a, m, b, k)
    scores = [CommonDifference.of(*one) for one in zip(x, n, strict=True)]
    p = np.array([one.p for one in scores])
    rows = []
    for low, high in ((pooled.low, pooled.high), klingenberg(x, n)):
        zero = (low <= 0) & (high >= 0)
        covers = (low <= true + 1e-9) & (true - 1e-9 <= high)
        rows.append((covers.mean(), (high - low).mean(), (zero != (p > 0.05)).mean()))
    below = np.array([one.below(value) for one, value in zip(scores, true, strict=True)])
    ends = np.array([one.limits() for one in scores[:MEASURED]])
    zero = (ends[:, 0] <= 0) & (ends[:, 1] >= 0)
    rows.append((
        ((below > 0.025 - 1e-9) & (below < 0.975 + 1e-9)).mean(),
        np.diff(ends, axis=1).mean(),
        (zero != (p[:MEASURED] > 0.05)).mean(),
    ))  # fmt: skip
    return np.array(rows)


def table(studies: int) -> tuple[list[str], list[str]]:
    """By strata and replicates, and by world over all of them."""
    by_size: list[str] = []
    by_world: dict[str, list[Array]] = {}
    for strata in STRATA:
        for replicates in REPLICATES:
            rng = np.random.default_rng([strata, replicates])
            found = []
            for name, shares in worlds(rng, strata):
                found.append(measure(rng, shares, replicates, studies))
                by_world.setdefault(name, []).append(found[-1])
            by_size.append(f"| {strata} | {replicates} | {_cells(found)} |")
    lines = [f"| {name} | {_cells(found)} |" for name, found in by_world.items()]
    return by_size, lines


def _cells(found: list[Array]) -> str:
    """Mean and least coverage, mean length, most contradictions, of each interval."""
    every = np.array(found)
    cells = []
    for kind in range(len(NAMES)):
        covers, length, other = every[:, kind].T
        cells += [f"{covers.mean():.1%} ({covers.min():.1%})", f"{length.mean():.2f}",
                  f"{other.max():.1%}"]  # fmt: skip
    return " | ".join(cells)


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000, help="of a world and size")
    studies = parser.parse_args().studies
    by_size, by_world = table(studies)
    head = " | ".join(f"{name}: covers (least) | length | contradicts" for name in NAMES)
    rule = "--:|" * (3 * len(NAMES))
    print("# Intervals of differences of shares of runs\n")
    print(
        f"Made by `python -m tests.benchmarks.rate_intervals --studies {studies}`: {studies:,} "
        "studies of each world and size (one standard error at 95 %: "
        f"{100 * (0.95 * 0.05 / studies) ** 0.5:.1f} points; the least of many falls below by "
        "chance). From three replicates on a tenth of the runs is lost. Contradicts: the most "
        "studies in which the interval holds zero and the exact test of 5 % rejects it, or the "
        f"other way round. Lengths of the last are of {MEASURED} studies each.\n"
    )
    print(f"| strata | replicates | {head} |\n|--:|--:|{rule}", *by_size, sep="\n")
    print(f"\n| world | {head} |\n|:--|{rule}", *by_world, sep="\n")


if __name__ == "__main__":
    main()
