"""How a run ended, in the words of a store; words of other tables become those.

`runner.content.outcome` says what converged, stalled and diverged mean.
"""

from __future__ import annotations

import pandas as pd

NOT_RUN = "not_run"
"""Status of a planned cell that has no outcome yet; the others are those of an outcome."""
FINISHED = ("converged", "stalled", "diverged")
MISSING_STATUSES = ("failed", "timeout", NOT_RUN)
"""Statuses whose accuracy is missing; a diverged run is data (accuracy at chance)."""
FAILED = ("failed", "timeout")
"""Of those, the ones that have ended."""
SAME_STATUS = {"ok": "converged", "at_chance": "stalled", "infra_failed": "failed"}
"""Words of other tables for the statuses of a store."""
CONVERGED = {"converged": 1.0, "stalled": 0.0, "diverged": 0.0}
"""Whether a finished run converged."""
KNOWN = frozenset({*FINISHED, *MISSING_STATUSES, *SAME_STATUS})


def standard(words: pd.Series) -> pd.Series | None:
    """Statuses in the words of a store; None where some word is none."""
    texts = words.astype(str).str.strip()
    return texts.replace(SAME_STATUS) if texts.isin(KNOWN).all() else None
