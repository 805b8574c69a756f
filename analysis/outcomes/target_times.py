"""Times to the target per run: reached, never within the budget, or stopped from outside.

Says what counts as what, once: a diverged or stalled run never reached it, a run past its time
limit is censored at its last epoch, failed and waiting runs have no time at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ablations.errors import InputError
from analysis.stats.arrays import Codes, Floats, Truths
from analysis.table.cells import grid_index
from analysis.table.columns import facts
from analysis.table.statuses import FINISHED, SAME_STATUS

NEEDED = ("epochs_to_target", "epochs_run", "epochs_budget", "status")


@dataclass(frozen=True, eq=False)
class Times:
    """Runs with a time.

    Attributes:
        rows: Their rows in the frame.
        cell: Flat cell in the declared grid.
        time: Epochs until the target, or until the run left.
        seen: Whether the target was reached.
        early: Whether an outside reason stopped the run first (censored before the budget).
        budget: E, the common budget.
    """

    rows: Codes
    cell: Codes
    time: Floats
    seen: Truths
    early: Truths
    budget: int


def read_times(frame: pd.DataFrame, factors: Mapping[str, Sequence[str]]) -> Times:
    """Read the times of a frame.

    Raises:
        InputError: A column is missing, or no run has a time.
    """
    about = facts(frame, factors)
    for column in NEEDED:
        if column not in about.columns:
            raise InputError(f"the frame has no column {column!r}, which time to target needs")
    numbers = {name: about[name].to_numpy(float) for name in NEEDED[:3]}
    status = about["status"].astype(str).replace(SAME_STATUS)
    known = status.isin(FINISHED).to_numpy()
    stopped = (status == "timeout").to_numpy() & np.isfinite(numbers["epochs_run"])
    rows = np.flatnonzero((known | stopped) & np.isfinite(numbers["epochs_budget"]))
    if not len(rows):
        raise InputError("no run has finished, so none has a time to target")
    # With several budgets (epochs as a factor) only their common part compares like with like.
    budget = int(numbers["epochs_budget"][rows].min())
    first = numbers["epochs_to_target"][rows]
    seen = np.isfinite(first) & (first <= budget)
    run = np.minimum(numbers["epochs_run"][rows], budget)
    early = stopped[rows] & ~seen & (run < budget)
    time = np.where(seen, first, np.where(early, run, float(budget)))
    return Times(rows, grid_index(frame, factors)[rows], time, seen, early, budget)
