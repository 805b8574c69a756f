"""Which runs did not converge, of what, and which level of a factor removes it: one paragraph.

Says nothing where all converged. A factor is named where the counts are more than luck
(`runner.doctor.cells.grid`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.doctor.causes.kinds import KINDS
from runner.doctor.cells.why import NOT_KNOWN
from runner.program.wording import counted, listed

if TYPE_CHECKING:
    from analysis.causes.found import Causes
    from analysis.table.statuses import Goal
    from runner.doctor.cells.grid import Removal

MOST_CAUSES, MOST_FACTORS = 4, 2
"""Named in the paragraph; the table of runs has all."""


def why_sentences(found: Causes | None, goal: Goal) -> list[str]:
    """The paragraph after the answer; [] where all runs converged or nothing is known of them."""
    if found is None or not found.any:
        return []
    ended = [one for one in found.of if one is not None]
    ill = [one for one in ended if not one.healthy]
    verb = "it" if len(ill) == 1 else "they"
    sentences = [
        f"Why {len(ill)} of {counted(len(ended), 'run')} did not {goal.do}, as told from what "
        f"{verb} left (no repair was run)."
    ]
    counts = {kind: n for kind, n in found.counts.items() if kind != NOT_KNOWN}
    sentences += [_cause(found, goal, kind, n) for kind, n in list(counts.items())[:MOST_CAUSES]]
    if rest := sum(list(counts.values())[MOST_CAUSES:]):
        sentences.append(f"Other causes: {counted(rest, 'run')}.")
    if unknown := found.counts.get(NOT_KNOWN):
        sentences.append(f"Not known: {counted(unknown, 'run')}.")
    bare = sum(not one.evidence for one in ill)
    if bare:
        whose = "all of them" if bare == len(ill) else counted(bare, "run")
        sentences.append(f"Of {whose} only the curve is known, not what the layers did.")
    return sentences


def _cause(found: Causes, goal: Goal, kind: str, count: int) -> str:
    told = f"{KINDS[kind].title} in {counted(count, 'run')}"
    removed = found.removals(kind)[:MOST_FACTORS]
    return (
        f"{told}: {'; and '.join(_removal(one, goal) for one in removed)}."
        if removed
        else f"{told}."
    )


def _removal(one: Removal, goal: Goal) -> str:
    told = (
        f"all at {one.factor} {listed(one.at, 'or')}, none of the {one.runs} at "
        f"{listed(one.without, 'or')}"
    )
    if not one.partners:
        return told
    which = "run there differs" if one.partners == 1 else "runs there differ"
    return (
        f"{told} ({one.partners} {which} from them in {one.factor} alone: "
        f"{one.partners_converged} {goal.did})"
    )
