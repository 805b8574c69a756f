"""Shares of the variance of a single run: what every way of finding them has in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.model.terms import Term, terms_up_to
from analysis.stats.arrays import Floats

DRAWS = 1000
Group = tuple[str, str]
"""What gets a share: its name and its kind, which tells a factor called noise from noise."""
HIGHER: Group = ("higher", "higher")
REPLICATE: Group = ("replicate", "replicate")
NOISE: Group = ("noise", "noise")


@dataclass(frozen=True, eq=False)
class VarianceShares:
    """The decomposition.

    Attributes:
        table: columns term, kind (main, pair, higher, replicate, noise), percent, low, high,
            raw_percent (not truncated at 0; sums to 100 too), cell_percent (share of the
            variance of the observed cell means, uncorrected), df.
        total_variance: of one run drawn from a random cell, in squared units; NaN if unknown.
        reason: why there is no decomposition, or what could not be told apart; or None.
        draws: bootstrap draws behind the intervals.
    """

    table: pd.DataFrame
    total_variance: float
    reason: str | None
    draws: int

    @property
    def of_terms(self) -> pd.DataFrame:
        """The rows of factors and pairs, by the term."""
        chosen = self.table["kind"].isin(["main", "pair"])
        return self.table[chosen].set_index("term")


def share_groups(factors: Sequence[str]) -> list[Group]:
    """What gets a share, in the order of tables."""
    groups = [group_of(term) for term in terms_up_to(factors, min(2, len(factors)))]
    return [*groups, *[HIGHER] * (len(factors) > 2), REPLICATE, NOISE]


def group_of(term: Term) -> Group:
    """The group of a factor or a pair."""
    return term.name, "main" if len(term.factors) == 1 else "pair"


def shares_of(
    factors: Sequence[str],
    parts: Mapping[Group, float],
    df: Sequence[float],
    drawn: Floats | None,
    confidence: float,
    *,
    unknown: Sequence[Group] = (),
    cell_percent: Floats | None = None,
    reason: str | None = None,
) -> VarianceShares:
    """Shares of the parts of a variance, with percentile intervals where parts were drawn.

    Args:
        factors: names; every group of theirs gets a row, also where it has no part.
        parts: a variance by group, in squared units of the outcome.
        df: degrees of freedom of each part; NaN where it has none.
        drawn: percent of each part in bootstrap draws, shape (draws, parts), or None.
        confidence: of the intervals.
        unknown: groups whose part stands for something else and is not told.
        cell_percent: shares of the variance of the observed means, shape (parts,).
        reason: what to say of the decomposition.
    """
    values = np.array(list(parts.values()))
    table = pd.DataFrame(
        {
            "percent": percentages(values, truncate=True),
            "low": np.nan,
            "high": np.nan,
            "raw_percent": percentages(values, truncate=False),
            "cell_percent": np.nan if cell_percent is None else cell_percent,
            "df": df,
        },
        index=pd.MultiIndex.from_tuples(list(parts), names=["term", "kind"]),
    )
    if drawn is not None:
        tail = (1 - confidence) / 2
        low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
        # A share is at the edge of what its draws give where they were truncated at 0.
        table["low"] = np.minimum(low, table["percent"])
        table["high"] = np.maximum(high, table["percent"])
    table.loc[list(unknown), ["percent", "low", "high", "raw_percent"]] = np.nan
    table = table.reindex(share_groups(factors)).reset_index()
    total = float(np.maximum(values, 0).sum())
    return VarianceShares(table, total, reason, 0 if drawn is None else len(drawn))


def percentages(parts: Floats, truncate: bool) -> Floats:
    """Parts, shape (..., parts), as percent of their sum; NaN if all are 0.

    Args:
        parts: variances.
        truncate: whether negative ones count as 0.
    """
    values = np.maximum(parts, 0.0) if truncate else parts
    total = values.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(total > 0, values / total * 100.0, np.nan))


def shrinkage(observed: Floats, corrected: Floats) -> Floats:
    """What effects are multiplied by, that their mean square is the one corrected for noise.

    Mean squares by group, shape (groups,), as observed and without what noise put into them: a
    bootstrap from the observed effects would count the noise in them twice.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sqrt(np.where(observed > 0, np.maximum(corrected, 0.0) / observed, 0.0))
