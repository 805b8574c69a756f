"""Each difference between levels with tuned values, beside the same with the values as given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from analysis.study import Study

NUMBERS = ("estimate", "low", "high", "shown")


def tuned_and_given(study: Study) -> pd.DataFrame | None:
    """One row a difference; None where the grid was not run with the values as given as well.

    Returns:
        Columns factor, first, second, then estimate, low, high, shown, the same with `given_`, and
        change: "reversed" (shown as given the other way round, whatever the tuned one shows),
        "gone" (shown as given only), "new" (shown tuned only), "smaller" and "larger" (shown both
        times, tuned by so much less or more that the intervals do not meet) or "same".

    Raises:
        InputError: one of the two has too few runs to estimate anything.
    """
    beside = study.as_given
    if beside is None:
        return None
    if study.response != beside.response:
        beside = beside.outcome(study.response)
    tuned, given = _differences(study), _differences(beside)
    keys = ["factor", "first", "second"]
    both = tuned.merge(given, on=keys, how="left", suffixes=("", "_other"))
    both = both.rename(columns={f"{name}_other": f"given_{name}" for name in NUMBERS})
    shown = both["shown"].eq(True)
    before = both["given_shown"].eq(True)
    turned = np.sign(both["estimate"]) * np.sign(both["given_estimate"]) < 0
    both["given_shown"] = before
    apart = (both["low"] > both["given_high"]) | (both["high"] < both["given_low"])
    grown = both["estimate"].abs() > both["given_estimate"].abs()
    both["change"] = np.select(
        [before & turned, before & ~shown, shown & ~before, apart & ~grown, apart & grown],
        ["reversed", "gone", "new", "smaller", "larger"],
        "same",
    )
    return both


def _differences(study: Study) -> pd.DataFrame:
    rows = study.contrasts()
    shown = study.judgement.of("difference")["shown"].to_numpy()
    kept = ["factor", "first", "second", "estimate", "low", "high"]
    return rows[kept].assign(shown=shown)
