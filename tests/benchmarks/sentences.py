"""What reports say of worlds whose truth is known: how often something that is not so, or is.

Run by hand, from the root of the repository (about an hour on one core):

    python -m tests.benchmarks.sentences --studies 400 --out results/benchmarks/sentences.md

Each study is drawn, analysed as a person's table would be, and its opening is read: sentences, not
intervals. Where nothing matters at most 5 % of openings may say that something does; where
something does, they should name it. Some are looked at after every replicate.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from analysis.loading import from_frame
from analysis.report.words.answer import answer
from analysis.study import Study, known

NOISE, CHANCE, LEARNT = 0.01, 0.1, 0.9
SHAPES = {
    "2": (2,), "2x2": (2, 2), "2x3": (2, 3), "2x2x2": (2, 2, 2), "3x3": (3, 3),
    "2x3x2": (2, 3, 2), "3x3x2x2x2": (3, 3, 2, 2, 2),
}  # fmt: skip
LARGE = "3x3x2x2x2"
REPLICATES = (2, 3, 5)
SAYS_SO = ("What ", "Levels differ", "These factors depend", "But the order turns")
"""How sentences begin that say that something matters."""
Values = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Draw = Callable[[np.random.Generator, tuple[int, ...], int], Values]


def gaussian(rng: np.random.Generator, shape: tuple[int, ...], runs: int) -> Values:
    """Accuracies around one value, shape (cells, replicates)."""
    return np.asarray(LEARNT + NOISE * rng.normal(size=(int(np.prod(shape)), runs)))


def falling(share: float) -> Draw:
    """Each run at chance with this probability, whatever its levels."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...], runs: int) -> Values:
        values = gaussian(rng, shape, runs)
        low = CHANCE + 0.3 * NOISE * rng.normal(size=values.shape)
        return np.where(rng.random(values.shape) < share, low, values)

    return draw


def shocked(rng: np.random.Generator, shape: tuple[int, ...], runs: int) -> Values:
    """A seed moves all its cells by as much as noise does."""
    return gaussian(rng, shape, runs) + NOISE * rng.normal(size=(1, runs))


def shocked_by_level(rng: np.random.Generator, shape: tuple[int, ...], runs: int) -> Values:
    """A seed moves the cells of one level of the last factor together."""
    levels = np.indices(shape).reshape(len(shape), -1)[-1]
    return gaussian(rng, shape, runs) + NOISE * rng.normal(size=(shape[-1], runs))[levels]


def lost(draw: Draw, share: float) -> Draw:
    """Runs without a result, at random."""

    def drawn(rng: np.random.Generator, shape: tuple[int, ...], runs: int) -> Values:
        values = draw(rng, shape, runs)
        return np.where(rng.random(values.shape) < share, np.nan, values)

    return drawn


def better_level(effect: float, draw: Draw) -> Draw:
    """The first factor's second level is better."""

    def drawn(rng: np.random.Generator, shape: tuple[int, ...], runs: int) -> Values:
        first = np.indices(shape).reshape(len(shape), -1)[0]
        return draw(rng, shape, runs) + effect * (first == 1)[:, None]

    return drawn


NOTHING: dict[str, Draw] = {
    "Gaussian": gaussian,
    **{f"{share:.0%} of runs at chance": falling(share) for share in (0.05, 0.1, 0.2, 0.3, 0.5)},
    "seed shock": shocked,
    "seed x level shock": shocked_by_level,
    "15 % of runs lost": lost(gaussian, 0.15),
    "20 % at chance, 10 % lost": lost(falling(0.2), 0.1),
}
SHARED = ("seed shock", "seed x level shock")
"""Worlds that studies of own seeds cannot be in."""
SOMETHING: dict[str, Draw] = {
    "one factor, 2 deviations": better_level(2 * NOISE, gaussian),
    "one factor, 5 deviations": better_level(5 * NOISE, gaussian),
    "one factor, 10 deviations, seed shock": better_level(10 * NOISE, shocked),
}


@dataclass(frozen=True)
class Read:
    """What openings of one world said.

    Attributes:
        world, grid: what was drawn.
        replicates: runs a combination.
        studies: openings read.
        said: share of them that say that something matters.
        named: share that name the first factor as what improves accuracy.
    """

    world: str
    grid: str
    replicates: int
    studies: int
    said: float
    named: float


def study_of(
    values: Values, shape: tuple[int, ...], planned: int | None = None, *, own: bool = False
) -> Study:
    """The table of these runs; with `planned` replicates the later ones have yet to run.

    `own`: every run has a seed of its own; else the analysis is told that replicates share theirs.
    """
    names = [chr(65 + axis) for axis in range(len(shape))]
    rows = []
    for cell, levels in enumerate(product(*map(range, shape))):
        labels = [f"{name.lower()}{level}" for name, level in zip(names, levels, strict=True)]
        for seed in range(planned or values.shape[1]):
            value = values[cell, seed] if seed < values.shape[1] else np.nan
            rows.append([*labels, seed, value])
    frame = pd.DataFrame(rows, columns=[*names, "seed", "accuracy"])
    known = frame["accuracy"].notna()
    learnt = (frame["accuracy"] > (CHANCE + LEARNT) / 2).map({True: "converged", False: "stalled"})
    waiting = frame["seed"] >= values.shape[1]
    frame["status"] = learnt.where(known, waiting.map({True: "not_run", False: "failed"}))
    levels = {
        name: [f"{name.lower()}{i}" for i in range(n)] for name, n in zip(names, shape, strict=True)
    }
    return from_frame(frame, names, "accuracy", None if own else "seed", levels=levels)


def opening(
    values: Values, shape: tuple[int, ...], planned: int | None = None, *, own: bool = False
) -> tuple[bool, bool]:
    """Whether a report says that something matters, and whether it names the first factor.

    Where a level has lost all its runs it says neither: there is nothing to compare.
    """
    answered = known(lambda: answer(study_of(values, shape, planned, own=own)))
    sentences = () if answered is None else answered.sentences
    said = [text for text in sentences if text.startswith(SAYS_SO)]
    named = [text for text in said if text.startswith("What improves accuracy") and "A (a1" in text]
    return bool(said), bool(named)


def read(
    world: str, draw: Draw, grid: str, replicates: int, studies: int, seed: int, *, own: bool
) -> Read:
    """Draw studies of a world and read their openings."""
    rng = np.random.default_rng([seed, replicates, *grid.encode(), *world.encode()])
    shape = SHAPES[grid]
    found = [opening(draw(rng, shape, replicates), shape, own=own) for _ in range(studies)]
    said, named = np.mean(found, axis=0)
    return Read(world, grid, replicates, studies, float(said), float(named))


def look(
    world: str, draw: Draw, grid: str, planned: int, studies: int, seed: int, *, own: bool
) -> Read:
    """The same, looked at after every replicate from the second: what any look said."""
    rng = np.random.default_rng([seed, planned, *grid.encode(), *world.encode()])
    shape = SHAPES[grid]
    said = []
    for _ in range(studies):
        values = draw(rng, shape, planned)
        looks = (opening(values[:, :now], shape, planned, own=own) for now in range(2, planned + 1))
        said.append(any(matters for matters, _ in looks))
    return Read(f"{world}, any look", grid, planned, studies, float(np.mean(said)), float("nan"))


def measure(
    studies: int, there: set[tuple[str, str, int]], seed: int = 15, *, own: bool = False
) -> Iterator[Read]:
    """All worlds but those there: nothing matters, looks at it, something matters."""
    for worlds in (NOTHING, SOMETHING):
        for (name, draw), grid, replicates in product(worlds.items(), SHAPES, REPLICATES):
            number = max(10, studies // 4) if grid == LARGE else studies
            possible = not (own and (name in SHARED or "seed shock" in name))
            if possible and (name, grid, replicates) not in there:
                yield read(name, draw, grid, replicates, number, seed, own=own)
    for name in ("Gaussian", "20% of runs at chance"):
        if (f"{name}, any look", "2x3x2", 3) not in there:
            yield look(name, NOTHING[name], "2x3x2", 3, studies, seed, own=own)


def _excess(row: Read) -> float:
    """How probable so many are where 5 % are true."""
    count = round(row.said * row.studies)
    return float(binomtest(count, row.studies, 0.05, alternative="greater").pvalue)


def _numbers(rows: list[Read]) -> str:
    """Of studies a row, but for the largest grid."""
    return " or ".join(
        str(one) for one in sorted({row.studies for row in rows if row.grid != LARGE})
    )


def _pooled(nothing: list[Read]) -> list[str]:
    """Each world over all grids, with the upper end of its exact 95 % interval."""
    lines = ["| world, all grids | studies | something is said | at most |", "|---|---|---|---|"]
    for world in dict.fromkeys(row.world for row in nothing):
        mine = [row for row in nothing if row.world == world]
        studies = sum(row.studies for row in mine)
        said = round(sum(row.said * row.studies for row in mine))
        high = binomtest(said, studies).proportion_ci(0.95, "exact").high
        lines.append(f"| {world} | {studies:,} | {said / studies:.1%} | {high:.1%} |")
    return [*lines, ""]


def page(rows: list[Read], command: str) -> str:
    """The table as Markdown."""
    nothing = [row for row in rows if row.world not in SOMETHING]
    something = [row for row in rows if row.world in SOMETHING]
    worst = max(nothing, key=lambda row: row.said)
    studies = sum(row.studies for row in nothing)
    share = sum(row.said * row.studies for row in nothing) / studies
    shared = any(row.world in SHARED for row in nothing)
    excess = min(len(nothing) * min(map(_excess, nothing)), 1.0)
    lines = [
        "# What openings say",
        "",
        "Share of reports whose opening says that something matters. In the first table nothing "
        f"does, and at most 5 % may say so: {share:.1%} of all {studies:,} do. The most is "
        f"{worst.said:.1%} ({worst.world}, {worst.grid}, {worst.replicates} replicates, "
        f"{worst.studies} studies). So large a row by chance, were all true shares 5 %: "
        f"p = {excess:.2g} (binomial, Bonferroni over {len(nothing)} rows). In the second table "
        "the first factor matters: the share that names it.",
        "",
        f"Made by `{command}`, with {_numbers(nothing)} studies a row of the first table and "
        f"{_numbers(something)} of the second; of the largest grid a quarter, at least 10. "
        + ("Replicates share seeds." if shared else "Every run has a seed of its own."),
        "",
        *_pooled(nothing),
    ]
    for title, chosen, of in (
        ("Nothing matters: something is said to", nothing, "said"),
        ("Something matters: it is named", something, "named"),
    ):  # fmt: skip
        lines += [
            f"## {title}",
            "",
            "| world | grid | 2 replicates | 3 | 5 |",
            "|---|---|---|---|---|",
        ]
        for world, grid in dict.fromkeys((row.world, row.grid) for row in chosen):
            by = {row.replicates: row for row in chosen if (row.world, row.grid) == (world, grid)}
            cells = [f"{getattr(by[k], of):.1%}" if k in by else "" for k in REPLICATES]
            lines.append(f"| {world} | {grid} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write where asked; rows that a file has already are not made again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--seeds", choices=("shared", "own"), default="shared")
    parser.add_argument("--rows", type=Path, help="CSV of rows: one that was stopped goes on")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    rows: list[Read] = []
    if options.rows is not None and options.rows.exists():
        table = pd.read_csv(options.rows).to_dict("records")
        rows = [Read(**{str(key): value for key, value in row.items()}) for row in table]
    there = {(one.world, one.grid, one.replicates) for one in rows}
    for row in measure(options.studies, there, own=options.seeds == "own"):
        rows.append(row)
        print(f"{row.world}, {row.grid} x {row.replicates}: {row.said:.1%}, {row.named:.1%}",
              flush=True)  # fmt: skip
        if options.rows is not None:
            pd.DataFrame(rows).to_csv(options.rows, index=False)
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(
            page(
                rows,
                f"python -m tests.benchmarks.sentences --seeds {options.seeds} --out {options.out}",
            ),
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
