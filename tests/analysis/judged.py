"""Claims judged by themselves, without a study whose other questions stand beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.model.cell_means import Method
from analysis.model.grid import Grid
from analysis.stats.multiplicity import holm
from analysis.verdicts.claim_verdicts import claims_tested, verdicts


def judge(
    grid: Grid,
    planned: Sequence[str],
    factors: Mapping[str, Sequence[str]],
    confidence: float = 0.95,
    method: Method | None = None,
) -> pd.DataFrame:
    """Verdicts of claims that are a family of their own (Holm), in equal shares."""
    tested = claims_tested(grid, planned, factors, confidence, method)
    p = holm(np.array([one.p for one in tested]))
    shares = [1 / len(tested)] * len(tested) if tested else []
    return verdicts(tested, p.tolist(), shares, 1 - confidence, confidence)
