"""Effects as one JSON document, the contract with everything outside Python.

The published schema is `effects.schema.json`. A number that cannot be estimated is null, never 0
and never absent. Other outcomes (convergence, time to target, claims) are null where the table has
no column for them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ablations.errors import InputError
from analysis.document.level_sections import LEVELS, level_sections
from analysis.document.other_outcomes import SECTIONS, other_sections
from analysis.document.parts import PARTS, best_section, judgement_section, part_of
from analysis.document.screen_section import screen_section, with_screen
from analysis.document.tuning_section import confounds_section, tuning_section
from analysis.effects.same_runs import same_runs
from analysis.table.records import plain, records
from runner.program.files import write_whole

if TYPE_CHECKING:
    from analysis.effects.estimate import Effects
    from analysis.study import Study

SCHEMA_VERSION = 2
SCHEMA_ID = f"urn:ablation-grid-runner:effects:{SCHEMA_VERSION}"
SCHEMA_PATH = Path(__file__).with_name("effects.schema.json")


def document(study: Study, order: int | None = 2, confidence: float = 0.95) -> dict[str, Any]:
    """The whole document as plain values.

    Args:
        study: whose outcome looked at is estimated; its other outcomes stand beside it.
        order: highest order of the classical fit, None for the full model.
        confidence: of every interval.

    Raises:
        InputError: no effect can be estimated, and the table does not even say which runs
            converged.
    """
    effects, why = _effects(study, order, confidence)
    others = other_sections(study, confidence)
    if effects is None and not isinstance(others.get("convergence"), dict):
        raise InputError(why)
    parts = {key: part_of(effects, part, why) for key, part in PARTS.items()}
    best: dict[str, Any] = {"judgement": None, "best": None, "interaction_kinds": None}
    if effects is not None:
        parts["contrasts"] = with_screen(study, parts["contrasts"])
        best["judgement"] = judgement_section(study.judgement)
        best["best"] = best_section(study.best(confidence), study.cells)
        best["interaction_kinds"] = records(
            study.interaction_kinds().drop(columns=["factor_a", "factor_b"])
        )
    return {
        "$schema": SCHEMA_ID,
        "schema_version": SCHEMA_VERSION,
        "study": study.name,
        **_size(study, effects),
        "order": "full" if order is None else order,
        "confidence": confidence,
        **parts,
        "marginal_means": _marginal_means(study, effects, why),
        **best,
        **(dict.fromkeys(LEVELS) if effects is None else level_sections(study, confidence)),
        "screen": None if effects is None else screen_section(study),
        "tuning": tuning_section(study),
        "confounds": None if effects is None else confounds_section(study),
        "same_runs": [
            asdict(one) for one in same_runs(study.runs, study.factors, study.response, study.block)
        ],
        **dict.fromkeys(SECTIONS),
        **plain(others),
    }


def _effects(study: Study, order: int | None, confidence: float) -> tuple[Effects | None, str]:
    """The effects, or why there are none."""
    try:
        return study.estimates(order, confidence), ""
    except InputError as error:
        return None, str(error)


def _marginal_means(study: Study, effects: Effects | None, why: str) -> Any:
    """Means by method, none beyond what the outcome can be."""
    found = part_of(effects, PARTS["marginal_means"], why)
    for row in [row for rows in found.values() for row in rows]:
        mean = row["mean"]
        if mean is not None and mean != study.measure.within(mean):
            ends = {one: row[one] for one in ("mean", "low", "high") if row[one] is not None}
            row |= {one: float(study.measure.within(value)) for one, value in ends.items()}
    return found


def _size(study: Study, effects: Effects | None) -> dict[str, Any]:
    """What was looked at, and how much of it there is; levels that never ran are no part of it."""
    factors = study.factors if effects is None else effects.table.factors
    counted = int(study.runs[study.response].notna().sum()) if effects is None else effects.cells.n
    return {
        "n_runs": counted,
        "n_planned": len(study.frame),
        "n_cells": int(np.prod([len(levels) for levels in factors.values()])),
        "response": study.response,
        "block": study.block,
        "factors": {name: list(levels) for name, levels in factors.items()},
    }


def bound(study: Study) -> Callable[..., dict[str, Any]]:
    """`study.document(order, confidence)`."""
    return partial(document, study)


def write_document(content: Mapping[str, Any], path: Path) -> None:
    """Write as JSON; a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, document_text(content) + "\n")


def document_text(content: Mapping[str, Any]) -> str:
    """As JSON, one record a line: read by eye, and compared line by line."""
    return _text(content, "")


def _text(value: Any, indent: str) -> str:
    """A value as JSON; the lines after the first begin with `indent`."""
    deeper = indent + " "
    if isinstance(value, dict) and any(map(_has_records, value.values())):
        parts = [f"{_encode(key)}: {_text(inner, deeper)}" for key, inner in value.items()]
        return "{\n" + ",\n".join(deeper + part for part in parts) + f"\n{indent}}}"
    if _has_records(value):
        return "[\n" + ",\n".join(deeper + _encode(one) for one in value) + f"\n{indent}]"
    return _encode(value)


def _has_records(value: Any) -> bool:
    """Whether it is a list of records, or holds one."""
    if isinstance(value, dict):
        return any(map(_has_records, value.values()))
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


_encode = partial(json.dumps, ensure_ascii=False, allow_nan=False)
