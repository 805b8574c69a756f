"""The mean of every combination as text: the heat map, where a terminal has room for it."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from analysis.report.words.brief.records import CellMap
from runner.program.wording import listed

if TYPE_CHECKING:
    from analysis.study import Study

MOST_COLUMNS, MOST_ROWS = 6, 24
"""More would be no table to look at in a terminal; the page's heat map has all."""


def cell_map(study: Study) -> CellMap | None:
    """Means of all combinations, the last factors across; None where they do not fit."""
    factors = {name: list(levels) for name, levels in study.factors.items()}
    sizes = [len(levels) for levels in factors.values()]
    if study.is_screening or not np.isfinite(study.cells.means).any():
        return None
    least = min(len(sizes) - 1, 1)  # of two factors and more one runs down
    down = next(k for k in range(least, len(sizes) + 1) if prod(sizes[k:]) <= MOST_COLUMNS)
    if prod(sizes[:down]) > MOST_ROWS:
        return None
    names = list(factors)
    rows = list(product(*(factors[name] for name in names[:down])))
    columns = list(product(*(factors[name] for name in names[down:])))
    measure = study.measure
    means = np.asarray(study.cells.means, dtype=np.float64) * measure.scale
    means = means.reshape(len(rows), len(columns))
    unit = f" ({measure.unit})" if measure.unit and measure.unit not in measure.name else ""
    ways = [(names[:down], "down"), (names[down:], "across")]
    which = ", ".join(f"{listed(part)} {way}" for part, way in ways if part)
    table = tuple(
        (", ".join(levels), *(_number(value, measure.digits) for value in line))
        for levels, line in zip(rows, means, strict=True)
    )
    title = f"Mean {measure.name}{unit} of every combination: {which}"
    return CellMap(title, tuple(zip(*columns, strict=True)), table)


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−") if np.isfinite(value) else "no run"
