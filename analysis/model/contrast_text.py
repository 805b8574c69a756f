"""Read a contrast as a person writes it: "bn_placement: before - after", given other levels.

Also averages: "optimizer: sgd + sgd_hot - adam" compares the mean of two levels with a third. The
result is weights over the grid; estimating them is `CellMeans.contrast`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ablations.errors import InputError, did_you_mean
from analysis.model.cell_means import CellMeans
from analysis.stats.arrays import Floats
from runner.spec.claims import Claim, same_label

_SYNTAX = "expected 'FACTOR: LEVEL - LEVEL', e.g. 'bn_placement: before - after'"


Given = Mapping[str, object] | None
"""Levels of other factors within which a difference is taken: one or several each, text or number
(0.1 is the level "0.1")."""


def contrast_weights(cells: CellMeans, text: str, given: Given = None) -> Floats:
    """Weights of a written contrast.

    Args:
        cells: the grid.
        text: factor, a colon, levels joined by " + " and one " - " (spaces around the signs, so
            that levels may contain them).
        given: levels of other factors within which the difference is taken, text or numbers.

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
    levels = cells.factors[factor]
    sides_of = [[same_label(one, levels) for one in side] for side in (first, second)]
    return cells.difference({factor: sides_of[0]}, {factor: sides_of[1]}, _within(cells, given))


def claim_weights(cells: CellMeans, claim: Claim) -> Floats:
    """What a claim compares, left minus right."""
    given = claim.given(cells.factors)
    return cells.difference({claim.factor: claim.left}, {claim.factor: claim.right}, given)


def _within(cells: CellMeans, given: Given) -> dict[str, list[str]]:
    """The conditions with every level as its label."""
    within = {}
    for name, wanted in (given or {}).items():
        several = isinstance(wanted, Iterable) and not isinstance(wanted, str)
        each = list(wanted) if several and isinstance(wanted, Iterable) else [wanted]
        within[name] = [same_label(one, cells.factors.get(name, ())) for one in each]
    return within
