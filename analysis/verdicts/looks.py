"""Is it decided yet? Interim answers between waves that may be looked at without cheating.

Every wave is one replicate of every cell, so each look is at a balanced grid. Levels are spent by
O'Brien and Fleming's function (Lan and DeMets 1983), each look with its own increment, which keeps
the total under any dependence between looks. It only advises: nothing here stops a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from ablations.errors import InputError
from analysis.model.grid import Grid
from analysis.stats.multiplicity import holm
from analysis.table.statuses import NOT_RUN
from analysis.verdicts.replicates import replicates_to_decide

MOST_LOOKS = 5


@dataclass(frozen=True)
class Decided:
    """An interim summary.

    Attributes:
        wave: Complete replicates so far.
        planned: Replicates planned.
        alpha: Level that this look may spend.
        table: factor, level, reference, estimate, half_width (at 95 %), p, p_holm (over all mains),
            decided, replicates_to_decide.
        precise: Whether every half-width is at most the wanted precision; None if none was asked.
        sentence: The state in plain words.
    """

    wave: int
    planned: int
    alpha: float
    table: pd.DataFrame
    precise: bool | None
    sentence: str


def look_levels(looks: Sequence[int], planned: int, alpha: float = 0.05) -> list[float]:
    """Two-sided level each look may spend; they add up to `alpha` at the last planned wave.

    Args:
        looks: Waves after which the results are looked at, increasing, at most `planned`.
        planned: Replicates planned.
        alpha: Of the whole sequence.
    """
    z = float(ndtri(1 - alpha / 2))
    spent = [2 * float(ndtr(-z / np.sqrt(look / planned))) for look in looks]
    return [now - before for now, before in zip(spent, [0.0, *spent], strict=False)]


def default_looks(planned: int) -> list[int]:
    """At most five waves to look after, evenly spaced, none before the second."""
    number = min(MOST_LOOKS, planned - 1)
    return sorted(
        {int(w) for w in np.ceil(np.linspace(planned / number, planned, number))} - {0, 1}
    )


def complete_waves(frame: pd.DataFrame, factors: Sequence[str]) -> int:
    """Fewest runs that ended in any planned cell; a run that failed for good has ended too.

    Args:
        frame: One row per planned run; without a column status all of them have ended.
        factors: Names of the factor columns.
    """
    status = frame["status"] if "status" in frame else pd.Series("", frame.index)
    ended = (
        (status.astype(str) != NOT_RUN)
        .groupby([frame[name] for name in factors], observed=True)
        .sum()
    )
    return int(ended.min()) if len(ended) else 0


def decided(
    grid: Grid,
    planned: int,
    looks: Sequence[int] | None = None,
    precision: float | None = None,
    alpha: float = 0.05,
    complete: int | None = None,
) -> Decided:
    """Judge all main-effect differences at the present wave.

    Args:
        grid: Of the runs so far.
        planned: Replicates planned.
        looks: Waves after which one looks; by default `default_looks(planned)`.
        precision: Wanted half-width of every interval, response units, or None.
        alpha: Of the whole sequence of looks.
        complete: Complete waves (`complete_waves`); by default the fewest runs of a cell that ran,
            which counts no planned cell that has not run yet.

    Raises:
        InputError: Fewer than two replicates are planned.
    """
    if planned < 2:
        raise InputError(f"{planned} replicates are planned; interim looks take two or more")
    cells = grid.cells
    wave = int(cells.counts[~cells.empty].min()) if not cells.empty.all() else 0
    wave = wave if complete is None else min(wave, complete)
    chosen = sorted(looks or default_looks(planned))
    passed = [look for look in chosen if look <= wave]
    level = look_levels(chosen, planned, alpha)[len(passed) - 1] if passed else 0.0
    rows = []
    for name, levels in cells.factors.items():
        for reference, own in combinations(levels, 2):
            weights = cells.difference({name: own}, {name: reference})
            one = grid.estimate(weights, 1 - alpha)
            rows.append((name, own, reference, one.estimate, (one.high - one.low) / 2, one.p, one))
    names = ["factor", "level", "reference", "estimate", "half_width", "p", "full"]
    table = pd.DataFrame(rows, columns=names)
    table["p_holm"] = holm(table["p"].to_numpy(float))
    table["decided"] = table["p_holm"] <= level
    needed = alpha / max(len(table), 1)
    table["replicates_to_decide"] = [
        float(wave) if done else replicates_to_decide(got, abs(got.estimate), max(wave, 1), needed)
        for done, got in zip(table["decided"], table["full"], strict=True)
    ]
    table = table.drop(columns="full")
    precise = None
    if precision is not None:
        precise = bool((table["half_width"] <= precision).all())
    return Decided(wave, planned, level, table, precise, _sentence(table, wave, planned, precise))


def _sentence(table: pd.DataFrame, wave: int, planned: int, precise: bool | None) -> str:
    if wave < 2:
        return f"{wave} of {planned} waves are complete: nothing can be decided before the second."
    done = int(table["decided"].sum())
    text = (
        f"After {wave} of {planned} waves {done} of {len(table)} differences between levels are "
        "decided at the level this look may spend"
    )
    if precise is not None:
        text += "; every interval is" if precise else "; not every interval is yet"
        text += " as narrow as wanted"
    return f"{text}."
