"""What is shown of estimates: means within what an outcome can be, terms that have no test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.effects.frames import by_method

if TYPE_CHECKING:
    from analysis.effects.estimate import Effects
    from analysis.model.cell_means import Method
    from runner.content.response import Response

MOST_UNTESTABLE = 5
"""Terms without a test that are named one by one."""


def shown_means(effects: Effects, measure: Response, method: Method | None = None) -> pd.DataFrame:
    """Marginal means of levels and pairs, columns of `effects.frames`.

    One that a model predicts beyond what the outcome can be is cut there, with both ends.

    Args:
        effects: whose means.
        measure: the outcome's record.
        method: by default what the rule picks for means.
    """
    rows = by_method(effects.means, method) if method else effects.means_by_rule
    mean = rows["estimate"].to_numpy(float)
    beyond = np.isfinite(mean) & (measure.within(mean) != mean)
    if not beyond.any():
        return rows
    ends = {one: rows[one].to_numpy(float) for one in ("estimate", "low", "high")}
    cut = {one: np.where(beyond, measure.within(values), values) for one, values in ends.items()}
    return rows.assign(**cut)


def untestable(effects: Effects) -> list[str]:
    """Terms without a test, each with the reason, but for those that are not estimable at all."""
    lost = {one.term for one in effects.not_estimable}
    table = effects.decisive
    rows = table[(table["problem"] != "") & ~table["term"].isin(lost)]
    pairs = zip(rows["term"], rows["problem"], strict=True)
    lines = [f"{term}: not testable: {problem}" for term, problem in pairs]
    more = len(lines) - MOST_UNTESTABLE
    if more <= 0:
        return lines
    return [*lines[:MOST_UNTESTABLE], f"and {more} more terms are not testable"]
