"""Which verdicts hold: of the claims that all studies plan, what each says, and whether all agree.

A verdict holds where every study reaches it by its own runs. Whether two estimates differ is
another question, and `comparison` answers it: one supported here and open there may be the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from ablations.errors import InputError
from runner.program.wording import counted, listed
from runner.spec.claims import parse_claim

if TYPE_CHECKING:
    from analysis.study import Study

COLUMNS = ("claim", "outcome", "scale", "study", "verdict", "estimate", "low", "high", "again")
DECIDED = ("supported", "refuted")
HOLDS, REVERSED, IN_PART, OPEN = "holds", "reversed", "decided in part", "open"


def verdicts_of_all(studies: Sequence[Study]) -> pd.DataFrame:
    """The claims that all of them plan, in the first one's order.

    Returns:
        One row a claim and study: claim, outcome, scale (of the outcome as it is shown, 100 for
        points), study, verdict, estimate, low, high (as stored) and again, the same in all rows of
        a claim: "holds" (all reach the same verdict), "reversed" (one supports what another
        refutes), "decided in part" (some leave open what others decide) or "open" (none decides
        it). Empty where no claim is planned by all, or one of them cannot judge its own.
    """
    try:
        tables = [_claims_of(study) for study in studies]
    except InputError:
        tables = []
    shared = [
        claim for claim in (tables[0]["claim"] if tables else ())
        if all(claim in set(table["claim"]) for table in tables)
    ]  # fmt: skip
    rows = [
        rows.assign(again=_again(rows["verdict"].tolist()))
        for claim in dict.fromkeys(shared)
        for rows in [pd.concat([one[one["claim"] == claim].head(1) for one in tables])]
    ]
    if not rows:
        return pd.DataFrame(columns=list(COLUMNS))
    table: pd.DataFrame = pd.concat(rows, ignore_index=True)[list(COLUMNS)]
    return table


def _claims_of(study: Study) -> pd.DataFrame:
    table = study.claims()
    abouts = [parse_claim(text, study.measure, study.outcomes).about for text in table["claim"]]
    return table.assign(study=study.name, scale=[float(one.scale) for one in abouts])


def _again(verdicts: Sequence[str]) -> str:
    found = {one for one in verdicts if one in DECIDED}
    if len(found) == len(DECIDED):
        return REVERSED
    if not found:
        return OPEN
    return HOLDS if len(set(verdicts)) == 1 else IN_PART


def sentence(verdicts: pd.DataFrame) -> str:
    """How many verdicts hold; "" where no claim is shared."""
    if verdicts.empty:
        return ""
    each = verdicts.drop_duplicates("claim")
    kinds = Counter(each["again"])
    both = "both" if verdicts["study"].nunique() == 2 else "all"
    held = Counter(each.loc[each["again"] == HOLDS, "verdict"])
    parts = [f"{held[verdict]} {verdict}" for verdict in DECIDED if held[verdict]]
    of = f" ({listed(parts)})" if parts else ""
    gets = "gets" if kinds[HOLDS] == 1 else "get"
    text = f"Of {counted(len(each), 'claim')} that {both} plan, {kinds[HOLDS] or 'none'} {gets} "
    text += f"the same verdict from {both}{of}"
    rest = {
        REVERSED: "reversed",
        IN_PART: "decided in part of the studies",
        OPEN: f"open in {both}",
    }
    said = [
        f"{kinds[kind] or 'none'} {'is' if kinds[kind] < 2 else 'are'} {words}"
        for kind, words in rest.items()
        if kinds[kind] or kind == REVERSED
    ]
    return f"{text}; {listed(said)}."
