"""Rejections under a true null, test by test: at most 5.5 % of studies at a nominal 5 %.

Run by hand, from the root of the repository:

    python -m tests.benchmarks.type_one --studies 4000 --out results/benchmarks/type_one.md

Grids are those that make tests lie: three replicates, other factors that decide convergence, cells
at chance with hardly any variance, lost runs. One seed, one process, a few minutes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.model.cell_means import CellMeans
from analysis.model.grid import Grid
from analysis.model.terms import grid_columns
from analysis.outcomes.given_converged import given_converged
from analysis.outcomes.missing import missing
from analysis.outcomes.time_to_target import TimeToTarget
from analysis.stats.counts.cmh import exact_test
from analysis.stats.counts.firth import fit
from analysis.stats.kaplan_meier import log_rank
from analysis.table.tidy import tidy
from tests.analysis.judged import judge
from tests.benchmarks.sign_flip import sign_flip_p

FACTORS = {"A": ("0", "1"), "B": ("0", "1", "2"), "C": ("0", "1"), "D": ("0", "1")}
REPLICATES = 3
SHAPE = tuple(len(levels) for levels in FACTORS.values())
CODES = np.indices(SHAPE).reshape(len(SHAPE), -1)
RUNS = np.full(CODES.shape[1], REPLICATES)
# C and D decide who converges; A and B are null. One combination always does, one hardly ever.
RATE = np.array([[0.08, 0.6], [0.75, 1.0]])[CODES[2], CODES[3]]
PAIRED_RATE = np.array([[0.3, 0.6], [0.6, 0.9]])[CODES[2], CODES[3]]

Generator = np.random.Generator
Trial = Callable[[Generator], list[float]]


def _strata(counts: np.ndarray, axis: int) -> np.ndarray:
    grid = counts.reshape(SHAPE)
    return np.moveaxis(grid, axis, -1).reshape(-1, SHAPE[axis])


def _exact(axis: int) -> Trial:
    def trial(rng: Generator) -> list[float]:
        hits = rng.binomial(REPLICATES, RATE)
        p = exact_test(_strata(hits, axis), _strata(RUNS, axis)).p
        return [1.0 if p is None else p]

    return trial


def _firth(term: str, order: int, rate: np.ndarray) -> Trial:
    design, columns = grid_columns(FACTORS, order)

    def trial(rng: Generator) -> list[float]:
        p = fit(design, rng.binomial(REPLICATES, rate), RUNS).term_test(columns[term]).p
        return [1.0 if p is None else p]

    return trial


def _frame() -> pd.DataFrame:
    rows = [(*cell, k) for k in range(REPLICATES) for cell in product(*FACTORS.values())]
    return pd.DataFrame(rows, columns=[*FACTORS, "replicate"])


BASE = _frame()
CELL = np.ravel_multi_index([BASE[name].astype(int).to_numpy() for name in FACTORS], SHAPE)


def _missing(rng: Generator) -> list[float]:
    status = np.where(rng.random(len(BASE)) < 0.15, "failed", "converged")
    return missing(BASE.assign(status=status), FACTORS).tests["p"].fillna(1).tolist()


def _accuracy(rng: Generator) -> np.ndarray:
    """Accuracies by C and D only; cells with both at 0 stay at chance with little variance."""
    mean = np.array([[0.1, 0.5], [0.7, 0.8]])[CODES[2], CODES[3]][CELL]
    sigma = np.array([[0.001, 0.06], [0.03, 0.01]])[CODES[2], CODES[3]][CELL]
    return np.asarray(mean + sigma * rng.normal(size=len(CELL)))


CLAIMS = [
    "A: 0 > 1",
    "B: 0 > 1",
    "B: 1 < 2",
    "B: 0 > 2 | C = 1",
    "A: 0 > 1 | D = 0",
    "A: 0 > 1 | C = 1",
]


def _claims(rng: Generator) -> list[float]:
    cells = CellMeans.of(
        tidy(BASE.assign(acc=_accuracy(rng)), list(FACTORS), "acc", "replicate", levels=FACTORS)
    )
    return [float(judge(Grid(cells), CLAIMS, FACTORS)["p_family"].min())]


def _given_converged(rng: Generator) -> list[float]:
    frame = BASE.assign(test_accuracy=_accuracy(rng), converged=rng.binomial(1, RATE[CELL]))
    p = given_converged(frame, FACTORS).differences
    return p[p["factor"].isin(["A", "B"])]["p"].fillna(1).tolist()


def _epochs(rng: Generator) -> pd.DataFrame:
    pace = np.array([[60.0, 25.0], [12.0, 8.0]])[CODES[2], CODES[3]][CELL]
    time_ = np.ceil(rng.gamma(4, pace / 4))
    reached = np.where(time_ <= 30, time_, np.nan)
    status = np.where(np.isfinite(reached), "converged", "stalled")
    return BASE.assign(epochs_to_target=reached, epochs_run=30, epochs_budget=30, status=status)


def _restricted_mean(rng: Generator) -> list[float]:
    found = TimeToTarget.of(_epochs(rng), FACTORS).differences
    return found[found["factor"].isin(["A", "B"])]["p"].fillna(1).tolist()


def _log_rank(axis: int) -> Trial:
    others = [k for k in range(len(SHAPE)) if k != axis]
    strata = np.ravel_multi_index([CODES[k] for k in others], [SHAPE[k] for k in others])[CELL]

    def trial(rng: Generator) -> list[float]:
        frame = _epochs(rng)
        time_ = frame["epochs_to_target"].fillna(30).to_numpy()
        seen = frame["epochs_to_target"].notna().to_numpy()
        p = log_rank(time_, seen, CODES[axis][CELL], strata).p
        return [p if np.isfinite(p) else 1.0]

    return trial


def _sign_flip(rng: Generator) -> list[float]:
    return [sign_flip_p(rng.standard_t(3, size=7))]


# Name, trial, share of the studies asked for (slow ones do fewer).
TESTS: list[tuple[str, Trial, float]] = [
    ("exact CMH, two levels", _exact(0), 1),
    ("exact CMH, three levels", _exact(1), 1),
    ("Firth main effect, model of mains", _firth("A", 1, RATE), 1),
    ("Firth three-level main, model of mains", _firth("B", 1, RATE), 1),
    ("Firth main effect, mains and pairs", _firth("A", 2, PAIRED_RATE), 1),
    ("Firth pair (2 df), mains and pairs", _firth("A:B", 2, PAIRED_RATE), 1),
    ("Firth main effect, mains and pairs, separated", _firth("A", 2, RATE), 1),
    ("Firth pair (2 df), mains and pairs, separated", _firth("A:B", 2, RATE), 1),
    ("lost runs by level, exact", _missing, 0.5),
    ("accuracy given convergence, differences", _given_converged, 0.25),
    ("restricted mean epochs, differences", _restricted_mean, 0.25),
    ("stratified log-rank, two levels", _log_rank(0), 0.5),
    ("stratified log-rank, three levels", _log_rank(1), 0.5),
    ("claims, any of six decided (Holm)", _claims, 0.5),
    ("sign flip, seven replicates", _sign_flip, 1),
]


def measure(studies: int, seed: int = 20) -> pd.DataFrame:
    """Share of rejections per test with its simulation error: test, studies, rate, error."""
    rows = []
    for index, (name, trial, share) in enumerate(TESTS):
        rng = np.random.default_rng([seed, index])
        number = max(20, int(studies * share))
        begun = time.perf_counter()
        p = np.array([trial(rng) for _ in range(number)])
        # Several tests of one study are averaged: the rate is per test, the error per study.
        rejected = (p <= 0.05).mean(axis=1)
        error = rejected.std(ddof=1) / np.sqrt(number)
        rows.append((name, number, rejected.mean(), error, time.perf_counter() - begun))
    return pd.DataFrame(rows, columns=["test", "studies", "rate", "error", "seconds"])


def page(found: pd.DataFrame, command: str) -> str:
    """The table as Markdown, with the command that made it."""
    lines = [
        "# Type-I error by simulation",
        "",
        "Share of studies in which a true null was rejected at a nominal 5 %, with its standard",
        f"error. Grid {'x'.join(map(str, SHAPE))}, {REPLICATES} replicates; the other factors",
        "decide convergence (rates 0.08 to 1), accuracy (cells at chance, deviations 0.001 to",
        "0.06) and speed. Below 5 % a test is conservative, as exact tests of few runs are.",
        "",
        f"Made by `{command}`.",
        "",
        "| test | studies | rejected | standard error |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row.test} | {row.studies} | {100 * row.rate:.2f} % | {100 * row.error:.2f} % |"
        for row in found.itertuples()
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--studies", type=int, default=4000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = measure(options.studies)
    print(found.round(4).to_string(index=False))
    if options.out is not None:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        command = f"python -m tests.benchmarks.type_one --studies {options.studies}"
        options.out.write_text(page(found, f"{command} --out {options.out}"), encoding="utf-8")


if __name__ == "__main__":
    main()
