"""What is open and what it would take: of planned claims first, then of all differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.report.words.brief.rows import replicates_words
from analysis.study import known
from analysis.verdicts.looks_words import in_one_sentence
from runner.program.wording import counted, listed

if TYPE_CHECKING:
    from analysis.study import Study

VERDICTS = ("supported", "refuted", "undecided", "not testable")


def open_line(study: Study, claims: pd.DataFrame) -> str:
    """The sentence; "" where nothing was asked of differences and nothing may be said yet."""
    asked = _claims(study, claims)
    told = [one for one in (asked, _differences(study, short=bool(asked))) if one]
    text = "; ".join(told)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _claims(study: Study, claims: pd.DataFrame) -> str:
    """How many planned claims have which verdict, and what the nearest open one takes."""
    if claims.empty:
        return ""
    counts = claims["verdict"].value_counts()
    there = [(int(counts[one]), one) for one in VERDICTS if one in counts]
    so_far = " so far" if study.running else ""
    if len(claims) == 1:
        told = f"the planned claim is {there[0][1]}{so_far}"
    else:
        said = [f"{n} {'is' if n == 1 else 'are'} {verdict}" for n, verdict in there]
        told = f"of {len(claims)} planned claims {listed(said)}{so_far}"
        if len(there) == 1:
            every = "both" if len(claims) == 2 else f"all {len(claims)}"
            told = f"{every} planned claims are {there[0][1]}{so_far}"
    left = claims[claims["verdict"] == "undecided"]
    if left.empty or study.judgement.silent or study.running:
        return told
    needed = left["replicates_to_decide"].to_numpy(float)
    most = np.inf if np.isposinf(needed).all() else np.nan
    nearest = int(np.argmin(np.where(np.isfinite(needed), needed, np.inf)))
    one, least = left.iloc[nearest], needed[nearest] if np.isfinite(needed).any() else most
    look = known(study.decided)
    planned = 1 if look is None else look.planned
    words = replicates_words(float(least), float(one["replicates"]), planned, running=False)
    if not np.isfinite(least):
        return f"{told} ({'it takes' if len(left) == 1 else 'each takes'} {words})"
    if len(claims) == 1:
        return f"{told} (it takes {words})"
    which = "" if len(left) == 1 else "the nearest, "
    return f"{told} ({which}{one['claim']}, takes {words})"


def _differences(study: Study, *, short: bool) -> str:
    if study.judgement.silent or study.screen is not None:
        return ""
    decided = known(study.decided)
    if decided is not None:
        return in_one_sentence(decided, short=short)
    ran = int(study.cells.counts.max(initial=0))
    if ran > 1:
        return ""
    return (
        f"each of {counted(len(study.cells.ran), 'combination')} ran once, so nothing measures "
        "the noise itself; a second replicate would"
    )
