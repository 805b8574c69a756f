"""Model columns for every cell of a grid, and linear functions estimated from them.

The way out where cells are empty (fractions, lost cells) or ran once: a hierarchical model of low
order, fitted to cell means weighted by their runs. Assumes that the orders left out are zero; who
uses it says so. The full classical analysis is in `classical`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from analysis.model.cell_means import NOT_ESTIMABLE, CellMeans, Estimate, t_interval
from analysis.model.terms import product_columns, sum_to_zero, terms_up_to
from analysis.table.tidy import Floats


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

    With replicates as blocks where the grid has some. A function of main effects alone that the
    model cannot estimate is taken from that of main effects.

    Args:
        cells: The grid; empty cells are predicted, not needed.
        weights: Over the grid.
        order: Highest order of the model.
        confidence: Of the interval.

    Returns:
        NaN where the function is not estimable in the model; NaN error without residual degrees
        of freedom.
    """
    weights = np.asarray(weights, dtype=np.float64).reshape(cells.shape)
    highest = min(order, len(cells.shape))
    found = _in_model(cells, weights, highest, confidence)
    for lower in range(highest - 1, 0, -1):
        if np.isfinite(found.estimate) or _takes_pairs(cells, weights):
            break
        found = _in_model(cells, weights, lower, confidence)
    return replace(found, rests_on=found.method)


def _takes_pairs(cells: CellMeans, weights: Floats) -> bool:
    """Whether a function of the grid depends on an interaction of two factors."""
    for first, second in combinations(range(len(cells.shape)), 2):
        others = tuple(k for k in range(len(cells.shape)) if k not in (first, second))
        table = weights.sum(axis=others)
        centred = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
        if np.abs(centred).max() > 1e-10:
            return True
    return False


def _in_model(cells: CellMeans, weights: Floats, order: int, confidence: float) -> Estimate:
    runs, codes, y, pure, n = _rows(cells)
    method = f"model of order {order}"
    nan = NOT_ESTIMABLE
    where = np.unravel_index(codes[:, 0], cells.shape)
    coded = {
        name: sum_to_zero(size)[axis]
        for (name, size), axis in zip(
            zip(cells.names, cells.shape, strict=True), where, strict=True
        )
    }
    parts: list[Floats] = [np.ones((len(codes), 1))]
    function: list[Floats] = [np.array([weights.sum()])]
    for term in terms_up_to(cells.names, order):
        parts.append(product_columns([coded[name] for name in term.factors]))
        axes = [cells.names.index(name) for name in term.factors]
        others = tuple(k for k in range(len(cells.shape)) if k not in axes)
        kept = weights.sum(axis=others)
        grid = np.indices(kept.shape).reshape(kept.ndim, -1)
        of_grid = [sum_to_zero(size)[i] for size, i in zip(kept.shape, grid, strict=True)]
        function.append(kept.ravel() @ product_columns(of_grid))
    blocks = np.unique(codes[:, 1])
    if len(blocks) > 1:
        own = sum_to_zero(len(blocks))[np.searchsorted(blocks, codes[:, 1])]
        parts.append(own)
        function.append(np.zeros(own.shape[1]))
    root = np.sqrt(runs)
    row = np.concatenate(function)
    u, singular, v = np.linalg.svd(np.hstack(parts) * root[:, None], full_matrices=False)
    kept_values = singular > singular[0] * 1e-10
    u, singular, v = u[:, kept_values], singular[kept_values], v[kept_values]
    inside = row @ v.T
    if np.linalg.norm(row - inside @ v) > 1e-8 * (1 + np.linalg.norm(row)):
        return Estimate(nan, nan, nan, nan, nan, nan, method, confidence)
    scores = u.T @ (y * root)
    estimate = float(inside / singular @ scores) + cells.shift * float(weights.sum())
    lack = float(((y * root - u @ scores) ** 2).sum())
    df = n - len(singular)
    if df <= 0:
        return Estimate(estimate, nan, nan, nan, nan, nan, method, confidence)
    unit = float(np.sqrt(((inside / singular) ** 2).sum()))
    return t_interval(estimate, float(np.sqrt((lack + pure) / df)) * unit, df, method, confidence)


def _rows(cells: CellMeans) -> tuple[Floats, NDArray[np.intp], Floats, float, int]:
    """Rows to fit: runs, (cell, block), mean; the sum of squares within them, and all runs."""
    k = len(cells.replicate_names)
    values = cells.replicate_deviations.reshape(k, cells.counts.size)
    # Blocks matter where a replicate holds several cells and a cell no two runs of a replicate.
    if k > 1 and np.isfinite(values).sum() == cells.n:
        block, cell = np.nonzero(np.isfinite(values))
        codes = np.column_stack([cell, block]).astype(np.intp)
        return np.ones(len(cell)), codes, values[block, cell], 0.0, cells.n
    cell = np.flatnonzero(~cells.empty.ravel())
    codes = np.column_stack([cell, np.zeros_like(cell)]).astype(np.intp)
    pure = float(np.nansum(cells.variances * (cells.counts - 1))) if cells.pure_df else 0.0
    counts = cells.counts.ravel()[cell].astype(float)
    return counts, codes, cells.deviations.ravel()[cell], pure, cells.n
