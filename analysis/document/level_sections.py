"""The part of effects.json about levels that are numbers and about changes of a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.effects.levels.optimum import optima_table
from analysis.study import known
from analysis.table.records import plain, records

if TYPE_CHECKING:
    from analysis.study import Study

LEVELS = ("trends", "optima", "from_baseline")
"""Its keys; null where no effect can be estimated, and the last where the baseline did not run."""


def level_sections(study: Study, confidence: float) -> dict[str, Any]:
    """Parts of numeric factors, the levels that curves pick, and single changes of the baseline."""
    optima = study.optima(confidence)
    curves = [
        {"levels": plain(one.axis.values), "curve": plain(one.curve)} for one in optima.values()
    ]
    changes = known(lambda: study.from_baseline(confidence=confidence))
    return {
        "trends": records(study.trends(confidence)),
        "optima": [
            row | more for row, more in zip(records(optima_table(optima)), curves, strict=True)
        ],
        "from_baseline": None
        if changes is None
        else {"baseline": study.baseline, "rows": records(changes)},
    }
