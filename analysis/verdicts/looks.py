"""Is it decided yet: which differences between levels are, and what would decide the others.

Says no more than the judgement of all questions says (`judgement`): while runs are still to come
that level is strict, and nothing is decided before two replicates are complete. It only advises:
nothing here stops a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ablations.errors import InputError
from analysis.model.cell_means import CellMeans
from analysis.stats.estimates import Estimate
from analysis.table.columns import facts
from analysis.table.statuses import NOT_RUN
from analysis.verdicts.judgement import Judgement
from analysis.verdicts.replicates import mean_runs, replicates_to_decide
from runner.program.wording import counted

NUMBERS = ("estimate", "se", "df", "low", "high", "p", "method")


@dataclass(frozen=True, eq=False)
class Decided:
    """The state of all differences between levels.

    Attributes:
        wave: complete replicates; a run that failed for good has ended too.
        planned: replicates planned; of a table those that it has.
        most: runs of the combination that has most.
        runs: mean runs of a combination, from which replicates to decide are counted.
        judgement: of all questions of the study.
        table: factor, level, reference, estimate, half_width (at 95 %), p, p_family, decided,
            replicates_to_decide (NaN: more than can be said, or none can; infinity: further
            combinations may, further runs of these will not).
        precise: whether every half-width is at most the wanted precision; None if none was asked.
    """

    wave: int
    planned: int
    most: int
    runs: float
    judgement: Judgement
    table: pd.DataFrame
    precise: bool | None = None

    @property
    def alpha(self) -> float:
        """The level that counts now."""
        return self.judgement.level

    @property
    def estimable(self) -> pd.DataFrame:
        """The rows that the combinations that ran can estimate."""
        return self.table[self.table["estimate"].notna()]

    @property
    def sentence(self) -> str:
        """The state in plain words."""
        if self.judgement.silent:
            return f"Not decided: {self.judgement.silent}."
        done = int(self.table["decided"].sum())
        text = (
            f"{done} of {counted(len(self.table), 'difference')} between levels "
            f"{'is' if done == 1 else 'are'} decided, {self.after}"
        )
        if self.precise is not None:
            text += "; every interval is" if self.precise else "; not every interval is yet"
            text += " as narrow as wanted"
        return f"{text}."

    @property
    def after(self) -> str:
        """After how many replicates."""
        if self.judgement.running:
            return f"after {self.wave} of {self.planned} replicates, with runs still to come"
        if self.wave == self.most:
            return f"after {counted(self.wave, 'replicate')}"
        return f"with {self.wave} to {self.most} runs a combination"


def complete_waves(frame: pd.DataFrame, factors: Sequence[str]) -> int:
    """Fewest runs that ended in any planned cell; a run that failed for good has ended too.

    Args:
        frame: One row per planned run; without a column status all of them have ended.
        factors: Names of the factor columns.
    """
    status = facts(frame, factors).get("status", pd.Series("", frame.index))
    ended = (
        (status.astype(str) != NOT_RUN)
        .groupby([frame[name] for name in factors], observed=True)
        .sum()
    )
    return int(ended.min()) if len(ended) else 0


def decided(
    differences: pd.DataFrame,
    judgement: Judgement,
    cells: CellMeans,
    wave: int,
    planned: int,
    precision: float | None = None,
    *,
    fixed: Sequence[float],
) -> Decided:
    """Say of every difference between levels whether it is decided.

    Args:
        differences: factor, first, second and the numbers of an estimate, in the judgement's order.
        judgement: of all questions of the study.
        cells: whose runs of a combination are counted.
        wave: complete replicates (`complete_waves`).
        planned: replicates planned.
        precision: wanted half-width of every interval, response units, or None.
        fixed: of each difference the variance that more runs leave (`Estimate.fixed`).

    Raises:
        InputError: fewer than two replicates are planned.
    """
    if planned < 2:
        raise InputError(f"{counted(planned, 'replicate')} planned; a decision takes two or more")
    # Told as the later level minus the earlier: "before - none", not "none - before".
    table = differences[["factor", "second", "first", "estimate", "p"]].rename(
        columns={"second": "level", "first": "reference"}
    )
    table["estimate"] = -table["estimate"]
    low, high = (differences[end].to_numpy(float) for end in ("low", "high"))
    table.insert(4, "half_width", (high - low) / 2)
    own = judgement.of("difference")
    table["p_family"] = own["p_family"].to_numpy(float)
    table["decided"] = own["shown"].to_numpy(bool)
    table["replicates_to_decide"] = np.nan
    now = mean_runs(cells)
    for at, (row, done, weight, left) in enumerate(
        zip(differences.to_dict("records"), table["decided"], own["weight"], fixed, strict=True)
    ):
        if done:
            needed = float(now)
        else:
            one = Estimate(**{name: row[name] for name in NUMBERS}, fixed=left)
            level = (judgement.level or 0.05) * float(weight)
            needed = replicates_to_decide(one, abs(one.estimate), now, level)
        table.iloc[at, -1] = needed
    precise = None
    if precision is not None:
        precise = bool((table["half_width"] <= precision).all())
    counts = cells.counts[~cells.empty]
    most = int(counts.max(initial=0))
    fewest = int(counts.min(initial=most))
    whole = judgement.running or fewest == most
    shown = wave if whole else fewest
    return Decided(shown, planned, max(most, shown), now, judgement, table, precise)
