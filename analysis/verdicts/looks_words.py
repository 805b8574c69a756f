"""Is it decided yet, in one line: for the end of a run, the report and the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from runner.program.wording import counted

if TYPE_CHECKING:
    import pandas as pd

    from analysis.verdicts.looks import Decided

NAMED = 3
"""So many open differences are named; more are counted by factor."""
WORTH = 5
"""Times the planned replicates: a difference that takes more is not worth deciding."""

COMBINATIONS = "more combinations, not more runs of these"


def in_one_line(look: Decided) -> str:
    """How many differences between levels are decided, which are open, what would decide them."""
    if look.judgement.silent:
        return look.sentence
    table = look.table
    left = table[~table["decided"].astype(bool)]
    done = len(table) - len(left)
    text = f"Decided: {done} of {counted(len(table), 'difference')} between levels, {look.after}."
    lost = left[left["estimate"].isna()]
    if len(lost):
        text += (
            " Not to be estimated from the combinations that ran, however often each is repeated: "
            f"{_listed(lost)}."
        )
    left = left[left["estimate"].notna()]
    untested = left[left["p"].isna()]
    if len(untested):
        text += f" Cannot be tested with the runs at hand: {_listed(untested)}."
    left = left[left["p"].notna()]
    if left.empty:
        return text
    text += f" Open: {_listed(left)}."
    more = _affordable(look, left)
    if not more.size:
        them = "it" if len(left) == 1 else "them"
        have = counted(look.planned, "replicate")
        takes = COMBINATIONS if _never(left) else f"more than {WORTH} times the {have}"
        return f"{text} Telling {them} from zero would take {takes}."
    least, most = int(more.min()), int(more.max())
    them = "it" if len(left) == 1 else "all of them"
    if len(more) < len(left):
        them = f"{len(more)} of the {len(left)}"
    text += f" About {counted(least, 'more replicate')} would decide "
    return f"{text}{them}." if least == most else f"{text}one, about {most} would decide {them}."


def in_one_sentence(look: Decided, *, short: bool = False) -> str:
    """The same as a clause that can stand behind another; `short`: how many are left, unnamed."""
    table = look.table
    left = table[~table["decided"].astype(bool)]
    whole = counted(len(table), "difference")
    if left.empty:
        return f"every difference between levels is decided {look.after}"
    told = left[left["p"].notna()]
    many = f"{len(left)} of {whole} between levels"
    if short:
        more = _affordable(look, told)
        takes = f"the nearest takes about {int(more.min())} more" if more.size else ""
        if not more.size and len(told):
            each = "it" if len(left) == 1 else "each"
            number = COMBINATIONS if _never(told) else f"more than {WORTH * look.planned}"
            takes = f"{each} takes {number}"
        behind = f" ({takes})" if takes else ""
        return f"{many} {'is' if len(left) == 1 else 'are'} undecided {look.after}{behind}"
    named = _named(left) if len(left) <= NAMED else f"{many} ({_counted(left)})"
    text = f"undecided {look.after}: {named}"
    if told.empty and left["estimate"].isna().all():
        return f"{text}; it takes other combinations, not more runs of these"
    if told.empty:
        return f"{text}; the runs at hand cannot tell"
    more = _affordable(look, told)
    if not more.size:
        them = "it" if len(left) == 1 else "them"
        many_more = f"more than {WORTH * look.planned} replicates"
        takes = COMBINATIONS if _never(told) else many_more
        return f"{text}; telling {them} from zero takes {takes}"
    least, most = int(more.min()), int(more.max())
    about = f"about {counted(least, 'more replicate')} would decide"
    if len(left) == 1:
        return f"{text}; {about} it"
    if least == most:
        return f"{text}; {about} {len(more)} of the {len(left)}"
    return f"{text}; {about} one, {most} would decide {len(more)} of the {len(left)}"


def _never(left: pd.DataFrame) -> bool:
    """Whether further runs of these combinations would decide none of these differences."""
    return bool(np.isposinf(left["replicates_to_decide"].to_numpy(float)).all())


def _affordable(look: Decided, left: pd.DataFrame) -> np.ndarray:
    """Further replicates for each difference that is worth deciding."""
    more = left["replicates_to_decide"].to_numpy(float) - look.runs  # NaN: more than can be said
    return np.asarray(np.maximum(np.ceil(more[more <= WORTH * look.planned]), 1))


def _listed(rows: pd.DataFrame) -> str:
    return _named(rows) if len(rows) <= NAMED else _counted(rows)


def _named(left: pd.DataFrame) -> str:
    rows = zip(left["factor"], left["level"], left["reference"], strict=True)
    return ", ".join(f"{factor} ({level} or {reference})" for factor, level, reference in rows)


def _counted(left: pd.DataFrame) -> str:
    counts = left["factor"].astype(str).value_counts(sort=False)
    return ", ".join(f"{count} of {factor}" for factor, count in counts.items())


__all__ = ["in_one_line", "in_one_sentence"]
