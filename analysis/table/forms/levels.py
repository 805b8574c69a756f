"""Levels that are written in several ways: one number is one level, case is only noticed.

"1e-3" and "0.001" are the same learning rate and become one level; "Adam" and "adam" probably are
the same optimizer, but only whoever made the table knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

MOST_NAMED = 3
"""Notes of one factor; what more there is, is counted."""


def join_numbers(labels: pd.Series, name: str) -> tuple[pd.Series, list[str]]:
    """Labels with each number written in one way, its first, and what was joined.

    Args:
        labels: texts, one a row.
        name: of the factor, for the notes.
    """
    groups = [group for group in same_numbers(list(labels.dropna().unique())) if len(group) > 1]
    if not groups:
        return labels, []
    renamed = {other: group[0] for group in groups for other in group[1:]}
    notes = [
        f"levels {', '.join(map(repr, group))} of {name} are one number: taken as one level, "
        f"{group[0]!r}"
        for group in groups
    ]
    if len(notes) > MOST_NAMED:
        more = f"{notes[0]}; so are {len(notes) - 1} more, each as it is written first"
        notes = [more]
    return labels.map(lambda label: renamed.get(label, label)), notes


def same_numbers(labels: Sequence[object]) -> list[list[str]]:
    """Labels that are numbers, those of equal value together."""
    same: dict[float, list[str]] = {}
    for label in labels:
        try:
            value = float(str(label))
        except ValueError:
            continue
        same.setdefault(value, []).append(str(label))
    return list(same.values())


def alike(labels: Sequence[str], name: str) -> list[str]:
    """A note on levels that differ in case, spaces, dashes or underscores alone."""
    same: dict[str, list[str]] = {}
    for label in labels:
        if same_numbers([label]):
            continue  # -1 and 1 differ in more than a dash
        same.setdefault(re.sub(r"[\s_-]+", "", label).casefold(), []).append(label)
    return [
        f"levels {', '.join(map(repr, group))} of {name} are written nearly alike and count as "
        f"{len(group)} levels: write them in one way if they are one"
        for group in same.values()
        if len(group) > 1
    ]
