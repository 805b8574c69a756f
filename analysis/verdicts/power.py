"""What a design can detect, and how many replicates a wanted precision takes.

For every term: the smallest difference found with 80 % power by the noncentral t (a pair of levels;
for two factors a difference of differences) and by the term's F test, in the model of mains and
pairs. From a study's own scatter, or from a stated sigma before anything runs. Assumes one error
variance; where cells differ, the numbers are those of an average cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import fdtri, ncfdtr, stdtrit

from ablations.errors import InputError
from analysis.model.cell_means import CellMeans
from analysis.model.classical import ClassicalFit
from analysis.model.terms import Term, grid_columns, terms_up_to
from analysis.stats.arrays import Counts, Floats, Truths
from analysis.stats.coding import sum_to_zero
from analysis.verdicts.replicates import MOST_REPLICATES, t_power

COLUMNS = (
    "term", "compares", "sigma", "df", "se", "half_width", "detectable", "detectable_f",
    "replicates", "replicates_for_precision",
)  # fmt: skip


def f_power(df: float, df_error: float, noncentrality: float, alpha: float = 0.05) -> float:
    """Power of an F test by the noncentral F distribution."""
    return float(1 - ncfdtr(df, df_error, noncentrality, fdtri(df, df_error, 1 - alpha)))


def detectable_t(se: float, df: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """Smallest true difference a two-sided t test finds with this probability."""
    if not (np.isfinite(se) and se > 0 and df > 0):
        return float("nan")
    top = float(stdtrit(df, 1 - alpha / 2)) + 10.0
    return se * float(brentq(lambda d: t_power(d, 1.0, df, alpha) - power, 1e-9, top * 3))


def detectable_noncentrality(
    df: float, df_error: float, power: float = 0.8, alpha: float = 0.05
) -> float:
    """Noncentrality at which an F test reaches this power."""
    top = 10.0
    while f_power(df, df_error, top, alpha) < power:
        top *= 2
    return float(brentq(lambda x: f_power(df, df_error, x, alpha) - power, 0.0, top))


def detectable(
    cells: CellMeans,
    power: float = 0.8,
    alpha: float = 0.05,
    precision: float | None = None,
    sigma: float | None = None,
    over_replicates: bool = False,
) -> pd.DataFrame:
    """Smallest detectable effect of every main effect and pair, at the runs at hand.

    Args:
        cells: The grid.
        power: Wanted probability of finding the effect.
        alpha: Two-sided level of each test.
        precision: Wanted half-width of the intervals, response units, or None.
        sigma: Standard deviation of one run; by default the pooled one within cells, or where no
            cell ran twice the residual of the model.
        over_replicates: whether effects are judged by t over replicates too, as where they share
            seeds: then its few degrees of freedom count.

    Returns:
        One row per term: term, compares, sigma, df, se (of its least precise comparison),
        half_width, detectable, detectable_f (largest difference of the pattern the F test finds
        hardest; NaN for one degree of freedom), replicates, replicates_for_precision (NaN where
        none was asked or it takes more than 1000).
    """
    spread = _sigma(cells) if sigma is None else sigma
    return _table(
        cells.factors,
        cells.counts,
        len(cells.replicate_names),
        spread,
        power,
        alpha,
        precision,
        over_replicates,
    )


def detectable_in_plan(
    factors: Mapping[str, Sequence[str]],
    sigma: float,
    replicates: int,
    power: float = 0.8,
    alpha: float = 0.05,
    precision: float | None = None,
    ran: Truths | None = None,
    over_replicates: bool = False,
) -> pd.DataFrame:
    """The same table before anything ran.

    Args:
        factors: Factor name to its levels.
        sigma: Standard deviation of one run, response units.
        replicates: Runs per cell.
        power: Wanted probability of finding the effect.
        alpha: Two-sided level of each test.
        precision: Wanted half-width of the intervals, or None.
        ran: Cells of the grid that a fraction runs, shape of the grid; None for all.
        over_replicates: see `detectable`.

    Raises:
        InputError: A size that is not positive.
    """
    if not sigma > 0:
        raise InputError(f"sigma is {sigma}; expected a positive standard deviation of one run")
    if replicates < 1:
        raise InputError(f"replicates are {replicates}; expected 1 or more")
    shape = tuple(len(levels) for levels in factors.values())
    used = np.ones(shape, bool) if ran is None else ran.reshape(shape)
    blocks = replicates if replicates > 1 else 0
    return _table(
        factors, used * replicates, blocks, sigma, power, alpha, precision, over_replicates
    )


def _sigma(cells: CellMeans) -> float:
    """Standard deviation of one run: within cells, or around the model where no cell ran twice."""
    if cells.pure_df and cells.pure_variance > 0:
        return float(np.sqrt(cells.pure_variance))
    fit = ClassicalFit.of_rows(cells.factors, cells.rows_without_blocks(), 2, None, 0.0)
    df = len(cells.ran) - fit.rank
    return float(np.sqrt(fit.residual_ss / df)) if df > 0 else float("nan")


def _table(
    factors: Mapping[str, Sequence[str]],
    counts: Counts,
    blocks: int,
    sigma: float,
    power: float,
    alpha: float,
    precision: float | None,
    over_replicates: bool,
) -> pd.DataFrame:
    names = list(factors)
    order = min(2, len(names))
    design, columns = grid_columns(factors, order)
    runs = counts.ravel().astype(float)
    x = design[runs > 0]
    information = (x * runs[runs > 0][:, None]).T @ x
    inverse = np.linalg.pinv(information, rcond=1e-10, hermitian=True)
    rank = int(np.linalg.matrix_rank(information, rtol=1e-10, hermitian=True))
    now = float(runs[runs > 0].mean())
    df = float(runs.sum()) - rank - max(blocks - 1, 0)
    if over_replicates and blocks > 1:
        df = min(df, blocks - 1.0)
    rows = []
    for term in terms_up_to(names, order):
        contrasts = _contrasts(term, factors, columns[term.name], design.shape[1])
        reach = contrasts @ inverse @ information
        lost = not np.allclose(reach, contrasts, atol=1e-7)
        squared = np.einsum("ij,jk,ik->i", contrasts, inverse, contrasts)
        unit = np.sqrt(np.maximum(squared, 0.0)).max()  # what is not estimable may be dust below 0
        se = float("nan") if lost or df <= 0 else sigma * float(unit)
        pair = len(term.factors) == 2
        freedom = len(columns[term.name])
        least = float("nan")
        if freedom > 1 and np.isfinite(se):
            # A comparison of variance se^2 whose value is d adds (d / se)^2 of noncentrality.
            least = se * float(np.sqrt(detectable_noncentrality(freedom, df, power, alpha)))
        half = float(stdtrit(df, 1 - alpha / 2)) * se if df > 0 else float("nan")
        rows.append(
            {
                "term": term.name,
                "compares": "difference of differences" if pair else "two levels",
                "sigma": sigma,
                "df": df if df > 0 else float("nan"),
                "se": se,
                "half_width": half,
                "detectable": detectable_t(se, df, power, alpha),
                "detectable_f": least,
                "replicates": now,
                "replicates_for_precision": _for_precision(se, now, runs, rank, precision, alpha),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _for_precision(
    se: float, now: float, runs: Floats, rank: int, precision: float | None, alpha: float
) -> float:
    """Smallest number of replicates whose interval is at most `precision` to each side."""
    if precision is None or not np.isfinite(se):
        return float("nan")
    cells = int((runs > 0).sum())
    for k in range(1, MOST_REPLICATES + 1):
        df = cells * k - rank - (k - 1)
        if df > 0 and stdtrit(df, 1 - alpha / 2) * se * np.sqrt(now / k) <= precision:
            return float(k)
    return float("nan")


def _contrasts(
    term: Term, factors: Mapping[str, Sequence[str]], where: list[int], parameters: int
) -> Floats:
    """All pairs of levels, or differences of differences, as functions of the coefficients."""
    steps = []
    for name in term.factors:
        coding = sum_to_zero(len(factors[name]))
        pairs = combinations(range(len(coding)), 2)
        steps.append([coding[j] - coding[i] for i, j in pairs])
    rows = np.array([np.ravel(np.multiply.outer(*p)) if len(p) == 2 else p[0]
                     for p in product(*steps)])  # fmt: skip
    full = np.zeros((len(rows), parameters))
    full[:, where] = rows
    return full
