"""The full table of factors: differences, shares of variance, convergence, how sure each is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.number_words import difference_words, p_phrase
from analysis.report.words.brief.rows import rates_words
from runner.content.response import CONVERGED

if TYPE_CHECKING:
    from analysis.report.words.answer import Answer
    from analysis.study import Study


def effects_table(study: Study, answer: Answer | None) -> list[dict[str, str]]:
    """A row a factor, as the template takes it; none where there is no answer."""
    rows: list[dict[str, str]] = []
    if answer is None:
        return rows
    for row in answer.factors.to_dict("records"):
        words = difference_words(row["estimate"], row["low"], row["high"], study.measure)
        share, ends = float(row["share"]), (float(row["share_low"]), float(row["share_high"]))
        levels, difference = f"{row['best']} over {row['worst']}", words.value
        if pd.isna(row["best"]):
            levels, difference = ("all equal", "none") if row["estimate"] == 0 else ("n/a", "n/a")
        one = {
            "factor": str(row["factor"]),
            "levels": levels,
            "difference": difference,
            "interval": words.interval,
            "share": f"{share:.1%}" if np.isfinite(share) else "n/a",
            "share_interval": f"[{ends[0]:.1%}, {ends[1]:.1%}]" if np.isfinite(ends).all() else "",
            "sure": str(row["sure"]),
            "p": _p(row["p_family"]),
        }
        if "conv_sure" in row:
            levels, rates = rates_words(row, CONVERGED)
            same = {"none": "the same at every level", "n/a": "n/a"}
            one |= {
                "convergence": same.get(rates.value, f"{levels}: {rates.value}"),
                "conv_interval": rates.interval,
                "conv_sure": str(row["conv_sure"]),
                "conv_p": _p(row["conv_p_family"]),
            }
        rows.append(one)
    return rows


def _p(p: float) -> str:
    return p_phrase(p) if np.isfinite(p) else ""
