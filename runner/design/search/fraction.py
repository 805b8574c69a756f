"""Which combinations a fraction runs, for each kind of design the file may ask for.

The choice does not depend on the order in which the file lists factors or levels: they are sorted
by what they are before anything is drawn. Only generators speak of the file's order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import lcm

import numpy as np

from ablations.errors import InputError
from runner.design.search.exchange import d_optimal, orthogonal_array
from runner.design.search.folding import fold_over
from runner.design.search.listed import around_baseline, from_file
from runner.design.search.quality import Runs, parameter_count, word_lengths
from runner.design.search.regular import Combination, from_generators, generators_of_resolution
from runner.design.search.screening import screening_array
from runner.spec.spec import Spec
from runner.spec.spec_file import (
    AugmentedDesign,
    CustomDesign,
    DOptimalDesign,
    Growth,
    OneAtATimeDesign,
    OrthogonalDesign,
    RegularDesign,
    ScreenDesign,
)

MOST_CANDIDATES = 5_000
"""Exchange looks at every swap: beyond this many combinations a random part of them is searched."""

MOST_FOR_ORTHOGONAL = 2_000
"""The search for orthogonal arrays holds a number for every pair of combinations."""

MOST_NUMBERS = 2**27
"""Numbers that exchange may hold at once, a GiB of them: one for every swap, and the model's."""

ORTHOGONAL_STARTS, ORTHOGONAL_STEPS = 10, 150


Fraction = (
    RegularDesign
    | DOptimalDesign
    | OrthogonalDesign
    | OneAtATimeDesign
    | ScreenDesign
    | CustomDesign
    | AugmentedDesign
)


def choose(spec: Spec, design: Fraction, grid: Sequence[Combination]) -> list[Combination]:
    """The combinations that a fraction runs.

    Args:
        spec: The specification; its factors.
        design: What its `design` section asks for.
        grid: The combinations that `exclude` and `only` leave.

    Raises:
        InputError: the factors do not fit the kind of design, or the runs are too few or too many.
    """
    if isinstance(design, RegularDesign):
        return _regular(spec, design, grid)
    if isinstance(design, OneAtATimeDesign):
        return around_baseline(spec, design, grid)
    if isinstance(design, CustomDesign):
        return from_file(spec, design, grid)
    if isinstance(design, AugmentedDesign):
        runs = choose(spec, design.of, grid)
        for at, step in enumerate(design.by):
            runs = _grown(spec, runs, step, grid, at)
        return runs
    canonical = _Canonical(spec)
    if isinstance(design, ScreenDesign):
        _refuse_predicates(spec, "a screening design", grid)
        return canonical.combinations(screening_array(spec, design))
    candidates = canonical.runs(grid)
    if isinstance(design, DOptimalDesign):
        return canonical.combinations(_d_optimal(spec, design, candidates, canonical.levels))
    return canonical.combinations(_orthogonal(spec, design, candidates, canonical.levels))


def _refuse(spec: Spec, problem: str, key: str | None = None) -> InputError:
    return spec.refuse(("design",) if key is None else ("design", key), problem)


def _regular(spec: Spec, design: RegularDesign, grid: Sequence[Combination]) -> list[Combination]:
    _refuse_predicates(spec, "a regular fraction", grid)
    for factor in spec.factors:
        if len(factor.levels) != 2:
            raise _refuse(
                spec,
                f"a regular fraction needs two levels a factor, {factor.name} has "
                f"{len(factor.levels)}; use d_optimal or orthogonal",
            )
    count = len(spec.factors)
    if design.generators:
        try:
            return from_generators(count, design.generators)
        except InputError as error:
            raise _refuse(spec, str(error), "generators") from None
    canonical = _Canonical(spec)
    try:
        generators = generators_of_resolution(count, int(design.resolution or 3))
    except InputError as error:
        raise _refuse(spec, str(error), "resolution") from None
    return canonical.combinations(np.array(from_generators(count, generators)))


def _grown(
    spec: Spec, runs: list[Combination], step: Growth, grid: Sequence[Combination], at: int
) -> list[Combination]:
    """The runs of before, and those that one step adds."""
    where = ("design", "by", at)
    if step.fold_over is not None:
        return fold_over(spec, runs, step.fold_over, grid, (*where, "fold_over"))
    count = int(step.runs or 0)
    if count <= len(runs):
        raise spec.refuse(
            (*where, "runs"), f"{count:,} is no more than the {len(runs):,} combinations of before"
        )
    canonical = _Canonical(spec)
    wanted = DOptimalDesign(
        kind="d_optimal", runs=count, order=step.order, seed=step.seed, starts=step.starts
    )
    before = canonical.runs(runs)
    more = _d_optimal(spec, wanted, canonical.runs(grid), canonical.levels, before, where)
    return canonical.combinations(more)


def _d_optimal(
    spec: Spec,
    design: DOptimalDesign,
    candidates: Runs,
    levels: Sequence[int],
    kept: Runs | None = None,
    where: tuple[str | int, ...] = ("design",),
) -> Runs:
    where = (*where, "runs")
    order = min(design.order, len(levels))
    needed = parameter_count(levels, order)
    if design.runs < needed:
        raise spec.refuse(
            where,
            f"{design.runs} cannot estimate the {needed} parameters of the model of order "
            f"{design.order}; expected at least {needed}, or a lower order",
        )
    if design.runs > len(candidates):
        raise spec.refuse(
            where,
            f"{design.runs} is more than the {len(candidates)} combinations there are",
        )
    if len(candidates) > MOST_CANDIDATES:
        random = np.random.default_rng(design.seed)
        size = max(MOST_CANDIDATES, 2 * design.runs)
        size = min(size, len(candidates))
        some = random.permutation(len(candidates))[:size]
        if kept is not None:
            some = np.union1d(some, _positions(kept, candidates))
        candidates = candidates[np.sort(some)]
    outside = len(candidates) - design.runs
    numbers = design.runs * outside + needed * (len(candidates) + needed)
    if numbers > MOST_NUMBERS:
        raise spec.refuse(
            where,
            f"{design.runs:,} of {len(candidates):,} combinations for {needed:,} parameters takes "
            f"{8 * numbers / 2**30:,.0f} GiB to choose; expected fewer runs, fewer levels or a "
            "lower order",
        )
    chosen, value = d_optimal(
        candidates, levels, design.runs, order=order, seed=design.seed, starts=design.starts,
        kept=() if kept is None else _positions(kept, candidates),
    )  # fmt: skip
    if not np.isfinite(value):
        raise spec.refuse(
            where,
            f"no {design.runs} of the allowed combinations estimate the model of order "
            f"{design.order}; exclude less, run more, or choose a lower order",
        )
    return candidates[chosen]


def _positions(runs: Runs, among: Runs) -> list[int]:
    place = {run: at for at, run in enumerate(map(tuple, among.tolist()))}
    return [place[run] for run in map(tuple, runs.tolist())]


def _orthogonal(
    spec: Spec, design: OrthogonalDesign, candidates: Runs, levels: Sequence[int]
) -> Runs:
    _refuse_predicates(spec, "an orthogonal array", candidates)
    multiple = lcm(*(a * b for a, b in combinations(levels, 2))) if len(levels) > 1 else levels[0]
    crossed = "x".join(str(count) for count in levels)
    if design.runs % multiple or design.runs > len(candidates):
        raise _refuse(
            spec,
            f"an orthogonal array of {crossed} levels has a multiple of {multiple} runs, at most "
            f"{len(candidates)}; got {design.runs}",
            "runs",
        )
    if design.runs == len(candidates):
        return candidates
    if len(candidates) > MOST_FOR_ORTHOGONAL:
        raise _refuse(
            spec,
            f"orthogonal arrays are searched among at most {MOST_FOR_ORTHOGONAL:,} combinations, "
            f"here are {len(candidates):,}; use d_optimal",
        )
    chosen = candidates[
        orthogonal_array(
            candidates,
            levels,
            design.runs,
            seed=0,
            starts=ORTHOGONAL_STARTS,
            steps=ORTHOGONAL_STEPS,
        )
    ]
    pattern = word_lengths(chosen, levels)
    if pattern[1] > 0 or pattern[2:3].sum() > 0:
        raise _refuse(
            spec,
            f"no orthogonal array of {crossed} levels in {design.runs} distinct runs was found; "
            f"expected another multiple of {multiple}, or d_optimal",
            "runs",
        )
    return chosen


def _refuse_predicates(spec: Spec, kind: str, grid: Sequence[object] | Runs) -> None:
    if len(grid) < spec.combinations:
        raise _refuse(
            spec,
            f"'exclude' and 'only' would break the balance of {kind}; use d_optimal, which "
            "chooses among what is left",
        )


class _Canonical:
    """The specification's factors and levels in an order that the file does not decide."""

    def __init__(self, spec: Spec) -> None:
        self.order = sorted(range(len(spec.factors)), key=lambda f: spec.factors[f].name)
        self.levels = [len(spec.factors[f].levels) for f in self.order]
        self.to_file = [
            sorted(
                range(len(spec.factors[f].levels)),
                key=lambda i, f=f: _content(spec, f, i),  # type: ignore[misc]  # f=f has no type
            )
            for f in self.order
        ]

    def runs(self, grid: Sequence[Combination]) -> Runs:
        """The grid as an array [combinations, factors] in canonical order, sorted."""
        from_file = [{i: c for c, i in enumerate(levels)} for levels in self.to_file]
        rows = sorted(tuple(from_file[p][one[f]] for p, f in enumerate(self.order)) for one in grid)
        return np.array(rows, dtype=np.int64)

    def combinations(self, runs: Runs) -> list[Combination]:
        """Canonical runs [n, factors] as combinations in the file's order of factors and levels."""
        in_file = []
        for run in runs.tolist():
            by_factor = {f: self.to_file[p][run[p]] for p, f in enumerate(self.order)}
            in_file.append(tuple(by_factor[f] for f in range(len(self.order))))
        return in_file


def _content(spec: Spec, factor: int, level: int) -> tuple[str, str]:
    one = spec.factors[factor].levels[level]
    return one.name, repr(sorted(one.parameters.items()))
