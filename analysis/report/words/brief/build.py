"""The one place where what a report opens with is put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ablations.errors import InputError
from analysis.report.words.answer import Answer, answer
from analysis.report.words.brief.combinations import cell_map
from analysis.report.words.brief.lines import lines
from analysis.report.words.brief.records import Brief
from analysis.report.words.brief.rows import claim_rows, convergence_rows, factor_rows, pair_rows
from analysis.study import known

if TYPE_CHECKING:
    from analysis.study import Study


def brief(study: Study, found: Answer | None = None) -> Brief:
    """The lines and the table.

    Args:
        study: looks at accuracy, or at the outcome of somebody's table.
        found: its answer, where that is known already.

    Raises:
        InputError: nothing can be estimated yet.
    """
    found = answer(study) if found is None else found
    convergence = known(study.convergence)
    claims = claims_of(study)
    rows = [
        *claim_rows(study, claims),
        *factor_rows(study, found),
        *pair_rows(study, found),
        *convergence_rows(found, convergence),
    ]
    return Brief(lines(study, found, convergence, claims), tuple(rows), cell_map(study))


def claims_of(study: Study) -> pd.DataFrame:
    """The planned claims judged; empty where there are none, or none can be."""
    if not study.planned_claims:
        return pd.DataFrame()
    try:
        return study.claims()
    except InputError:
        return pd.DataFrame()
