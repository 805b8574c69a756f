"""How often a screening study finds the factors that matter, and names one that does not.

Run by hand, from the root of the repository (about a quarter of an hour on one core):

    python -m tests.benchmarks.screening --studies 1000 --out results/benchmarks/screening.md

Runs have seeds of their own. Sizes are in deviations of a run; an active factor's effect is 0.75 to
1.25 of the size, of either sign; an active pair has the size of a main effect, and its factors are
active. One factor at a time is the same number of factors around a baseline; each difference has
the variance of all combinations pooled, the best that it can do, and Holm over the factors.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analysis.screening.array import effect_weights
from analysis.screening.noise import MainEffects, unreplicated
from analysis.screening.screen import Screen, Screened, screened
from analysis.stats.arrays import Floats
from analysis.stats.estimates import MeanParts, t_limits
from analysis.stats.multiplicity import holm
from analysis.stats.welch import welch
from runner.content.response import ACCURACY, Response
from runner.design.search.screening import array_of

FACTORS = (8, 11, 12, 15)
DESIGNS = ((12, 1), (12, 2), (16, 1), (20, 1), (24, 1), (24, 2))
"""Combinations and replicates."""
LEVEL = 0.05


class World(NamedTuple):
    """What is true: so many factors of a size, and pairs of them; how the noise is."""

    active: int
    size: float
    pairs: int = 0
    noise: str = "equal"

    @property
    def words(self) -> str:
        if not self.active:
            return f"nothing, noise {self.noise}"
        pairs = {0: "", 1: ", 1 pair"}.get(self.pairs, f", {self.pairs} pairs")
        noise = "" if self.noise == "equal" else f", noise {self.noise}"
        return f"{self.active} of size {self.size:g}{pairs}{noise}"


WORLDS = (
    World(0, 0),
    World(0, 0, noise="decade"),
    World(2, 1.5),
    World(3, 1.0),
    World(3, 2.0),
    World(3, 2.0, noise="decade"),
    World(3, 2.0, pairs=1),
    World(3, 3.0, pairs=1),
    World(4, 2.0, pairs=2),
)


class Truth(NamedTuple):
    """The active factors, and the coefficients of main effects and pairs."""

    active: frozenset[int]
    mains: Floats
    pairs: tuple[tuple[int, int, float], ...]


class Counted(NamedTuple):
    """Of one study: factors found, false ones, false ones without a rival, taken on, of next."""

    found: int
    false: bool
    unnamed: bool
    taken_on: int
    next: int


def truth_of(world: World, factors: int, rng: np.random.Generator) -> Truth:
    """Which factors and pairs are active in one study."""
    active = rng.choice(factors, world.active, replace=False)
    mains = np.zeros(factors)
    mains[active] = world.size * rng.uniform(0.75, 1.25, world.active)
    mains[active] *= rng.choice([-1.0, 1.0], world.active)
    every = list(combinations(sorted(int(one) for one in active), 2))
    chosen = rng.choice(len(every), world.pairs, replace=False) if world.pairs else []
    pairs = tuple((*every[one], world.size * rng.choice([-1.0, 1.0])) for one in chosen)
    return Truth(frozenset(int(one) for one in active), mains, pairs)


def outcomes(
    signs: Floats, truth: Truth, runs: int, noise: str, rng: np.random.Generator
) -> Floats:
    """Outcomes of shape (combinations, runs), noise of mean square 1."""
    mean = signs @ truth.mains / 2
    for one, other, size in truth.pairs:
        mean = mean + size / 2 * signs[:, one] * signs[:, other]
    values = rng.standard_normal((len(signs), runs))
    if noise == "decade":
        deviation = 10 ** rng.uniform(-0.5, 0.5, (len(signs), 1))
        values = values * deviation / np.sqrt((deviation**2).mean())
    return np.asarray(mean[:, None] + values)


@cache
def signs_of(factors: int, runs: int) -> Floats:
    return np.asarray(1.0 - 2.0 * array_of(factors, runs))


def _by_welch(weights: Floats, values: Floats) -> MainEffects:
    """Weighted sums of means as the rule of a study has them where predictions are needed."""
    runs = values.shape[1]
    parts = MeanParts(
        values.mean(axis=1),
        values.var(axis=1, ddof=1) / runs,
        np.full(len(values), runs - 1.0),
        np.zeros(len(values), dtype=bool),
        0,
    )
    estimate, se, df = welch(parts, weights, np.ones(len(weights), dtype=bool))
    return MainEffects(estimate, se, df, *t_limits(estimate, se, df))


def screened_values(signs: Floats, values: Floats, measure: Response) -> Screened:
    """What a report says of outcomes, shape (combinations, replicates); factors are f0, f1, ..."""
    means = values.mean(axis=1)
    if values.shape[1] == 1:
        effects = unreplicated(signs, means)
    else:
        effects = _by_welch(effect_weights(signs), values)
    names = {f"f{one}": ("a", "b") for one in range(signs.shape[1])}
    screen = Screen(names, signs, means, effects)
    shown = [f"f{one}" for one, p in enumerate(holm(screen.p)) if p <= LEVEL]
    return screened(screen, shown, measure)


def screening_study(
    factors: int, runs: int, replicates: int, world: World, rng: np.random.Generator
) -> Counted:
    """One screening study, judged and told as the report does."""
    signs, truth = signs_of(factors, runs), truth_of(world, factors, rng)
    said = screened_values(signs, outcomes(signs, truth, replicates, world.noise, rng), ACCURACY)
    true = {f"f{one}" for one in truth.active}
    false = set(said.matter) - true
    return Counted(
        len(true & set(said.matter)),
        bool(false),
        bool(false - set(said.rivals)),
        len(true & set(said.next)),
        len(said.next),
    )


def one_at_a_time(factors: int, replicates: int, world: World, rng: np.random.Generator) -> Counted:
    """The same question around a baseline, which is drawn anew for every study."""
    truth = truth_of(world, factors, rng)
    signs = np.tile(rng.choice([-1.0, 1.0], factors), (factors + 1, 1))
    signs[np.arange(1, factors + 1), np.arange(factors)] *= -1
    values = outcomes(signs, truth, replicates, world.noise, rng)
    means, df = values.mean(axis=1), (factors + 1.0) * (replicates - 1)
    se = np.sqrt(2 * values.var(axis=1, ddof=1).mean() / replicates)
    p = t_limits(means[1:] - means[0], np.full(factors, se), np.full(factors, df))[2]
    shown = {one for one, each in enumerate(holm(p)) if each <= LEVEL}
    taken_on = shown | {one for one, each in enumerate(p) if each <= LEVEL}
    false = bool(shown - truth.active)
    return Counted(
        len(shown & truth.active), false, false, len(taken_on & truth.active), len(taken_on)
    )


def line(name: str, runs: int, world: World, studies: Sequence[Counted]) -> str:
    """A row of the table."""
    total = max(world.active * len(studies), 1)
    share = f"{sum(one.found for one in studies) / total:.0%}" if world.active else "-"
    taken_on = f"{sum(one.taken_on for one in studies) / total:.0%}" if world.active else "-"
    false, unnamed, following = (
        sum(getattr(one, column) for one in studies) / len(studies)
        for column in ("false", "unnamed", "next")
    )
    cells = [name, str(runs), share, f"{false:.1%}", f"{unnamed:.1%}", taken_on, f"{following:.1f}"]
    return f"| {world.words} | {' | '.join(cells)} |"


def designs(
    factors: int,
) -> Iterator[tuple[str, int, Callable[[World, np.random.Generator], Counted]]]:
    """Name, runs and one study of every design for so many factors."""
    for runs, replicates in DESIGNS:
        if factors < runs:
            yield (
                f"{runs} x {replicates}",
                runs * replicates,
                lambda world, rng, n=runs, r=replicates: screening_study(factors, n, r, world, rng),
            )
    for replicates in (2, 3):
        yield (
            f"one at a time x {replicates}",
            (factors + 1) * replicates,
            lambda world, rng, r=replicates: one_at_a_time(factors, r, world, rng),
        )


def table(factors: int, studies: int) -> Iterator[str]:
    """Every world and design of so many factors."""
    yield (
        "| what matters | combinations x replicates | runs | found | a false one | without a rival "
        "| taken on | factors of the next study |"
    )
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for number, world in enumerate(WORLDS):
        for name, runs, study in designs(factors):
            rng = np.random.default_rng([factors, number, runs])
            yield line(name, runs, world, [study(world, rng) for _ in range(studies)])


def page(studies: int, factors: Sequence[int]) -> str:
    """The tables, a section for each number of factors."""
    lines = [
        "# Screening: which of many factors matter",
        "",
        f"`python -m tests.benchmarks.screening --studies {studies}`; {studies:,} simulated "
        "studies a line. Sizes are in deviations of a run; an active factor has 0.75 to 1.25 of "
        "the size, a pair of active factors the size itself. Noise `decade`: the deviations of "
        "combinations lie within a decade of each other. Found: share of the active factors that "
        "are said to matter. A false one: studies in which another is. Without a rival: studies "
        "in which the report does not say that it could be a pair instead. Taken on: share of the "
        "active factors that the next study varies. One at a time has the variance of all "
        "combinations pooled.",
        "",
    ]
    for count in factors:
        lines += [f"## {count} factors: {2**count:,} combinations in full", ""]
        lines += [*table(count, studies), ""]
    return "\n".join(lines)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--factors", type=int, nargs="+", default=FACTORS)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    text = page(options.studies, options.factors)
    if options.out is None:
        print(text)
    else:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
