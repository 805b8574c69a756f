"""The long table every analysis starts from: one row per planned run, nothing dropped in silence.

A frame in, the same rows out with the roles of their columns: ordered categorical factors, a
replicate, a status, a numeric outcome. It refuses what cannot be used in one sentence, and
estimates nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ablations.errors import InputError, did_you_mean
from analysis.stats.arrays import Floats, Truths
from analysis.table.columns import as_numbers, facts, labels_of, level_order, read_numbers
from analysis.table.forms.levels import alike, join_numbers, same_numbers
from analysis.table.forms.numbers import unit_of
from analysis.table.statuses import standard
from runner.content.response import response_of

ROUNDING = 16 * float(np.finfo(float).eps)
"""Relative size of what a few operations leave of equal numbers (0.1 + 0.2 and 0.3). Not more:
NIST's hardest data differ by a tenth in 1e12."""
OUTCOME = "\ufffc"
"""Stands for the outcome in a note, which is told by its column or by its name for people."""
SMALLEST, LARGEST = 1e-70, 1e70
"""Spreads whose squares of squares are still numbers."""


@dataclass(frozen=True)
class Table:
    """A tidy frame with the roles of its columns.

    Attributes:
        frame: one row per planned run; factors are ordered Categoricals, missing responses NaN.
        factors: factor name to its declared levels, in order.
        response: the column analysed.
        replicate: the column of the replicate (a seed shared by cells), or None.
        shift: a constant near the responses; `frame[response] = shift + deviations`.
        deviations: response minus shift per row, exact where the text had more digits than a
            float keeps (13 constant leading digits leave a float only 4).
        note_templates: notes, with `OUTCOME` in place of the outcome's name.
        rounding: deviations below this are rounding, not differences.
        unseen: factor to declared levels that no row has; they are no part of `factors`.
        problem: why no effect can be estimated although other outcomes can, or "".
        unit: of the responses, "%" or "" where nothing says it.
    """

    frame: pd.DataFrame
    factors: dict[str, tuple[str, ...]]
    response: str
    replicate: str | None
    shift: float
    deviations: Floats
    note_templates: tuple[str, ...] = ()
    rounding: float = 0.0
    unseen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problem: str = ""
    unit: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know, the outcome by its column."""
        return named(self.note_templates, self.response)


def named(notes: Iterable[str], outcome: str) -> tuple[str, ...]:
    """Notes with the outcome called by this name."""
    return tuple(note.replace(OUTCOME, outcome) for note in notes)


def tidy(
    raw: pd.DataFrame,
    factors: Sequence[str],
    response: str,
    replicate: str | None = None,
    *,
    levels: Mapping[str, Sequence[str]] | None = None,
    where: str = "the frame",
    strict: bool = True,
    notes: Sequence[str] = (),
    unit: str = "",
) -> Table:
    """Check a frame and give its columns their roles.

    Args:
        raw: one row per run; other columns are kept as they are.
        factors: names of the factor columns, in the order terms are shown.
        response: name of the numeric outcome.
        replicate: name of the column that says which runs share a seed (a block), or None.
        levels: declared order of levels; otherwise a Categorical's own, numeric order where
            every label is a number, else the order in which the rows first have them, rows without
            a response included. Space around labels is no part of them. A declared level that no
            row has is set aside and named (`Table.unseen`); one whose runs all lack a response
            stays, as empty cells.
        where: how error sentences name the source.
        strict: whether it is an error that no effect can be estimated (no number, or a factor of
            which one level has numbers); else `Table.problem` says so.
        notes: what is known already, in front of the table's own.
        unit: "%" where the outcome is known to be in percent.

    Raises:
        InputError: one sentence on the first thing that cannot be used.
    """
    _check_columns(raw, factors, response, replicate, where)
    if raw.empty:
        raise InputError(f"{where} has no rows")
    frame = raw.reset_index(drop=True).copy()
    order: dict[str, tuple[str, ...]] = {}
    unseen: dict[str, tuple[str, ...]] = {}
    told = list(notes)
    for name in factors:
        given = None if levels is None else levels.get(name)
        if given is None and not isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name], joined = join_numbers(labels_of(frame[name]), name)
            told += joined
        declared = level_order(frame[name], name, given, where)
        labels = labels_of(frame[name])
        there = set(labels.unique())
        lost = tuple(label for label in declared if label not in there)
        order[name] = tuple(label for label in declared if label in there)
        if lost:
            unseen[name] = lost
            if len(order[name]) < 2:
                raise InputError(f"factor {name!r} of {where} has one level ({order[name][0]!r}): "
                                 "nothing to compare, leave it out")  # fmt: skip
            told += [f"level {one!r} of {name} never ran: nothing of it can be estimated, and "
                     "means are over the other levels" for one in lost]  # fmt: skip
        told += _equal_numbers(name, order[name])
        if given is None:
            told += alike(order[name], name)
        frame[name] = pd.Categorical(labels, categories=order[name], ordered=True)
    _standard_status(frame, factors, {response, replicate})
    if replicate is not None:
        if not isinstance(frame[replicate].dtype, pd.CategoricalDtype):
            frame[replicate], joined = join_numbers(labels_of(frame[replicate]), replicate)
            told += joined
        names = level_order(frame[replicate], replicate, None, where, least=1)
        labels = labels_of(frame[replicate])
        ran = set(labels.unique())
        names = tuple(label for label in names if label in ran)
        frame[replicate] = pd.Categorical(labels, categories=names, ordered=True)
    unit = unit or unit_of(frame[response])
    column, guessed = _at_chance(frame, response, {*factors, replicate})
    values, shift, deviations = read_numbers(column, response, where)
    frame[response] = values
    present = np.isfinite(values)
    rounding = 0.0 if column.dtype == object else ROUNDING * abs(shift)
    problem = _problem(frame, present, factors, response, where)
    if problem and strict:
        raise InputError(problem)
    spread = float(np.ptp(deviations[present])) if present.any() else 0.0
    if spread and not SMALLEST < spread < LARGEST:
        raise InputError(f"column {response!r} of {where} spreads over {spread:.2g}, whose squares "
                         "no float holds: give it in another unit")  # fmt: skip
    told += _repeats(frame, present, list(factors), replicate, response, where)
    if guessed:
        noun = "run without" if guessed == 1 else "runs without"
        told.append(f"{guessed} diverged {noun} {OUTCOME} at chance (1/classes)")
    if not present.all():
        missing = int((~present).sum())
        has = f"{'run' if len(frame) == 1 else 'runs'} {'has' if missing == 1 else 'have'}"
        told.append(f"{missing} of {len(frame)} {has} no {OUTCOME}")
    if present.any() and spread <= rounding:
        deviations = np.where(present, 0.0, np.nan)
        told.append(f"{OUTCOME} is the same in every run: no effect can be tested")
    return Table(frame, order, response, replicate, shift, deviations, tuple(told), rounding,
                 unseen, problem, unit)  # fmt: skip


def _problem(
    frame: pd.DataFrame,
    present: Truths,
    factors: Sequence[str],
    response: str,
    where: str,
) -> str:
    """Why no effect can be estimated, or nothing."""
    if not present.any():
        return f"column {response!r} of {where} has no number: no run can be analysed"
    for name in factors:
        if frame.loc[present, name].nunique() < 2:
            return (
                f"factor {name!r} of {where} has one level with {response} "
                f"({frame.loc[present, name].iloc[0]!r}): nothing to compare, leave it out"
            )
    return ""


def _standard_status(frame: pd.DataFrame, factors: Sequence[str], taken: set[str | None]) -> None:
    """Words of other tables for a status become those of a store."""
    about = facts(frame, factors)
    if "status" in about and "status" not in taken:
        words = standard(about)
        if words is not None:
            frame["status"] = words


def _at_chance(frame: pd.DataFrame, response: str, taken: set[str | None]) -> tuple[pd.Series, int]:
    """The response with diverged runs at chance where they lack one, and how many these are.

    Only where it is a share and the number of classes is a column; a diverged run guesses.
    """
    column = frame[response]
    if response_of(response).some:
        return column, 0
    if not {"status", "classes"} <= set(frame.columns) - {response, *map(str, taken)}:
        return column, 0
    classes, value = as_numbers(frame["classes"]), as_numbers(column)
    lacks = (frame["status"] == "diverged") & value.isna() & (classes >= 2)
    if not lacks.any() or not value.dropna().between(0, 1).all():
        return column, 0
    return value.where(~lacks, 1 / classes), int(lacks.sum())


def _equal_numbers(name: str, labels: Sequence[str]) -> list[str]:
    """A note where declared levels are one number written in several ways."""
    return [
        f"levels {', '.join(map(repr, group))} of {name} are one number: each counts as a level of "
        "its own"
        for group in same_numbers(labels)
        if len(group) > 1
    ]


def _repeats(
    frame: pd.DataFrame,
    present: Truths,
    factors: list[str],
    replicate: str | None,
    response: str,
    where: str,
) -> list[str]:
    """What must be said of runs that are listed more than once.

    Raises:
        InputError: rows equal in every column, although a replicate tells runs apart: averaging
            them would count one run twice.
    """
    keys = factors if replicate is None else [*factors, replicate]
    runs = frame[present]
    alike = runs[runs.duplicated([*keys, response], keep=False)].astype(str)
    if replicate is None:
        count = int(alike.duplicated().sum())
        if not count:
            return []
        verb = "repeats" if count == 1 else "repeat"
        return [
            f"{count} of {len(frame)} rows {verb} another exactly, each counted as a run of its "
            "own: name the column of the replicate to have runs that are listed twice refused"
        ]
    again = alike.duplicated().to_numpy()
    if again.any():
        rows = np.flatnonzero(present)[runs.index.isin(alike.index)]
        at = int(np.flatnonzero(again)[0])
        second = alike.iloc[at]
        first = int(np.flatnonzero((alike == second).all(axis=1).to_numpy())[0])
        more = f" ({int(again.sum())} runs are listed more than once)" if again.sum() > 1 else ""
        run = ", ".join(f"{name} = {second[name]}" for name in keys)
        raise InputError(
            f"{where}: data rows {rows[first] + 1} and {rows[at] + 1} are the same run ({run}): "
            f"leave one out{more}"
        )
    count = int(runs.duplicated(keys).sum())
    if not count:
        return []
    verb = "has" if count == 1 else "have"
    return [
        f"{count} of {len(frame)} runs {verb} the same levels and the same {replicate} as another: "
        "each counts as a run"
    ]


def _check_columns(
    raw: pd.DataFrame, factors: Sequence[str], response: str, replicate: str | None, where: str
) -> None:
    columns = [str(name) for name in raw.columns]
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise InputError(f"{where} has two columns named {twice!r}")
    if not factors:
        raise InputError("no factor was named: expected at least one column of levels")
    wanted = [("factor", name) for name in factors] + [("response", response)]
    if replicate is not None:
        wanted.append(("block", replicate))
    taken: dict[str, str] = {}
    for role, name in wanted:
        if name not in columns:
            raise InputError(f"{where} has no column {name!r} ({role}): "
                             f"{did_you_mean(name, columns)}")  # fmt: skip
        if name in taken:
            raise InputError(f"column {name!r} was named twice ({taken[name]} and {role})")
        taken[name] = role
        if role == "factor" and ":" in name:
            raise InputError(f"factor {name!r} has a colon in its name, which joins factors to "
                             "terms ('A:B'): rename the column")  # fmt: skip
