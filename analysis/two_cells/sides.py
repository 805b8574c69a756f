"""Which cell somebody means: the beginning of a run's id, or levels of one combination alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ablations.errors import InputError, did_you_mean
from runner.program.wording import counted, listed

if TYPE_CHECKING:
    from analysis.study import Study

SEVERAL = 5
"""Runs named at most where the beginning of an id fits several."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two cells.

    Attributes:
        name: its levels in words, of a run with what tells it from the others.
        levels: factor to level.
        rows: its runs, as places in the study's frame.
        one_run: whether a run is meant, not the combination.
    """

    name: str
    levels: Mapping[str, str]
    rows: tuple[int, ...]
    one_run: bool


def side_of(study: Study, text: str) -> Side:
    """The cell that a text means.

    Args:
        study: whose cells.
        text: the beginning of a run's id; or `factor=level` once or several times, joined by
            commas, as many as it takes to name one combination.

    Raises:
        InputError: it means none, or several.
    """
    if "=" in text:
        return _combination(study, text)
    ids = study.frame["cell"].astype(str) if "cell" in study.facts else None
    rows = [] if ids is None or not text else np.flatnonzero(ids.str.startswith(text)).tolist()
    if not rows or ids is None:
        example = ",".join(f"{name}={levels[0]}" for name, levels in study.factors.items())
        raise InputError(
            f"no cell {text!r} in {study.name}: expected the beginning of a run's id, or levels "
            f"such as {example}"
        )
    if len(rows) > 1:
        several = ", ".join(ids.iloc[rows[:SEVERAL]])
        raise InputError(f"{text!r} is the beginning of several cells: {several}")
    (row,) = rows
    levels = {name: str(study.frame[name].iloc[row]) for name in study.factors}
    which = f", replicate {study.frame[study.replicate].iloc[row]}" if study.replicate else ""
    return Side(", ".join(levels.values()) + which, levels, (row,), True)


def _combination(study: Study, text: str) -> Side:
    levels = _read(study, text)
    columns = {name: study.frame[name].astype(str) for name in study.factors}
    fits = np.ones(len(study.frame), dtype=bool)
    for name, label in levels.items():
        fits &= (columns[name] == label).to_numpy()
    rows = np.flatnonzero(fits).tolist()
    if not rows:
        raise InputError(f"no cell of {study.name} has {text}: its design leaves it out")
    open_ = [name for name in columns if columns[name].iloc[rows].nunique() > 1]
    if open_:
        many = len(set(zip(*(columns[name].iloc[rows] for name in columns), strict=True)))
        raise InputError(
            f"{text!r} fits {counted(many, 'combination')}: say the level of {listed(open_)} too"
        )
    found = {name: str(columns[name].iloc[rows[0]]) for name in columns}
    return Side(", ".join(found.values()), found, tuple(rows), False)


def _read(study: Study, text: str) -> dict[str, str]:
    """Factor to level as written; a level may hold commas and signs of equality itself."""
    names = "|".join(re.escape(name) for name in study.factors)
    levels: dict[str, str] = {}
    for part in re.split(rf",\s*(?=(?:{names})\s*=)", text):
        factor, _, label = (word.strip() for word in part.partition("="))
        if factor not in study.factors:
            raise InputError(f"unknown factor {factor!r}: {did_you_mean(factor, study.factors)}")
        if label not in study.factors[factor]:
            hint = did_you_mean(label, study.factors[factor])
            raise InputError(f"factor {factor!r} has no level {label!r}: {hint}")
        levels[factor] = label
    return levels
