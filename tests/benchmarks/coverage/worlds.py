"""Worlds to draw grids from, and the draws."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.model.cell_means import CellMeans
from analysis.table.reading import read_table
from analysis.table.tidy import Table

Floats = NDArray[np.float64]
CHANCE = 0.1
CASE = Path(__file__).parents[2] / "analysis" / "cases" / "ml_hpobench_vehicle_5f" / "data.csv"


@dataclass(frozen=True)
class Scenario:
    """One world to draw grids from.

    `rho` is the shared part of each cell's variance, so that the shock grows with the cell's
    deviation; where `alike` the shock is the same number in every cell, with that share of the mean
    variance; where `by_level` each level of the first factor has a shock of its own. A run falls to
    chance with the probability `falls` in every cell, or in every `falls_in`th; noise has Student's
    t with `tails` degrees of freedom, or is normal. `lost` runs fall out at random in every draw,
    one at least stays in every cell; the cells `empty` never ran. `more` times the studies asked
    for are made of it.
    """

    name: str
    means: Floats
    deviations: Floats
    replicates: int
    rho: float = 0.0
    alike: bool = False
    lost: int = 0
    empty: tuple[int, ...] = ()
    more: int = 1
    by_level: bool = False
    falls: float = 0.0
    falls_in: int = 1
    tails: int | None = None

    @property
    def complete(self) -> bool:
        """Whether every planned run is there."""
        return not (self.lost or self.empty)

    @property
    def holds(self) -> bool:
        """Whether runs are independent, so that nothing is wrong with Welch's interval."""
        return not self.rho

    @property
    def may_fall(self) -> NDArray[np.bool_]:
        """Cells some of whose runs fall to chance, shape of the grid."""
        return np.asarray(np.arange(self.means.size) % self.falls_in == 0).reshape(self.means.shape)

    @property
    def truth(self) -> Floats:
        """Expectations of the cells."""
        share = self.falls * self.may_fall
        return np.asarray((1 - share) * self.means + share * CHANCE)


def vehicle() -> tuple[dict[str, tuple[str, ...]], Floats, Floats]:
    """Factors, cell means and standard deviations of the real grid."""
    table = read_table(CASE, ["alpha", "batch", "depth", "lr", "width"], "acc", "seed")
    cells = CellMeans.of(table)
    return cells.factors, cells.means, np.sqrt(cells.variances)


def draw_many(scenario: Scenario, draws: int, rng: np.random.Generator) -> Floats:
    """Grids of runs, shape (draws, replicates, *grid)."""
    shape = scenario.means.shape
    size = (draws, scenario.replicates, *shape)
    if scenario.tails:
        own = rng.standard_t(scenario.tails, size) / np.sqrt(scenario.tails / (scenario.tails - 2))
    else:
        own = rng.standard_normal(size)
    rho = scenario.rho
    if not rho:
        y = scenario.means + scenario.deviations * own
        if scenario.falls:
            low = scenario.may_fall & (rng.random(size) < scenario.falls)
            y = np.where(low, CHANCE + 0.003 * own, y)
        return np.asarray(y)
    levels = shape[0] if scenario.by_level else 1
    shared = rng.standard_normal((draws, scenario.replicates, levels, *[1] * (len(shape) - 1)))
    if scenario.alike:
        size = np.sqrt(rho / (1 - rho) * (scenario.deviations**2).mean())
        return np.asarray(scenario.means + scenario.deviations * own + size * shared)
    noise = np.sqrt(rho) * shared + np.sqrt(1 - rho) * own
    return np.asarray(scenario.means + scenario.deviations * noise)


def cells_of(y: Floats) -> CellMeans:
    """One grid of runs, shape (replicates, *grid), as the cell-means model sees it."""
    k, *shape = y.shape
    there = np.isfinite(y)
    counts = there.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(there, y, 0.0).sum(axis=0) / counts
        squares = np.where(there, (y - means) ** 2, 0.0).sum(axis=0) / (counts - 1)
    return CellMeans(
        factors={f"f{i}": tuple(map(str, range(n))) for i, n in enumerate(shape)},
        response="y",
        counts=counts,
        deviations=means,
        shift=0.0,
        variances=np.where(counts > 1, squares, np.nan),
        replicate_names=tuple(map(str, range(k))),
        replicate_deviations=y,
        floored=np.zeros(shape, dtype=bool),
    )


def lose(scenario: Scenario, y: Floats, rng: np.random.Generator) -> Floats:
    """The same grid without the cells that never ran and the runs that are lost."""
    flat = y.reshape(len(y), -1).copy()
    flat[:, list(scenario.empty)] = np.nan
    left = scenario.lost
    while left:
        run, cell = rng.integers(len(flat)), rng.integers(flat.shape[1])
        if np.isfinite(flat[run, cell]) and np.isfinite(flat[:, cell]).sum() > 1:
            flat[run, cell] = np.nan
            left -= 1
    return flat.reshape(y.shape)


def as_table(cells: CellMeans) -> Table:
    """The same draw as a long table, for the classical fit."""
    k = len(cells.replicate_names)
    grid = np.indices((k, *cells.shape)).reshape(len(cells.shape) + 1, -1)
    frame = pd.DataFrame(
        {
            name: pd.Categorical.from_codes(codes, list(levels), ordered=True)
            for (name, levels), codes in zip(cells.factors.items(), grid[1:], strict=True)
        }
    )
    frame["replicate"] = pd.Categorical.from_codes(grid[0], list(cells.replicate_names))
    y = cells.replicate_deviations.ravel()
    frame["y"] = y
    return Table(frame, dict(cells.factors), "y", None, 0.0, y)


TWELVE = np.array(
    [0.001, 0.01, 0.05, 0.01, 0.06, 0.01, 0.002, 0.01, 0.05, 0.01, 0.0, 0.01]
).reshape(3, 2, 2)
"""Standard deviations of 3 x 2 x 2 cells: noisy, quiet, and one that never varies."""


def scenarios() -> tuple[list[Scenario], list[Scenario]]:
    """Worlds for coverage and worlds without effects."""
    _, means, deviations = vehicle()
    rng = np.random.default_rng(1)
    small = rng.normal(0.8, 0.05, (2, 2, 2))
    uneven = np.array([0.002, 0.01, 0.004, 0.02, 0.003, 0.005, 0.03, 0.01]).reshape(2, 2, 2)
    wild = np.exp(np.random.default_rng(7).normal(-5, 1.0, (2,) * 5))
    four = np.array([[0.002, 0.02], [0.01, 0.005]])
    real = Scenario("72 cells, 3 replicates, own noise", means, deviations, 3)
    dozen_means, dozen_deviations = np.full((2, 3, 2), 0.8), np.full((2, 3, 2), 0.01)
    eight = Scenario("8 cells, 3 replicates, own noise", small, uneven, 3)
    worlds = [
        real,
        replace(real, name="72 cells, 5 replicates, own noise", replicates=5),
        *(
            replace(real, name=f"72 cells, {k} replicates, {part} shared", replicates=k, rho=rho)
            for k, part, rho in (
                (3, "half the variance", 0.5),
                (5, "half the variance", 0.5),
                (3, "10 %", 0.1),
            )
        ),
        replace(
            real, name="72 cells, 3 replicates, 10 % shared, alike in all", rho=0.1, alike=True
        ),
        Scenario("32 cells, deviations over two decades, 3 replicates", wild * 0, wild, 3),
        Scenario("32 cells, two decades, 3 replicates, a quarter shared", wild * 0, wild, 3, 0.25),
        eight,
        replace(eight, name="8 cells, 3 replicates, half the variance shared", rho=0.5),
        replace(eight, name="8 cells, 5 replicates, own noise", replicates=5),
        Scenario("4 cells, 3 replicates, own noise", four * 0, four, 3),
        *(replace(eight, name=f"8 cells, {k} replicates, own noise", replicates=k) for k in (2, 8)),
        *(replace(real, name=f"72 cells, {k} replicates, own noise", replicates=k) for k in (2, 8)),
        Scenario(
            "300 cells, 3 replicates, own noise",
            np.full((5, 5, 4, 3), 0.8),
            np.exp(np.random.default_rng(5).normal(-5, 0.8, (5, 5, 4, 3))),
            3,
        ),
        *(
            Scenario(
                f"{name}, heavy tails",
                m,
                d,
                3,
                tails=3,
            )
            for name, m, d in (
                ("72 cells, 3 replicates", means, np.maximum(deviations, 1e-4)),
                ("8 cells, 3 replicates", small, uneven),
            )
        ),
        *(
            Scenario(
                f"12 cells, {k} replicates, {rho:.0%} of variance seed x first factor",
                dozen_means,
                dozen_deviations,
                k,
                rho,
                by_level=True,
            )
            for k in (2, 3, 5)
            for rho in (0.1, 0.3, 0.5)
        ),
        *(
            replace(
                real,
                name=f"72 cells, {k} replicates, 10 % of variance seed x first factor",
                deviations=np.maximum(deviations, 1e-4),
                replicates=k,
                rho=0.1,
                by_level=True,
            )
            for k in (3, 5)
        ),
        *(
            Scenario(
                f"{name}, {k} replicates, {share:.0%} of runs {where} at chance",
                np.full(shape, 0.9),
                np.full(shape, 0.01),
                k,
                falls=share,
                falls_in=each,
            )
            for where, each in (("of all cells", 1), ("of a third of the cells", 3))
            for name, shape in (("12 cells", (2, 3, 2)), ("72 cells", (3, 3, 2, 2, 2)))
            for k in (3, 5)
            for share in (0.05, 0.2, 0.5)
        ),
    ]
    # No interaction of three factors, so that the prediction of an empty cell has no bias.
    dozen = Scenario("12 cells, 3 replicates, 2 runs lost, own noise", np.zeros((3, 2, 2)),
                     TWELVE, 3, lost=2)  # fmt: skip
    hole = replace(dozen, name="12 cells, 3 replicates, a noisy cell empty, own noise",
                   lost=0, empty=(4,))  # fmt: skip
    worlds += [
        dozen,
        *(
            replace(dozen, name=said, rho=rho, alike=alike)
            for rho, said, alike in (
                (0.5, "12 cells, 3 replicates, 2 runs lost, half the variance shared", False),
                (0.5, "12 cells, 3 replicates, 2 runs lost, half shared, alike in all", True),
                (0.97, "12 cells, 3 replicates, 2 runs lost, nearly all shared, alike", True),
            )
        ),
        replace(dozen, name="12 cells, 3 replicates, 6 runs lost, own noise", lost=6),
        replace(dozen, name="12 cells, 3 replicates, 6 runs lost, half shared", lost=6, rho=0.5),
        replace(hole, name="12 cells, 3 replicates, a quiet cell empty, own noise", empty=(0,)),
        hole,
        replace(hole, name="12 cells, 3 replicates, a noisy cell empty, half shared", rho=0.5),
        replace(
            hole, name="12 cells, 3 replicates, a cell empty, 3 runs lost, half shared",
            lost=3, rho=0.5,
        ),
        Scenario("72 cells, 3 replicates, 2 cells empty, 12 runs lost, own noise", means * 0,
                 deviations, 3, lost=12, empty=(5, 40)),
        Scenario("72 cells, 3 replicates, 2 cells empty, 12 runs lost, half shared", means * 0,
                 deviations, 3, 0.5, lost=12, empty=(5, 40)),
        replace(dozen, name="12 cells, 2 replicates, 2 runs lost, own noise", replicates=2),
    ]  # fmt: skip
    flat = np.full((3, 3, 2), 0.8)
    rough = np.exp(np.random.default_rng(2).normal(-5, 0.8, flat.shape))
    few = np.exp(np.random.default_rng(3).normal(-5, 1.0, (6, 3)))
    nulls = [
        Scenario("3x3x2, equal variances, 3 replicates", flat, np.full(flat.shape, 0.01), 3),
        Scenario("3x3x2, unequal variances, 3 replicates", flat, rough, 3),
        Scenario("3x3x2, unequal variances, 5 replicates", flat, rough, 5),
        Scenario("6x3, unequal variances, 3 replicates", np.zeros((6, 3)), few, 3, more=4),
        Scenario("3x3x2, unequal variances, 3 replicates, half shared", flat, rough, 3, 0.5),
        Scenario("2x2x2, unequal variances, 3 replicates", np.full((2, 2, 2), 0.8), uneven, 3,
                 more=7),
        Scenario(
            "72 cells of the real grid, 3 replicates, 10 % shared",
            np.full(means.shape, 0.5), np.maximum(deviations, 1e-4), 3, 0.1, more=4,
        ),
        Scenario("3x2x2, unequal variances, 3 replicates, 2 runs lost", np.zeros((3, 2, 2)),
                 TWELVE, 3, lost=2, more=4),
        Scenario("3x2x2, the same, half shared", np.zeros((3, 2, 2)), TWELVE, 3, 0.5, lost=2,
                 more=4),
        Scenario("3x2x2, unequal variances, 3 replicates, a cell empty", np.zeros((3, 2, 2)),
                 TWELVE, 3, empty=(4,), more=8),
        Scenario("3x2x2, the same, half shared, 2 runs lost", np.zeros((3, 2, 2)), TWELVE, 3, 0.5,
                 lost=2, empty=(4,), more=4),
    ]  # fmt: skip
    return worlds, nulls
