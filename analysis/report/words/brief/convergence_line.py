"""Which runs converged, and which factor or combination decides that, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.number_words import difference_text, p_phrase, signed
from analysis.report.words.convergence_words import against, deciding_table
from analysis.report.words.progress import so_far
from analysis.study import known
from analysis.verdicts.claim_verdicts import EQUAL, WITHIN
from runner.doctor.causes.kinds import KINDS
from runner.doctor.cells.why import NOT_KNOWN
from runner.program.wording import counted, listed

if TYPE_CHECKING:
    from analysis.outcomes.convergence import Convergence
    from analysis.study import Study

MOST_NAMED = 3
ROUNDED = 0.01
"""Two rates in whole percent may differ by so much more or less than is said of them."""
FEW = 0.5
"""Share of runs that converged, below which the chief cause of the others is said first."""


def convergence_line(study: Study, convergence: Convergence | None) -> str:
    """What decides which runs converge; "" where every run did, or nothing is known of it.

    Where no run reached the target, the same of being better than guessing.
    """
    if convergence is None or (convergence.converged and not convergence.mixed):
        return ""
    goal = convergence.goal
    if convergence.mixed:
        return _sentence(_decides(study, convergence), study, convergence)
    none = f"no run {goal.did}{so_far(study)} (0 of {convergence.runs})"
    learned = known(study.learned)
    if learned is not None and learned.mixed:
        return _sentence(f"{none}; {_decides(study, learned)}", study, convergence)
    if learned is not None and not learned.converged:
        none += ", and none was better than guessing"
    elif goal.target is not None and not study.running:
        none += "; a lower train.target would tell runs apart, and retrains nothing"
    return _sentence(none, study, convergence)


def _sentence(text: str, study: Study, convergence: Convergence) -> str:
    return f"{text[:1].upper()}{text[1:]}{_cause(study, convergence)}."


def _decides(study: Study, convergence: Convergence) -> str:
    """Of an outcome that some runs have and some do not."""
    goal = convergence.goal
    count = f"{convergence.converged} of {counted(convergence.runs, 'run')} {goal.did}"
    table, level = deciding_table(study, convergence)
    clear = table[table["conv_p_family"] <= level]
    clear = clear.sort_values("conv_estimate", ascending=False, kind="stable")
    if len(clear):
        both = convergence.together(clear["factor"].tolist(), level)
        if both is not None:
            return f"{against(both, convergence)} ({p_phrase(float(both['p_holm']))})"
        rows = clear.to_dict("records")
        further = list(map(_further, rows[1:MOST_NAMED]))
        more = len(rows) - 1 - len(further)
        further += [f"{more} more"] if more else []
        then = f", then {listed(further)}" if further else ""
        return f"{count}; what decides which{so_far(study)}: {_first(rows[0], convergence)}{then}"
    combined = (study.primary or study).judgement.of("combination")
    if combined["shown"].any():
        p = float(combined["p_family"].iloc[0])
        return f"{against(convergence.clearest, convergence)} ({p_phrase(p)})"
    return f"{count}, and no factor is shown{so_far(study)} to decide which"


def _first(row: dict[Any, Any], convergence: Convergence) -> str:
    """The factor that decides most, with its two rates and how far they are apart."""
    if pd.isna(row["conv_best"]):  # equal rates over unequal combinations
        return f"{row['factor']} ({p_phrase(row['conv_p_family'])})"
    rates = convergence.rates[convergence.rates["factor"] == row["factor"]]
    rate = rates.set_index("level")["rate"].astype(float)
    ends = (float(row["conv_estimate"]), float(row["conv_low"]), float(row["conv_high"]))
    apart = difference_text(*ends, convergence.goal.record)
    if abs(rate[row["conv_best"]] - rate[row["conv_worst"]] - ends[0]) > ROUNDED:
        equal = EQUAL if row["factor"] in convergence.compared.models else WITHIN
        apart = f"{apart}, {equal}"
    return (
        f"{row['factor']} ({rate[row['conv_best']]:.0%} with {row['conv_best']}, "
        f"{rate[row['conv_worst']]:.0%} with {row['conv_worst']}: {apart})"
    )


def _further(row: dict[Any, Any]) -> str:
    if pd.isna(row["conv_best"]) or not np.isfinite(row["conv_estimate"]):
        return f"{row['factor']} ({p_phrase(row['conv_p_family'])})"
    return f"{row['factor']} ({row['conv_best']} {signed(100 * float(row['conv_estimate']))})"


def _cause(study: Study, convergence: Convergence) -> str:
    """The chief cause where more than half did not converge."""
    causes = study.causes
    if causes is None or convergence.converged >= FEW * convergence.runs:
        return ""
    counts = {kind: n for kind, n in causes.counts.items() if kind != NOT_KNOWN}
    if not counts:
        return ""
    kind = max(counts, key=lambda one: counts[one])
    ill = sum(counts.values()) + causes.counts.get(NOT_KNOWN, 0)
    title = KINDS[kind].title
    those = f"{ill} others" if convergence.converged else counted(ill, "run")
    many = f"all {those}" if counts[kind] == ill else f"{counts[kind]} of the {those}"
    chief = "chief cause" if 2 * counts[kind] > ill else "most frequent known cause"
    return f"; {chief}: {title[:1].lower()}{title[1:]} ({many})"
