"""What is known of every pair of factors: its share of the variance, and how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.model.terms import pairs_of

if TYPE_CHECKING:
    from analysis.study import Study


def pair_terms(study: Study) -> pd.DataFrame:
    """Share of variance and Holm-adjusted p of every pair of factors.

    Returns:
        Columns factor_a, factor_b, share, share_low, p_holm; NaN where not estimable.
    """
    effects = study.estimates()
    shares = effects.shares.table.set_index("term")
    adjusted = effects.decisive.set_index("term")["p_holm"].astype(float)
    rows = []
    for pair in pairs_of(study.factors):
        first, second = pair.factors
        rows.append(
            {
                "factor_a": first,
                "factor_b": second,
                "share": float(shares["percent"].get(pair.name, np.nan)) / 100,
                "share_low": float(shares["low"].get(pair.name, np.nan)) / 100,
                "p_holm": float(adjusted.get(pair.name, np.nan)),
            }
        )
    return pd.DataFrame(rows)
