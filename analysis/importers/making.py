"""A study of runs that another tool kept: roles are found, the table is made, its notes say how.

From here on it is `loading.from_frame`: a table of the same runs gives the same study.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np
import pandas as pd

from ablations.errors import InputError, did_you_mean
from analysis.importers.labels import cut, labels_of_runs
from analysis.importers.roles import SEED, roles_of
from analysis.importers.runs import FINISHED, UNFINISHED, Run, Runs
from analysis.loading import of_frame
from analysis.study import Study
from runner.program.wording import counted, listed

PROGRESS = re.compile(
    r"(^|[/._])(epoch|step|global_step|iteration|trainer/global_step)$|^(_|system/)"
)
"""Numbers that count how far a run is, or that a tool logs by itself: outcomes only by name."""


class Said(TypedDict, total=False):
    """What a person says of the runs; everything else is told from them.

    Attributes:
        factors: parameters that are factors, instead of those that are found.
        response: metric that is the outcome.
        replicate: parameter that says which runs share a seed.
        bins: a searched parameter to how many bins of about as many runs it is cut into, or to
            the edges between them: {"lr": 3}, {"lr": [0.001, 0.01]}.
        only: parameter to the level that runs must have: {"optimizer": "sgd"}.
        claims: planned contrasts, as in `from_frame`.
        higher_is_better: of the outcome; else as the tool was told, else by its name.
        equivalent: half width of the differences that would not matter.
        name: of the study; by default the tool's own.
    """

    factors: Sequence[str] | None
    response: str | None
    replicate: str | None
    bins: Mapping[str, int | Sequence[float]] | None
    only: Mapping[str, object] | None
    claims: Sequence[str]
    higher_is_better: bool | None
    equivalent: float | None
    name: str | None


def study_of(runs: Runs, said: Said) -> Study:
    """The study of some runs.

    Raises:
        InputError: no runs, no outcome, no factor, or one that cannot be used.
        TypeError: an argument that there is not.
    """
    for name in said.keys() - Said.__annotations__.keys():
        raise TypeError(f"unexpected argument {name!r}: {did_you_mean(name, Said.__annotations__)}")
    if not runs.runs:
        raise InputError(f"{runs.where} has no {runs.each}s")
    if isinstance(said.get("factors"), str):
        said["factors"] = [str(said["factors"])]
    notes = list(runs.notes)
    response = _response(runs, said.get("response"))
    kept = _only(runs, said.get("only") or {})
    began = [run for run in kept if run.ended not in UNFINISHED]
    if len(began) < len(kept):
        words = _by_ending([run for run in kept if run.ended in UNFINISHED])
        notes.append(f"of {counted(len(kept), runs.each)} {words}: not counted here")
    kept = began
    values = [_value(run, response) for run in kept]
    _refuse_without_results(runs, response, kept, values)
    notes += _endings(runs, response, kept)
    labels = labels_of_runs(kept)
    there = ~np.isnan(values)
    always = [name for name in labels.columns if not labels.loc[there, name].isna().any()]
    unset = labels[always].isna().any(axis=1).to_numpy()
    if unset.any():
        gone = counted(int(unset.sum()), runs.each)
        notes.append(f"{gone} ended before every parameter was set: of no combination")
        labels = labels[~unset].reset_index(drop=True)
        kept = [run for run, lost in zip(kept, unset, strict=True) if not lost]
        values = [value for value, lost in zip(values, unset, strict=True) if not lost]
    bins = said.get("bins") or {}
    labels = labels[_candidates(labels, kept, said)]
    frame, about = cut(labels, bins, runs.where, runs.each)
    notes += about
    given = said.get("factors")
    roles = roles_of(
        frame.astype({name: object for name in bins}), runs.where, runs.each,
        None if given is None else [*given, *(n for n in bins if n not in given)],
        said.get("replicate"), tuple(bins), runs.told_apart,
    )  # fmt: skip
    notes += roles.notes
    if given is None:
        notes.insert(0, f"factors, told from the {runs.each}s: {listed(roles.factors)}")
    frame, outcome = _with_results(frame, kept, response, values)
    frame, copies = _without_copies(frame, roles.replicate, outcome, runs)
    better = said.get("higher_is_better")
    return of_frame(
        frame,
        roles.factors,
        outcome,
        roles.replicate,
        _file_name(said.get("name") or runs.name),
        levels=_ordered(frame, runs, roles.factors),
        where=runs.where,
        notes=(*notes, *copies),
        claims=said.get("claims") or (),
        higher_is_better=runs.higher_is_better.get(response) if better is None else better,
        equivalent=said.get("equivalent"),
    )


def _response(runs: Runs, wanted: str | None) -> str:
    """The metric that is the outcome."""
    names = list(dict.fromkeys(name for run in runs.runs for name in run.metrics))
    if not names and not runs.responses:
        raise InputError(f"{runs.where} has no metric: no {runs.each} has a number as a result")
    if wanted is not None:
        if wanted not in names and wanted not in runs.responses:
            raise InputError(
                f"{runs.where} has no metric {wanted!r}: {did_you_mean(wanted, names)}"
            )
        return wanted
    asked = list(runs.responses) or [name for name in names if not PROGRESS.search(name)] or names
    if len(asked) > 1 or not runs.told_apart:
        found = f"has {counted(len(asked), 'metric')}" if runs.told_apart else "has these numbers"
        raise InputError(
            f"{runs.where} {found}: say which is the outcome with --response NAME, one of "
            f"{', '.join(asked[:12])}{' ...' if len(asked) > 12 else ''}"
        )
    return asked[0]


def _only(runs: Runs, only: Mapping[str, object]) -> list[Run]:
    """The runs that have these levels."""
    kept = list(runs.runs)
    for name, level in only.items():
        labels = labels_of_runs(kept)
        if name not in labels:
            raise InputError(f"{runs.where} has no parameter {name!r}: "
                             f"{did_you_mean(name, labels.columns)}")  # fmt: skip
        same = labels[name].map(lambda label, level=level: _same(label, level))
        if not same.any():
            levels = [str(label) for label in labels[name].dropna().unique()]
            raise InputError(f"{runs.where} has no {runs.each} with {name} = {level}: "
                             f"{did_you_mean(str(level), levels)}")  # fmt: skip
        kept = [run for run, one in zip(kept, same, strict=True) if one]
    return kept


def _same(label: object, level: object) -> bool:
    try:
        return float(str(label)) == float(str(level))
    except ValueError:
        return str(label) == str(level)


def _value(run: Run, response: str) -> float:
    """The outcome of a run that has one, NaN otherwise."""
    value = run.metrics.get(response, math.nan) if run.ended == FINISHED else math.nan
    return value if math.isfinite(value) else math.nan


def _by_ending(runs: Sequence[Run]) -> str:
    """How runs ended, counted: "3 were pruned and 1 failed"."""
    counts = Counter(run.ended for run in runs)
    said = []
    for word, number in counts.items():
        verb = {"running": "is still ", "waiting": "is ", "failed": ""}.get(word, "was ")
        if number > 1:
            verb = verb.replace("is", "are").replace("was", "were")
        said.append(f"{number:,} {verb}{word}")
    return listed(said)


def _refuse_without_results(
    runs: Runs, response: str, kept: Sequence[Run], values: Sequence[float]
) -> None:
    if not kept:
        raise InputError(f"{runs.where} has no {runs.each} that ended yet")
    if any(math.isfinite(value) for value in values):
        return
    lost = [run for run in kept if run.ended != FINISHED]
    why = _by_ending(lost) if lost else f"none has a number for {response}"
    raise InputError(
        f"{runs.where}: none of {counted(len(kept), runs.each)} has a result for {response!r} "
        f"({why})"
    )


def _endings(runs: Runs, response: str, kept: Sequence[Run]) -> list[str]:
    """Notes on why runs have no outcome; how many have none is said of every table."""
    notes = []
    total = counted(len(kept), runs.each)
    lost = [run for run in kept if run.ended != FINISHED]
    if lost:
        notes.append(f"of {total} {_by_ending(lost)}: counted as lost")
    if any(run.ended == "pruned" for run in lost):
        notes.append(f"pruning ends the worse {runs.each}s, so means over the others are too good")
    odd = sum(
        run.ended == FINISHED and not math.isfinite(run.metrics.get(response, 0.0)) for run in kept
    )
    if odd:
        notes.append(f"{response} is no finite number in {odd} of {total}: counted as lost")
    return notes


def _candidates(labels: pd.DataFrame, runs: Sequence[Run], said: Said) -> list[str]:
    """Parameters, and of what else is known a seed and what was named."""
    params = {name for run in runs for name in run.params}
    named = {*(said.get("factors") or ()), *(said.get("bins") or {}), said.get("replicate")}
    return [n for n in labels.columns if n in params or n in named or SEED.search(n)]


def _ordered(frame: pd.DataFrame, runs: Runs, factors: Sequence[str]) -> dict[str, list[str]]:
    """Levels in the order in which the tool was given them, where it was; those that ran."""
    there = {name: set(frame[name]) for name in factors if name in runs.order}
    return {
        name: [label for label in runs.order[name] if label in labels]
        for name, labels in there.items()
        if labels <= set(runs.order[name])
    }


def _with_results(
    frame: pd.DataFrame, runs: Sequence[Run], response: str, values: Sequence[float]
) -> tuple[pd.DataFrame, str]:
    """The table and the name of its outcome: parameters, metrics, why a run has no result.

    A learning rate may be a parameter and a metric: the metric is called so.
    """
    columns: dict[str, list[object]] = {}
    for name in dict.fromkeys([response, *(name for run in runs for name in run.metrics)]):
        numbers = [run.metrics.get(name, math.nan) for run in runs]
        called = f"{name} (metric)" if name in frame else name
        columns[called] = [x if math.isfinite(x) else math.nan for x in numbers]
    outcome = next(iter(columns))
    columns[outcome] = list(values)
    if any(run.ended != FINISHED for run in runs) and "reason" not in {*frame, *columns}:
        columns["reason"] = [None if run.ended == FINISHED else run.ended for run in runs]
    return pd.concat([frame, pd.DataFrame(columns)], axis=1), outcome


def _without_copies(
    frame: pd.DataFrame, replicate: str | None, response: str, runs: Runs
) -> tuple[pd.DataFrame, list[str]]:
    """Runs that repeat another to the last number, seed included, are that run again."""
    if replicate is None:
        return frame, []
    again = frame.astype(str).duplicated() & frame[response].notna()
    if not again.any():
        return frame, []
    what = "repeats" if again.sum() == 1 else "repeat"
    note = f"{counted(int(again.sum()), runs.each)} {what} another, seed and result: counted once"
    return frame[~again].reset_index(drop=True), [note]


def _file_name(name: str) -> str:
    """A name that a folder can have."""
    return re.sub(r"[^\w .=+-]+", "-", name).strip(" .-") or "runs"
