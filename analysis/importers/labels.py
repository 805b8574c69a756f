"""What was set in a run as the text of a level, and searched numbers cut into bins."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ablations.errors import InputError, did_you_mean
from analysis.importers.roles import as_floats
from analysis.importers.runs import Run
from analysis.table.columns import labels_of
from runner.program.wording import listed


def labels_of_runs(runs: Sequence[Run]) -> pd.DataFrame:
    """What was set, as text: a column a parameter, NaN where it was not."""
    names = dict.fromkeys(name for run in runs for name in run.params)
    others = dict.fromkeys(n for run in runs for n in run.others if n not in names)
    known = [{**run.others, **run.params} for run in runs]
    columns: dict[str, pd.Series] = {}
    for name in [*names, *others]:
        values = [one.get(name, np.nan) for one in known]
        columns[name] = labels_of(pd.Series([_plain(value) for value in values]).infer_objects())
    return pd.DataFrame(columns, index=range(len(runs)))


def _plain(value: object) -> object:
    """A value whose text is its level: nothing is "None", a list is written as one."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return repr(value)
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, default=str)
    return value


def cut(
    labels: pd.DataFrame, bins: Mapping[str, int | Sequence[float]], where: str, each: str
) -> tuple[pd.DataFrame, list[str]]:
    """Searched numbers as bins, and what to say of them."""
    frame, notes = labels.copy(), []
    for name, how in bins.items():
        if name not in labels:
            raise InputError(f"{where} has no parameter {name!r}: "
                             f"{did_you_mean(name, labels.columns)}")  # fmt: skip
        values = as_floats(labels[name])
        if values is None or values.isna().any():
            raise InputError(f"{where}: {name} cannot be cut into bins, it is not a number "
                             f"in every {each}")  # fmt: skip
        inner = _edges(values, how)
        codes = np.searchsorted(inner, values.to_numpy(float), side="right")
        texts = {
            code: _span(values[codes == code]) for code in sorted(set(codes.tolist()))
        }  # of the values there are, not of the edges
        if len(texts) < 2:
            raise InputError(f"{where}: all values of {name} ({_span(values)}) are in one bin")
        frame[name] = pd.Categorical(
            [texts[code] for code in codes.tolist()], list(texts.values()), ordered=True
        )
        counts = [str(int((codes == code).sum())) for code in texts]
        notes.append(
            f"{name} is cut into {len(texts)} bins ({'; '.join(texts.values())}) of "
            f"{listed(counts)} {each}s: effects are of bins"
        )
    return frame, notes


def _edges(values: pd.Series, how: int | Sequence[float]) -> list[float]:
    """Where bins begin, from the second on."""
    if isinstance(how, int):
        if how < 2:
            raise InputError(f"{how} bins compare nothing: expected two or more")
        shares = np.arange(1, how) / how
        return sorted(set(np.quantile(values.to_numpy(float), shares).tolist()))
    return sorted(float(edge) for edge in how)


def _span(values: pd.Series) -> str:
    low, high = float(values.min()), float(values.max())
    for digits in range(3, 17):
        texts = f"{low:.{digits}g}", f"{high:.{digits}g}"
        if low == high:
            return texts[0]
        if texts[0] != texts[1]:
            break
    return f"{texts[0]} to {texts[1]}"
