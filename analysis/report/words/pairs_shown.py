"""What is known of every pair of factors: its share of the variance, how sure it is, the chief."""

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


def turning_terms(study: Study) -> dict[str, float]:
    """Pairs in which one factor turns the order of the other's levels round, with their p."""
    if len(study.factors) < 2:
        return {}
    kinds = study.interaction_kinds()
    kinds = kinds[kinds["crossover"].eq(True)].sort_values("p_crossing", kind="stable")
    return dict(zip(kinds["term"].astype(str), kinds["p_crossing"].astype(float), strict=True))


def chief_pair(study: Study) -> tuple[str, str] | None:
    """The pair to look at first: one that turns an order round, else the largest that is shown."""
    if len(study.factors) < 2:
        return None
    for term in turning_terms(study):
        first, second = term.split(":")
        return first, second
    rows = pair_terms(study)
    rows = rows[rows["shown"]].sort_values("share", ascending=False, kind="stable")
    if rows.empty:
        return None
    return str(rows.iloc[0]["factor_a"]), str(rows.iloc[0]["factor_b"])
