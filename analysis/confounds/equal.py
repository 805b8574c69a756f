"""The outcome at equal compute: every run's curve read off where the cheaper level ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.confounds.measures import measured

if TYPE_CHECKING:
    from analysis.study import Study

AT_EQUAL = "at equal compute"
"""The column that the values are given a name by."""


def at_equal_compute(study: Study, factor: str, measure: str) -> pd.DataFrame | None:
    """Differences between levels of a factor where every run has had the same of a measure.

    A run's epochs are taken to cost the same each. Its value is that of the last epoch that it can
    pay: of the validation curve, or of a trainer of one's own the curve called like the outcome.

    Args:
        study: with curves.
        factor: whose levels.
        measure: "flops" or "seconds"; the budget is what the cheapest level's runs took on average.

    Returns:
        `Study.contrasts` of that factor; None where there are no curves or costs, or where the
        budget ends within a run's first epoch.

    Raises:
        InputError: too little ran for an estimate.
    """
    curves = study.curve_rows
    column = next(
        (
            name
            for name in (study.response, "validation_accuracy")
            if curves is not None and name in curves
        ),
        None,
    )
    costs = measured(study)[measure]
    if curves is None or column is None or costs.isna().all():
        return None
    means = costs.groupby(study.frame[factor].astype(str)).mean()
    if means.isna().any() or len(means) < len(study.factors[factor]):
        return None
    budget = float(means.min())
    last = curves.groupby("cell")["epoch"].max()
    of_cell = pd.Series(costs.to_numpy(), study.frame["cell"])
    share = (budget / of_cell).clip(upper=1.0)
    affordable = np.floor(curves["cell"].map(share) * curves["cell"].map(last) + 1e-9)
    kept = curves[curves["epoch"] <= affordable]
    if kept["cell"].nunique() < len(last):  # of a run not even the first epoch
        return None
    values = kept.sort_values("epoch").groupby("cell")[column].last()
    frame = study.frame.assign(**{AT_EQUAL: study.frame["cell"].map(values).astype(float)})
    at_equal = replace(study, frame=frame, response=AT_EQUAL, checked=None, primary=study)
    rows = at_equal.contrasts()
    return rows[rows["factor"] == factor].reset_index(drop=True)
