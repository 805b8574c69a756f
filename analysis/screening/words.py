"""A screening study in sentences that ask for no knowledge of designs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.program.wording import listed

if TYPE_CHECKING:
    from analysis.screening.follow_up import FollowUp
    from analysis.screening.screen import Screened

FEWEST_RUNS = 12
"""Combinations of the smallest screening design, which the one of 24 holds."""


def screening_sentences(found: Screened, next_study: FollowUp | None) -> list[str]:
    """The few that matter, what each could be as well, and what to run next."""
    if found.screen.effects.refused:
        return [f"No factor can be told from noise: {found.screen.effects.refused}."]
    count, sentences = len(found.screen.factors), []
    sure = [one for one in found.matter if one not in found.rivals]
    if sure:
        verb = "matters" if len(sure) == 1 else "matter"
        few = listed([f"{one} (better at {found.better[one]})" for one in sure])
        sentences.append(f"Of {count} factors {len(sure)} {verb}: {few}.")
    for factor, pairs in found.rivals.items():
        named = listed([f"{one} and {other} acting together" for one, other in pairs], "or")
        sentences.append(
            f"{factor} looks as if it mattered (better at {found.better[factor]}), but could "
            f"instead be {named}: these runs cannot tell which."
        )
    if found.acting_together:
        pairs_of = listed([f"{one} with {other}" for one, other in found.acting_together])
        sentences.append(
            f"There are signs that factors change each other's effect ({pairs_of}), which so few "
            "combinations cannot prove."
        )
    if found.shadows:
        single = len(found.shadows) == 1
        looks = "look as it does, so it is" if single else "look as they do, so they are"
        sentences.append(
            f"That alone would make {listed(found.shadows)} {looks} left out of what comes next."
        )
    return [*sentences, _next(found, next_study)]


def _next(found: Screened, next_study: FollowUp | None) -> str:
    if next_study is not None:
        return f"Next: {next_study.what}."
    if found.next:
        return f"Next: all combinations of {listed(found.next)}."
    runs, factors = found.screen.signs.shape
    if runs == FEWEST_RUNS and factors < FEWEST_RUNS:
        return (
            "Next: 'runs: 24' in the file's design, and the same command: it keeps these "
            f"{runs} combinations and adds their mirror images."
        )
    return (
        "Next: one replicate more ('replicates' in the file), and the same command: intervals "
        "become narrower."
    )


def command_sentence(next_study: FollowUp, path: str) -> str:
    """Where the next study's file lies and what runs it."""
    return f"The next study is in {path}: {next_study.command(path)}"
