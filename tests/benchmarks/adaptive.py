"""Replicates in waves, beside a fixed number of them: errors, coverage and runs.

    python -m tests.benchmarks.adaptive > results/benchmarks/adaptive.md

Simulated studies of main effects: every wave has as many runs as there are combinations; after
each the differences between levels are judged together by Holm's procedure at the level of the
look, by Welch's standard errors, and the study stops where all are decided or the rest is hopeless.
`analysis.adaptive` places the runs and gives the levels; what is fast here and slow there (one
study at a time) is the Welch test alone. Beside it, as a warning, the same with each combination's
own scatter in place of its neighbours'.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
from scipy.stats import t as student

from analysis.adaptive.allocation import expected_noise, next_counts
from analysis.adaptive.spending import chance_to_decide, nominal_levels
from analysis.adaptive.waves import HOPELESS
from runner.spec.adaptive import Adaptive

Array = Any
SHAPES = ((3, 2, 2, 2), (3, 4, 2, 3))
RULE = Adaptive(2, 8)
MOST_FIXED = 24
"""Replicates of the largest fixed design that an adaptive one is compared with."""


@dataclass(frozen=True)
class Ended:
    """What simulated studies said when they stopped; one row a study."""

    shown: Array  # (studies, differences)
    low: Array
    high: Array
    runs: Array  # a combination, on average
    looks: Array
    counts: Array  # (studies, cells): runs of each combination


def differences(shape: tuple[int, ...]) -> Array:
    """All differences between two levels, rows over the cells of the grid."""
    cells = np.array(list(product(*map(range, shape))))
    rows = []
    for factor, size in enumerate(shape):
        share = size / len(cells)
        for a in range(size):
            for b in range(a + 1, size):
                rows.append(share * ((cells[:, factor] == a) * 1.0 - (cells[:, factor] == b)))
    return np.array(rows)


def holm(p: Array) -> Array:
    """Adjusted within each row."""
    order = p.argsort(1)
    factor = p.shape[1] - np.arange(p.shape[1])
    adjusted = np.maximum.accumulate(np.take_along_axis(p, order, 1) * factor, axis=1)
    back = np.empty_like(adjusted)
    np.put_along_axis(back, order, adjusted, 1)
    return np.minimum(back, 1.0)


def welch(mean: Array, variance: Array, n: Array, rows: Array) -> tuple[Array, Array, Array]:
    """Estimate, standard error and degrees of freedom of each difference in each study."""
    estimate = mean @ rows.T
    parts = variance / n
    squared = parts @ (rows**2).T
    spread = (parts**2 / (n - 1)) @ (rows**4).T
    df = np.where(squared > 1e-20, squared**2 / np.maximum(spread, 1e-300), 1.0)
    return estimate, np.sqrt(squared), df


def p_of(estimate: Array, se: Array, df: Array) -> Array:
    """Two-sided; 1 where nothing scattered."""
    there = se > 1e-10
    z = np.divide(np.abs(estimate), se, out=np.zeros_like(se), where=there)
    return np.where(there, 2 * student.sf(z, df), 1.0)


def moments(runs: Array, n: Array) -> tuple[Array, Array]:
    """Means and variances of the first n runs of each combination."""
    there = np.arange(runs.shape[2]) < n[..., None]
    mean = np.where(there, runs, 0.0).sum(2) / n
    off = np.where(there, runs - mean[..., None], 0.0)
    return mean, (off**2).sum(2) / (n - 1)


def in_waves(
    runs: Array,
    shape: tuple[int, ...],
    *,
    own: bool = False,
    rows: Array | None = None,
    half_width: float | None = None,
    rule: Adaptive = RULE,
) -> Ended:
    """Studies whose replicates come in waves.

    Args:
        runs: what the runs of each combination would give, (studies, cells, most).
        shape: levels of each factor.
        own: place runs by each combination's own scatter, which is not what the program does.
        rows: the differences asked for; by default all.
        half_width: stop where every interval is as narrow, in place of decided.
        rule: least and most runs of a combination.
    """
    rows = differences(shape) if rows is None else rows
    studies, cells, _ = runs.shape
    looks, tested = rule.looks(cells), rule.tested(cells)
    levels = dict(zip(tested, nominal_levels([one / looks[-1] for one in tested]), strict=True))
    n = np.full((studies, cells), rule.least)
    going = np.ones(studies, bool)
    shown = np.zeros((studies, len(rows)), bool)
    low, high = np.zeros(shown.shape), np.zeros(shown.shape)
    ended, taken = np.zeros(studies), np.zeros(studies)
    for number, total in enumerate(looks):
        mean, variance = moments(runs, n)
        estimate, se, df = welch(mean, variance, n, rows)
        level = levels.get(total, 0.0)
        now = holm(p_of(estimate, se, df)) <= level if level else np.zeros(shown.shape, bool)
        half = student.ppf(0.975, df) * se
        if half_width is not None:
            now = (half <= half_width) & (level > 0)
        shown[going], low[going] = now[going], (estimate - half)[going]
        high[going], ended[going] = (estimate + half)[going], n.mean(1)[going]
        taken[going] += 1
        noise = variance if own else _noise(variance, shape)
        worth = ~now
        if level and half_width is None:
            then = (noise / rule.most) @ (rows**2).T
            ahead = np.maximum((noise / n) @ (rows**2).T, 1e-300)
            z = np.divide(estimate, se, out=np.zeros_like(se), where=se > 1e-10)
            worth &= chance_to_decide(z, then / ahead, levels[looks[-1]]) >= HOPELESS
        going = going & worth.any(1)
        if number == len(looks) - 1 or not going.any():
            break
        importance = noise * ((worth / np.maximum(se, 1e-10) ** 2) @ rows**2)
        if not level:
            importance = np.ones(importance.shape)
        new = next_counts(importance, n, looks[number + 1] - total, rule.most)
        n = np.where(going[:, None], new, n)
    return Ended(shown, low, high, ended, taken, n)


def _noise(variance: Array, shape: tuple[int, ...]) -> Array:
    return expected_noise(variance.reshape(-1, *shape), len(shape)).reshape(variance.shape)


def fixed_power(runs: Array, shape: tuple[int, ...], true: Array) -> Array:
    """Share of true differences shown by 2, 3, ... replicates of each combination."""
    rows, shares = differences(shape), []
    for k in range(2, runs.shape[2] + 1):
        n = np.full(runs.shape[:2], k)
        found = holm(p_of(*welch(*moments(runs, n), n, rows))) <= 0.05
        shares.append(found[:, true].mean())
    return np.maximum.accumulate(shares)


Law = Callable[[np.random.Generator, tuple[int, ...]], Array]


def _falls(rng: np.random.Generator, size: tuple[int, ...], share: Array, by: float) -> Array:
    return 0.02 * rng.normal(size=size) - by * ((rng.random(size) < share) - share)


NULL: dict[str, Law] = {
    "all alike": lambda rng, size: 0.02 * rng.normal(size=size),
    "over two decades": lambda rng, size: (
        rng.normal(size=size) * 10 ** rng.uniform(-2.5, -0.5, (*size[:2], 1))
    ),
    "heavy tails": lambda rng, size: 0.02 * rng.standard_t(3, size),
    "15 % of all runs fall": lambda rng, size: _falls(rng, size, np.array(0.15), 0.6),
    "a third of the cells, 40 % fall": lambda rng, size: _falls(
        rng, size, np.where(rng.random((*size[:2], 1)) < 1 / 3, 0.4, 0.0), 0.6
    ),
}
"""Runs about a mean of nought: nothing is so, and whatever is shown is false."""


def _where(shape: tuple[int, ...], *factors: int) -> Array:
    cells = np.array(list(product(*map(range, shape))))
    return np.all(cells[:, factors] == 0, axis=1)[None, :, None]


SHAPE = SHAPES[1]
NOISY: dict[str, Law] = {
    "all alike": lambda rng, size: 0.06 * rng.normal(size=size),
    "one level ten times": lambda rng, size: (
        np.where(_where(SHAPE, 1), 0.2, 0.02) * rng.normal(size=size)
    ),
    "one corner fifteen times": lambda rng, size: (
        np.where(_where(SHAPE, 0, 1), 0.3, 0.02) * rng.normal(size=size)
    ),
    "one level, 30 % fall": lambda rng, size: _falls(
        rng, size, np.where(_where(SHAPE, 1), 0.3, 0.0), 0.5
    ),
    "one corner, 40 % fall": lambda rng, size: _falls(
        rng, size, np.where(_where(SHAPE, 0, 1), 0.4, 0.0), 0.5
    ),
}
"""Noise with a place in the grid, for power; effects are added."""
SIZES = (0.0, 0.03, 0.02, 0.06)
"""Of each factor's whole range, times a scale."""


def _means(scale: float) -> Array:
    cells = np.array(list(product(*map(range, SHAPE))))
    return scale * (cells / (np.array(SHAPE) - 1)) @ np.array(SIZES)


def errors(studies: int) -> list[str]:
    """Where nothing is so."""
    lines = [
        "| combinations | noise | anything false | coverage | runs | looks | false, own scatter |",
        "|--:|:--|--:|--:|--:|--:|--:|",
    ]
    for shape in SHAPES:
        for name, law in NULL.items():
            counts = np.zeros(6)
            rng = np.random.default_rng(18)
            for part in _parts(studies):
                runs = law(rng, (part, prod(shape), RULE.most))
                one, other = in_waves(runs, shape), in_waves(runs, shape, own=True)
                inside = ((one.low <= 0) & (one.high >= 0)).mean()
                rows = (
                    one.shown.any(1).mean(), inside, one.runs.mean(), one.looks.mean(),
                    other.shown.any(1).mean(), 1.0,
                )  # fmt: skip
                counts += part * np.array(rows)
            false, inside, spent, looks, own, _ = counts / counts[-1]
            lines.append(
                f"| {prod(shape)} | {name} | {100 * false:.1f} % | {100 * inside:.1f} % | "
                f"{spent:.2f} | {looks:.1f} | {100 * own:.1f} % |"
            )
    return lines


def one_question(studies: int) -> list[str]:
    """A single difference, of the last factor, where nothing is so: small grids too."""
    lines = [
        "| combinations | noise | falsely decided | covers | `half_width`: covers | its runs |",
        "|--:|:--|--:|--:|--:|--:|",
    ]
    for shape in ((2, 2), (2, 2, 2), *SHAPES):
        rows = differences(shape)[-1:]
        for name, law in NULL.items():
            rng = np.random.default_rng(19)
            counts = np.zeros(5)
            wanted = None
            for part in _parts(studies):
                runs = law(rng, (part, prod(shape), RULE.most))
                if wanted is None:  # as wide as five replicates of each would give, on average
                    variance = runs.var(axis=2, ddof=1).mean()
                    wanted = 1.96 * np.sqrt(variance * (rows**2).sum() / 5)
                claim = in_waves(runs, shape, rows=rows)
                width = in_waves(runs, shape, rows=rows, half_width=wanted)
                counts += part * np.array([
                    claim.shown.mean(), ((claim.low <= 0) & (claim.high >= 0)).mean(),
                    ((width.low <= 0) & (width.high >= 0)).mean(), width.runs.mean(), 1.0,
                ])  # fmt: skip
            false, inside, narrow, spent, _ = counts / counts[-1]
            lines.append(
                f"| {prod(shape)} | {name} | {100 * false:.1f} % | {100 * inside:.1f} % | "
                f"{100 * narrow:.1f} % | {spent:.2f} |"
            )
    return lines


def power(studies: int) -> list[str]:
    """Where some things are so."""
    rows = differences(SHAPE)
    lines = [
        "| noise | effects | shown | coverage | runs | of a fixed design that shows as much |",
        "|:--|--:|--:|--:|--:|--:|",
    ]
    for name, law in NOISY.items():
        for scale in (1.0, 2.0, 4.0):
            mean = _means(scale)
            truth = rows @ mean
            rng = np.random.default_rng(87)
            runs = law(rng, (studies, prod(SHAPE), MOST_FIXED)) + mean[None, :, None]
            one = in_waves(runs[:, :, : RULE.most], SHAPE)
            true = np.abs(truth) > 1e-12
            shown = one.shown[:, true].mean()
            fixed = fixed_power(runs, SHAPE, true)
            at = int(np.argmax(fixed >= shown))  # the first that shows as much
            below = fixed[at - 1] if at else 0.0
            equal = at + 2 - (fixed[at] - shown) / max(fixed[at] - below, 1e-9) * (at > 0)
            inside = ((one.low <= truth) & (one.high >= truth)).mean()
            lines.append(
                f"| {name} | x {scale:g} | {100 * shown:.0f} % | {100 * inside:.1f} % | "
                f"{one.runs.mean():.2f} | {one.runs.mean() / equal:.2f} x |"
            )
    return lines


def _error(studies: int) -> str:
    return f"{100 * (0.05 * 0.95 / studies) ** 0.5:.2f}"


def _parts(studies: int, size: int = 1000) -> list[int]:
    return [min(size, studies - start) for start in range(0, studies, size)]


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=20_000, help="a line of the first table")
    parser.add_argument("--single", type=int, default=20_000, help="a line of the second")
    parser.add_argument("--powered", type=int, default=2_000, help="a line of the third")
    options = parser.parse_args()
    print("# Replicates in waves\n")
    print(
        f"{RULE.least} to {RULE.most} runs of a combination, until every difference between levels "
        "is decided; a look after each wave, from four runs of each combination on (six where "
        "there are fewer than 24 combinations). Made by "
        f"`python -m tests.benchmarks.adaptive --studies {options.studies} --single "
        f"{options.single} --powered {options.powered}`. Runs are means of a combination. One "
        f"standard error at 5 %: {_error(options.studies)} points in the first table, "
        f"{_error(options.single)} in the second.\n"
    )
    print(f"## Nothing is so ({options.studies:,} studies a line)\n")
    print(*errors(options.studies), sep="\n")
    print(
        "\nThe last column is what happens where runs are placed by each combination's own "
        "scatter: the reason why the program does not.\n"
    )
    print(f"## One question, and nothing is so ({options.single:,} studies a line)\n")
    print(*one_question(options.single), sep="\n")
    print(
        "\n`until: claims` with one claim, and `until: {half_width}` with the width that five "
        "replicates of each combination would give on average.\n"
    )
    print(f"## Some things are so (72 combinations, {options.powered:,} studies a line)\n")
    print(*power(options.powered), sep="\n")


if __name__ == "__main__":
    main()
