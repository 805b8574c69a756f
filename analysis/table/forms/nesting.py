"""Replicates within larger units: "Run:Day" is Run within Day, whose ids begin anew in each Day.

What a factor is tested against is the smallest unit that has one level of it: rows of such a unit
are no replicates of that factor. They become one mean, so that the errors of what follows are those
between units; balanced, its tests are those of a nested analysis of variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ablations.errors import InputError, did_you_mean
from analysis.table.forms.numbers import read_written


@dataclass(frozen=True, eq=False)
class Nested:
    """A table whose rows are what factors are tested against.

    Attributes:
        frame: one row a unit, or the rows as they were with units as replicates.
        replicate: column of the replicates, or None.
        note: what was done.
    """

    frame: pd.DataFrame
    replicate: str | None
    note: str


def nest(
    frame: pd.DataFrame, text: str, factors: Sequence[str], response: str, where: str
) -> Nested:
    """Make units of the rows.

    Args:
        frame: one row a measurement.
        text: "INNER:OUTER", columns of the unit and of the larger one that holds it.
        factors: what is compared; the outer unit may be one of them.
        response: the outcome.
        where: how messages name the table.

    Raises:
        InputError: a column is not there, or some factors vary within units and others do not.
    """
    inner, outer = _names(frame, text, factors, where)
    unit = [outer, inner]
    units = len(frame[unit].drop_duplicates())
    others = [name for name in factors if name != outer]
    within = [name for name in others if _varies(frame, unit, name)]
    if within and (len(within) < len(others) or outer in factors):
        still = [name for name in factors if name not in within]
        raise InputError(
            f"--nested {text}: {', '.join(within)} varies within each {inner} of {where}, "
            f"{', '.join(still)} does not: the two have different errors (a split plot), so name "
            "in --factors either the one or the other"
        )
    if within:
        name = f"{inner} within {outer}"
        labels = frame[outer].astype(str).str.strip() + "/" + frame[inner].astype(str).str.strip()
        note = (
            f"{inner} counts within {outer}: {units} units, each compared with itself as a "
            "replicate of its own"
        )
        return Nested(frame.assign(**{name: labels}), name, note)
    by_outer = outer not in factors and not any(_varies(frame, [outer], one) for one in others)
    means = _means(frame, [outer] if by_outer else unit, factors, response, where)
    listed = " and ".join(factors)
    if by_outer:
        note = (
            f"{len(frame)} rows became {len(means)} means, one of each {outer}: {listed} does not "
            f"vary within {outer}, so its error is that between them, not between each {inner}"
        )
        return Nested(means, None, note)
    note = (
        f"{len(frame)} rows became {len(means)} means, one of each {inner} within {outer}: "
        f"{listed} does not vary within {inner}, so its error is that between them"
    )
    return Nested(means, None if outer in factors else outer, note)


def _names(frame: pd.DataFrame, text: str, factors: Sequence[str], where: str) -> tuple[str, str]:
    inner, colon, outer = (part.strip() for part in text.partition(":"))
    if not colon or not inner or not outer or ":" in outer:
        raise InputError(f"--nested {text!r} cannot be read: expected 'Run:Day', Run within Day")
    columns = [str(name) for name in frame.columns]
    for name in (inner, outer):
        if name not in columns:
            raise InputError(f"{where} has no column {name!r} (--nested): "
                             f"{did_you_mean(name, columns)}")  # fmt: skip
    if inner in factors:
        raise InputError(
            f"--nested {text}: {inner} is a unit that repeats, and so cannot be one of --factors"
        )
    return inner, outer


def _varies(frame: pd.DataFrame, unit: Sequence[str], factor: str) -> bool:
    """Whether any unit has two levels of a factor."""
    return bool((frame.groupby(list(unit), observed=True)[factor].nunique() > 1).any())


def _means(
    frame: pd.DataFrame, unit: Sequence[str], factors: Sequence[str], response: str, where: str
) -> pd.DataFrame:
    """One row a unit with the mean of its rows; NaN where none has a value."""
    values = read_written(frame[response], response, where).values
    keys = list(dict.fromkeys([*factors, *unit]))
    numbered = frame[keys].assign(**{response: values})
    return numbered.groupby(keys, observed=True, sort=False)[response].mean().reset_index()
