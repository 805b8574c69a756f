"""What other designs of the same factors would tell, beside the one that a file asks for.

Of a design with model matrix X, a row each combination, every one run r times with the same noise,
the contrast c of its least-squares fit has the standard error sqrt(c (X'X)^-1 c' / r) deviations of
a run (Montgomery 2013, Design and Analysis of Experiments, section 10.4). A pair is the difference
of two such differences. What a factorial tells of pairs beside mains, a fraction may not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import ceil, nan, sqrt

import numpy as np

from runner.design.design import Design, allows
from runner.design.search.fraction import Fraction, choose
from runner.design.search.information import average
from runner.design.search.quality import Matrix, estimable, model_matrix, parameter_count
from runner.design.search.regular import Combination
from runner.spec.adaptive import Adaptive
from runner.spec.spec_file import DOptimalDesign, FullDesign, OneAtATimeDesign

MOST_COMBINATIONS, MOST_PARAMETERS = 1_000, 150
"""Larger grids are not compared: the search for their fractions takes minutes."""
ROOM = 1.25
"""Combinations of a fraction by the parameters that it estimates, at least."""
REPLICATES, MANY = 3, 5
WAVES = Adaptive(REPLICATES, MANY)
STARTS = 3
"""Of the search for a fraction: a design that is chosen from here is searched more thoroughly."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One design.

    Attributes:
        name: what it is, in words.
        keys: what the file would say.
        combinations: that are run.
        replicates: runs of each, at least; in waves those before which nothing is decided.
        most: at most; more than `replicates` where they come in waves.
        main: standard error of a difference of two levels of a factor, the worst, after the most
            runs, in standard deviations between runs of one combination; NaN where one cannot be
            told.
        pair: the same of two differences of levels, of two factors.
        df: degrees of freedom of the noise.
    """

    name: str
    keys: str
    combinations: int
    replicates: int
    most: int
    main: float
    pair: float
    df: int

    @property
    def cells(self) -> tuple[int, int]:
        """Runs at least and at most."""
        return self.combinations * self.replicates, self.combinations * self.most


def alternatives(design: Design) -> list[Alternative]:
    """The file's own design first, then others of its factors; () where the grid is too large.

    Args:
        design: of the file.
    """
    spec = design.spec
    levels = [len(factor.levels) for factor in spec.factors]
    order = min(2, len(levels))
    if (
        spec.combinations > MOST_COMBINATIONS
        or parameter_count(levels, order) > MOST_PARAMETERS
        or len(levels) < 2
    ):
        return []
    least = most = spec.replicates
    if spec.adaptive is not None:
        least, most = spec.adaptive.first(len(design.runs)), spec.adaptive.most
    found = [_alternative("as in the file", "", design.runs, levels, least, most)]
    grid = [one for one in product(*map(range, levels)) if allows(spec, one)]
    seen = {(design.runs, least, most)}
    for name, keys, kind, at_least, at_most in _others(len(grid), levels):
        runs = tuple(sorted(grid if isinstance(kind, FullDesign) else choose(spec, kind, grid)))
        if (runs, at_least, at_most) not in seen:
            seen.add((runs, at_least, at_most))
            found.append(_alternative(name, keys, runs, levels, at_least, at_most))
    return found


def questions(levels: Sequence[int]) -> int:
    """Questions that a report judges together: differences, factors as a whole, pairs."""
    differences = sum(count * (count - 1) // 2 for count in levels)
    return differences + sum(count > 2 for count in levels) + len(levels) * (len(levels) - 1) // 2


def _others(
    grid: int, levels: Sequence[int]
) -> Iterator[tuple[str, str, FullDesign | Fraction, int, int]]:
    """Name, keys of the file, design, runs of each combination at least and at most."""
    for replicates in (REPLICATES, MANY):
        yield (
            f"all {grid}, {replicates} times", f"replicates: {replicates}", FullDesign(),
            replicates, replicates,
        )  # fmt: skip
    if WAVES.first(grid) < MANY:
        yield (
            f"all {grid}, in waves",
            f"replicates: {{min: {REPLICATES}, max: {MANY}, until: mains}}",
            FullDesign(), WAVES.first(grid), MANY,
        )  # fmt: skip
    for order, said in ((2, "mains and pairs"), (1, "mains alone")):
        least = ceil(ROOM * parameter_count(levels, min(order, len(levels))))
        runs = max(least, grid // 2) if order == 2 else least
        if runs < grid:
            yield (
                f"{runs} of {grid} for {said}, {REPLICATES} times",
                f"design: {{kind: d_optimal, runs: {runs}, order: {order}}}",
                DOptimalDesign.model_validate(
                    {"kind": "d_optimal", "runs": runs, "order": order, "starts": STARTS}
                ),
                REPLICATES, REPLICATES,
            )  # fmt: skip
    if sum(levels) - len(levels) + 1 < grid:
        yield (
            f"one at a time, {REPLICATES} times", "design: {kind: one_at_a_time}",
            OneAtATimeDesign(kind="one_at_a_time"), REPLICATES, REPLICATES,
        )  # fmt: skip


def _alternative(
    name: str,
    keys: str,
    runs: Sequence[Combination],
    levels: Sequence[int],
    replicates: int,
    most: int,
) -> Alternative:
    codes = np.array(runs, dtype=np.int64)
    main = pair = nan
    parameters = len(runs)
    for order in range(min(2, len(levels)), 0, -1):
        if all(estimable(codes, levels, order).values()):
            matrix, _ = model_matrix(codes, levels, order)
            parameters = matrix.shape[1]
            covariance = np.linalg.inv(matrix.T @ matrix) / most
            main = _worst(_differences(levels, order), covariance)
            pair = _worst(_pairs(levels, order), covariance) if order == 2 else nan
            break
    df = len(runs) * (most - 1) if most > 1 else len(runs) - parameters
    return Alternative(name, keys, len(runs), replicates, most, main, pair, df)


def _worst(contrasts: Iterator[Matrix], covariance: Matrix) -> float:
    return max((sqrt(float(one @ covariance @ one)) for one in contrasts), default=nan)


def _at(levels: Sequence[int], order: int, fixed: dict[int, int]) -> Matrix:
    """The model's columns, averaged over all combinations with these levels."""
    which = [[fixed[k]] if k in fixed else list(range(count)) for k, count in enumerate(levels)]
    return average(levels, order, which)


def _differences(levels: Sequence[int], order: int) -> Iterator[Matrix]:
    for factor, count in enumerate(levels):
        for one, other in combinations(range(count), 2):
            yield _at(levels, order, {factor: one}) - _at(levels, order, {factor: other})


def _pairs(levels: Sequence[int], order: int) -> Iterator[Matrix]:
    for first, second in combinations(range(len(levels)), 2):
        for a, b in combinations(range(levels[first]), 2):
            for c, d in combinations(range(levels[second]), 2):
                yield (
                    _at(levels, order, {first: a, second: c})
                    - _at(levels, order, {first: b, second: c})
                    - _at(levels, order, {first: a, second: d})
                    + _at(levels, order, {first: b, second: d})
                )
