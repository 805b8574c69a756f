"""How often intervals of a picked level, parts of a factor and changes of a baseline are right.

Run by hand, from the root of the repository:

    python -m tests.benchmarks.trends --studies 400 --out results/benchmarks/trends.md

Runs have seeds of their own. Three intervals of the top of a parabola are compared: the levels
whose slope is not told from zero (Fieller's idea, `effects.levels.optimum`), the delta method, and
percentiles of resampled runs. Only where the bend is found (p <= .05) and its top lies inside is a
level picked, so only of these studies is coverage told.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

import analysis
from analysis.effects.frames import by_method
from analysis.effects.levels.optimum import PLACES, parabola, where_flat
from analysis.effects.levels.trends import coefficients, trends
from analysis.stats.arrays import Floats
from analysis.study import Study

DRAWS = 400
TOP = 0.4
"""Position of the true top: the range is -1 to 1."""
NOISES = ("equal", "decade", "falls")
Found = list[tuple[float, ...]]


def noise_of(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """Noise of shape (combinations, runs) whose mean square is 1."""
    values = rng.normal(size=shape)
    if kind == "decade":
        deviation = 10 ** rng.uniform(-0.5, 0.5, size=(*shape[:-1], 1))
        values = values * deviation / np.sqrt((deviation**2).mean())
    if kind == "falls":
        values = (values - 10 * ((rng.random(shape) < 0.1) - 0.1)) / np.sqrt(10.0)
    return np.asarray(values)


def study_of(values: Floats) -> Study:
    """A study of runs of shape (levels of F0, ..., runs); those of F0 are numbers."""
    names = [f"F{place}" for place in range(values.ndim - 1)]
    rows = [
        {**{name: str(10 * one) if name == "F0" else f"l{one}"
            for name, one in zip(names, cell, strict=True)}, "y": float(value)}
        for cell in np.ndindex(values.shape[:-1]) for value in values[cell]
    ]  # fmt: skip
    return analysis.from_frame(pd.DataFrame(rows), names, "y")


def tops(
    levels: int, runs: int, top: float, strength: float, kind: str, studies: int
) -> Iterator[tuple[float, ...]]:
    """Of each study with a picked level: which interval covers, and the width of each."""
    rng = np.random.default_rng(
        [levels, runs, round(10 * top), round(strength), NOISES.index(kind)]
    )
    others = 6
    weights = np.linalg.pinv(np.vander(np.linspace(-1, 1, levels), 3, increasing=True))
    se = np.sqrt((weights[2] ** 2).sum() / (others * runs))
    means = -strength * se * (np.linspace(-1, 1, levels)[:, None] - top) ** 2 + rng.normal(
        size=others
    )
    for _ in range(studies):
        noise = noise_of(kind, (*means.shape, runs), rng)
        study = study_of(means[..., None] + noise)
        axis, effects = study.axes["F0"], study.estimates()
        assert np.allclose(coefficients(axis, 2), weights)
        curve, slopes, _ = parabola(effects, axis)
        place = -curve[1] / (2 * curve[2])
        bend = by_method(trends(effects, study.axes), effects.rule.primary)["p"][1]
        if curve[2] >= 0 or abs(place) >= 1 or float(bend) > 0.05:
            continue
        low, high, (left, right) = where_flat(slopes)
        half = np.interp(place, PLACES, slopes["high"] - slopes["low"]) / 4 / abs(curve[2])
        drawn = rng.integers(0, runs, (DRAWS, *noise.shape))
        again = np.take_along_axis((means[..., None] + noise)[None], drawn, axis=-1)
        fits = again.mean(axis=(-1, -2)) @ weights.T
        resampled = np.quantile(-fits[:, 1] / (2 * fits[:, 2]), [0.025, 0.975])
        ends = ((low, high), (place - half, place + half), tuple(resampled))
        covered = [one <= top <= two for one, two in ends]
        covered[0] = (left or low <= top) and (right or top <= high)
        width = [min(two, 1.0) - max(one, -1.0) for one, two in ends]
        yield (*(float(one) for one in covered), *width)


def of_tops(studies: int) -> Iterator[str]:
    """The table of intervals of the top."""
    yield (
        "| levels | runs | bend (se) | noise | picked | slopes | delta | bootstrap "
        "| width: slopes | delta | bootstrap |"
    )
    yield "| ---: | ---: | ---: | --- |" + " ---: |" * 7
    for levels, runs, bend, kind in product((3, 5), (2, 3, 5), (4.0, 8.0), NOISES):
        found = np.array(list(tops(levels, runs, TOP, bend, kind, studies)))
        shares = " | ".join(f"{one:.1%}" for one in found[:, :3].mean(axis=0))
        widths = " | ".join(f"{one:.2f}" for one in np.median(found[:, 3:], axis=0))
        yield (
            f"| {levels} | {runs} | {bend:g} | {kind} | {len(found) / studies:.0%} "
            f"| {shares} | {widths} |"
        )


def of_changes(studies: int) -> Iterator[str]:
    """The table of changes of a baseline: by the rule, and with one variance for all."""
    yield "| combinations | runs | noise | rule | one variance | worst, rule | worst, other |"
    yield "| --- | ---: | --- |" + " ---: |" * 4
    for shape, runs, kind in product(((2, 3, 4),), (3,), NOISES):
        rng = np.random.default_rng([*shape, runs, NOISES.index(kind)])
        covered: dict[bool, Found] = {False: [], True: []}
        widths: dict[bool, Found] = {False: [], True: []}
        deviation = 10 ** rng.uniform(-0.5, 0.5, size=(*shape, 1))
        for _ in range(studies):
            equal = noise_of("falls" if kind == "falls" else "equal", (*shape, runs), rng)
            study = study_of(equal * deviation if kind == "decade" else equal)
            for pooled in (False, True):
                rows = study.from_baseline(pooled=pooled).iloc[1:]
                inside = (rows["low"] <= 0) & (rows["high"] >= 0)
                covered[pooled].append(tuple(inside.astype(float)))
                widths[pooled].append(tuple(rows["high"] - rows["low"]))
        each = {one: np.array(rows).mean(axis=0) for one, rows in covered.items()}
        width = {one: np.nanmedian(np.array(rows)) for one, rows in widths.items()}
        yield (
            f"| {' x '.join(map(str, shape))} | {runs} | {kind} "
            f"| {each[False].mean():.1%} (width {width[False]:.1f}) "
            f"| {each[True].mean():.1%} (width {width[True]:.1f}) "
            f"| {each[False].min():.1%} | {each[True].min():.1%} |"
        )


def of_parts(studies: int) -> Iterator[str]:
    """The table of studies that show a part of a factor that has none."""
    yield "| grid | runs | true | a null part is shown | anything is shown |"
    yield "| --- | ---: | --- | ---: | ---: |"
    for shape, runs, slope in product(((3, 3, 2), (5, 4)), (3, 5), (0.0, 3.0)):
        rng = np.random.default_rng([*shape, runs, round(slope)])
        wrong = any_shown = 0
        place = np.linspace(-1, 1, shape[0]).reshape(-1, *[1] * len(shape))
        for _ in range(studies):
            study = study_of(slope * place + rng.normal(size=(*shape, runs)))
            rows = study.trends()
            null = ~((rows["part"] == "linear") & rows["other"].isna()) | (slope == 0)
            wrong += bool((rows["shown"] & null).any())
            questions = study.judgement.table
            other = ~questions["factor"].eq("F0") | (slope == 0)
            any_shown += bool((rows["shown"] & null).any() or (questions["shown"] & other).any())
        yield (
            f"| {' x '.join(map(str, shape))} | {runs} | {'a slope' if slope else 'nothing'} "
            f"| {wrong / studies:.1%} | {any_shown / studies:.1%} |"
        )


def page(studies: int) -> str:
    """The whole table."""
    lines = [
        "# Levels as numbers, and changes of a baseline",
        "",
        f"`python -m tests.benchmarks.trends --studies {studies}`; {studies} simulated studies a "
        "line, seeds of their own, 95 % intervals. Noise: all combinations alike, deviations over "
        "a decade, or one run in ten fallen by ten deviations.",
        "",
        "## The top of a parabola",
        "",
        "Six combinations of another factor at each level; the bend in standard errors of its "
        f"estimate; positions from -1 to 1, the top at {TOP}. Picked: studies with a bend at p <= "
        ".05 and its top inside, of which coverage is told. Widths are medians, cut at the range "
        "(2).",
        "",
        *of_tops(studies),
        "",
        "## Parts of factors, judged with the study's questions",
        "",
        *of_parts(studies),
        "",
        "## Changes of a baseline",
        "",
        "Nothing matters; coverage of the difference of each changed combination to the baseline, "
        "mean and worst over rows.",
        "",
        *of_changes(studies),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    text = page(options.studies)
    if options.out is None:
        print(text)
    else:
        options.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
