"""Welch's intervals: weighted sums of means in which every mean has its own variance.

The degrees of freedom are Satterthwaite's. They come out too many where one mean brings most of the
variance and is thought, by chance, to bring little. A prediction of an empty cell rests on few
cells, so that this happens often: what needs one has the smaller of Satterthwaite's number and the
one that agrees with the next term of Welch's series.
"""

from __future__ import annotations

import numpy as np

from analysis.stats.arrays import Floats, Truths
from analysis.stats.estimates import MeanParts, satterthwaite

SQUARED_T = 3.841
"""Welch's series depends on the critical value a little: that of the normal at 5 %, squared."""


def welch(parts: MeanParts, weights: Floats, predicted: Truths) -> tuple[Floats, Floats, Floats]:
    """Weighted sums of means: estimates, standard errors, degrees of freedom.

    Args:
        parts: the means and their variances.
        weights: shape (functions, cells), NaN where not estimable.
        predicted: shape (functions,): which functions rest on the prediction of an empty cell.

    Returns:
        Three arrays of shape (functions,); df is NaN where no cell with weight ran twice.
    """
    components, freedom = parts.components(weights)
    total = components.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(components > 0, components, 0.0) / total[:, None]
        below = (shares**2 / freedom).sum(axis=1)
        below[predicted] = _next_term(shares[predicted], freedom, below[predicted])
    return weights @ parts.means, np.sqrt(total), satterthwaite(np.ones_like(below), below)


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
