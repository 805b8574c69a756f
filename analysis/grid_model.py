"""Model columns for every cell of a grid, and linear functions estimated from them.

The way out where cells are empty (fractions, lost cells) or ran once: a hierarchical model of low
order, fitted to cell means weighted by their runs. Assumes that the orders left out are zero; who
uses it says so. The full classical analysis is in `classical`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.cell_means import NOT_ESTIMABLE, CellMeans, Estimate, t_interval
from analysis.frame import Floats
from analysis.model_matrix import product_columns, sum_to_zero, terms_up_to


def grid_columns(
    factors: Mapping[str, Sequence[str]], order: int
) -> tuple[Floats, dict[str, list[int]]]:
    """Sum-to-zero columns of intercept and terms up to an order, one row per cell in C order.

    Returns:
        The columns, shape (cells, parameters), and where each term's columns stand.
    """
    shape = [len(levels) for levels in factors.values()]
    codes = np.indices(shape).reshape(len(shape), -1)
    coded = {name: sum_to_zero(shape[k])[codes[k]] for k, name in enumerate(factors)}
    blocks: list[Floats] = [np.ones((codes.shape[1], 1))]
    columns: dict[str, list[int]] = {}
    at = 1
    for term in terms_up_to(factors, order):
        block = product_columns([coded[name] for name in term.factors])
        columns[term.name] = list(range(at, at + block.shape[1]))
        at += block.shape[1]
        blocks.append(block)
    return np.hstack(blocks), columns


def model_contrast(
    cells: CellMeans, weights: Floats, order: int = 2, confidence: float = 0.95
) -> Estimate:
    """Estimate sum(weights x cell means) in the model of mains and interactions up to `order`.

    Args:
        cells: The grid; empty cells are predicted, not needed.
        weights: Over the grid.
        order: Highest order of the model.
        confidence: Of the interval.

    Returns:
        NaN where the function is not estimable in the model; NaN error without residual degrees
        of freedom.
    """
    order = min(order, len(cells.shape))
    design, _ = grid_columns(cells.factors, order)
    ran = ~cells.empty.ravel()
    counts = cells.counts.ravel()[ran].astype(float)
    root = np.sqrt(counts)
    u, singular, v = np.linalg.svd(design[ran] * root[:, None], full_matrices=False)
    kept = singular > singular[0] * 1e-10
    function = weights.ravel() @ design
    inside = function @ v[kept].T
    nan = NOT_ESTIMABLE
    method = f"model of order {order}"
    if np.linalg.norm(function - inside @ v[kept]) > 1e-8 * (1 + np.linalg.norm(function)):
        return Estimate(nan, nan, nan, nan, nan, nan, method, confidence)
    y = cells.deviations.ravel()[ran] * root
    scores = u[:, kept].T @ y
    estimate = float(inside / singular[kept] @ scores) + cells.shift * float(weights.sum())
    lack = float(((y - u[:, kept] @ scores) ** 2).sum())
    pure = float(np.nansum(cells.variances * (cells.counts - 1))) if cells.pure_df else 0.0
    df = cells.n - int(kept.sum())
    if df <= 0:
        return Estimate(estimate, nan, nan, nan, nan, nan, method, confidence)
    unit = float(np.sqrt(((inside / singular[kept]) ** 2).sum()))
    return t_interval(estimate, float(np.sqrt((lack + pure) / df)) * unit, df, method, confidence)
