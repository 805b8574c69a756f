"""Effects of a fraction as they can be estimated: sums of aliased effects, with intervals.

Where two terms share a contrast, neither can be estimated but their sum can: "A:B = C:D" has one
estimate (as FrF2 prints it), the high minus the low half of the runs. Contrasts are those of
`analysis.effects.aliases.lenth`, in units of a two-level effect.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.effects.aliases.lenth import MOST_RUNS, fraction_contrasts
from analysis.model.grid import Grid
from analysis.stats.estimates import INTERVAL

COLUMNS = ["alias", "terms", "contrast", *INTERVAL, "method"]


def aliased_effects(grid: Grid, confidence: float = 0.95) -> pd.DataFrame | None:
    """Every contrast of the cells that ran which several terms share.

    Args:
        grid: incomplete.
        confidence: of the intervals, those of the rule (none where no cell ran twice: `lenth`).

    Returns:
        alias ("A:B = C:D", a minus before a term that enters with the other sign), terms, contrast
        (its first name), estimate, se, df, low, high, p, method; None above 1200 cells.
    """
    cells, ran = grid.cells, grid.cells.ran
    if len(ran) > MOST_RUNS:
        return None
    rows = []
    for contrast in fraction_contrasts(cells):
        if not contrast.aliases:
            continue
        weights = np.zeros(cells.counts.size)
        weights[ran] = contrast.column * 2 / len(ran) ** 0.5
        if cells.pure_df:
            one = grid.estimate(weights, confidence)
            numbers, method = [getattr(one, name) for name in INTERVAL], one.method
        else:
            value = float(weights[ran] @ cells.deviations.ravel()[ran])
            numbers, method = [value, *[float("nan")] * 5], "lenth"
        named = [contrast.name, *(alias.signed_name for alias in contrast.aliases)]
        terms = list(dict.fromkeys([contrast.term, *(alias.term for alias in contrast.aliases)]))
        rows.append((" = ".join(named), terms, contrast.name, *numbers, method))
    return pd.DataFrame(rows, columns=COLUMNS)
