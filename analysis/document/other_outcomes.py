"""The sections of effects.json that belong to other outcomes than the one looked at.

Each is there where the table has its columns, else null. A section that the data cannot support
says so in one sentence instead of failing the document.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ablations.errors import InputError
from analysis.outcomes.target_times import NEEDED
from analysis.table.records import records
from runner.content.response import CONVERGED, LEARNED

if TYPE_CHECKING:
    from analysis.causes.found import Causes
    from analysis.study import Study

SECTIONS = (
    "target",
    "convergence",
    "learned",
    "time_to_target",
    "given_converged",
    "missing",
    "claims",
    "causes",
)


def other_sections(study: Study, confidence: float) -> dict[str, Any]:
    """JSON-ready sections, those that the table has something for.

    Args:
        study: whose frame may have columns of other outcomes.
        confidence: of every interval.
    """
    others = study.others(confidence)
    sections: dict[str, Any] = {}
    if study.goal.target is not None:
        target = study.goal.target
        sections["target"] = {"accuracy": target.accuracy, "derived": target.derived}
        if target.response:
            sections["target"] |= {"response": target.response, "lower": target.lower}
    outcomes = set(study.facts.columns)
    if CONVERGED.column in outcomes:
        sections["convergence"] = _attempt(lambda: others.convergence.to_dict())
        if study.response not in (CONVERGED.column, *NEEDED):
            sections["given_converged"] = _attempt(lambda: others.given_converged.to_dict())
    if LEARNED.column in outcomes:
        sections["learned"] = _attempt(lambda: others.learned.to_dict())
    if set(NEEDED) <= outcomes:
        sections["time_to_target"] = _attempt(lambda: others.time_to_target.to_dict())
    if "status" in outcomes or study.runs[study.response].isna().any():
        sections["missing"] = _attempt(lambda: others.missing.to_dict())
    if study.causes is not None:
        sections["causes"] = _causes(study.causes)
    if study.planned_claims:
        sections["claims"] = _attempt(lambda: records(study.claims(confidence=confidence)))
    return sections


def _causes(found: Causes) -> dict[str, Any]:
    """Why runs did not converge, and at which levels each cause never comes."""
    return {
        "runs": [
            {"cell": cell, **one.to_dict()}
            for cell, one in zip(found.cells, found.of, strict=True)
            if one is not None and not one.healthy
        ],
        "counts": found.counts,
        "absent_from": [
            {**asdict(one), "at": list(one.at), "without": list(one.without)}
            for kind in found.counts
            for one in found.removals(kind)
        ],
    }


def _attempt(section: Callable[[], Any]) -> Any:
    try:
        return section()
    except InputError as error:
        return {"reason": str(error)}
