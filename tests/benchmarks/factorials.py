"""Complete ML factorials, others' and our own, run by run, and what is said of any part of them.

Runs of a combination are drawn as if they were trained anew: each combination's own ones, or the
same run numbers of all. Tables that are not on this machine are left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from analysis.effects.term_tests.anova import anova_table
from analysis.effects.term_tests.replicate_tests import replicate_test
from analysis.effects.term_tests.welch_tests import welch_test
from analysis.model.cell_means import CellMeans
from analysis.model.classical import ClassicalFit
from analysis.model.grid import Grid
from analysis.model.margins import Margin
from analysis.model.terms import terms_up_to
from analysis.stats.estimates import t_limits
from analysis.stats.multiplicity import holm
from analysis.verdicts.judgement import ALPHA
from tests.analysis.published import find
from tests.benchmarks.coverage.worlds import cells_of
from tests.benchmarks.doctor.rows import append, read

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Row = tuple[Any, ...]
Rows = list[Row]
PUBLISHED = Path("results/published/five_factor-cpu-again/runs.csv")
Rule = Literal["own", "replicates", "wider"]
"""Welch; t over replicates; the larger p of both (decision 075)."""


@dataclass(frozen=True)
class Factorial:
    """All runs of a grid.

    Attributes:
        name: of the table.
        runs: shape (most runs of a cell, *grid), those there are first, NaN after them.
    """

    name: str
    runs: Floats

    @property
    def levels(self) -> tuple[int, ...]:
        """Of each factor."""
        return self.runs.shape[1:]

    @property
    def count(self) -> int:
        """Runs in all."""
        return int(np.isfinite(self.runs).sum())

    @property
    def least(self) -> int:
        """Runs that every combination has."""
        return int(np.isfinite(self.runs).sum(axis=0).min())

    def own(self, replicates: int, rng: np.random.Generator) -> Floats:
        """So many runs of each combination, its own, without putting back."""
        there = np.isfinite(self.runs)
        order = np.where(there, rng.random(self.runs.shape), 2.0).argsort(axis=0)
        return np.take_along_axis(self.runs, order, axis=0)[:replicates]

    def shared(self, replicates: int, rng: np.random.Generator) -> Floats:
        """The same run numbers of all combinations."""
        return self.runs[rng.permutation(self.least)[:replicates]]


def factorials() -> list[Factorial]:
    """Those on this machine whose combinations ran more than once."""
    found = []
    for name, factors, response in (
        ("ml_fcnet_protein_5f", ["activation_1", "batch", "dropout_1", "init_lr", "lr_schedule"],
         "val_mse"),
        ("ml_hpobench_vehicle_5f", ["alpha", "batch", "depth", "lr", "width"], "acc"),
        ("ml_nasbench201_2x6_unbalanced", [f"Op{i}" for i in range(6)], "val_acc"),
    ):  # fmt: skip
        folder = find(name)
        if folder is not None:
            frame = pd.read_csv(folder / "data.csv", dtype=dict.fromkeys(factors, str))
            found.append(of_frame(name, frame, factors, response))
    folder = find("ml_nasbench201_cifar10_5x6")
    if folder is not None:
        frame = pd.read_csv(folder / "data.csv.gz")
        # Three edges of the cell vary; the others hold a 3x3 convolution.
        frame = frame[(frame[["Op2", "Op4", "Op5"]] == 3).all(axis=1)]
        found.append(of_frame("nasbench201_5x5x5", frame, ["Op0", "Op1", "Op3"], "val_acc"))
    frame = pd.read_csv(PUBLISHED, keep_default_na=False)
    factors = list(frame.columns[: list(frame.columns).index("replicate")])
    found.append(of_frame("five_factor (this project's)", frame, factors, "test_accuracy"))
    return found


def of_frame(name: str, frame: pd.DataFrame, factors: Sequence[str], response: str) -> Factorial:
    """A long table, one row a run."""
    codes = [pd.factorize(frame[one], sort=True)[0] for one in factors]
    shape = tuple(int(one.max()) + 1 for one in codes)
    cell = np.ravel_multi_index(codes, shape)
    number = pd.Series(cell).groupby(cell).cumcount().to_numpy()
    runs = np.full((int(number.max()) + 1, int(np.prod(shape))), np.nan)
    runs[number, cell] = frame[response].to_numpy(float)
    return Factorial(name, runs.reshape(-1, *shape))


@dataclass(frozen=True)
class Said:
    """What is said of each question, mains (differences, whole factors) before pairs.

    Attributes:
        sign: of each question: 0 where nothing is shown; of a difference its direction.
        mains: how many of them are about one factor.
    """

    sign: Floats
    mains: int


def judge(runs: Floats, rule: Rule = "own", order: int = 2) -> Said:
    """All questions of a grid, judged together by Holm at 5 %, as `verdicts.judgement` does.

    Args:
        runs: shape (replicates, *grid), NaN where a run is not there.
        rule: how p is found.
        order: 1: mains alone are asked, and predict cells that did not run.
    """
    cells = cells_of(runs)
    if cells.pure_df == 0:
        return _by_model(cells, order)
    grid = Grid(cells, order)
    margins = {term.name: grid.margin(term) for term in terms_up_to(cells.names, min(order, 2))}
    p: list[float] = []
    sign: list[float] = []
    for name, margin in margins.items():
        if ":" in name:
            continue
        _, weights = margin.pair_weights()
        own = margin.combine(weights, "welch")
        over = margin.combine(weights, "blocked") if rule != "own" else own
        p += list(_by(rule, t_limits(*own)[2], t_limits(*over)[2]))
        sign += list(np.sign(own[0]))
    for name, margin in margins.items():
        if ":" not in name and margin.shape[0] > 2:
            p.append(_term(margin, rule))
            sign.append(1.0)
    mains = len(p)
    for name, margin in margins.items():
        if ":" in name:
            p.append(_term(margin, rule))
            sign.append(1.0)
    return _said(p, sign, mains)


def _said(p: Sequence[float], sign: Sequence[float], mains: int) -> Said:
    shown = np.nan_to_num(holm(np.array(p)), nan=1.0) <= ALPHA
    return Said(np.where(shown, np.array(sign), 0.0), mains)


def _by_model(cells: CellMeans, order: int) -> Said:
    """Where no cell ran twice only a model has an error, as `Grid.model_estimate` has it."""
    fit = ClassicalFit.of_cells(cells, order)
    p: list[float] = []
    sign: list[float] = []
    for name, levels in cells.factors.items():
        for first, second in combinations(levels, 2):
            one = fit.contrast(cells.difference({name: first}, {name: second}), 0.95)
            p.append(one.p)
            sign.append(float(np.sign(one.estimate)))
    table = anova_table(fit, "type3").set_index("term")["p"].astype(float).to_dict()
    whole = [table[name] for name, levels in cells.factors.items() if len(levels) > 2]
    pairs = [value for name, value in table.items() if ":" in str(name)]
    mains = len(p) + len(whole)
    return _said([*p, *whole, *pairs], [*sign, *np.ones(len(whole) + len(pairs))], mains)


def _term(margin: Margin, rule: Rule) -> float:
    own = np.array(welch_test(margin)["p"] if rule != "replicates" else np.nan)
    over = np.array(replicate_test(margin)["p"] if rule != "own" else np.nan)
    return float(_by(rule, own, over))


def _by(rule: Rule, own: Floats, over: Floats) -> Floats:
    if rule == "own":
        return own
    return over if rule == "replicates" else np.fmax(own, over)


def once(kept: Path | None, of: Sequence[object], measure: Callable[[], Row]) -> Row:
    """A row measured, or as a run that was stopped has kept it.

    Args:
        kept: file of rows; None: nothing is kept.
        of: what the row is of, as JSON holds it.
        measure: the measurement.
    """
    there = {} if kept is None else {tuple(row["of"]): row["row"] for row in read(kept)}
    if tuple(of) in there:
        return tuple(there[tuple(of)])
    row = measure()
    print(row, flush=True)
    if kept is not None:
        append(kept, {"of": list(of), "row": list(row)})
    return row


LEFT_OUT = ("Factorials that are not on a machine are left out there.",)
"""The last lines of a page."""


def command_line(
    module: str, about: str, rows: Callable[[int], Rows], page: Callable[[Rows, int, str], str]
) -> None:
    """The command line of a benchmark that replays factorials: measure, and write where asked.

    Args:
        module: its name in `tests.benchmarks`.
        about: what it measures.
        rows: measures so many replays.
        page: their table, the replays, the command.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--replays", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = rows(options.replays)
    if options.out is not None:
        command = f"python -m tests.benchmarks.{module} --replays {options.replays}"
        text = page(found, options.replays, f"{command} --out {options.out}")
        options.out.write_text(text, encoding="utf-8")
