"""Tests of terms where two parts of noise count: the runs' own, and what replicates share.

A term of one degree of freedom has the t of its contrast with both parts joined, so that it agrees
with the interval. For several contrasts there is no such joint error: of Welch's test and the test
over replicates the larger p counts, which holds by construction.
"""

from __future__ import annotations

import numpy as np

from analysis.effects.term_tests.replicate_tests import replicate_test
from analysis.effects.term_tests.welch_tests import welch_test
from analysis.model.margins import METHODS, Margin
from analysis.stats.estimates import joined_error, t_limits


def joined_test(margin: Margin) -> dict[str, float]:
    """Test one term.

    Returns:
        df, F, df_error, p; NaN where neither test has a p.
    """
    weights = margin.contrasts()
    if len(weights) == 1:
        (value, *own), (other, *whole) = (margin.combine(weights, one) for one in METHODS)
        se, df, over = joined_error((own[0], own[1]), (whole[0], whole[1]))
        estimate = np.where(over, other, value)
        with np.errstate(invalid="ignore", divide="ignore"):
            f = float(np.where(se > 0, estimate / se, np.nan)[0] ** 2)
        p = float(t_limits(estimate, se, df)[2][0])
        return {"df": 1.0, "F": f, "df_error": float(df[0]), "p": p}
    return larger_p(margin)


def larger_p(margin: Margin) -> dict[str, float]:
    """Of Welch's test and the test over replicates that with the larger p."""
    tests = [welch_test(margin), replicate_test(margin)]
    return max((one for one in tests if np.isfinite(one["p"])), key=_p, default=tests[0])


def _p(test: dict[str, float]) -> float:
    return test["p"]
