"""Convergence as panels and notes show it: rates and exact tests, without Firth's model.

Profile limits of Firth's odds ratios take more than half of what a refresh of the panels costs,
and neither panels nor notes show them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.document.sections import with_types
from analysis.outcomes.convergence import Convergence
from analysis.stats.counts.cmh import exact_test
from analysis.stats.multiplicity import holm
from analysis.table.rates import cells, counts, differences, rates, separation

if TYPE_CHECKING:
    from analysis.study import Study
    from analysis.table.rates import Array

CONFIDENCE = 0.95


def convergence_without_firth(study: Study) -> Convergence:
    """The same numbers as `Study.convergence`; its tables of Firth's model are empty.

    Raises:
        InputError: the table does not say which runs converged.
    """
    hits, runs, planned = counts(with_types(study.frame), study.factors, "converged")
    mixed = bool(0 < hits.sum() < runs.sum())
    nothing = pd.DataFrame()
    return Convergence(
        runs=int(runs.sum()),
        converged=int(hits.sum()),
        rates=rates(hits, runs, study.factors, CONFIDENCE),
        differences=differences(hits, runs, study.factors, CONFIDENCE),
        tests=_tests(hits, runs, list(study.factors)),
        pairs=nothing,
        terms=nothing,
        odds_ratios=nothing,
        marginal_rates=nothing,
        cells=cells(hits, runs, planned, study.factors),
        separation=separation(hits, runs, study.factors) if mixed else (),
        separated=False,
        notes=(),
    )


def _tests(hits: Array, runs: Array, names: list[str]) -> pd.DataFrame:
    """Exact Cochran-Mantel-Haenszel tests of every factor, stratified by all others."""

    def strata(of: Array, axis: int) -> Array:
        return np.moveaxis(of, axis, -1).reshape(-1, of.shape[axis])

    found = [exact_test(strata(hits, axis), strata(runs, axis)) for axis in range(len(names))]
    p = np.array([np.nan if one.p is None else one.p for one in found], dtype=float)
    return pd.DataFrame({"factor": names, "p": p, "p_holm": holm(p)})
