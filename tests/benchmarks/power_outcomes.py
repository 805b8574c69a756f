"""Predicted power for convergence and epochs to the target, against studies whose truth is known.

Run by hand, from the root of the repository:

    python -m tests.benchmarks.power_outcomes --studies 2000 --pilots 2 \
        --out results/benchmarks/power_outcomes.md

Each world has a difference of known size between two levels. Studies are drawn from the world
itself and judged as a report judges them (a test holds that, table and all); pilots are drawn too,
as tables, and each predicts what share of studies shows the difference. Rows are kept beside the
page, in a .jsonl: one that was stopped goes on with the worlds that are left.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.loading import from_frame
from analysis.model.grid import Grid
from analysis.outcomes.convergence import Convergence
from analysis.outcomes.time_to_target import TimeToTarget
from analysis.stats.multiplicity import holm
from analysis.study import Study
from analysis.verdicts.simulated_power import (
    STUDIES,
    Asked,
    share_shown,
    shows_convergence,
    trial_of,
)
from tests.benchmarks.coverage.worlds import cells_of
from tests.benchmarks.doctor.rows import Row, append, read

FACTORS = {"A": ("a0", "a1"), "B": ("b0", "b1", "b2"), "C": ("c0", "c1")}
SHAPE = tuple(len(levels) for levels in FACTORS.values())
CODES = np.indices(SHAPE)
EPOCHS = 30
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True)
class World:
    """Runs of a known truth.

    Attributes:
        name: for the table.
        factor, first, second: the difference looked for, second above first.
        on_rates: whether it is one of convergence, else of epochs.
        cells: rates of convergence, or mean epochs, of all cells.
        deviations: of epochs.
        pilot, replicates: runs of every cell in a pilot, and in a study.
    """

    name: str
    factor: str
    first: str
    second: str
    on_rates: bool
    cells: Floats
    deviations: Floats
    pilot: int
    replicates: int

    def draw(self, rng: np.random.Generator, replicates: int) -> Floats:
        """Epochs to the target, shape (replicates, *grid), infinite where it was not reached."""
        if self.on_rates:
            reached = rng.random((replicates, *SHAPE)) < self.cells
            return np.where(reached, 10.0, np.inf)
        drawn = [self._times(rng, at, replicates) for at in np.ndindex(SHAPE)]
        times = np.stack(drawn, axis=1).reshape(replicates, *SHAPE)
        return np.where(times <= EPOCHS, times, np.inf)

    def shown(self, times: Floats) -> bool:
        """Whether the report shows the difference, without a table (`shown_by_report`)."""
        if self.on_rates:
            runs = np.full(SHAPE, float(len(times)))
            hits = np.isfinite(times).sum(axis=0).astype(float)
            return shows_convergence(Convergence(hits, runs, runs, FACTORS), self.factor)
        cells = cells_of(times.clip(max=EPOCHS))
        axis = list(FACTORS).index(self.factor)
        levels = FACTORS[self.factor]
        pairs = list(combinations(range(len(levels)), 2))
        weights = [cells.difference({f"f{axis}": str(j)}, {f"f{axis}": str(i)}) for i, j in pairs]
        p = np.array([Grid(cells).estimate(one, method="welch").p for one in weights])
        mine = pairs.index((levels.index(self.first), levels.index(self.second)))
        return bool(holm(p)[mine] <= 0.05)

    def _times(self, rng: np.random.Generator, at: tuple[int, ...], number: int) -> Floats:
        """Gamma times, whole epochs."""
        mean, deviation = self.cells[at], self.deviations[at]
        shape = (mean / deviation) ** 2
        return np.ceil(rng.gamma(shape, mean / shape, number) - 0.5)

    def outcome(self, times: Floats) -> Convergence | TimeToTarget:
        """What the report has of it."""
        study = study_of(times)
        return study.convergence() if self.on_rates else study.time_to_target()

    def shown_by_report(self, times: Floats) -> bool:
        """The same by everything that a report goes through, from the table on."""
        study = study_of(times)
        if self.on_rates:
            rows = study.judgement.of("convergence").set_index("factor")
            return bool(len(rows)) and bool(rows["shown"].to_dict()[self.factor])
        rows = study.time_to_target().differences
        mine = (rows["factor"] == self.factor) & (rows["level"] == self.second)
        return bool((rows[mine & (rows["reference"] == self.first)]["p_holm"] <= 0.05).all())

    def size(self, rng: np.random.Generator) -> float:
        """The true difference; of epochs that of times cut at the budget, by many draws."""
        if self.on_rates:
            cells = self.cells
        else:
            flat = [
                self._times(rng, at, 20_000).clip(max=EPOCHS).mean() for at in np.ndindex(SHAPE)
            ]
            cells = np.array(flat).reshape(SHAPE)
        axis = list(FACTORS).index(self.factor)
        means = np.moveaxis(cells, axis, 0).reshape(SHAPE[axis], -1).mean(axis=1)
        at = FACTORS[self.factor].index
        return float(means[at(self.second)] - means[at(self.first)])


def study_of(times: Floats) -> Study:
    """The table of these runs, each with a seed of its own."""
    rows = [
        (*levels, k, times[(k, *at)])
        for at, levels in zip(np.ndindex(SHAPE), product(*FACTORS.values()), strict=True)
        for k in range(len(times))
    ]
    frame = pd.DataFrame(rows, columns=[*FACTORS, "seed", "epochs_to_target"])
    reached = np.isfinite(frame["epochs_to_target"])
    frame["epochs_to_target"] = frame["epochs_to_target"].where(reached)
    frame = frame.assign(
        converged=reached.astype(int),
        status=reached.map({True: "converged", False: "stalled"}),
        epochs_run=EPOCHS,
        epochs_budget=EPOCHS,
    )
    return from_frame(frame, list(FACTORS), "converged", None, levels=FACTORS)


def worlds() -> list[World]:
    """Of convergence and of epochs, of two and three levels, even and uneven."""
    a, b, c = CODES
    none = np.zeros(SHAPE)
    logits: list[tuple[str, str, str, str, Floats, int, int]] = [
        ("others decide nothing", "A", "a0", "a1", 0.4 + 0.9 * a + none, 6, 8),
        ("C decides much", "A", "a0", "a1", -1.0 + 1.4 * a + 2.5 * c + none, 6, 6),
        ("A only where C is c1", "A", "a0", "a1", -0.5 + 2.2 * a * c + 0.5 * b, 6, 6),
        ("three levels", "B", "b0", "b2", -0.9 + 0.9 * b + 0.8 * c, 6, 6),
        ("nearly all converge", "A", "a0", "a1", 1.6 + 1.6 * a + 0.8 * c + none, 6, 12),
    ]
    found = [
        World(f"convergence: {name}", f, x, y, True, expit(eta), none, pilot, k)
        for name, f, x, y, eta, pilot, k in logits
    ]
    found += [
        World("epochs: even scatter", "A", "a0", "a1", False, 12.0 + 2.2 * a + b, none + 3.5, 5, 5),
        World(
            "epochs: slow cells scatter, some never get there",
            *("A", "a0", "a1", False, 10 + 4.0 * a + 9.0 * c + none, 2.0 + 7 * c + none, 5, 8),
        ),
        World(
            "epochs: three levels", "B", "b0", "b2", False, 12.0 + 1.6 * b + 3.0 * c, none + 3, 5, 4
        ),
    ]
    return found


def measure(world: World, studies: int, pilots: int, simulated: int, seed: int) -> Row:
    """Share of studies that show it, and what pilots and a very large pilot predict."""
    rng = np.random.default_rng(seed)
    size = world.size(rng)
    asked = Asked(world.factor, world.first, world.second, size)
    true = float(np.mean([world.shown(world.draw(rng, world.replicates)) for _ in range(studies)]))
    known = world.outcome(world.draw(rng, 200))
    large = share_shown(trial_of(known, asked, world.replicates), simulated, seed)
    small = [
        share_shown(
            trial_of(world.outcome(world.draw(rng, world.pilot)), asked, world.replicates),
            STUDIES,
            seed + 1 + k,
        )
        for k in range(pilots)
    ]
    return {"world": world.name, "size": size, "replicates": world.replicates, "true": true,
            "known": large, "pilot": world.pilot, "mean": float(np.mean(small)),
            "least": min(small), "most": max(small), "studies": studies,
            "simulated": simulated, "pilots": pilots}  # fmt: skip


def page(rows: list[Row], command: str) -> str:
    """The table as Markdown."""
    studies, simulated = (min(int(row[key]) for row in rows) for key in ("studies", "simulated"))
    lines = [
        "# Power for convergence and for epochs to the target: predicted and true",
        "",
        f"Grid {'x'.join(map(str, SHAPE))}. True: share of the studies drawn from the world and",
        "judged as the report judges that show the difference. Predicted as by `analysis power`",
        "from a pilot whose truth is known (200 runs a cell);",
        f"and ({STUDIES} simulated studies) from pilots of a few runs a cell. One standard",
        f"deviation of simulation: up to {50 / studies**0.5:.1f} points of the true share,",
        f"{50 / simulated**0.5:.1f} and {50 / STUDIES**0.5:.1f} of the predicted ones.",
        "",
        f"Made by `{command}`.",
        "",
        "| world | size | replicates | true | of studies | known pilot | of simulated | off, "
        "points | runs of small pilots | pilots | their mean | least | most |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        size, off = float(row["size"]), float(row["known"]) - float(row["true"])
        told = f"{100 * size:.1f} points" if row["world"][0] == "c" else f"{size:.1f} epochs"
        lines.append(
            f"| {row['world']} | {told} | {row['replicates']} | {row['true']:.1%} | "
            f"{row['studies']:,} | {row['known']:.1%} | {row['simulated']:,} | {100 * off:+.1f} | "
            f"{row['pilot']} | {row['pilots']} | {row['mean']:.1%} | {row['least']:.1%} | "
            f"{row['most']:.1%} |"
        )
    off = [abs(float(row["known"]) - float(row["true"])) for row in rows]
    within = sum(one <= 0.05 for one in off)
    lines += ["", f"Within 5 points from the known pilot: {within} of {len(rows)}; "
              f"farthest {100 * max(off):.1f} points."]  # fmt: skip
    missing = len(worlds()) - len(rows)
    if missing:
        lines += ["", f"Worlds not measured yet: {missing} of {len(worlds())}."]
    return "\n".join([*lines, ""])


def main(work: Callable[..., Row] = measure) -> None:
    """Measure, print, and write where asked; worlds that are in the rows are not drawn again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--simulated", type=int, default=1000)
    parser.add_argument("--pilots", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    raw = options.out.with_suffix(".jsonl") if options.out is not None else None
    rows = {row["world"]: row for row in (read(raw) if raw is not None else [])}
    command = (
        f"python -m tests.benchmarks.power_outcomes --studies {options.studies} "
        f"--simulated {options.simulated} --pilots {options.pilots} --out {options.out}"
    )
    for index, world in enumerate(worlds()):
        if world.name in rows:
            continue
        row = work(world, options.studies, options.pilots, options.simulated, 100 + index)
        print(row, flush=True)
        rows[world.name] = row
        if raw is not None:
            append(raw, row)
            found = [rows[one.name] for one in worlds() if one.name in rows]
            options.out.write_text(page(found, command), encoding="utf-8")


if __name__ == "__main__":
    main()
