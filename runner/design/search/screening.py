"""Screening designs: 8 to 15 factors of two levels in 12 to 24 combinations.

design: {kind: screen}
design: {kind: screen, runs: 12}

Plackett and Burman's arrays (1946, Biometrika 33) of pydoe, every one recomputed before it is
used. The columns are those in which the fewest pairs of factors lean on main effects: of 24 runs
and up to 12 factors, and of 16 runs and 8, the array is its own mirror image (a fold-over), so that
none does. The 12 runs of up to 11 factors are half of the 24: a study that grows keeps its cells.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ablations.errors import InputError
from runner.design.search.quality import Runs
from runner.spec.spec import Spec
from runner.spec.spec_file import ScreenDesign

FEWEST, MOST = 8, 15
"""Factors. Fewer fit a regular fraction of 16 runs, which tells main effects from pairs."""

COLUMNS: dict[int, Sequence[int]] = {
    12: range(11),
    16: (*range(8, 15), 7, *range(7)),
    20: range(19),
    24: (*range(12, 23), 11, *range(11)),
}
"""Columns of pydoe's array of so many runs, in the order in which they are taken.

Of 16 and 24 those come first that change sign in the mirrored half of the runs."""


def screening_array(spec: Spec, design: ScreenDesign) -> Runs:
    """Level indices [runs, factors] of a screening design.

    Args:
        spec: The specification; its factors.
        design: How many runs.

    Raises:
        InputError: a factor has not two levels, or there are too few or too many factors.
    """
    for factor in spec.factors:
        if len(factor.levels) != 2:
            raise spec.refuse(("factors", factor.name), _not_two(factor.name, len(factor.levels)))
    count = len(spec.factors)
    if count < FEWEST:
        raise spec.refuse(
            ("design",),
            f"screening is for {FEWEST} to {MOST} factors, here are {count}; "
            "'{kind: regular, resolution: 4}' tells more of so few",
        )
    if count > MOST:
        raise spec.refuse(
            ("factors",),
            f"screening is for {FEWEST} to {MOST} factors, here are {count}; hold "
            f"{count - MOST} or more under 'fixed'",
        )
    if count >= design.runs:
        raise spec.refuse(
            ("design", "runs"),
            f"{design.runs} tell at most {design.runs - 1} factors apart, here are {count}; "
            "expected 20 or 24",
        )
    if design.runs == 16 and count > FEWEST:
        raise spec.refuse(
            ("design", "runs"),
            f"in 16 combinations of {count} factors two that act together look exactly like a "
            f"third; expected 20 or 24, or {FEWEST} factors",
        )
    return array_of(count, design.runs)


def array_of(factors: int, runs: int) -> Runs:
    """The array [runs, factors] of codes 0 and 1, balanced and orthogonal.

    Args:
        factors: Columns, fewer than `runs`.
        runs: 12, 16, 20 or 24.

    Raises:
        InputError: the installed pydoe gives another array than one of Plackett and Burman.
    """
    import pydoe  # takes a second, which only whoever screens should wait for

    chosen = list(COLUMNS[runs])
    if runs == 24 and factors > 12:
        chosen.remove(11)  # beside a column and its mirror image this one would be their pair
    signs = pydoe.pbdesign(runs - 1)[:, chosen[:factors]]
    with_mean = np.column_stack([np.ones(len(signs)), signs])
    if len(signs) != runs or not np.array_equal(
        with_mean.T @ with_mean, runs * np.eye(factors + 1)
    ):
        raise InputError(
            f"pydoe's Plackett-Burman array of {runs} runs is not orthogonal; expected pydoe 1.6"
        )
    return np.asarray(signs > 0, dtype=np.int64)


def _not_two(name: str, count: int) -> str:
    if count < 2:
        return (
            f"a screening design needs two levels a factor, {name} has {count}; hold it at 'fixed'"
        )
    return (
        f"a screening design needs two levels a factor, {name} has {count}; keep the two that "
        "are furthest apart, and give the others to the study that follows"
    )
