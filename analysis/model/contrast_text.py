"""Read a contrast as a person writes it: "bn_placement: before - after", given other levels.

Also averages: "optimizer: sgd + sgd_hot - adam" compares the mean of two levels with a third. The
result is weights over the grid; estimating them is `CellMeans.contrast`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ablations.errors import InputError, did_you_mean
from analysis.model.cell_means import CellMeans
from analysis.stats.arrays import Floats

_SYNTAX = "expected 'FACTOR: LEVEL - LEVEL', e.g. 'bn_placement: before - after'"


def contrast_weights(
    cells: CellMeans, text: str, given: Mapping[str, str | Sequence[str]] | None = None
) -> Floats:
    """Weights of a written contrast.

    Args:
        cells: the grid.
        text: factor, a colon, levels joined by " + " and one " - " (spaces around the signs, so
            that levels may contain them).
        given: levels of other factors within which the difference is taken.

    Raises:
        InputError: the text is no contrast, or a name in it is unknown.
    """
    factor, colon, rest = text.partition(": ")
    factor = factor.strip()
    if not colon or not rest.strip():
        raise InputError(f"contrast {text!r} cannot be read: {_SYNTAX}")
    if factor not in cells.factors:
        raise InputError(f"contrast {text!r} names the factor {factor!r}: "
                         f"{did_you_mean(factor, cells.factors)}")  # fmt: skip
    sides = re.split(r"\s+-\s+", rest.strip())
    if len(sides) != 2:
        raise InputError(f"contrast {text!r} cannot be read: {_SYNTAX}")
    first, second = ([level.strip() for level in re.split(r"\s+\+\s+", s)] for s in sides)
    if factor in (given or {}):
        raise InputError(f"contrast {text!r} is given a level of its own factor {factor!r}")
    if set(first) & set(second):
        raise InputError(f"contrast {text!r} has the same level on both sides")
    return cells.difference({factor: first}, {factor: second}, given)
