"""What is said to be so: one family of questions an outcome, one level, for every display.

The questions about an outcome are all its differences between two levels, its factors of three and
more levels as a whole, its pairs of factors, and the planned claims; those about convergence are
which factors decide it, and whether a combination of two levels does. Each family is judged
together by Holm's procedure at 5 %; planned claims have half of that to themselves, and so has the
combination (weights, Holm 1979): whoever plans a question should not pay for those nobody planned.
While runs are still to come only p below 0.001 counts (Haybittle 1971; Peto et al. 1976), which
leaves the last look its whole level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.few_runs import FEW_CELLS, too_few_runs
from analysis.model.cell_means import CellMeans
from analysis.stats.arrays import Floats
from analysis.stats.multiplicity import holm
from runner.program.wording import listed

ALPHA = 0.05
"""Of all questions together, where no run is still to come."""
INTERIM = 0.001
"""While runs are still to come."""
CLAIMS = 0.5
"""Share of the level that planned claims have to themselves."""
FEW_AVERAGED = 4
"""Nor, where some runs fell, if a pair of levels is the average of fewer combinations: both runs of
one may have fallen, and then they agree (decision 082)."""
FAMILIES = {"convergence": "convergence", "combination": "convergence"}
"""Of a kind of question; all others are about the outcome."""
COLUMNS = ("kind", "factor", "first", "second", "p", "weight", "p_family", "shown")
KINDS = {
    "claim": ("planned claim", "planned claims"),
    "difference": ("difference between levels", "differences between levels"),
    "factor": ("factor as a whole", "factors as a whole"),
    "pair": ("pair of factors", "pairs of factors"),
    "convergence": ("factor that may decide convergence", "factors that may decide convergence"),
    "combination": ("combination that may", "combinations that may"),
}
"""Of questions, and what one and several are called."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """All questions of a study, judged together.

    Attributes:
        table: one row a question: kind (of `KINDS`), factor (of a pair: both, joined by a colon;
            of a claim nothing), first, second (levels of a difference), p, weight (share of
            the level, summing to 1), p_family (Holm-adjusted over all rows), shown.
        claims: row of each planned claim, in their order; one that asks for a plain difference
            shares its row.
        level: up to which p_family something is said of the outcome; 0 where `silent`.
        running: whether runs are still to come.
        silent: why nothing is said of the outcome whatever its p, or "". Convergence has
            tests (exact, or with an error of at least chance's) that hold with few runs.
        look: "look, 3 of at most 6" where replicates come in waves and every look is paid for.
    """

    table: pd.DataFrame
    claims: tuple[int, ...]
    level: float
    running: bool
    silent: str = ""
    look: str = ""

    @property
    def level_of_rates(self) -> float:
        """Up to which p_family something is said of convergence."""
        return self.level or (INTERIM if self.running or self.look else ALPHA)

    def of(self, kind: str) -> pd.DataFrame:
        """The rows of one kind, in the order they were asked."""
        return self.table[self.table["kind"] == kind].reset_index(drop=True)

    def p_of(self, kind: str) -> dict[str, float]:
        """p_family by factor or pair."""
        rows = self.of(kind)
        return dict(zip(rows["factor"].astype(str), rows["p_family"].astype(float), strict=True))

    def terms(self) -> pd.DataFrame:
        """What is said of factors and pairs, by term: p_family and shown.

        A factor by the smallest p_family of its questions: its differences, or itself as a whole.
        """
        rows = self.table[self.table["kind"].isin(["difference", "factor", "pair"])]
        groups = rows.groupby("factor", sort=False)
        table = groups.agg(p_family=("p_family", "min"), shown=("shown", "any"))
        return table.set_axis(table.index.astype(str))

    def within(self, terms: Sequence[str], p: Floats) -> Floats:
        """p_family of questions about a term that only its own verdict leads to.

        A part of a factor or pair is looked at where the whole is shown, and spends the share of
        the level that the whole had (inheritance; Goeman and Finos 2012, SAGMB 11): where nothing
        matters, nothing more is said for it.

        Args:
            terms: factor or pair of each, shape (questions,).
            p: adjusted among the questions of the same term, same shape.
        """
        whole = self.terms()["p_family"].to_dict()
        rows = self.table[self.table["kind"].isin(["difference", "factor", "pair"])]
        shares = rows.groupby(rows["factor"].astype(str))["weight"].max().to_dict()
        gate = np.array([whole.get(term, np.nan) for term in terms], dtype=np.float64)
        share = np.array([shares.get(term, np.nan) for term in terms], dtype=np.float64)
        return np.maximum(gate, np.minimum(p / share, 1.0))

    def p_of_claims(self) -> list[float]:
        """p_family of each planned claim."""
        p: list[float] = self.table["p_family"].to_numpy(float)[list(self.claims)].tolist()
        return p

    @property
    def count(self) -> int:
        """Questions about the outcome."""
        return int((~self.table["kind"].isin(list(FAMILIES))).sum())

    @property
    def together(self) -> str:
        """What is judged together: "9 differences between levels and 10 pairs of factors"."""
        kinds = self.table["kind"].mask(self.table.index.isin(self.claims), "claim")
        counts = kinds.value_counts()
        there = [kind for kind in KINDS if kind in counts and kind not in FAMILIES]
        numbers = [(int(counts[kind]), KINDS[kind]) for kind in there]
        return listed([f"{n} {names[n != 1]}" for n, names in numbers])

    @property
    def rule(self) -> str:
        """The rule in a sentence."""
        text = f"Judged together: {self.together}; something is said to be so "
        if self.silent:
            return f"{self.silent[:1].upper()}{self.silent[1:]}."
        if self.running:
            return text + "at p below .001 (Holm) while runs are still to come, at .05 at the end."
        text += f"where its Holm-adjusted p is at most {level_words(self.level)}"
        if self.look:
            text += f" at this {self.look}, so that all looks together err in 5 % at most"
        half = ", half of that level kept for the planned claims"
        return f"{text}{half if self.claims else ''}."


def judge_together(
    differences: pd.DataFrame,
    tests: pd.DataFrame,
    factors: Mapping[str, Sequence[str]],
    *,
    convergence: pd.DataFrame | None = None,
    combination: float = float("nan"),
    claims: Sequence[tuple[float, tuple[str, str, str] | None]] = (),
    running: bool = False,
    silent: str = "",
    level: float = ALPHA,
    look: str = "",
) -> Judgement:
    """Judge all questions of a study.

    Args:
        differences: columns factor, first, second, p: every two levels of every factor.
        tests: columns term, p: of factors and pairs, as a whole.
        factors: factor name to its levels.
        convergence: columns factor, p; None where the study does not say which runs converged.
        combination: p of whether a combination of two levels decides it, for all of them; NaN where
            none was looked at.
        claims: p of each planned claim, and the difference (factor, first, second) that it is,
            or None where it asks something else.
        running: whether runs are still to come.
        silent: why nothing may be said, or "".
        level: of all questions together, where no run is still to come.
        look: which look it is that has this level, or "".
    """
    rows = [
        ("difference", *row)
        for row in differences[["factor", "first", "second", "p"]].itertuples(index=False)
    ]
    whole = dict(zip(tests["term"].astype(str), tests["p"].astype(float), strict=True))
    for term, p in whole.items():
        names = term.split(":")
        if len(names) == 2:
            rows.append(("pair", term, None, None, p))
        elif len(names) == 1 and len(factors.get(term, ())) > 2:
            rows.append(("factor", term, None, None, p))
    asked = len(rows)
    claimed = []
    for p, difference in claims:
        found = _row_of(rows[:asked], difference)
        if found is None:
            found = len(rows)
            rows.append(("claim", None, None, None, p))
        claimed.append(found)
    ended = INTERIM if running else level
    level = 0.0 if silent else ended
    table = _family(rows, _weights(len(rows), asked, claimed), level)
    if convergence is not None:
        rates = rates_together(convergence, combination, INTERIM if silent and look else ended)
        table = pd.concat([table, rates], ignore_index=True)
    return Judgement(table, tuple(claimed), level, running, silent, look)


def level_words(level: float) -> str:
    """.05, .0126: without the zero before the point."""
    return f"{level:.2g}".removeprefix("0") if level < 0.01 else f"{round(level, 4):g}"[1:]


def rates_together(convergence: pd.DataFrame, combination: float, level: float) -> pd.DataFrame:
    """The family of questions about convergence, half of its level the combination's.

    Args:
        convergence: columns factor, p.
        combination: see `judge_together`.
        level: up to which p_family something is said.
    """
    pairs = zip(convergence["factor"], convergence["p"].astype(float), strict=True)
    rows = [("convergence", factor, None, None, p) for factor, p in pairs]
    alone, last = len(rows), []
    if np.isfinite(combination):
        last = [alone]
        rows.append(("combination", None, None, None, combination))
    return _family(rows, _weights(len(rows), alone, last), level)


def _family(rows: Sequence[tuple[object, ...]], weights: Floats, level: float) -> pd.DataFrame:
    """Questions that are judged together."""
    table = pd.DataFrame(list(rows), columns=list(COLUMNS[:5])).astype({"p": float})
    table["weight"] = weights
    table["p_family"] = holm(table["p"].to_numpy(float), weights)
    return table.assign(shown=(table["p_family"] <= level) & (level > 0))


def _row_of(rows: Sequence[tuple[object, ...]], asked: tuple[str, str, str] | None) -> int | None:
    if asked is None:
        return None
    factor, first, second = asked
    wanted = {("difference", factor, *two) for two in ((first, second), (second, first))}
    return next((at for at, row in enumerate(rows) if row[:4] in wanted), None)


def _weights(count: int, asked: int, claimed: Sequence[int]) -> Floats:
    """Shares of the level: equal ones, half of all for those `claimed` where there are any."""
    weights = np.zeros(count)
    weights[:asked] = (1 - CLAIMS if claimed else 1.0) / max(asked, 1)
    np.add.at(weights, list(claimed), CLAIMS / max(len(claimed), 1))
    return np.asarray(weights / max(weights.sum(), 1e-300))


def questions_of(factors: Mapping[str, Sequence[str]]) -> int:
    """How many questions about its outcome a study of these factors has, claims left out."""
    sizes = [len(levels) for levels in factors.values()]
    differences = sum(size * (size - 1) // 2 for size in sizes)
    return differences + sum(size > 2 for size in sizes) + len(sizes) * (len(sizes) - 1) // 2


def too_few(cells: CellMeans, *, jumps: bool) -> str:
    """Why a grid is too small for its outcomes to be told from runs that fail by chance, or "".

    Args:
        cells: of the grid.
        jumps: whether some runs of a combination fell to another mode (`effects.jumps`).
    """
    pair = int(np.prod(sorted(cells.shape)[-2:]))
    return too_few_runs(
        len(cells.ran),
        int(cells.counts.max(initial=0)),
        fewest=max(FEW_CELLS, FEW_AVERAGED * pair) if jumps else FEW_CELLS,
    )
