"""What the reader of a comparison must know: what is unfinished, assumed, different or shared.

Each note is one sentence; nothing here changes a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from analysis.model.completion import assumption
from analysis.stats.estimates import Estimate

if TYPE_CHECKING:
    from analysis.study import Study

MOST_SETTINGS = 8
"""Settings in which two studies differ that are named; more are counted."""


def notes_on(
    studies: Sequence[Study],
    shared: Mapping[str, Sequence[str]],
    effects_by_study: Mapping[str, Sequence[tuple[str, str, Estimate]]],
) -> tuple[str, ...]:
    """All notes.

    Args:
        studies: that are compared.
        shared: factors of all of them with the levels all have.
        effects_by_study: term, name and estimate of every effect, by study.
    """
    return (
        *_unfinished(studies), *_assumed(studies, effects_by_study), *_contents(studies, shared),
        *_notes(studies, shared),
    )  # fmt: skip


def _unfinished(studies: Sequence[Study]) -> list[str]:
    """Studies whose numbers will still change, or that lost runs."""
    notes = []
    for study in studies:
        done = int(study.frame[study.response].notna().sum())
        planned = len(study.frame)
        if done < planned:
            notes.append(
                f"{study.name} is not complete: {done} of {planned} runs have an outcome, so its "
                "effects may still change."
            )
    return notes


def _assumed(
    studies: Sequence[Study],
    effects_by_study: Mapping[str, Sequence[tuple[str, str, Estimate]]],
) -> list[str]:
    """Studies with empty cells whose effects a model had to complete."""
    notes = []
    for study in studies:
        effects = effects_by_study[study.name]
        assumed = [assumption(one.rests_on, len(study.cells.factors)) for _, _, one in effects]
        said = [text for text in assumed if text]
        if said:
            notes.append(
                f"{len(said)} of the {len(effects)} effects of {study.name} are estimated "
                f"{said[0]}: combinations they need have not run."
            )
    return notes


def _contents(studies: Sequence[Study], shared: Mapping[str, Sequence[str]]) -> list[str]:
    """What else differs between the studies, and so may be what their effects differ by."""
    first, *rest = studies
    notes = []
    for other in rest:
        ours, theirs = _settings(first, shared), _settings(other, shared)
        differing = [
            f"{name} ({ours.get(name, 'not set')}, {theirs.get(name, 'not set')})"
            for name in dict.fromkeys([*ours, *theirs])
            if ours.get(name) != theirs.get(name)
        ]
        if differing:
            listed = ", ".join(differing[:MOST_SETTINGS])
            more = len(differing) - MOST_SETTINGS
            listed += f" and {more} more" if more > 0 else ""
            notes.append(f"{first.name} and {other.name} differ in {listed}.")
        if len(differing) > 1:
            notes.append(
                f"Which of these makes effects of {first.name} and {other.name} differ cannot be "
                "told."
            )
    return notes


def _settings(study: Study, shared: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Protocol, fixed factors and the parameters of shared levels, by name; no paths."""
    info = study.info
    settings = {}
    for section in ("data", "model", "train"):
        for name, value in dict(info.get(section) or {}).items():
            if name != "root" and f"{section}.{name}" not in study.factors:
                settings[f"{section}.{name}"] = str(value)
    for one in (info.get("spec") or {}).get("fixed") or []:
        settings[str(one["factor"])] = str(one["label"])
        settings |= _parameters(str(one["factor"]), one)
    for factor, labels in (info.get("levels") or {}).items():
        for label in shared.get(factor, ()):
            settings |= _parameters(f"{factor} {label}", dict(labels.get(label) or {}))
    return settings


def _parameters(where: str, level: Mapping[str, Any]) -> dict[str, str]:
    parameters = dict(level.get("parameters") or {})
    return {f"{where} {name}": str(value) for name, value in parameters.items()}


def _notes(studies: Sequence[Study], shared: Mapping[str, Sequence[str]]) -> list[str]:
    notes = []
    for study in studies:
        for name, levels in study.factors.items():
            if name not in shared:
                notes.append(f"{study.name} also varies {name}: its effects are averaged over it.")
            elif len(levels) > len(shared[name]):
                left = ", ".join(label for label in levels if label not in shared[name])
                notes.append(
                    f"{study.name} has levels of {name} the others lack, left out: {left}."
                )
    for first, second in combinations(studies, 2):
        if "cell" in first.frame.columns and "cell" in second.frame.columns:
            both = set(first.frame["cell"]) & set(second.frame["cell"])
            if both:
                notes.append(
                    f"{first.name} and {second.name} share {len(both)} runs: the intervals of "
                    "their differences assume independent runs and are too wide."
                )
    return notes
