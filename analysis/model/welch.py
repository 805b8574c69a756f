"""Welch's intervals: sums of cell means in which every cell has its own variance.

The degrees of freedom are Satterthwaite's (1946). They come out too many where one cell brings most
of the variance and is thought, by chance, to bring little. A prediction of an empty cell rests on
few cells, so that this happens often: what needs one has the smaller of Satterthwaite's number and
the one that agrees with the next term of Welch's series.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.model.cell_means import CellMeans
from analysis.model.completion import DIRECT
from analysis.table.tidy import Floats

SQUARED_T = 3.841
"""Welch's series depends on the critical value a little: that of the normal at 5 %, squared."""


def ran_cells(cells: CellMeans) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Of the cells that ran: means (minus shift), their variances, degrees of freedom, run once."""
    ran = ~cells.empty.ravel()
    counts = cells.counts.ravel()[ran]
    variance = cells.cell_variances.ravel()[ran] / counts
    single = counts == 1
    freedom = np.where(single, np.nan, counts - 1.0)
    return cells.deviations.ravel()[ran], variance, freedom, single


def welch(
    cells: CellMeans, weights: Floats, orders: NDArray[np.int64]
) -> tuple[Floats, Floats, Floats]:
    """Weighted sums of the means of the cells that ran: estimates (minus shift), se, df.

    Args:
        cells: the grid.
        weights: shape (functions, cells that ran), NaN where not estimable.
        orders: of the model that each function rests on (`analysis.model.completion`).

    Returns:
        Three arrays of shape (functions,); df is NaN where no cell with weight ran twice.
    """
    means, variance, freedom, single = ran_cells(cells)
    parts = weights**2 * variance
    if single.any():  # cells run once share one pooled variance: one component, not many
        together = parts[:, single].sum(axis=1, keepdims=True)
        parts = np.hstack([parts[:, ~single], together])
        freedom = np.append(freedom[~single], cells.pure_df or np.nan)
    total = parts.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(parts > 0, parts, 0.0) / total[:, None]
        below = (shares**2 / freedom).sum(axis=1)
        predicted = orders > DIRECT
        below[predicted] = _next_term(shares[predicted], freedom, below[predicted])
        df = np.where(below > 0, 1.0 / below, np.nan)
    return weights @ means, np.sqrt(total), df


def _next_term(shares: Floats, freedom: Floats, below: Floats) -> Floats:
    """One over the degrees of freedom, at least Satterthwaite's, at most the least of a cell.

    The critical value of Welch (1947, with Aspin 1948) up to order 1/f^2, as that of Student's t
    with degrees of freedom that agree to the same order.

    Args:
        shares: of the variance, shape (functions, components).
        freedom: of each component.
        below: one over Satterthwaite's.
    """
    z = SQUARED_T
    square = (shares**2 / freedom**2).sum(axis=1)
    cube = (shares**3 / freedom**2).sum(axis=1)
    second = (
        -(1 + z) / 2 * square
        + (3 + 5 * z + z**2) / 3 * cube
        - (15 + 32 * z + 9 * z**2) / 32 * below**2
    )
    of_t = (3 + 16 * z + 5 * z**2) / 96
    more = below + (second - of_t * below**2) / ((1 + z) / 4)
    most = 1 / np.where(shares > 0, freedom, np.inf).min(axis=1, initial=np.inf)
    return np.asarray(np.maximum(below, np.minimum(more, most)))
