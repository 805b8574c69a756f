"""Power for a yes or no and for epochs to the target, by simulating whole studies.

A pilot says how often each combination converges, or how its epochs scatter; two levels of one
factor are set apart by the size asked for; studies of so many replicates are drawn, and each is
judged by the test that the report rests on: the exact test of the factor in its family, or the
difference of restricted means, Holm-adjusted within the factor. Promises the share that shows it.
What a pilot of few runs gets wrong about its rates or its scatter stays in the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, logit

from ablations.errors import InputError
from analysis.model.cell_means import CellMeans
from analysis.model.grid import Grid
from analysis.model.terms import grid_columns
from analysis.outcomes.convergence import Convergence
from analysis.outcomes.time_to_target import TimeToTarget
from analysis.stats.arrays import Floats
from analysis.stats.counts.firth import fit
from analysis.stats.multiplicity import holm
from analysis.verdicts.judgement import ALPHA, rates_together

STUDIES, MOST = 400, 64
"""Simulated studies of an answer; beyond so many replicates none is looked for."""
Trial = Callable[[np.random.Generator], bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """A difference between two levels.

    Attributes:
        factor, first, second: the levels; the second is set above the first.
        size: of the difference of their means over all combinations of the other factors: a share
            of runs for convergence, epochs for epochs to the target.
    """

    factor: str
    first: str
    second: str
    size: float

    def axis(self, pilot: Convergence | TimeToTarget) -> tuple[int, int, int]:
        """The factor's axis and where its two levels stand; InputError for what is not there."""
        names = list(pilot.factors)
        if self.factor not in names:
            raise InputError(f"the study has no factor {self.factor!r}")
        levels = list(pilot.factors[self.factor])
        for level in (self.first, self.second):
            if level not in levels:
                raise InputError(f"{self.factor} has no level {level!r}; it has {levels}")
        if self.first == self.second:
            raise InputError(f"a difference has two levels; {self.first!r} is named twice")
        return names.index(self.factor), levels.index(self.first), levels.index(self.second)


def rates_of(pilot: Convergence, asked: Asked) -> Floats:
    """Rates of all cells, shape of the grid, in which the two levels differ by what is asked.

    Firth's model of mains gives the rates of the other factors, as cells of few runs have none of
    their own; the two levels lie to both sides of the middle on the logit scale, equally far in
    every combination, and further levels lie in the middle.

    Raises:
        InputError: a size that is no difference of two rates.
    """
    if not 0 < asked.size < 1:
        raise InputError(
            f"a difference of {100 * asked.size:g} points; expected one between 0 and 100"
        )
    axis, first, second = asked.axis(pilot)
    shape = pilot.counted.shape
    if pilot.mixed:
        design, _ = grid_columns(pilot.factors, 1)
        model = fit(design, pilot.hits.ravel(), pilot.counted.ravel())
        logits = (design @ model.coefficients).reshape(shape)
    else:
        logits = np.full(shape, float(logit((pilot.converged + 0.5) / (pilot.runs + 1))))
    moved = np.moveaxis(logits, axis, 0)
    middle = (moved[first] + moved[second]) / 2

    def gap(log_odds: float) -> float:
        apart = expit(middle + log_odds / 2) - expit(middle - log_odds / 2)
        return float(apart.mean()) - asked.size

    log_odds = float(brentq(gap, 0.0, 200.0))
    rates = np.broadcast_to(expit(middle), moved.shape).copy()
    rates[first], rates[second] = expit(middle - log_odds / 2), expit(middle + log_odds / 2)
    return np.asarray(np.moveaxis(rates, 0, axis))


def shows_convergence(found: Convergence, factor: str) -> bool:
    """Whether a finished study says that a factor decides convergence (`judgement`).

    What cannot change the answer is not worked out: a factor's p alone settles most.
    """
    names = list(found.factors)
    own = found.compared.test(factor)[2]
    if not own <= ALPHA:
        return False
    if own <= ALPHA * 0.5 / len(names):
        return True
    tests = found.tests

    def shown(combination: float) -> bool:
        table = rates_together(tests, combination, ALPHA).set_index("factor")
        return bool(table["shown"].to_dict()[factor])

    if len(names) < 2:
        return shown(float("nan"))
    if shown(1.0):
        return True
    return shown(0.0) and shown(found.combined)


def convergence_trial(pilot: Convergence, asked: Asked, replicates: int) -> Trial:
    """One simulated study on convergence: whether the factor is shown to decide it."""
    rates = rates_of(pilot, asked)
    runs = np.where(pilot.planned > 0, float(replicates), 0.0)

    def trial(rng: np.random.Generator) -> bool:
        hits = rng.binomial(runs.astype(int), rates).astype(float)
        return shows_convergence(replace(pilot, hits=hits, counted=runs), asked.factor)

    return trial


def epochs_trial(pilot: TimeToTarget, asked: Asked, replicates: int) -> Trial:
    """One simulated study on epochs to the target: whether the difference is shown.

    Every cell scatters as its runs of the pilot do around their mean, scaled to their variance;
    cells that ran once, as an average one does.
    """
    if not asked.size > 0:
        raise InputError(f"a difference of {asked.size:g} epochs; expected a positive number")
    if replicates < 2:
        raise InputError("one replicate has no scatter of its own; expected 2 or more")
    cells = pilot.judged.cells
    axis, first, second = asked.axis(pilot)
    moved = np.moveaxis(cells.deviations.copy(), axis, 0)
    middle = (moved[first] + moved[second]) / 2
    moved[first], moved[second] = middle - asked.size / 2, middle + asked.size / 2
    means = np.moveaxis(moved, 0, axis)
    residuals = _residuals(pilot, cells)
    method = pilot.only or pilot.method
    shared = len(cells.replicate_names) > 1
    levels = pilot.factors[asked.factor]
    pairs = list(combinations(levels, 2))
    mine = next(at for at, pair in enumerate(pairs) if {*pair} == {asked.first, asked.second})
    weights = [cells.difference({asked.factor: b}, {asked.factor: a}) for a, b in pairs]

    def trial(rng: np.random.Generator) -> bool:
        drawn = means + np.stack(
            [rng.choice(one, size=replicates) if len(one) else np.full(replicates, np.nan)
             for one in residuals], axis=1,
        ).reshape(replicates, *cells.shape)  # fmt: skip
        study = replace(
            cells,
            counts=np.where(cells.empty, 0, replicates),
            deviations=drawn.mean(axis=0),
            variances=drawn.var(axis=0, ddof=1),
            replicate_names=tuple(map(str, range(replicates))) if shared else (),
            replicate_deviations=drawn if shared else np.empty((0, *cells.shape)),
        )
        grid = Grid(study, pilot.judged.order)
        p = np.array([grid.estimate(one, method=method).p for one in weights])
        return bool(holm(p)[mine] <= ALPHA)

    return trial


def _residuals(pilot: TimeToTarget, cells: CellMeans) -> list[Floats]:
    """Of every cell, flat: deviations from its mean whose mean square is the cell's variance."""
    times, variances = pilot.times, cells.variances.ravel()
    average = float(np.nanmean(variances)) if np.isfinite(variances).any() else float("nan")
    if not np.isfinite(average):
        raise InputError("no combination of the pilot ran twice, so its scatter is not known")
    found = []
    for cell in range(variances.size):
        own = times.time[times.cell == cell]
        if cells.counts.ravel()[cell] == 0:
            found.append(np.empty(0))
            continue
        spread = own - own.mean()
        square, wanted = float((spread**2).mean()), float(variances[cell])
        if not np.isfinite(wanted):
            spread, square, wanted = np.array([-1.0, 1.0]), 1.0, average
        found.append(spread * np.sqrt(wanted / square) if square > 0 else np.zeros(1))
    return found


def share_shown(trial: Trial, studies: int = STUDIES, seed: int = 0) -> float:
    """Share of simulated studies in which a trial is true."""
    rng = np.random.default_rng(seed)
    return sum(trial(rng) for _ in range(studies)) / studies


def trial_of(pilot: Convergence | TimeToTarget, asked: Asked, replicates: int) -> Trial:
    """One simulated study on what the pilot is about."""
    if isinstance(pilot, Convergence):
        return convergence_trial(pilot, asked, replicates)
    return epochs_trial(pilot, asked, replicates)


def replicates_needed(
    pilot: Convergence | TimeToTarget, asked: Asked, power: float = 0.8, studies: int = STUDIES
) -> float:
    """Fewest replicates whose simulated power is enough; NaN beyond `MOST`."""

    def enough(replicates: int) -> bool:
        return share_shown(trial_of(pilot, asked, replicates), studies) >= power

    low, high = 1, 2
    while not enough(high):
        if high >= MOST:
            return float("nan")
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return float(high)


def questions(
    pilot: Convergence | TimeToTarget, size: float | None = None, between: str | None = None
) -> list[Asked]:
    """What is asked: one difference, or the first and the last level of every factor.

    Args:
        pilot: what is known.
        size: as in `Asked`; by default 20 points of convergence, a tenth of the epochs' budget.
        between: one difference as "optimizer: adam - sgd".

    Raises:
        InputError: a text that names no two levels of a factor.
    """
    if size is None:
        size = 0.2 if isinstance(pilot, Convergence) else pilot.budget / 10
    if between is None:
        return [Asked(name, levels[0], levels[-1], size) for name, levels in pilot.factors.items()]
    for name, levels in pilot.factors.items():
        for first, second in permutations(levels, 2):
            if between.replace(" ", "") == f"{name}:{first}-{second}".replace(" ", ""):
                return [Asked(name, second, first, size)]
    name, levels = next(iter(pilot.factors.items()))
    raise InputError(
        f"{between!r} names no two levels of a factor; expected for example "
        f"'{name}: {levels[-1]} - {levels[0]}'"
    )


def simulated(
    pilot: Convergence | TimeToTarget,
    asked: Sequence[Asked],
    replicates: int,
    wanted: float | None = None,
    studies: int = STUDIES,
) -> pd.DataFrame:
    """Power of each question by simulation.

    Args:
        pilot: what is known.
        asked: the differences.
        replicates: runs of every combination.
        wanted: power for which the replicates are looked for; None looks for none.
        studies: simulated, each.

    Returns:
        Columns factor, first, second, size, replicates, power, error (of the simulation, one
        standard deviation), replicates_needed (NaN where not looked for or beyond `MOST`).
    """
    rows = []
    for one in asked:
        share = share_shown(trial_of(pilot, one, replicates), studies)
        error = float(np.sqrt(max(share * (1 - share), 1 / studies) / studies))
        needed = float("nan")
        if wanted is not None:
            needed = replicates_needed(pilot, one, wanted, studies)
        names = (one.factor, one.first, one.second, one.size)
        rows.append((*names, replicates, share, error, needed))
    columns = ["factor", "first", "second", "size", "replicates", "power", "error"]
    return pd.DataFrame(rows, columns=[*columns, "replicates_needed"])
