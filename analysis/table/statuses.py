"""How a run ended, in the words of a store; words of other tables become those.

`runner.content.outcome` says what reached, short, stalled and diverged mean. "Converged" means that
the target was reached, except in somebody's table that says who converged and not when: there it
means what they say (`Goal`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from runner.content.outcome import OLD_LEARNED, Target
from runner.content.response import CONVERGED, LEARNED, Response, Words

NOT_RUN = "not_run"
"""Status of a planned cell that has no outcome yet; the others are those of an outcome."""
REACHED, SHORT = "reached", "short"
FINISHED = (REACHED, SHORT, OLD_LEARNED, "learned", "finished", "stalled", "diverged")
MISSING_STATUSES = ("failed", "timeout", NOT_RUN)
"""Statuses whose accuracy is missing; a diverged run is data (accuracy at chance)."""
FAILED = ("failed", "timeout")
"""Of those, the ones that have ended."""
SAME_STATUS = {"ok": OLD_LEARNED, "at_chance": "stalled", "infra_failed": "failed"}
"""Words of other tables for the statuses of a store."""
CONVERGES = {REACHED: 1.0, SHORT: 0.0, OLD_LEARNED: 1.0, "stalled": 0.0, "diverged": 0.0}
"""Whether a finished run converged."""
KNOWN = frozenset({*FINISHED, *MISSING_STATUSES, *SAME_STATUS})


def standard(frame: pd.DataFrame) -> pd.Series | None:
    """The statuses of a table in the words of a store; None where some word is none.

    A table that says when runs reached their target, and not itself who converged, tells by that
    which of them did: what was better than guessing, and called converged for it, is reached or
    short.
    """
    texts = frame["status"].astype(str).str.strip()
    if not texts.isin(KNOWN).all():
        return None
    texts = texts.replace(SAME_STATUS)
    if "epochs_to_target" not in frame or "converged" in frame:
        return texts
    reached = pd.to_numeric(frame["epochs_to_target"], errors="coerce").notna()
    learned = texts.isin((OLD_LEARNED, "learned"))
    texts = texts.mask(learned & ~reached, SHORT)
    return texts.mask((learned | (texts == "stalled")) & reached, REACHED)


@dataclass(frozen=True, slots=True)
class Goal:
    """What a run that converged did, as sentences say it.

    Attributes:
        did, does, do: the verb: "3 runs **reached 90% validation accuracy**".
        short: of a column's head or a legend's line.
        target: what was to be reached; None where a table does not tell the number.
    """

    did: str
    does: str
    do: str
    short: str
    target: Target | None = None

    @property
    def did_not(self) -> str:
        """The verb denied of one run: "did not reach the target"."""
        return "was not better than guessing" if self == BETTER else f"did not {self.do}"

    @property
    def to_do(self) -> str:
        """The verb as in "what makes runs reach the target"."""
        return "be better than guessing" if self == BETTER else self.do

    @staticmethod
    def to(target: Target | None) -> Goal:
        """To reach the target; without one known, to reach "the target"."""
        what = "the target" if target is None else target.words
        return Goal(f"reached {what}", f"reaches {what}", f"reach {what}", REACHED, target)

    @property
    def record(self) -> Response:
        """The record of convergence, in these words."""
        if self == BETTER:
            return LEARNED
        said = Words(self.does, f"does not {self.do}", "more often", "less often", "points")
        return replace(CONVERGED, name=f"runs that {self.did}", words=said)


AS_SAID = Goal("converged", "converges", "converge", OLD_LEARNED)
"""Of a table that says itself which runs converged."""
BETTER = Goal(
    "were better than guessing", "is better than guessing", "are better than guessing", "better"
)
"""What training says without a target."""


def goal_of(frame: pd.DataFrame) -> Goal:
    """What converging means in somebody's table."""
    if "converged" in frame or "epochs_to_target" not in frame:
        return AS_SAID
    return Goal.to(None)
