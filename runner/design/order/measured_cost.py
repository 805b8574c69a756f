"""How long a combination will train, told by those that have: each level a factor on the time.

Log seconds are a sum over levels, drawn towards no difference where little was measured (ridge).
A depth of 19 costs a multiple of a depth of 11 under every batch size, so a product fits better
than a sum, and a combination that never ran is predicted from its levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from runner.design.search.quality import Matrix, Runs

SHRINK = 0.2
"""Of a level's coefficient: counts like so many runs that showed no difference."""


def expected_seconds(
    runs: Runs, levels: Sequence[int], measured: NDArray[np.int64], seconds: Matrix
) -> Matrix:
    """Expected seconds of a cell of each combination [n].

    Args:
        runs: Combinations [n, factors].
        levels: Number of levels of each factor.
        measured: Row in `runs` of each cell that was measured [cells].
        seconds: What it took [cells], above 0.

    Returns:
        All equal to 1 where nothing was measured.
    """
    if not len(measured):
        return np.ones(len(runs))
    coded = np.hstack([np.eye(count)[runs[:, factor]] for factor, count in enumerate(levels)])
    logs = np.log(seconds)
    centre = float(logs.mean())
    some = coded[measured]
    normal = some.T @ some + SHRINK * np.eye(coded.shape[1])
    fitted = coded @ np.linalg.solve(normal, some.T @ (logs - centre))
    # A mean of logarithms is the logarithm of less than the mean (Duan 1983, smearing).
    smear = float(np.exp(logs - centre - fitted[measured]).mean())
    return np.asarray(np.exp(centre + fitted) * smear)
