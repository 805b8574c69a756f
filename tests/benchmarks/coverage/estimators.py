"""Intervals of whole batches of grids, and what they cover."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import fdtrc, stdtrit

from analysis.model.completion import Completion
from analysis.model.interval_rule import ENOUGH, SHOCK_P, choose_interval
from analysis.model.margins import over_replicates
from analysis.model.terms import Term
from analysis.stats.estimates import joined_error
from analysis.stats.welch import welch
from tests.benchmarks.coverage.worlds import Floats, Scenario, cells_of, draw_many, lose

METHODS = ("welch", "blocked", "shared")
"""Of own seeds, of replicates alone, and by the rule for seeds that are shared."""
COLUMNS = ["scenario", "target", "method", "coverage", "width", "oracle"]
MOST = 4_000_000
"""Numbers of one batch."""


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
    joined: Floats
    replicates: int
    shocked: NDArray[np.bool_]  # per draw, whether replicates differ

    @property
    def shared(self) -> Floats:
        """Half widths as the rule for shared seeds has them."""
        both = self.joined if self.replicates >= ENOUGH else np.maximum(self.welch, self.blocked)
        return np.where(self.shocked[:, None], self.blocked, both)


def estimate_many(y: Floats, weights: Floats) -> Batch:
    """All intervals, as `model.margins` and `model.interval_rule` have them.

    Args:
        y: shape (draws, replicates, cells).
        weights: shape (targets, cells).
    """
    k = y.shape[1]
    mean, variance = y.mean(axis=1), y.var(axis=1, ddof=1)
    squares = weights**2 / k
    total = variance @ squares.T
    df = total**2 / (variance**2 @ (squares**2).T / (k - 1))
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
    alone, alone_df = np.sqrt(total), np.full_like(df, k - 1.0)
    se, joined_df, _ = joined_error((alone, df), (over, alone_df))
    return Batch(
        estimate=mean @ weights.T,
        welch=stdtrit(df, 0.975) * alone,
        blocked=stdtrit(k - 1.0, 0.975) * over,
        joined=stdtrit(joined_df, 0.975) * se,
        replicates=k,
        shocked=fdtrc(k - 1.0, df_error, block / rest) <= SHOCK_P,
    )


def coverage(scenario: Scenario, draws: int, seed: int) -> pd.DataFrame:
    """Share of intervals that hold the truth, by target and method, and their width.

    Returns:
        Columns scenario, target, method, coverage, width (mean), oracle (median width over that of
        the interval by the true standard deviation of the estimate).
    """
    shape = scenario.means.shape
    weights = grid_weights(shape)
    names = [name for name, _, _ in targets(shape)]
    truth = weights @ scenario.truth.ravel()
    off: list[Floats] = []
    halves: dict[str, list[Floats]] = {method: [] for method in METHODS}
    for y in _batches(scenario, draws, seed):
        got = estimate_many(y, weights)
        off.append(got.estimate - truth)
        for method, kept in halves.items():
            kept.append(getattr(got, method))
    errors = np.concatenate(off)
    oracle = 1.96 * np.sqrt((errors**2).mean(axis=0))
    rows = []
    for method, kept in halves.items():
        half = np.concatenate(kept)
        held = (np.abs(errors) <= half).mean(axis=0)
        ratio = np.median(half, axis=0) / oracle
        for i, name in enumerate(names):
            width = 2 * float(half[:, i].mean())
            rows.append((scenario.name, name, method, float(held[i]), width, float(ratio[i])))
    return pd.DataFrame(rows, columns=COLUMNS)


def coverage_incomplete(scenario: Scenario, draws: int, seed: int) -> pd.DataFrame:
    """The same where runs are lost or cells empty, by the package's own estimators."""
    shape = scenario.means.shape
    weights = grid_weights(shape)
    names = [name for name, _, _ in targets(shape)]
    truth = weights @ scenario.truth.ravel()
    rng = np.random.default_rng(seed)
    off: dict[str, list[Floats]] = {method: [] for method in METHODS}
    halves: dict[str, list[Floats]] = {method: [] for method in METHODS}
    needed: Floats | None = None
    for y in draw_many(scenario, draws, rng):
        cells = cells_of(lose(scenario, y, rng))
        if needed is None:  # the same cells are empty in every draw
            model = Completion(cells, 2)
            rows = [model.of_grid(row.reshape(shape)) for row in weights]
            needed, orders = np.array([row for row, _ in rows]), np.array([at for _, at in rows])
        own = welch(cells.parts, needed, orders > 0)
        over = over_replicates(cells, needed)
        se, df, from_over = joined_error(own[1:], over[1:])
        both = np.where(from_over, over[0], own[0]), se, df
        if len(y) < ENOUGH:
            reach = [_half(one) for one in (own, over)]
            wide = reach[1] > reach[0]
            both = tuple(np.where(wide, two, one) for one, two in zip(own, over, strict=True))
        if choose_interval(cells).primary == "blocked":
            known = over[1] > 0
            both = tuple(np.where(known, two, one) for one, two in zip(own, over, strict=True))
        for method, one in (("welch", own), ("blocked", over), ("shared", both)):
            half = _half(one)
            off[method].append(np.where(half > 0, np.abs(one[0] - truth), np.nan))
            halves[method].append(half)
    rows_out = []
    for method in METHODS:
        error, half = np.array(off[method]), np.array(halves[method])
        seen = np.isfinite(error)
        held = (seen & (error <= half)).sum(axis=0) / seen.sum(axis=0)
        spread = np.sqrt(np.nanmean(error**2, axis=0))
        for i, name in enumerate(names):
            own_half = half[seen[:, i], i]
            ratio = float(np.median(own_half)) / (1.96 * float(spread[i]))
            width = 2 * float(own_half.mean())
            rows_out.append((scenario.name, name, method, float(held[i]), width, ratio))
    return pd.DataFrame(rows_out, columns=COLUMNS)


def _half(numbers: tuple[Floats, Floats, Floats]) -> Floats:
    """Half widths; 0 where there is no interval."""
    _, se, df = numbers
    known = (se > 0) & (df > 0)
    return np.where(known, stdtrit(np.where(known, df, 1.0), 0.975) * np.where(known, se, 0), 0.0)


def one_noisy_cell(draws: int, seed: int) -> pd.DataFrame:
    """Coverage of a sum of 21 cell means, of which one cell brings a share of the variance.

    Returns:
        Columns share, replicates, welch, shared (by the rule for shared seeds).
    """
    rows = []
    for share in (0.05, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        deviations = np.sqrt(np.array([share] + [(1 - share) / 20] * 20))
        for replicates in (3, 5, 10):
            world = Scenario("", np.zeros(21), deviations, replicates)
            hits = np.zeros(2)
            for y in _batches(world, draws, seed):
                got = estimate_many(y, np.ones((1, 21)))
                hits += [(np.abs(got.estimate) <= half).sum() for half in (got.welch, got.shared)]
            rows.append((share, replicates, *hits / draws))
    return pd.DataFrame(rows, columns=["share", "replicates", "welch", "shared"])


def _batches(scenario: Scenario, draws: int, seed: int) -> Iterator[Floats]:
    rng = np.random.default_rng(seed)
    size = max(1, min(2000, MOST // (scenario.replicates * scenario.means.size)))
    for start in range(0, draws, size):
        y = draw_many(scenario, min(size, draws - start), rng)
        yield y.reshape(*y.shape[:2], -1)
