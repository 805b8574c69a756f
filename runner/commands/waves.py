"""Replicates in waves: what is planned already, and what the look at a study adds to it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ablations.errors import InputError
from runner.design import with_runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.adaptive.waves import Wave
    from runner.design import Design
    from runner.spec import Adaptive, Spec
    from runner.store import Store, StudyInfo


def as_planned(store: Store, spec: Spec, design: Design) -> Design:
    """The design with the runs that earlier looks have added, so that giving it again continues.

    A run beyond what the file now allows is no part of it.
    """
    if spec.adaptive is None or spec.study not in store.study_names():
        return design
    names = [factor.name for factor in spec.factors]
    rows = store.runs(store.load_study(spec.study))
    planned = Counter(tuple(row[f"factor:{name}"] for name in names) for row in rows)
    return _with_labels(spec, design, planned)


def after_look(
    store: Store, study: StudyInfo, spec: Spec, design: Design, rule: Adaptive
) -> tuple[Design | None, str]:
    """The design with the runs of the next wave, and the look in a sentence; None: no more."""
    wave = _look(store, study, rule)
    if isinstance(wave, InputError):  # nothing can be estimated: more of the same would not help
        return None, f"no further run is planned: {wave}"
    return (_with_labels(spec, design, wave.runs) if wave.runs else None), wave.sentence


def wants_more(store: Store, study: StudyInfo, rule: Adaptive) -> bool:
    """Whether a look at what has ended plans further runs."""
    wave = _look(store, study, rule)
    return not isinstance(wave, InputError) and bool(wave.runs)


def _look(store: Store, study: StudyInfo, rule: Adaptive) -> Wave | InputError:
    from analysis.adaptive.waves import next_wave
    from analysis.loading import from_store

    try:
        return next_wave(from_store(store, store.find_study(study.name)), rule)
    except InputError as error:
        return error


def _with_labels(spec: Spec, design: Design, runs: Mapping[tuple[str, ...], int]) -> Design:
    most = spec.adaptive.most if spec.adaptive is not None else spec.replicates
    labels = [factor.labels for factor in spec.factors]
    named = {run: tuple(labels[f][i] for f, i in enumerate(run)) for run in design.runs}
    return with_runs(design, {run: min(runs.get(name, 0), most) for run, name in named.items()})
