"""What differs between two cells and what came of it: outcomes, causes, curves.

The interval of a difference rests on the runs of the two cells alone: Welch's, of shares of runs
Newcombe's. What replicates share is part of the scatter of either, so that for two cells, unlike
for means over many, it need not be told apart (decision 103). It is no verdict: those judge all
questions together.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.stats.arrays import Floats
from analysis.stats.counts.proportions import newcombe
from analysis.stats.estimates import Estimate, t_interval, welch_difference
from analysis.two_cells.settings import settings_of, sizes_of
from analysis.two_cells.sides import Side
from runner.content.response import CONVERGED, LEARNED, Response, direction_of

if TYPE_CHECKING:
    from analysis.study import Study

NAN = float("nan")
YES_OR_NO = (CONVERGED.column, LEARNED.column)
CURVES = ("validation_accuracy", "train_accuracy", "validation_loss", "train_loss")
"""Of the shipped trainer; of one's own, all."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that is not the same: its kind (factor, parameter, size), name and two values."""

    kind: str
    name: str
    values: tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """An outcome of both cells.

    Attributes:
        measure: the outcome.
        n: runs that have it.
        means: NaN without a run.
        difference: second minus first, with its ends; NaN where there is no interval.
        interval: what the interval is called; "" where there is none.
    """

    measure: Response
    n: tuple[int, int]
    means: tuple[float, float]
    difference: float
    low: float = NAN
    high: float = NAN
    interval: str = ""


@dataclass(frozen=True, slots=True)
class CurveEnds:
    """Of one curve: first, last and best value of each run, as means over the runs of a cell."""

    name: str
    first: tuple[float, float]
    last: tuple[float, float]
    best: tuple[float, float]


def differing(study: Study, one: Side, two: Side) -> list[Difference]:
    """Levels that are not the same, then the settings that are not."""
    found = [
        Difference("factor", name, (one.levels[name], two.levels[name]))
        for name in study.factors
        if one.levels[name] != two.levels[name]
    ]
    given = settings_of(study, one.levels), settings_of(study, two.levels)
    for name in dict.fromkeys([*given[0], *given[1]]):
        values = given[0].get(name), given[1].get(name)
        if name not in study.factors and values[0] != values[1]:
            found.append(Difference("parameter", name, values))
    for name, sizes in sizes_of(study).items():
        values = _only(sizes[list(one.rows)]), _only(sizes[list(two.rows)])
        if None not in values and values[0] != values[1]:
            found.append(Difference("size", name, values))
    return found


def _only(values: Floats) -> int | float | None:
    """The number that all runs have; None where they have none, or several."""
    known = np.unique(values[np.isfinite(values)])
    if len(known) != 1:
        return None
    return int(known[0]) if known[0] == int(known[0]) else float(known[0])


def compared(study: Study, one: Side, two: Side) -> list[Compared]:
    """Every outcome that either of them has."""
    found = []
    for measure in study.offered:
        column = study.runs[measure.column].to_numpy(float)
        values = [column[list(side.rows)] for side in (one, two)]
        given = [some[np.isfinite(some)] for some in values]
        if len(given[0]) or len(given[1]):
            found.append(_compared(_in_words(study, measure), given[0], given[1]))
    return found


def _in_words(study: Study, measure: Response) -> Response:
    """Convergence by what it is in this study, as the page calls it."""
    return study.goal.record if measure.column == study.goal.record.column else measure


def _compared(measure: Response, one: Floats, two: Floats) -> Compared:
    n = len(one), len(two)
    means = tuple(float(some.mean()) if len(some) else NAN for some in (one, two))
    plain = Compared(measure, n, (means[0], means[1]), means[1] - means[0])
    if min(n) < 2:
        return plain
    if measure.column in YES_OR_NO:
        share = newcombe(two.sum(), n[1], one.sum(), n[0])
        low, high, name = float(share.low), float(share.high), "Newcombe"
    else:
        if not (np.ptp(one) > 0 and np.ptp(two) > 0):
            return plain  # runs that agree to the last digit do not say how much they may differ
        gap = welch_difference(_mean(two), _mean(one), 0.95, "welch")
        low, high, name = gap.low, gap.high, "Welch"
    return Compared(measure, n, plain.means, plain.difference, low, high, name)


def _mean(values: Floats) -> Estimate:
    n = len(values)
    se = float(values.std(ddof=1) / np.sqrt(n))
    return t_interval(float(values.mean()), se, float(n - 1), "welch")


def causes_of_side(study: Study, side: Side) -> dict[str, int]:
    """Likeliest cause in words, to the runs of the cell that did not converge of it."""
    if study.causes is None:
        return {}
    judged = (study.causes.of[row] for row in side.rows)
    return dict(Counter(one.title for one in judged if one is not None and not one.healthy))


def statuses(study: Study, side: Side) -> dict[str, int]:
    """How many of its runs ended how."""
    if "status" not in study.facts:
        return {}
    return dict(Counter(study.facts["status"].astype(str).iloc[list(side.rows)]))


def curve_ends(study: Study, one: Side, two: Side) -> list[CurveEnds]:
    """Every curve that both have."""
    rows = study.curve_rows
    if rows is None or rows.empty or "cell" not in study.facts:
        return []
    own = [str(name) for name in rows.columns if name not in ("cell", "epoch")]
    names = own if study.records else [name for name in CURVES if name in own]
    ids = study.frame["cell"].astype(str)
    of = [rows[rows["cell"].isin(set(ids.iloc[list(side.rows)]))] for side in (one, two)]
    found = []
    for name in names:
        record = study.records.get(name)
        better = direction_of(name) if record is None else record.better
        ends = [_ends(part, name, better) for part in of]
        if all(np.isfinite(some[0]) for some in ends):
            first, last, best = zip(*ends, strict=True)
            found.append(CurveEnds(name, first, last, best))
    return found


def _ends(part: pd.DataFrame, name: str, better: str | None) -> tuple[float, float, float]:
    """First, last and best of each run, averaged; NaN where it has none, or nothing is better."""
    there = part[np.isfinite(part[name].to_numpy(float))].sort_values("epoch", kind="stable")
    if there.empty:
        return NAN, NAN, NAN
    runs = there.groupby("cell", sort=False)[name]
    best = {"higher": runs.max, "lower": runs.min}.get(str(better))
    mean = [float(some.mean()) for some in (runs.first(), runs.last())]
    return mean[0], mean[1], NAN if best is None else float(best().mean())
