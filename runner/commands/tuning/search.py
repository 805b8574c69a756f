"""The trials of every group, a wave at a time through the engine that trains the grid.

Whatever a killed run left is derived from the store: trials are the planned cells of the group's
study, so giving the command again plans the same ones, trains what is open, and asks for further
values only where the budget is not spent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any

from ablations.errors import InputError
from runner.commands.tuning.words import found_words
from runner.spec.tune import Found
from runner.tuning.groups import Tuned, groups_of
from runner.tuning.trials import Trial, best_of, read_trials

if TYPE_CHECKING:
    from runner.design import Design
    from runner.spec import Spec
    from runner.store import Store, StudyInfo

Train = Callable[["StudyInfo", "Spec", "Design"], int]
"""Trains what is open of a study; returns the exit code."""
Register = Callable[["Spec", "Design", dict[str, Any]], "StudyInfo"]
"""Brings the store up to a study's specification and cells."""

DONE = (0, 3)
"""Exit codes of a wave that came to its end."""


@dataclass(frozen=True)
class Engine:
    """What a search needs of the grid's command.

    Attributes:
        store: where trials are.
        register, train: see there.
        places: how many cells train at a time.
        say: tells the person what was found.
    """

    store: Store
    register: Register
    train: Train
    places: int
    say: Callable[[str], None]


def search(spec: Spec, design: Design, engine: Engine) -> tuple[Spec, int]:
    """The specification with the values that every group runs with, and the exit code.

    Any code but 0 says that tuning was stopped: the specification is then as it was given.

    Raises:
        InputError: no trial of a group ended well.
    """
    found: list[Found] = []
    for one in groups_of(spec, design):
        trials, code = _tune(spec, one, engine)
        if code not in DONE:
            return spec, code
        found.append(_choose(spec, one, trials, engine))
    return replace(spec, found=tuple(found)), 0


def _tune(spec: Spec, one: Tuned, engine: Engine) -> tuple[list[Trial], int]:
    """Run trials of one group until there are as many as were asked for."""
    assert spec.tune is not None  # noqa: S101 - there are groups
    names = [range_.name for range_ in one.ranges]
    about = about_of(spec, one)
    while True:
        trials = trials_of(engine.store, one)
        wanted = [trial.values for trial in trials]
        wanted += _next(spec, one, trials, engine.places) if not _open(trials) else []
        planned = one.design(wanted)
        study = engine.register(planned.spec, planned, about)
        if engine.store.open_cells(study):
            code = engine.train(study, planned.spec, planned)
            if code not in DONE:
                return trials, code
        elif len(wanted) == len(trials):
            return read_trials(engine.store.runs(study), names, study.spec), 0


def _open(trials: Sequence[Trial]) -> bool:
    return any(trial.open for trial in trials)


def _next(spec: Spec, one: Tuned, trials: Sequence[Trial], places: int) -> list[tuple[float, ...]]:
    """The values of the next wave; none once the budget is spent."""
    from runner.tuning.sampling import startup, suggest

    tune = spec.tune
    assert tune is not None  # noqa: S101 - there are groups
    left = tune.trials - len(trials)
    if left <= 0:
        return []
    first = [] if trials else [one.first]
    early = (
        tune.trials if tune.sampler == "quasi_random" else min(startup(tune.trials), tune.trials)
    )
    # What is quasi-random asks for no outcome: all of it is one wave.
    count = early - len(trials) if len(trials) < early else ceil(places / tune.runs)
    lower = about_of(spec, one)["lower"]
    tried = {
        trial.values: None if trial.mean is None else (-trial.mean if lower else trial.mean)
        for trial in trials
    } or {one.first: None}
    seed = int(one.spec.protocol_hash, 16)
    more = suggest(
        one.ranges, tried, min(count, left) - len(first), sampler=tune.sampler,
        trials=tune.trials, seed=seed,
    )  # fmt: skip
    return [*first, *more]


def about_of(spec: Spec, one: Tuned) -> dict[str, Any]:
    """What a study of trials keeps beside its specification, under `tuning`."""
    from runner.content.own.response import primary_of

    primary = primary_of({**one.spec.to_dict(), "tuning": {}})
    return {
        "of": spec.study,
        "group": dict(one.group),
        "at": dict(one.at),
        "ranges": [
            {"name": r.name, "low": r.low, "high": r.high, "log": r.log} for r in one.ranges
        ],
        "given": dict(one.given),
        "response": primary.name,
        "lower": primary.lower,
    }


def trials_of(store: Store, one: Tuned) -> list[Trial]:
    """What the store knows of a group's trials; none before it is begun."""
    if one.spec.study not in store.study_names():
        return []
    study = store.load_study(one.spec.study)
    return read_trials(store.runs(study), [r.name for r in one.ranges], study.spec)


def search_done(spec: Spec, design: Design, store: Store) -> tuple[Spec, list[str]] | None:
    """What `search` would find without a further trial, and in words; None: some are left."""
    assert spec.tune is not None  # noqa: S101 - whoever calls has seen it
    found, said = [], []
    for one in groups_of(spec, design):
        trials = trials_of(store, one)
        best = best_of(trials, lower=about_of(spec, one)["lower"])
        if len(trials) < spec.tune.trials or _open(trials) or best is None:
            return None
        found.append(_found(one, best))
        said.append(found_words(one, trials, best, about_of(spec, one)["response"]))
    return replace(spec, found=tuple(found)), said


def _found(one: Tuned, best: Trial) -> Found:
    values = {r.name: value for r, value in zip(one.ranges, best.values, strict=True)}
    return Found(one.group, values, one.spec.study)


def _choose(spec: Spec, one: Tuned, trials: Sequence[Trial], engine: Engine) -> Found:
    about = about_of(spec, one)
    best = best_of(trials, lower=about["lower"])
    if best is None:
        raise InputError(
            f"tuning {one.spec.study}: none of its {len(trials)} trials ended with a "
            f"{about['response']}; `python -m runner status {one.spec.study}` says why"
        )
    engine.say(found_words(one, trials, best, about["response"]))
    return _found(one, best)
