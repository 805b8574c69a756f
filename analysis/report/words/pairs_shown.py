"""What is known of every pair of factors: its share of the variance, and how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.model.terms import pairs_of

if TYPE_CHECKING:
    from analysis.study import Study


def pair_terms(study: Study) -> pd.DataFrame:
    """Share of variance of every pair of factors, and what the study's judgement says of it.

    Returns:
        Columns factor_a, factor_b, share, share_low, p_family, shown; NaN where not estimable.
    """
    effects = study.estimates()
    shares = effects.shares.of_terms
    judged = study.judgement.of("pair").set_index("factor")
    rows = []
    for pair in pairs_of(study.factors):
        first, second = pair.factors
        rows.append(
            {
                "factor_a": first,
                "factor_b": second,
                "share": float(shares["percent"].get(pair.name, np.nan)) / 100,
                "share_low": float(shares["low"].get(pair.name, np.nan)) / 100,
                "p_family": float(judged["p_family"].get(pair.name, np.nan)),
                "shown": bool(judged["shown"].get(pair.name, False)),
            }
        )
    return pd.DataFrame(rows)
