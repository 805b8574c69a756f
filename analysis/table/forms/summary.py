"""Summary tables: mean, standard deviation and count of each combination.

Every estimate here is made of the mean, the variance and the count of each cell, so a summary says
enough. It becomes count made-up runs a row with exactly that mean and deviation: their numbers
agree with those of the real runs in all but what goes over replicates, which a summary has lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ablations.errors import InputError, did_you_mean
from analysis.stats.arrays import Floats
from analysis.table.forms.numbers import Written, read_written

MADE_UP = "made-up run"
"""Column that tells the made-up runs of a row apart."""
MOST_RUNS = 10_000
_DEVIATIONS = ("std", "sd", "stdev", "std_dev", "stddev", "deviation")
_COUNTS = ("n", "n_seeds", "n_runs", "num_seeds", "num_runs", "count", "seeds", "runs", "nobs")


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the deviation and the count of each row stand; None where nowhere.

    Attributes:
        std: column of the deviation; None: behind the plus-minus of the response.
        n: column of the count, or the count of every row as a number.
    """

    std: str | None
    n: str | None


def find_spread(
    frame: pd.DataFrame,
    factors: Sequence[str],
    response: str,
    mean: Written,
    said: Spread,
    where: str,
) -> Spread | None:
    """Which columns make a summary of this table; None where it has one row a run.

    A table says so itself where each combination has one row, with a deviation and a count.

    Raises:
        InputError: a deviation without a count, or a count without a deviation.
    """
    columns = [str(name) for name in frame.columns]
    taken = {*factors, response}
    once = not frame.duplicated(list(factors)).any()
    std, n = said.std, said.n
    for option, name in (("--std", std), ("--n", n)):
        if name and name not in columns and not _count(name):
            raise InputError(f"{where} has no column {name!r} ({option}): "
                             f"{did_you_mean(name, columns)}")  # fmt: skip
    if std is None and not mean.has_spreads and once:
        std = _one_of(columns, _DEVIATIONS, response, taken)
    if std is None and not mean.has_spreads:
        if said.n is not None:
            raise InputError(f"--n {said.n} counts the runs behind each mean: name the column of "
                             "their standard deviation with --std")  # fmt: skip
        return None
    if n is None and (once or said.std):
        n = _one_of(columns, _COUNTS, response, taken)
    if n is not None:
        return Spread(std, n)
    if said.std is not None or (once and mean.has_spreads):
        raise InputError(
            f"{where} gives a mean and a deviation a row, and not of how many runs: name the "
            "column of the counts with --n, or the number if it is the same in all rows"
        )
    return None


def unused(frame: pd.DataFrame, factors: Sequence[str], response: str) -> str | None:
    """The column that looks like the deviation of each row's mean, where no count is known."""
    if frame.duplicated(list(factors)).any():
        return None
    return _one_of([str(name) for name in frame], _DEVIATIONS, response, {*factors, response})


def expand(
    frame: pd.DataFrame, response: str, mean: Written, spread: Spread, where: str
) -> pd.DataFrame:
    """As many runs a row as it counts, with exactly its mean and deviation.

    Raises:
        InputError: a count that is none, or no deviation beside a count above one.
    """
    if spread.std is None:
        deviation = mean.spreads
    else:
        deviation = read_written(frame[spread.std], spread.std, where).values
    counts = _counts(frame, str(spread.n), where)
    rows: list[int] = []
    values: list[Floats] = []
    for row, (value, sd, n) in enumerate(zip(mean.values, deviation, counts, strict=True)):
        if not np.isfinite(value) or n == 0:
            rows.append(row)
            values.append(np.array([np.nan]))
            continue
        if n > 1 and not sd >= 0:
            raise InputError(
                f"{where} has no standard deviation of {n} runs in data row {row + 1}: expected a "
                "number of 0 or more"
            )
        rows += [row] * n
        values.append(value + (sd * _scores(n) if n > 1 else np.zeros(1)))
    made = frame.iloc[rows].reset_index(drop=True)
    made[response] = np.concatenate(values)
    made[MADE_UP] = pd.Series(rows).groupby(rows).cumcount().astype(str)
    return made


def note_on(frame: pd.DataFrame, response: str, spread: Spread) -> str:
    """What a reader must know of an expanded summary."""
    behind = f"column {spread.std}" if spread.std else "\u00b1"
    return (
        f"{len(frame)} runs were made up from means, deviations ({behind}, taken as the standard "
        f"deviation of single runs) and counts ({spread.n}): means, variances and tests of "
        f"{response} are those of the real runs, which seed each was is lost"
    )


def _scores(n: int) -> Floats:
    """Evenly spaced values of mean 0 and standard deviation 1 (of n - 1)."""
    steps = np.arange(n) - (n - 1) / 2
    return np.asarray(steps / steps.std(ddof=1))


def _one_of(
    columns: Sequence[str], words: Sequence[str], response: str, taken: set[str]
) -> str | None:
    """The column of such a name: "std", "acc_std" or, of "acc_mean", "acc_std"."""
    stem = response.lower().removesuffix("mean").rstrip("_ ")
    wanted = [*(f"{stem}_{word}" for word in words), *(f"{word}_{stem}" for word in words), *words]
    lower = {name.lower(): name for name in columns if name not in taken}
    return next((lower[word] for word in wanted if word in lower), None)


def _count(text: str) -> bool:
    return text.isdigit() and int(text) > 0


def _counts(frame: pd.DataFrame, name: str, where: str) -> list[int]:
    if name not in frame.columns:
        return [int(name)] * len(frame)
    values = read_written(frame[name], name, where).values
    for row, value in enumerate(values):
        if np.isfinite(value) and (value != int(value) or not 0 <= value <= MOST_RUNS):
            raise InputError(
                f"column {name!r} of {where} has {value:g} in data row {row + 1}: expected how "
                f"many runs, from 0 to {MOST_RUNS}"
            )
    return [int(value) if np.isfinite(value) else 0 for value in values]
