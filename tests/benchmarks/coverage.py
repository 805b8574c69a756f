"""Do nominal 95 % intervals cover, and do 5 % tests err 5 % of the time? By simulation.

    python -m tests.benchmarks.coverage            # about an hour on two cores
    python -m tests.benchmarks.coverage --draws 4000 --studies 300 --out coverage.md

Grids are drawn around the cell means and deviations of a real factorial (HPOBench vehicle:
3x3x2x2x2, 14 cells at chance, deviations 0 to 0.2) and smaller ones, with and without a shock that
the cells of a replicate share, whole and with runs lost or cells empty. Coverage needs many draws
to be known to a fraction of a point, so its estimators are written for whole batches of grids here;
`tests/analysis/test_coverage_benchmark` holds them against the package's own. Incomplete grids (an
eighth of the draws) and tests of terms go through the package draw by draw. More than 300 lines:
worlds, estimators and table of one benchmark.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.special import fdtrc, stdtrit

from analysis.effects.term_tests.anova import anova_table
from analysis.effects.term_tests.replicate_tests import replicate_test
from analysis.effects.term_tests.welch_tests import welch_test
from analysis.model.cell_means import CellMeans
from analysis.model.classical import ClassicalFit
from analysis.model.completion import Completion
from analysis.model.grid import Grid
from analysis.model.interval_rule import SHOCK_P, choose_interval
from analysis.model.margins import METHODS, over_replicates
from analysis.model.terms import Term, terms_up_to
from analysis.stats.estimates import INTERVAL, t_limits
from analysis.stats.multiplicity import games_howell_p, holm
from analysis.stats.welch import welch
from analysis.table.reading import read_table
from analysis.table.tidy import Table

Floats = NDArray[np.float64]
CASE = Path(__file__).parents[1] / "analysis" / "cases" / "ml_hpobench_vehicle_5f" / "data.csv"
OUT = Path(__file__).parents[2] / "results" / "benchmarks" / "coverage.md"


@dataclass(frozen=True)
class Scenario:
    """One world to draw grids from.

    `rho` is the shared part of each cell's variance, so that the shock grows with the cell's
    deviation; where `alike` the shock is the same number in every cell, with that share of the mean
    variance. `lost` runs fall out at random in every draw, one at least stays in every cell; the
    cells `empty` never ran. `more` times the studies asked for are made of it.
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

    @property
    def complete(self) -> bool:
        """Whether every planned run is there."""
        return not (self.lost or self.empty)


def vehicle() -> tuple[dict[str, tuple[str, ...]], Floats, Floats]:
    """Factors, cell means and standard deviations of the real grid."""
    table = read_table(CASE, ["alpha", "batch", "depth", "lr", "width"], "acc", "seed")
    cells = CellMeans.of(table)
    return cells.factors, cells.means, np.sqrt(cells.variances)


def draw_many(scenario: Scenario, draws: int, rng: np.random.Generator) -> Floats:
    """Grids of runs, shape (draws, replicates, *grid)."""
    shape = scenario.means.shape
    own = rng.standard_normal((draws, scenario.replicates, *shape))
    shared = rng.standard_normal((draws, scenario.replicates, *[1] * len(shape)))
    rho = scenario.rho
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


def targets(shape: tuple[int, ...]) -> list[tuple[str, Term, Floats]]:
    """What is estimated: names, terms and weights over the term's margin."""
    found: list[tuple[str, Term, Floats]] = []
    for axis, size in enumerate(shape):
        difference = np.zeros(size)
        difference[0], difference[-1] = -1.0, 1.0
        found.append((f"difference f{axis}", Term((f"f{axis}",)), difference))
        found.append((f"mean f{axis}", Term((f"f{axis}",)), np.eye(size)[-1]))
    pair = Term(("f0", f"f{len(shape) - 1}"))
    inner = np.zeros((shape[0], shape[-1]))
    inner[0, 0], inner[0, -1], inner[-1, 0], inner[-1, -1] = 1.0, -1.0, -1.0, 1.0
    found.append(("interaction", pair, inner.ravel()))
    simple = np.zeros((shape[0], shape[-1]))
    simple[0, 0], simple[-1, 0] = -1.0, 1.0
    found.append(("simple effect", pair, simple.ravel()))
    return found


def grid_weights(shape: tuple[int, ...]) -> Floats:
    """The targets as weights of cell means, shape (targets, cells)."""
    rows = []
    for _, term, weights in targets(shape):
        kept = [size if f"f{axis}" in term.factors else 1 for axis, size in enumerate(shape)]
        over = np.prod(shape) / np.prod(kept)
        rows.append((weights.reshape(kept) / over * np.ones(shape)).ravel())
    return np.array(rows)


@dataclass(frozen=True)
class Batch:
    """Estimates and half widths of every target in every draw, shape (draws, targets)."""

    estimate: Floats
    welch: Floats
    blocked: Floats
    shocked: NDArray[np.bool_]  # per draw, whether replicates differ

    def by_rule(self, is_mean: NDArray[np.bool_] | bool = False) -> Floats:
        """Half widths as the rule has them: over replicates for means or after a shock."""
        over = self.shocked[:, None] | is_mean
        return np.where(over, self.blocked, np.maximum(self.welch, self.blocked))


def estimate_many(y: Floats, weights: Floats) -> Batch:
    """Both intervals and the rule, as `model.margins` and `model.interval_rule` have them.

    Args:
        y: shape (draws, replicates, cells).
        weights: shape (targets, cells).
    """
    k = y.shape[1]
    mean, variance = y.mean(axis=1), y.var(axis=1, ddof=1)
    parts = variance[:, None, :] * weights**2 / k
    total = parts.sum(axis=-1)
    df = total**2 / ((parts**2).sum(axis=-1) / (k - 1))
    over = (y @ weights.T).std(axis=1, ddof=1) / np.sqrt(k)
    residual = y - mean[:, None, :]
    varies = variance.max(axis=0) > 0
    residual = residual[:, :, varies]
    if k > 2:
        residual = residual / np.sqrt(variance[:, None, varies])
    j = int(varies.sum())
    block = j * (residual.mean(axis=2) ** 2).sum(axis=1) / (k - 1)
    df_error = (k - 1) * (j - 1)
    rest = ((residual**2).sum(axis=(1, 2)) - (k - 1) * block) / df_error
    return Batch(
        estimate=mean @ weights.T,
        welch=stdtrit(df, 0.975) * np.sqrt(total),
        blocked=stdtrit(k - 1.0, 0.975) * over,
        shocked=fdtrc(k - 1.0, df_error, block / rest) <= SHOCK_P,
    )


def coverage(scenario: Scenario, draws: int, seed: int) -> pd.DataFrame:
    """Share of intervals that hold the truth, and their mean width, by target and method."""
    shape = scenario.means.shape
    weights = grid_weights(shape)
    names = [name for name, _, _ in targets(shape)]
    is_mean = np.array([name.startswith("mean") for name in names])
    hits = {method: np.zeros(len(names)) for method in ("welch", "blocked", "rule")}
    widths = {method: np.zeros(len(names)) for method in hits}
    for y in _batches(scenario, draws, seed):
        got = estimate_many(y, weights)
        off = np.abs(got.estimate - weights @ scenario.means.ravel())
        halves = {"welch": got.welch, "blocked": got.blocked, "rule": got.by_rule(is_mean)}
        for method, half in halves.items():
            hits[method] += (off <= half).sum(axis=0)
            widths[method] += 2 * half.sum(axis=0)
    return pd.DataFrame(
        [
            (scenario.name, name, method, hits[method][i] / draws, widths[method][i] / draws)
            for i, name in enumerate(names)
            for method in hits
        ],
        columns=["scenario", "target", "method", "coverage", "width"],
    )


def coverage_incomplete(scenario: Scenario, draws: int, seed: int) -> pd.DataFrame:
    """The same where runs are lost or cells empty, by the package's own estimators."""
    shape = scenario.means.shape
    weights = grid_weights(shape)
    names = [name for name, _, _ in targets(shape)]
    truth = weights @ scenario.means.ravel()
    is_mean = np.array([name.startswith("mean") for name in names])
    rng = np.random.default_rng(seed)
    methods = ("welch", "blocked", "rule")
    hits, seen, widths = ({m: np.zeros(len(names)) for m in methods} for _ in range(3))
    needed: Floats | None = None
    for y in draw_many(scenario, draws, rng):
        cells = cells_of(lose(scenario, y, rng))
        if needed is None:  # the same cells are empty in every draw
            model = Completion(cells, 2)
            rows = [model.of_grid(row.reshape(shape)) for row in weights]
            needed, orders = np.array([row for row, _ in rows]), np.array([at for _, at in rows])
        found = {
            "welch": welch(cells.parts, needed, orders > 0),
            "blocked": over_replicates(cells, needed),
        }
        widths_of = [
            np.where(one[1] > 0, stdtrit(np.where(one[1] > 0, one[2], 1.0), 0.975) * one[1], 0.0)
            for one in (found["blocked"], found["welch"])
        ]
        shocked = choose_interval(cells).primary == "blocked"
        chosen = shocked | is_mean | (widths_of[0] > widths_of[1])
        chosen &= found["blocked"][1] > 0
        pairs = zip(found["blocked"], found["welch"], strict=True)
        estimate, se, df = (np.where(chosen, blocked, own) for blocked, own in pairs)
        for method, (value, error, freedom) in (*found.items(), ("rule", (estimate, se, df))):
            known = error > 0
            half = np.where(known, stdtrit(np.where(known, freedom, 1.0), 0.975) * error, 0.0)
            hits[method] += known & (np.abs(value - truth) <= half)
            seen[method] += known
            widths[method] += 2 * half
    return pd.DataFrame(
        [
            (scenario.name, name, m, hits[m][i] / seen[m][i], widths[m][i] / seen[m][i])
            for i, name in enumerate(names)
            for m in methods
        ],
        columns=["scenario", "target", "method", "coverage", "width"],
    )


def one_noisy_cell(draws: int, seed: int) -> pd.DataFrame:
    """Coverage of a sum of 21 cell means, of which one cell brings a share of the variance.

    Returns:
        Columns share, replicates, welch, rule (of a contrast).
    """
    rows = []
    for share in (0.05, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        deviations = np.sqrt(np.array([share] + [(1 - share) / 20] * 20))
        for replicates in (3, 5, 10):
            world = Scenario("", np.zeros(21), deviations, replicates)
            hits = np.zeros(2)
            for y in _batches(world, draws, seed):
                got = estimate_many(y, np.ones((1, 21)))
                hits += [
                    (np.abs(got.estimate) <= half).sum() for half in (got.welch, got.by_rule())
                ]
            rows.append((share, replicates, *hits / draws))
    return pd.DataFrame(rows, columns=["share", "replicates", "welch", "rule"])


def _batches(scenario: Scenario, draws: int, seed: int, size: int = 2000) -> Iterator[Floats]:
    rng = np.random.default_rng(seed)
    for start in range(0, draws, size):
        y = draw_many(scenario, min(size, draws - start), rng)
        yield y.reshape(*y.shape[:2], -1)


DECIDE = {
    "welch": "Welch F (Hotelling)",
    "blocked": "F over replicates",
}


def errors(scenario: Scenario, studies: int, seed: int) -> pd.DataFrame:
    """Share of tests below 0.05 where nothing has an effect: kind, test, error."""
    rng = np.random.default_rng(seed)
    rejected: dict[tuple[str, str], list[Floats]] = {}

    def note(kind: str, test: str, p: Floats) -> None:
        rejected.setdefault((kind, test), []).append(np.asarray(p < 0.05, dtype=float))

    for study in range(studies * scenario.more):
        cells = cells_of(lose(scenario, draw_many(scenario, 1, rng)[0], rng))
        terms = terms_up_to(cells.names, 2)
        grid = Grid(cells)
        margins = {term.name: grid.margin(term) for term in terms}
        p = {
            "welch": np.array([welch_test(margins[term.name])["p"] for term in terms]),
            "blocked": np.array([replicate_test(margins[term.name])["p"] for term in terms]),
        }
        p["wider"] = np.fmax(p["welch"], p["blocked"])
        rule = grid.rule.primary
        note("decides", "term, by the rule", p[rule])
        note(
            "decides", "term, by the rule, Holm over terms (any)", holm(p[rule]).min(keepdims=True)
        )
        for method, name in DECIDE.items():
            note("may be picked", f"{name}, each term", p[method])
        if study < studies:
            table = anova_table(ClassicalFit.of(as_table(cells), 2), "type3").iloc[:-1]
            note("reference", "type III F, each term", table["p"].to_numpy(float))
            note(
                "reference", "type III F, Holm over terms (any)", table[["p_holm"]].min().to_numpy()
            )
        for term in terms_up_to(cells.names, 1):
            margin = margins[term.name]
            _, weights = margin.pair_weights()
            numbers = {m: margin.combine(weights, m) for m in METHODS}
            rows = {
                m: dict(zip(INTERVAL, (*n, *t_limits(*n)), strict=True)) for m, n in numbers.items()
            }
            pairs = {name: one["p"] for name, one in rows.items()}
            pairs["wider"] = np.fmax(pairs["welch"], pairs["blocked"])
            note("decides", "pair of levels, by the rule", pairs[rule])
            for method in rows:
                note("may be picked", f"{method} t, each pair", rows[method]["p"])
            size, own = margin.shape[0], rows["welch"]
            if size > 2:
                t = zip(own["estimate"] / own["se"], own["df"], strict=True)
                games_howell = np.array([games_howell_p(one, size, df) for one, df in t])
                note(
                    "may be picked",
                    "Games-Howell (few df: Šidák), any pair",
                    games_howell.min(keepdims=True),
                )
    rows_out = []
    for (kind, test), values in rejected.items():
        if test in ("term, by the rule", "type III F, each term"):
            each = np.mean(values, axis=0)
            rows_out.append((scenario.name, kind, f"{test}, worst term", float(each.max())))
        share = float(np.mean(np.concatenate(values)))
        rows_out.append((scenario.name, kind, test, share))
    return pd.DataFrame(rows_out, columns=["scenario", "kind", "test", "error"])


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
        replace(eight, name="8 cells, 2 replicates, own noise", replicates=2),
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


def report(
    covered: pd.DataFrame, wrong: pd.DataFrame, noisy: pd.DataFrame, draws: int, studies: int
) -> str:
    """The result as Markdown."""
    lines = [
        "# Coverage and type-I error by simulation",
        "",
        f"`python -m tests.benchmarks.coverage --draws {draws} --studies {studies}`",
        "",
        *_covered_lines(covered, draws),
        "",
        *_wrong_lines(wrong, studies),
        "",
        *_noisy_lines(noisy, draws),
    ]
    return "\n".join(lines) + "\n"


def _covered_lines(covered: pd.DataFrame, draws: int) -> list[str]:
    kinds: list[tuple[str, Callable[[str], bool]]] = [
        ("differences of levels", lambda t: t.startswith("difference")),
        ("marginal means", lambda t: t.startswith("mean")),
        ("interaction, simple effect", lambda t: t in ("interaction", "simple effect")),
    ]
    error = 1.96 * np.sqrt(0.95 * 0.05 / draws)
    two = covered["scenario"].str.contains("2 replicates")
    holes = covered["scenario"].str.contains("lost|empty")
    ruled = covered[(covered["method"] == "rule") & ~two & ~holes]["coverage"]
    incomplete = covered[(covered["method"] == "rule") & ~two & holes]["coverage"]
    rough = 1.96 * np.sqrt(0.95 * 0.05 / (draws // 8))
    lines = [
        "## Coverage of 95 % intervals",
        "",
        f"{draws:,} draws a world, so a single coverage of 95 % is known to ±{error * 100:.1f} "
        "points. Coverage is the range over the targets of a kind, width their mean. Shared parts "
        "of the variance grow with a cell's own deviation unless the world says that they are "
        "alike in all.",
        "",
        f"By the rule, three replicates or more: {ruled.min() * 100:.1f} % to "
        f"{ruled.max() * 100:.1f} %. Means are always taken over replicates; contrasts by Welch "
        "unless the replicates' test suggests a shock. Two replicates leave that test little to "
        "see.",
        "",
        f"Where runs are lost or cells empty: {incomplete.min() * 100:.1f} % to "
        f"{incomplete.max() * 100:.1f} %, each from {draws // 8:,} draws (±{rough * 100:.1f} "
        "points). An empty cell is predicted by the model of mains and pairs, lost runs are fitted "
        "with their replicate; these worlds have no interaction of three factors.",
        "",
        "| world | target | Welch | t over replicates | by the rule | widths |",
        "|---|---|---|---|---|---|",
    ]
    for scenario, rows in covered.groupby("scenario", sort=False):
        for kind, belongs in kinds:
            part = rows[rows["target"].map(belongs)]
            cells = []
            for method in ("welch", "blocked", "rule"):
                values = part.loc[part["method"] == method, "coverage"]
                low, high = values.min() * 100, values.max() * 100
                cells.append(f"{low:.1f}" if len(values) == 1 else f"{low:.1f}-{high:.1f}")
            widths = part.groupby("method")["width"].mean()
            shown = " / ".join(f"{widths[m]:.3f}" for m in ("welch", "blocked", "rule"))
            lines.append(f"| {scenario} | {kind} | {' | '.join(cells)} | {shown} |")
    return lines


def _wrong_lines(wrong: pd.DataFrame, studies: int) -> list[str]:
    error = 1.96 * np.sqrt(0.05 * 0.95 / studies)
    titles = {
        "decides": "Tests that decide: verdicts, stars, sentences and lines in figures rest on "
        "these",
        "may be picked": "What the rule picks from, each on its own (Welch's hold without a "
        "shared shock, those over replicates always)",
        "reference": "Shown for reference only, in effects.json and one table of the report: the "
        "classical F assumes one error variance",
    }
    lines = [
        "## Type-I error of 5 % tests",
        "",
        f"Share that rejects where nothing has an effect, {studies:,} studies a world (a single "
        f"test is known to ±{error * 100:.1f} points; the worst of several reads high), of 2x2x2 "
        f"{7 * studies:,} (±{error / 7**0.5 * 100:.1f}), of 6x3, of the real grid and where runs "
        "are lost or cells empty "
        f"{4 * studies:,} (±{error / 2 * 100:.1f}), where a cell is empty and nothing else "
        f"{8 * studies:,} (±{error / 8**0.5 * 100:.1f}).",
    ]
    for kind, title in titles.items():
        part = wrong[wrong["kind"] == kind]
        wide = part.pivot(index="test", columns="scenario", values="error")
        wide = wide.loc[list(dict.fromkeys(part["test"])), list(dict.fromkeys(part["scenario"]))]
        lines += ["", f"{title}:", ""]
        lines += ["| test | " + " | ".join(wide.columns) + " |", "|---" * (1 + wide.shape[1]) + "|"]
        for test, row in wide.iterrows():
            shown = (f"{x * 100:.1f} %" if np.isfinite(x) else "" for x in row)
            lines.append(f"| {test} | " + " | ".join(shown) + " |")
    return lines


def _noisy_lines(noisy: pd.DataFrame, draws: int) -> list[str]:
    wide = noisy.pivot(index="share", columns="replicates", values=["welch", "rule"])
    lines = [
        "## Where one cell brings most of the variance",
        "",
        "Coverage of 95 % intervals of a sum of 21 cells of which one brings the share and the "
        f"others the rest alike, {draws:,} draws each: Welch / by the rule. By chance the noisy "
        "cell is thought quiet, and Satterthwaite's degrees of freedom are then too many. More "
        "replicates are the remedy, of that cell above all.",
        "",
        "| share of the variance | " + " | ".join(f"{k} replicates" for k in (3, 5, 10)) + " |",
        "|---|---|---|---|",
    ]
    for share, row in wide.iterrows():
        shown = (f"{row['welch', k] * 100:.1f} / {row['rule', k] * 100:.1f} %" for k in (3, 5, 10))
        lines.append(f"| {share:.0%} | " + " | ".join(shown) + " |")
    return lines


def main() -> int:
    """Run all worlds and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=40_000)
    parser.add_argument("--studies", type=int, default=3000)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    worlds, nulls = scenarios()
    side_by_side = Parallel(n_jobs=-1)
    longest = sorted(range(len(nulls)), key=lambda i: -nulls[i].more)
    found = side_by_side(delayed(errors)(nulls[i], options.studies, 100 + i) for i in longest)
    wrong = pd.concat([found[longest.index(i)] for i in range(len(nulls))])
    covered = pd.concat(
        side_by_side(
            delayed(coverage)(w, options.draws, i)
            if w.complete
            else delayed(coverage_incomplete)(w, options.draws // 8, i)
            for i, w in enumerate(worlds)
        )
    )
    noisy = one_noisy_cell(options.draws, len(worlds))
    text = report(covered, wrong, noisy, options.draws, options.studies)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    # Other processes find functions of this module by its name, not those of "__main__".
    from tests.benchmarks import coverage as this

    sys.exit(this.main())
