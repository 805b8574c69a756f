"""The sections of effects.json that belong to other outcomes than the response.

Each is there where the table has its columns, else null. A section that the data cannot support
says so in one sentence instead of failing the document.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from ablations.errors import InputError
from analysis.table.records import records
from analysis.table.tidy import MISSING_TEXT, SAME_STATUS
from runner.spec.claims import parse_claim

if TYPE_CHECKING:
    from analysis.study import Study
    from analysis.verdicts.rate_claims import Outcomes

TIME_COLUMNS = ("epochs_to_target", "epochs_run", "epochs_budget", "status")
NUMBERS = ("epochs_to_target", "epochs_run", "epochs_budget", "n_test", "seconds")


def other_outcomes(study: Study, confidence: float) -> dict[str, Any]:
    """JSON-ready sections: convergence, time_to_target, given_converged, missing, claims.

    Args:
        study: whose frame may have columns of other outcomes.
        confidence: of every interval.
    """
    frame = with_types(study.frame)
    sections: dict[str, Any] = {}
    if "converged" in frame:
        sections["convergence"] = _attempt(lambda: study.convergence(confidence).to_dict())
        if study.response not in ("converged", *TIME_COLUMNS):
            sections["given_converged"] = _attempt(
                lambda: study.given_converged(confidence).to_dict()
            )
    if set(TIME_COLUMNS) <= set(frame.columns):
        sections["time_to_target"] = _attempt(lambda: study.time_to_target(confidence).to_dict())
    if "status" in frame or frame[study.response].isna().any():
        sections["missing"] = _attempt(lambda: _missing(study, frame, confidence))
    if study.planned_claims:
        sections["claims"] = _attempt(lambda: records(study.claims(confidence)))
    return sections


def claimed_outcomes(study: Study) -> Outcomes:
    """What the study's claims on convergence and epochs are answered from."""
    from analysis.outcomes.time_to_target import restricted_cells
    from analysis.table.rates import counts
    from analysis.verdicts.rate_claims import Outcomes

    wanted = {parse_claim(text).outcome for text in study.planned_claims}
    found = Outcomes()
    frame = with_types(study.frame)
    if "convergence" in wanted and "converged" in frame and frame["converged"].notna().any():
        hits, runs, _ = counts(frame, study.factors, "converged")
        found = replace(found, hits=hits, runs=runs)
    if "epochs" in wanted and set(TIME_COLUMNS) <= set(frame.columns):
        try:
            cells, censored = restricted_cells(frame, study.factors, study.replicate)
        except InputError:  # no run has a time yet
            return found
        found = replace(found, epochs=cells, censored=censored)
    return found


def with_types(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with outcome columns as numbers, whatever text a CSV had.

    `converged` becomes 1, 0 or NaN, from itself or from `status`; it is dropped where it is
    something else than yes and no.
    """
    numbers = [name for name in NUMBERS if name in frame.columns]
    typed = frame.assign(
        **{name: pd.to_numeric(frame[name], errors="coerce").astype(float) for name in numbers}
    )
    converged = yes_or_no(frame)
    if converged is not None:
        return typed.assign(converged=converged)
    return typed.drop(columns="converged", errors="ignore")


def yes_or_no(frame: pd.DataFrame) -> pd.Series | None:
    """Convergence per run as 1, 0 or NaN; from `converged`, else from `status`; or None."""
    if "converged" in frame.columns:
        column = frame["converged"]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            return column.astype(float)
        words = {"1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0, "true": 1.0, "false": 0.0,
                 "yes": 1.0, "no": 0.0}  # fmt: skip
        texts = column.astype(str).str.strip().str.lower()
        if texts.isin(set(words) | MISSING_TEXT).all():
            return texts.map(words).astype(float)
        return None
    if "status" in frame.columns:
        known = {"converged": 1.0, "stalled": 0.0, "diverged": 0.0}
        lost = {"timeout", "failed", "not_run"}
        texts = frame["status"].astype(str).replace(SAME_STATUS)
        if texts.isin(set(known) | lost).all():
            return texts.map(known).astype(float)
    return None


def _missing(study: Study, frame: pd.DataFrame, confidence: float) -> dict[str, Any]:
    from analysis.outcomes.missing import missing

    return missing(frame, study.factors, study.response, confidence).to_dict()


def _attempt(section: Callable[[], Any]) -> Any:
    try:
        return section()
    except InputError as error:
        return {"reason": str(error)}
