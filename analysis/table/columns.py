"""Columns of somebody's table read as what they are: labels of levels, numbers, yes and no.

Everything is checked and typed here, once; whoever gets a checked table trusts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation

import numpy as np
import pandas as pd

from ablations.errors import InputError, did_you_mean
from analysis.stats.arrays import Floats, Truths
from analysis.table.forms.numbers import MISSING_TEXT, quiet_numbers, read_written
from analysis.table.statuses import CONVERGES, MISSING_STATUSES, standard
from runner.content.response import LEARNED

NUMBERS = (
    "test_accuracy", "test_loss", "test_correct", "n_test", "classes", "epochs_to_target",
    "restricted_epochs", "epochs_run", "epochs_budget", "accuracy_given_converged", "seconds",
    "parameters", "run_order",
)  # fmt: skip
"""Columns that are numbers wherever they stand; what is no number there is missing."""
YES_OR_NO = {"1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0, "true": 1.0, "false": 0.0, "yes": 1.0,
             "no": 0.0}  # fmt: skip


def as_numbers(column: pd.Series) -> pd.Series:
    """A column as floats, NaN where there is no number."""
    return quiet_numbers(column)


def facts(frame: pd.DataFrame, factors: Iterable[str]) -> pd.DataFrame:
    """The runs without their factors, one of which may be called like a column known by name."""
    return frame.drop(columns=list(factors), errors="ignore")


def typed(frame: pd.DataFrame, factors: Sequence[str], response: str) -> pd.DataFrame:
    """The runs with every outcome as numbers, whatever text a file had.

    `converged` becomes 1, 0 or NaN, from itself or from `status`; it is dropped where it is
    something else than yes and no. Factors stay what they are.

    Args:
        frame: one row a run.
        factors: columns that are no outcomes, whatever they are called.
        response: the column looked at.
    """
    names = [
        name
        for name in dict.fromkeys((response, *NUMBERS))
        if name in frame and name not in factors
    ]
    runs = frame.assign(**{name: as_numbers(frame[name]) for name in names})
    if "status" in runs and "status" not in factors:
        words = standard(facts(frame, factors))
        runs["status"] = runs["status"].astype(str) if words is None else words
    if LEARNED.column in runs and LEARNED.column not in factors:
        runs[LEARNED.column] = as_yes_or_no(runs[LEARNED.column])
    if "converged" in factors:
        return runs
    converged = yes_or_no(facts(frame, factors))
    if converged is not None:
        return runs.assign(converged=converged)
    return runs.drop(columns="converged", errors="ignore")


def yes_or_no(frame: pd.DataFrame) -> pd.Series | None:
    """Convergence per run as 1, 0 or NaN; from `converged`, else from `status`; or None."""
    if "converged" in frame.columns:
        column = frame["converged"]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            return column.astype(float)
        texts = column.astype(str).str.strip().str.lower()
        return as_yes_or_no(column) if texts.isin(set(YES_OR_NO) | MISSING_TEXT).all() else None
    if "status" in frame.columns:
        words = standard(frame)
        if words is not None and words.isin({*CONVERGES, *MISSING_STATUSES}).all():
            return words.map(CONVERGES).astype(float)
    return None


def as_yes_or_no(column: pd.Series) -> pd.Series:
    """A column as 1, 0 or NaN, whatever words a file had for them."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column.astype(float)
    return column.astype(str).str.strip().str.lower().map(YES_OR_NO).astype(float)


def labels_of(column: pd.Series) -> pd.Series:
    """Levels as text, without the `.0` that pandas gives to whole numbers beside a gap."""
    if pd.api.types.is_float_dtype(column):
        whole = column.dropna()
        if (whole == whole.round()).all():
            return column.map(lambda x: x if pd.isna(x) else str(int(x)))
    texts = {x: x if is_absent(x) else str(x).strip() for x in column.astype(object).unique()}
    return column.astype(object).map(texts)


def is_absent(value: object) -> bool:
    """Whether pandas means that there is nothing."""
    return value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA


def level_order(
    column: pd.Series, name: str, declared: Sequence[str] | None, where: str, least: int = 2
) -> tuple[str, ...]:
    """The levels of a column, in their order.

    Args:
        column: of the table.
        name: of the factor, for messages.
        declared: the levels in order; otherwise a Categorical's own, numeric order where every
            label is a number, else the order of the rows.
        where: how messages name the table.
        least: fewest levels that are worth a factor.

    Raises:
        InputError: a row without a level, a level that is not declared, or too few of them.
    """
    labels = labels_of(column)
    seen = list(labels.unique())
    for label in seen:
        if is_absent(label) or not str(label).strip():
            same = labels.isna() if is_absent(label) else labels == label
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
        seen = list(dict.fromkeys(labels_of(pd.Series(column.cat.categories))))
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


def read_numbers(column: pd.Series, name: str, where: str) -> tuple[Floats, float, Floats]:
    """Values, a shift near them, and deviations from it that keep the digits of the text."""
    written = read_written(column, name, where)
    values, texts = written.values, written.texts
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


def _exact_deviations(texts: list[str], present: Truths, shift: float) -> Floats:
    exact = Decimal(shift)
    deviations = np.full(len(texts), np.nan)
    for row in np.flatnonzero(present):
        try:
            deviations[row] = float(Decimal(texts[row]) - exact)
        except InvalidOperation:  # "1_0" is a float but no Decimal
            deviations[row] = float(texts[row]) - shift
    return deviations
