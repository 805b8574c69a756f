"""Where studies come from: any table in memory, or a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from ablations.errors import did_you_mean
from analysis.causes.stored import StoredEvidence
from analysis.study import ORDER, Study
from analysis.table.columns import facts
from analysis.table.curves import StoredCurves
from analysis.table.forms.shape import Shape, reshape
from analysis.table.runs import from_attempts, from_own_runs, from_runs, with_times
from analysis.table.tidy import tidy
from analysis.tuning.searched import searched
from runner.content.own.response import declared as record
from runner.content.response import ACCURACY, GIVEN_CONVERGED
from runner.tuning.groups import GIVEN

if TYPE_CHECKING:
    from runner.content.outcome import Target
    from runner.store import Store, StudyInfo


def from_frame(
    frame: pd.DataFrame,
    factors: Sequence[str],
    response: str = "acc",
    replicate: str | None = None,
    name: str = "table",
    *,
    levels: Mapping[str, Sequence[str]] | None = None,
    claims: Sequence[str] = (),
    higher_is_better: bool | None = None,
    equivalent: float | None = None,
    wide: str | None = None,
    std: str | None = None,
    n: str | int | None = None,
    nested: str | None = None,
) -> Study:
    """Analyse any table: one row per run, a column a seed, or means with deviations and counts.

    Args:
        frame: factor columns, a numeric response, perhaps a replicate; other columns are kept.
        factors: names of the factor columns.
        response: name of the outcome.
        replicate: column that says which runs share a seed.
        name: for titles.
        levels: factor to its levels in order; one that no row has is named as not estimable.
            Otherwise those of a Categorical, numbers by size, text as the rows first have it.
        claims: planned contrasts ("A: a > b by 0.5", the margin in the unit that the response is
            shown in), answered by `Study.claims`.
        higher_is_better: of the response; by default it is, unless its name says loss or error.
        equivalent: half width of the differences that would not matter, in units of the response.
        wide: columns of the outcome where each seed has its own: "seed*".
        std: of a table of means, the column of their standard deviations; found where it is so
            called.
        n: of a table of means, the column of their counts, or one number.
        nested: "Run:Day", replicates within larger units.

    Raises:
        InputError: one sentence on what cannot be used.
    """
    if isinstance(factors, str):
        factors = [factors]
    if not all(isinstance(name, str) for name in frame.columns):  # a pivot's columns are numbers
        frame = frame.rename(columns=str)
    factors, response = [str(name) for name in factors], str(response)
    replicate = None if replicate is None else str(replicate)
    shape = Shape(wide, std, None if n is None else str(n), nested)
    return of_frame(
        frame, factors, response, replicate, name, shape=shape, levels=levels, claims=claims,
        higher_is_better=higher_is_better, equivalent=equivalent,
    )  # fmt: skip


def of_frame(
    frame: pd.DataFrame,
    factors: Sequence[str],
    response: str,
    replicate: str | None,
    name: str,
    *,
    shape: Shape | None = None,
    levels: Mapping[str, Sequence[str]] | None = None,
    where: str = "the frame",
    notes: Sequence[str] = (),
    claims: Sequence[str] = (),
    higher_is_better: bool | None = None,
    equivalent: float | None = None,
) -> Study:
    """The study of a frame, with what `from_frame` takes and what another reader knows of it.

    The names of the columns are text, `shape` is what was said of the table's form, `where` is how
    messages name it, and `notes` stand in front of its own.
    """
    shaped = reshape(frame, factors, response, replicate, shape or Shape(), where)
    frame, response, replicate = shaped.frame, shaped.response, shaped.replicate
    others = {"status", "converged"} & set(facts(frame, factors)) - {response, replicate}
    table = tidy(
        frame, factors, response, replicate, levels=levels, where=where, strict=not others,
        notes=(*notes, *shaped.notes), unit=shaped.unit,
    )  # fmt: skip
    return Study.of(
        table,
        name=name,
        planned_claims=tuple(claims),
        higher_is_better=higher_is_better,
        equivalent=equivalent,
    )


def load(study: str, storage: str | None = None) -> Study:
    """Read a study from its store.

    Args:
        study: its name, or the start of it if that fits one study.
        storage: database URL; by default that of the project.

    Raises:
        InputError: no such store or study.
    """
    from runner.store import open_store

    with open_store(storage) as store:
        return from_store(store, store.find_study(study))


def from_store(store: Store, info: StudyInfo) -> Study:
    """A study of an open store; its curves are read, by a connection of their own, when needed."""
    runs, target = store.judged_runs(info)
    attempts = from_attempts(store.attempts(info))
    factors = {name: tuple(labels) for name, labels in info.factors.items()}
    _refuse_undeclared(store, info, runs)
    if info.spec.get("trainer") is not None:
        return _of_own_trainer(store, info, runs, target)
    frame = from_runs(runs, factors)
    if {ACCURACY.column, "converged"} <= set(frame.columns):
        survived = frame["converged"] == 1
        frame[GIVEN_CONVERGED.column] = frame[ACCURACY.column].where(survived)
    keys = ("name", "profile", "created", "spec", "levels", "data", "model", "train", "replicates")
    about = {key: getattr(info, key) for key in keys}
    about |= {"target": target, "retired": store.status(info).retired}
    return Study(
        frame,
        factors,
        ACCURACY.column,
        "replicate",
        # A specification of before says nothing of seeds: then they were shared.
        shares_seeds=info.spec.get("seeds", "shared") == "shared",
        name=info.name,
        planned_claims=tuple(info.claims),
        info=about,
        read_curves=StoredCurves(store.address, info, frozenset(frame["cell"])),
        read_evidence=StoredEvidence(store.address, info),
        attempt_rows=attempts,
        order=_order_of(info.spec),
        **_tuned(store, info, frame),
    )


def _of_own_trainer(
    store: Store, info: StudyInfo, runs: Sequence[Mapping[str, Any]], target: Target | None
) -> Study:
    """The study of a function or command of somebody's own: its first response is looked at."""
    declared: dict[str, dict[str, Any]] = info.spec["responses"]
    factors = {name: tuple(labels) for name, labels in info.factors.items()}
    frame = from_own_runs(runs, factors, declared)
    cells = frozenset(frame["cell"])
    curves = StoredCurves(store.address, info, cells, own=True)
    about = {key: getattr(info, key) for key in ("name", "profile", "created", "spec")}
    about |= {
        "levels": {
            factor: {
                label: {**one, "parameters": one["parameters"].get("set", {})}
                for label, one in levels.items()
            }
            for factor, levels in info.levels.items()
        },
        "replicates": info.replicates,
        "retired": store.status(info).retired,
    }
    if target is not None:
        about["target"] = target
        frame = with_times(frame, curves(), target)
    return Study(
        frame,
        factors,
        next(iter(declared)),
        "replicate",
        shares_seeds=info.spec["seeds"] == "shared",
        name=info.name,
        planned_claims=tuple(info.claims),
        info=about,
        read_curves=curves,
        attempt_rows=from_attempts(store.attempts(info)),
        order=_order_of(info.spec),
        records={name: record(name, one) for name, one in declared.items()},
        **_tuned(store, info, frame),
    )


def _tuned(store: Store, info: StudyInfo, frame: pd.DataFrame) -> dict[str, Any]:
    """What was tuned before the grid, and the grid as given beside it."""
    if not info.spec.get("found"):
        return {}
    beside = info.name + GIVEN
    compares = info.spec.get("tune", {}).get("compare") and beside in store.study_names()
    return {
        "searched": searched(store, info, frame),
        "as_given": from_store(store, store.load_study(beside)) if compares else None,
    }


def _order_of(spec: Mapping[str, Any]) -> int:
    """The order of the model that a design was made for, where it is not the usual one."""
    design = spec.get("design", {})
    if design.get("kind") in ("one_at_a_time", "leave_one_out"):
        return 1
    last: Mapping[str, Any] = design["by"][-1] if design.get("kind") == "augmented" else design
    return min(int(last.get("order", ORDER)), ORDER)


def _refuse_undeclared(store: Store, info: StudyInfo, runs: Iterable[Mapping[str, Any]]) -> None:
    """Refuse a run of a level that its study does not declare: what it is of is not known."""
    from runner.store.database.damage import damaged

    for run in runs:
        for factor, labels in info.factors.items():
            if (label := run[f"factor:{factor}"]) not in labels:
                row = f"table cells, cell {run['cell']} of study {info.name}"
                expected = did_you_mean(label, labels)
                raise damaged(store.address, f"{row}, labels: {factor} is {label!r}; {expected}")
