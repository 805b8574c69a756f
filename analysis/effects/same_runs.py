"""Levels that did nothing: runs that differ in them alone are the same, in every pair of cells.

A level that reaches nothing (a parameter that a plugin never reads, a scheduler that never acts)
leaves pairs of runs with one seed alike to the last bit, and a difference of 0.000 with no noise
would be read as "no effect". Diverged runs count with the numbers of chance and show nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.table.columns import facts

ESSENTIAL = "test_loss"
"""A column of more digits than two trainings share by chance."""
COMPARED = (
    ESSENTIAL,
    "test_accuracy",
    "best_validation_accuracy",
    "final_validation_accuracy",
    "epochs_to_target",
)
"""What a store keeps of a run and what does not depend on the machine's speed."""
FEWEST_PAIRS, FEWEST_VALUES = 4, 4
"""Of a table that has the response alone: so many equal pairs, of so many different values."""


@dataclass(frozen=True, slots=True)
class SameRuns:
    """Levels of one factor whose runs are the same.

    Attributes:
        factor: whose.
        levels: two or more, in declared order.
        whole: whether these are all levels of the factor.
        pairs: of runs that were compared.
        bits: whether whole outcomes were compared, not the response alone.
    """

    factor: str
    levels: tuple[str, ...]
    whole: bool
    pairs: int
    bits: bool


def same_runs(
    runs: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    response: str,
    replicate: str | None,
) -> list[SameRuns]:
    """Levels whose runs are equal in all pairs that differ in nothing else.

    Args:
        runs: one row a run, typed.
        factors: factor name to its levels in declared order.
        response: the column that is compared where the table has no whole outcomes.
        replicate: column of the replicate; without one, runs of a cell have no partners.
    """
    about = facts(runs, factors)
    bits = ESSENTIAL in about and bool(about[ESSENTIAL].notna().any())
    columns = [one for one in COMPARED if one in about] if bits else [response]
    kept = about[columns[0]].notna()
    if "status" in about:
        kept &= about["status"].astype(str) != "diverged"
    rows = runs[kept]
    keys = [*factors, *([replicate] if replicate else [])]
    constant = len(rows) > 2 and rows[columns[0]].nunique() == 1  # of a made-up column, perhaps
    if len(rows) < 2 or constant or rows.duplicated(keys).any():
        return []
    content = rows.groupby(columns, dropna=False, sort=False).ngroup().to_numpy(float)
    found = []
    for factor, levels in factors.items():
        others = [key for key in keys if key != factor]
        level = pd.Categorical(rows[factor].astype(str), [str(one) for one in levels]).codes
        if (level < 0).any():  # a column that is written otherwise than its levels
            continue
        group = rows.groupby(others, observed=True, sort=False).ngroup() if others else 0
        table = np.full((len(rows), len(levels)), np.nan)
        table[np.asarray(group), level] = content
        found += _of_factor(factor, [str(one) for one in levels], table, bits=bits)
    return found


def _of_factor(factor: str, levels: list[str], table: np.ndarray, *, bits: bool) -> list[SameRuns]:
    """Sets of levels that are the same in every row of the table, [others, levels]."""
    found: list[SameRuns] = []
    taken: set[int] = set()
    for first in range(len(levels)):
        if first in taken:
            continue
        same, pairs, values = [first], 0, set[float]()
        for second in range(first + 1, len(levels)):
            both = np.isfinite(table[:, first]) & np.isfinite(table[:, second])
            if second in taken or not both.any():
                continue
            if (table[both, first] == table[both, second]).all():
                same.append(second)
                pairs += int(both.sum())
                values |= set(table[both, first].tolist())
        enough = bits or (pairs >= FEWEST_PAIRS and len(values) >= FEWEST_VALUES)
        if len(same) > 1 and enough:
            taken |= set(same)
            names = tuple(levels[one] for one in same)
            found.append(SameRuns(factor, names, len(same) == len(levels), pairs, bits))
    return found
