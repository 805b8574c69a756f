"""Which parameter of somebody's runs is a factor, which the replicate, and why the others are not.

Decided by values first and by names where values cannot tell: a parameter with one value is a
constant, a text of its own in every run is a name, a number with nearly as many values as runs was
searched, and one that another parameter settles cannot be told apart from it. What is decided is
said in notes, and `factors` and `replicate` overrule all of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ablations.errors import InputError, did_you_mean
from runner.program.wording import counted, listed

MOST_VALUES = 12
"""Values of a number that are levels; more were searched."""
FEWEST_SEARCHED = 5
"""A number with so many values, more than half of them in one run only, was searched as well."""
SEED = re.compile(r"(^|[._/-])(seed|random_state|replicate)$|_seed$", re.IGNORECASE)
NAME = re.compile(
    r"(^|[._/-])(id|uuid|pid|sha|commit|host|hostname|date|timestamp|created|group|run|trial|"
    r"run_name|exp_name|experiment_name|experiment)$|_(id|uuid|commit|timestamp)$",
    re.IGNORECASE,
)
MOST_NAMED = 6
ABSENT = "\ufffc"
"""Stands for a parameter that was not set, where values are compared."""


@dataclass(frozen=True)
class Roles:
    """What the columns are.

    Attributes:
        factors: in the order of the columns.
        replicate: the seed that runs share, or None.
        notes: how the columns were told apart.
    """

    factors: tuple[str, ...]
    replicate: str | None
    notes: tuple[str, ...]


def roles_of(
    columns: pd.DataFrame,
    where: str,
    each: str,
    factors: Sequence[str] | None = None,
    replicate: str | None = None,
    binned: Sequence[str] = (),
    told_apart: bool = True,
) -> Roles:
    """Tell the columns apart.

    Args:
        columns: labels as text, one row a run, NaN where a parameter was not set.
        where: how messages name the source.
        each: what one run is called: "trial".
        factors: named by a person; None where they are to be found.
        replicate: likewise.
        binned: columns cut into bins, which are factors.
        told_apart: False where columns may as well be metrics, so that factors must be named.

    Raises:
        InputError: what cannot be decided, with what to say.
    """
    names = [str(name) for name in columns.columns]
    for name in (*(factors or ()), *([replicate] if replicate else [])):
        if name not in names:
            raise InputError(f"{where} has no parameter {name!r}: {did_you_mean(name, names)}")
    counts = {name: columns[name].nunique() for name in names}
    notes: list[str] = []
    if replicate is None:
        replicate, about = _seed(columns, [n for n in names if n not in (factors or ())], where)
        notes += about
    if factors is not None:
        absent = [n for n in factors if columns[n].isna().any() and n not in binned]
        if absent:
            raise InputError(_not_everywhere(columns, absent, factors, where, each))
        also = [n for n in names if n not in (*factors, replicate) and _told(columns, n, each)]
        if also and told_apart:
            notes.append(f"{some(also)} varied too: what is said is averaged over that")
        return Roles(tuple(factors), replicate, tuple(notes))
    rest = [n for n in names if n != replicate]
    constants = [n for n in rest if counts[n] <= 1 and not columns[n].isna().any()]
    if constants:
        notes.append("constant: " + some([f"{n} = {columns[n].iloc[0]}" for n in constants]))
    rest = [n for n in rest if counts[n] > 1 or (counts[n] == 1 and n not in constants)]
    rest = [n for n in rest if not SEED.search(n)]
    labels = [n for n in rest if n not in binned and is_name(columns, n)]
    rest = [n for n in rest if n not in labels]
    many = [n for n in rest if n not in binned and was_searched(columns[n])]
    rest = [n for n in rest if n not in many]
    labels += (combined := _names_of_combinations(columns, rest))
    rest = [n for n in rest if n not in combined]
    settled = _settled(columns, rest)
    rest = [n for n in rest if n not in settled]
    if told_apart and (some_runs := [n for n in many if columns[n].isna().any()]):
        raise InputError(_not_everywhere(columns, some_runs, rest, where, each))
    if many and told_apart:
        raise InputError(_searched(columns, many, rest, where, each))
    conditional = [n for n in rest if columns[n].isna().any()]
    if not told_apart:
        rest = [n for n in rest if n not in conditional]
        raise InputError(
            f"{where} does not say which columns are settings and which are results: name the "
            f"factors with --factors{''.join(f' {n}' for n in rest[:12]) or ' NAME ...'}"
        )
    if conditional:
        raise InputError(_not_everywhere(columns, conditional, rest, where, each))
    if not rest:
        raise InputError(_nothing_varies(columns, [*labels, *many], replicate, where, each))
    if labels:
        notes.append(f"taken as names of {each}s, not as factors: {some(labels)}")
    for name, by in settled.items():
        notes.append(
            f"{name} has one value for each {by}: the two cannot be told apart, and what is said "
            f"of {by} is said of both"
        )
    return Roles(tuple(rest), replicate, tuple(notes))


def as_floats(labels: pd.Series) -> pd.Series | None:
    """Labels as numbers, NaN where nothing was set; None where one is no number."""
    there = labels.dropna()
    values = pd.to_numeric(there, errors="coerce")
    if values.isna().any() or not len(there):
        return None
    return values.astype(float).reindex(labels.index)


def was_searched(labels: pd.Series) -> bool:
    """Whether a number has so many values that they are no levels."""
    if (values := as_floats(labels)) is None:
        return False
    count = values.nunique()
    return count > MOST_VALUES or (count >= FEWEST_SEARCHED and count > values.count() / 2)


def is_name(columns: pd.DataFrame, name: str) -> bool:
    """Whether a column names runs: a text of its own in every run, a count, or called so."""
    labels = columns[name].dropna()
    unique = len(labels) > 2 and labels.nunique() == len(labels)
    values = as_floats(labels)
    if values is None:
        return unique or bool(NAME.search(name))
    steps = np.diff(values.to_numpy(float))
    return unique and (bool(NAME.search(name)) or (len(steps) > 3 and bool((steps == 1).all())))


def _seed(columns: pd.DataFrame, names: Sequence[str], where: str) -> tuple[str | None, list[str]]:
    """The column of the seed that runs share, and what to say of it."""
    seeds = [n for n in names if SEED.search(n) and columns[n].nunique() > 1]
    shared = [n for n in seeds if columns[n].nunique() < columns[n].count()]
    if not seeds:
        return None, []
    if not shared:
        return None, [f"{some(seeds)} differs in every run: no runs share a seed"]
    first = shared[0]
    apart = [n for n in shared[1:] if _codes(columns, [n, first]).max() + 1 > max(
        columns[n].nunique(), columns[first].nunique())]  # fmt: skip
    if apart:
        raise InputError(
            f"{where} varies {some([first, *apart])}: say which of them is the replicate with "
            f"--block {first} (replicate={first!r} in Python)"
        )
    if columns[first].isna().any():
        return None, [f"{first} is not set in every run: no runs share a seed"]
    return first, [f"replicate: {first}"]


def _told(columns: pd.DataFrame, name: str, each: str) -> bool:
    """Whether a column that nobody named varies as a factor does."""
    return columns[name].nunique() > 1 and not SEED.search(name) and not is_name(columns, name)


def _codes(columns: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Combinations of values as whole numbers from 0, one a run."""
    filled = columns[list(names)].fillna(ABSENT)
    return filled.groupby(list(names), sort=False).ngroup().to_numpy()


def _settles(columns: pd.DataFrame, one: str, other: str) -> bool:
    """Whether the value of one parameter tells that of another."""
    return int(_codes(columns, [one, other]).max()) == int(_codes(columns, [one]).max())


def _names_of_combinations(columns: pd.DataFrame, rest: Sequence[str]) -> list[str]:
    """Texts that name a combination of other parameters: "sgd_0.1" beside optimizer and lr."""
    found = []
    for name in rest:
        if as_floats(columns[name]) is not None:
            continue
        parts = [n for n in rest if n != name and _settles(columns, name, n)]
        parts = [n for n in parts if not _settles(columns, n, name)]
        if len(parts) < 2:
            continue
        crossed = int(np.prod([columns[n].nunique() for n in parts])) == columns[name].nunique()
        rows = columns[[name, *parts]].astype(str).to_numpy()
        spelled = sum(all(row[k] in row[0] for row in rows) for k in range(1, len(parts) + 1))
        if crossed or spelled > 1:
            found.append(name)
    return found


def _settled(columns: pd.DataFrame, rest: Sequence[str]) -> dict[str, str]:
    """Parameters that another one settles, each with that one; of two equals the first stays."""
    settled: dict[str, str] = {}
    for k, name in enumerate(rest):
        for j, by in enumerate(rest):
            if j == k or by in settled or columns[by].isna().any():
                continue
            if _settles(columns, by, name) and (j < k or not _settles(columns, name, by)):
                settled[name] = by
                break
    return settled


def _searched(
    columns: pd.DataFrame, many: Sequence[str], rest: Sequence[str], where: str, each: str
) -> str:
    first = many[0]
    said = [
        f"{n} has {columns[n].nunique()} values in {counted(columns[n].count(), each)}"
        for n in many
    ]
    bins = " ".join(f"{n}=3" for n in many[:MOST_NAMED])
    it = "it" if len(many) == 1 else "them"
    also = f", or leave {it} out and name the others: --factors {' '.join(rest)}" if rest else ""
    return (
        f"{where}: {some(said)}, which were searched and are no levels: cut {it} with --bins "
        f"{bins}{also} (--factors {first} ... takes each value as a level)"
    )


def _not_everywhere(
    columns: pd.DataFrame, conditional: Sequence[str], rest: Sequence[str], where: str, each: str
) -> str:
    first = conditional[0]
    there = columns[first].notna()
    said = f"{first} is set in {int(there.sum())} of {counted(len(columns), each)} only"
    others = [n for n in rest if n not in conditional]
    for by in others:
        with_it, without = (set(columns.loc[rows, by]) for rows in (there, ~there))
        if not with_it & without:
            level = sorted(with_it)[0]
            said += f", those with {by} = {' or '.join(sorted(with_it))}"
            among = f"look at those alone (--only {by}={level})"
            break
    else:
        among = ""
    leave = f"leave it out (--factors {' '.join(others)})" if others else ""
    ways = " or ".join(way for way in (leave, among) if way)
    return f"{where}: {said}: a factor has a level in every run" + (f"; {ways}" if ways else "")


def _nothing_varies(
    columns: pd.DataFrame, labels: Sequence[str], replicate: str | None, where: str, each: str
) -> str:
    if len(columns) == 1:
        return f"{where} has one {each} with a result: nothing to compare"
    but = f" but the replicate, {replicate}" if replicate else ""
    told = f"; to take {labels[0]} as one, say --factors {labels[0]}" if labels else ""
    what = some([str(name) for name in columns.columns]) or "none"
    return f"{where}: no parameter varies{but}, so there is no factor ({what}){told}"


def some(names: Sequence[str]) -> str:
    """Names as a list that ends: "a, b and 4 more"."""
    if len(names) > MOST_NAMED:
        return listed([*names[: MOST_NAMED - 1], f"{len(names) - MOST_NAMED + 1} more"])
    return listed(names)
