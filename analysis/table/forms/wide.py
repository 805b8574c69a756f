"""A column a seed: wide tables made long."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

import pandas as pd

from ablations.errors import InputError, did_you_mean

_RUN_WORDS = frozenset(("seed", "run", "rep", "replicate", "trial", "fold", "repeat", "repetition"))
FEWEST_ALIKE = 3
"""Columns of one stem and consecutive numbers that look like seeds whatever they are called."""


def columns_matching(frame: pd.DataFrame, pattern: str, where: str) -> list[str]:
    """Columns that a pattern like "seed*", or several joined by commas, names.

    Raises:
        InputError: fewer than two.
    """
    patterns = [one.strip() for one in pattern.split(",") if one.strip()]
    names = [
        str(name)
        for name in frame.columns
        if any(fnmatchcase(str(name), one) or str(name) == one for one in patterns)
    ]
    if len(names) < 2:
        found = f"only {names[0]!r}" if names else "none"
        hint = did_you_mean(pattern.strip("*"), [str(name) for name in frame.columns])
        raise InputError(
            f"--wide {pattern!r} names columns of one outcome, a column a seed: {where} has "
            f"{found} ({hint})"
        )
    return names


def to_long(
    frame: pd.DataFrame, names: Sequence[str], response: str, replicate: str
) -> pd.DataFrame:
    """One row a run: the columns of the runs become one, told apart by what is special of each.

    Args:
        frame: one row a combination.
        names: columns of the outcome.
        response: what the column of the outcome is called.
        replicate: what the column of the runs' labels is called.
    """
    labels = dict(zip(names, _labels(names), strict=True))
    rest = [name for name in frame.columns if name not in names]
    long = frame.melt(id_vars=rest, value_vars=list(names), var_name=replicate, value_name=response)
    return long.assign(**{replicate: long[replicate].map(labels)})


def replicate_name(names: Sequence[str], taken: Sequence[str]) -> str:
    """What the column of replicates is called: the stem that all columns share, else replicate."""
    stem = re.sub(r"[\W_]+$", "", _common(names)) or "replicate"
    return stem if stem not in taken else "replicate" if "replicate" not in taken else "seed"


def siblings(columns: Sequence[str], response: str, taken: Sequence[str]) -> list[str]:
    """Columns that look like other seeds of the response, itself included, or none."""
    match = re.fullmatch(r"(.*?)(\d+)", response)
    if match is None:
        return []
    stem = match[1]
    same = [
        one for one in columns if re.fullmatch(re.escape(stem) + r"\d+", one) and one not in taken
    ]
    last = re.findall(r"[a-z]+", stem.lower())[-1:]
    numbers = sorted(int(one[len(stem) :]) for one in same)
    in_a_row = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    enough = FEWEST_ALIKE if not set(last) & _RUN_WORDS else 2
    return same if in_a_row and len(same) >= enough else []


def _labels(names: Sequence[str]) -> list[str]:
    """Each name without what all share at both ends: seed0, seed1 become 0, 1."""
    before = len(_common(names))
    after = len(_common([name[::-1] for name in names]))
    cut = [name[before : len(name) - after] for name in names]
    return cut if all(cut) and len(set(cut)) == len(cut) else list(names)


def _common(names: Sequence[str]) -> str:
    """What all names begin with, digits at its end left to the labels."""
    shortest, longest = min(names), max(names)
    same = next(
        (k for k, (a, b) in enumerate(zip(shortest, longest, strict=False)) if a != b),
        min(len(shortest), len(longest)),
    )
    return re.sub(r"\d+$", "", shortest[:same])
