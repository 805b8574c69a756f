"""The long table every analysis starts from: one row per planned run, nothing dropped in silence.

Reads a CSV, a pandas frame or the rows of a store and returns the same tidy frame: ordered
categorical factors, a replicate, a status, the outcomes. It checks what a person gave once, here;
it estimates nothing. Longer than 300 lines: what is refused and how it is read are one rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ablations.errors import InputError, did_you_mean

NOT_RUN = "not_run"
"""Status of a planned cell that has no outcome yet; the others are those of `content.outcome`."""
MISSING_STATUSES = ("failed", "timeout", NOT_RUN)
"""Statuses whose accuracy is missing; a diverged run is data (accuracy at chance)."""
FINISHED = ("converged", "stalled", "diverged")
SAME_STATUS = {"ok": "converged", "at_chance": "stalled", "infra_failed": "failed"}
"""Words of other tables for the statuses of a store."""
PARTIAL = ("accuracy_given_converged", "epochs_to_target", "restricted_epochs")
"""Outcomes that only some finished runs have."""
ROUNDING = 16 * float(np.finfo(float).eps)
"""Relative size of what a few operations leave of equal numbers (0.1 + 0.2 and 0.3). Not more:
NIST's hardest data differ by a tenth in 1e12."""
SMALLEST, LARGEST = 1e-70, 1e70
"""Spreads whose squares of squares are still numbers."""
MISSING_TEXT = frozenset({"", "na", "nan", "n/a", "null", "none", "."})

Floats = NDArray[np.float64]


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
        rounding: deviations below this are rounding, not differences.
        unseen: factor to declared levels that no row has; they are no part of `factors`.
        problem: why no effect can be estimated although other outcomes can, or "".
    """

    frame: pd.DataFrame
    factors: dict[str, tuple[str, ...]]
    response: str
    replicate: str | None
    shift: float
    deviations: Floats
    notes: tuple[str, ...] = field(default=())
    rounding: float = 0.0
    unseen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problem: str = ""


def read_table(
    path: str | Path,
    factors: Sequence[str],
    response: str,
    replicate: str | None = None,
    *,
    strict: bool = True,
) -> Table:
    """Read a CSV whose columns are factors, a response and perhaps a replicate.

    Factor levels are text as written ("None", "NA" and "1e-4" stay themselves). An empty or NA
    response is a missing run. Not `strict`, a table that says which runs converged is read even
    where no effect on the response can be estimated (`Table.problem`).

    Raises:
        InputError: no such file, column or number, or a factor with fewer than two levels.
    """
    source = Path(path)
    try:
        raw = pd.read_csv(source, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"table {str(source)!r} does not exist") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"table {str(source)!r} is not a UTF-8 CSV file: {error}") from None
    raw.columns = [str(name).strip() for name in raw.columns]
    kept = {"status", "converged"} & set(raw.columns) - {*factors, response, replicate}
    return tidy(
        raw, factors, response, replicate, where=f"table {str(source)!r}",
        strict=strict or not kept,
    )  # fmt: skip


def tidy(
    raw: pd.DataFrame,
    factors: Sequence[str],
    response: str,
    replicate: str | None = None,
    *,
    levels: Mapping[str, Sequence[str]] | None = None,
    where: str = "the frame",
    strict: bool = True,
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

    Raises:
        InputError: one sentence on the first thing that cannot be used.
    """
    _check_columns(raw, factors, response, replicate, where)
    if raw.empty:
        raise InputError(f"{where} has no rows")
    frame = raw.reset_index(drop=True).copy()
    order: dict[str, tuple[str, ...]] = {}
    unseen: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    for name in factors:
        given = None if levels is None else levels.get(name)
        declared = _level_order(frame[name], name, given, where)
        labels = _labels(frame[name])
        there = set(labels.unique())
        lost = tuple(label for label in declared if label not in there)
        order[name] = tuple(label for label in declared if label in there)
        if lost:
            unseen[name] = lost
            if len(order[name]) < 2:
                raise InputError(f"factor {name!r} of {where} has one level ({order[name][0]!r}): "
                                 "nothing to compare, leave it out")  # fmt: skip
            notes += [f"level {one!r} of {name} never ran: nothing of it can be estimated, and "
                      "means are over the other levels" for one in lost]  # fmt: skip
        notes += _equal_numbers(name, order[name])
        frame[name] = pd.Categorical(labels, categories=order[name], ordered=True)
    _standard_status(frame, {*factors, response, replicate})
    if replicate is not None:
        names = _level_order(frame[replicate], replicate, None, where, least=1)
        labels = _labels(frame[replicate])
        ran = set(labels.unique())
        names = tuple(label for label in names if label in ran)
        frame[replicate] = pd.Categorical(labels, categories=names, ordered=True)
    column, guessed = _at_chance(frame, response, {*factors, replicate})
    values, shift, deviations = _numbers(column, response, where)
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
    notes += _repeats(frame, present, list(factors), replicate, response, where)
    if guessed:
        noun = "run without" if guessed == 1 else "runs without"
        notes.append(f"{guessed} diverged {noun} {response} at chance (1/classes)")
    if not present.all():
        missing = int((~present).sum())
        has = "run has" if len(frame) == 1 else "runs have"
        notes.append(f"{missing} of {len(frame)} {has} no {response}")
    if present.any() and spread <= rounding:
        deviations = np.where(present, 0.0, np.nan)
        notes.append(f"{response} is the same in every run: no effect can be tested")
    return Table(frame, order, response, replicate, shift, deviations, tuple(notes), rounding,
                 unseen, problem)  # fmt: skip


def _problem(
    frame: pd.DataFrame,
    present: NDArray[np.bool_],
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


def _standard_status(frame: pd.DataFrame, taken: set[str | None]) -> None:
    """Words of other tables for a status become those of a store."""
    if "status" in frame and "status" not in taken:
        known = {*FINISHED, *MISSING_STATUSES, *SAME_STATUS}
        words = frame["status"].astype(str).str.strip()
        if words.isin(known).all():
            frame["status"] = words.replace(SAME_STATUS)


def _at_chance(frame: pd.DataFrame, response: str, taken: set[str | None]) -> tuple[pd.Series, int]:
    """The response with diverged runs at chance where they lack one, and how many these are.

    Only where it is a share and the number of classes is a column; a diverged run guesses.
    """
    column = frame[response]
    if response in PARTIAL:
        return column, 0
    if not {"status", "classes"} <= set(frame.columns) - {response, *map(str, taken)}:
        return column, 0
    classes = pd.to_numeric(frame["classes"], errors="coerce")
    value = pd.to_numeric(column, errors="coerce")
    lacks = (frame["status"] == "diverged") & value.isna() & (classes >= 2)
    if not lacks.any() or not value.dropna().between(0, 1).all():
        return column, 0
    return value.astype(float).where(~lacks, 1 / classes), int(lacks.sum())


def _equal_numbers(name: str, labels: Sequence[str]) -> list[str]:
    """A note where levels are one number written in several ways."""
    same: dict[float, list[str]] = {}
    for label in labels:
        try:
            same.setdefault(float(label), []).append(label)
        except ValueError:
            continue
    return [
        f"levels {', '.join(map(repr, group))} of {name} are one number: each counts as a level of "
        "its own"
        for group in same.values()
        if len(group) > 1
    ]


def from_runs(
    runs: Iterable[Mapping[str, Any]], factors: Mapping[str, Sequence[str]]
) -> pd.DataFrame:
    """Turn the rows of `runner.store` into the tidy frame of a study.

    Args:
        runs: `Store.runs(study)`: one mapping per planned cell, factors as "factor:NAME".
        factors: declared labels per factor, in order.

    Returns:
        One row per planned run: factor columns by name (ordered Categoricals), `replicate`,
        `status` (not_run where there is no outcome yet), the outcome columns. A failed or
        timed-out run has no accuracy; a diverged one has chance (1/classes).
    """
    frame = pd.DataFrame(list(runs))
    if frame.empty:
        raise InputError("the study has no planned runs")
    frame = frame.rename(columns={f"factor:{name}": name for name in factors})
    for name, labels in factors.items():
        frame[name] = pd.Categorical(_labels(frame[name]), categories=list(labels), ordered=True)
    frame["status"] = frame["status"].fillna(NOT_RUN).astype(str)
    for column in ("test_accuracy", "test_loss", "epochs_to_target", "seconds", "n_test"):
        if column in frame:
            numbers = pd.to_numeric(frame[column], errors="coerce").astype(float)
            frame[column] = numbers.where(np.isfinite(numbers))  # no training writes infinity
    lost = frame["status"].isin(MISSING_STATUSES)
    for column in ("test_accuracy", "test_loss"):
        if column in frame:
            frame.loc[lost, column] = np.nan
    if "epochs_to_target" in frame:
        # A run stopped by its time limit may have reached the target before: that stays known.
        frame.loc[lost & (frame["status"] != "timeout"), "epochs_to_target"] = np.nan
    frame["converged"] = np.where(lost, np.nan, (frame["status"] == "converged").astype(float))
    if {"epochs_to_target", "epochs_budget"} <= set(frame.columns):
        budget = pd.to_numeric(frame["epochs_budget"], errors="coerce").astype(float)
        reached = frame["epochs_to_target"].fillna(budget).clip(upper=budget)
        frame["restricted_epochs"] = reached.where(~lost)
    return frame


def _repeats(
    frame: pd.DataFrame,
    present: NDArray[np.bool_],
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
        said = ", ".join(f"{name} = {second[name]}" for name in keys)
        raise InputError(
            f"{where}: data rows {rows[first] + 1} and {rows[at] + 1} are the same run ({said}): "
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


def _labels(column: pd.Series) -> pd.Series:
    """Levels as text, without the `.0` that pandas gives to whole numbers beside a gap."""
    if pd.api.types.is_float_dtype(column):
        whole = column.dropna()
        if (whole == whole.round()).all():
            return column.map(lambda x: x if pd.isna(x) else str(int(x)))
    texts = {x: x if _absent(x) else str(x).strip() for x in column.astype(object).unique()}
    return column.astype(object).map(texts)


def _absent(value: object) -> bool:
    return value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA


def _level_order(
    column: pd.Series, name: str, declared: Sequence[str] | None, where: str, least: int = 2
) -> tuple[str, ...]:
    labels = _labels(column)
    seen = list(labels.unique())
    for label in seen:
        if _absent(label) or not str(label).strip():
            same = labels.isna() if _absent(label) else labels == label
            row = int(np.flatnonzero(same.to_numpy())[0]) + 1
            raise InputError(
                f"column {name!r} of {where} is empty in data row {row}: expected a level"
            )
    if declared is not None:
        declared = list(dict.fromkeys(str(label).strip() for label in declared))
        for label in seen:
            if label not in declared:
                raise InputError(f"level {label!r} of factor {name!r} in {where} is not declared: "
                                 f"{did_you_mean(label, declared)}")  # fmt: skip
        seen = declared
    elif isinstance(column.dtype, pd.CategoricalDtype):
        seen = list(dict.fromkeys(_labels(pd.Series(column.cat.categories))))
    else:
        try:
            numbers = {label: float(label) for label in seen}
        except ValueError:
            pass
        else:
            if all(np.isfinite(list(numbers.values()))):
                seen.sort(key=lambda label: numbers[label])
    if len(seen) < least:
        raise InputError(f"factor {name!r} of {where} has one level ({seen[0]!r}): nothing to "
                         "compare, leave it out")  # fmt: skip
    return tuple(seen)


def _numbers(column: pd.Series, name: str, where: str) -> tuple[Floats, float, Floats]:
    """Values, a shift near them, and deviations from it that keep the digits of the text."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        values = np.asarray(column.astype(float), dtype=np.float64)
        texts = None
    else:
        texts = ["" if _absent(x) else str(x).strip() for x in column.tolist()]
        values = np.full(len(texts), np.nan)
        for row, text in enumerate(texts):
            if text.lower() in MISSING_TEXT:
                continue
            try:
                values[row] = float(text)
            except ValueError:
                raise InputError(
                    f"column {name!r} of {where} has {text!r} in data row {row + 1}: expected a "
                    "number, or nothing for a missing run"
                ) from None
    infinite = np.isinf(values)
    if infinite.any():
        row = int(np.flatnonzero(infinite)[0]) + 1
        raise InputError(f"column {name!r} of {where} is infinite in data row {row}: give a "
                         "diverged run its value at chance, or leave it empty")  # fmt: skip
    present = np.isfinite(values)
    if not present.any():
        return values, 0.0, values.copy()
    # A shift that is one of the values: subtracting it from its neighbours is exact (Sterbenz).
    shift = float(np.sort(values[present])[present.sum() // 2])
    deviations: Floats = np.asarray(values - shift, dtype=np.float64)
    if texts is not None and np.abs(deviations[present]).max() < 1e-6 * abs(shift):
        deviations = _exact_deviations(texts, present, shift)
    return values, shift, deviations


def _exact_deviations(texts: list[str], present: NDArray[np.bool_], shift: float) -> Floats:
    exact = Decimal(shift)
    deviations = np.full(len(texts), np.nan)
    for row in np.flatnonzero(present):
        try:
            deviations[row] = float(Decimal(texts[row]) - exact)
        except InvalidOperation:  # "1_0" is a float but no Decimal
            deviations[row] = float(texts[row]) - shift
    return deviations
