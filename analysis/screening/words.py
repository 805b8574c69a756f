"""A screening study in sentences that ask for no knowledge of designs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.program.wording import counted, listed

if TYPE_CHECKING:
    from analysis.screening.follow_up import FollowUp
    from analysis.screening.screen import Screened


def screening_sentences(found: Screened, next_study: FollowUp | None) -> list[str]:
    """The few that matter, what each could be as well, and what to run next."""
    count = len(found.screen.factors)
    if found.screen.effects.refused:
        why = found.screen.effects.refused
        return [f"No factor can be told from noise: {why}."]
    sentences = [_few(found, count)]
    for factor, pairs in found.rivals.items():
        named = listed([f"{one} and {other} acting together" for one, other in pairs], "or")
        sentences.append(f"{factor} could instead be {named}: these runs cannot tell which.")
    if found.acting_together:
        pairs_of = listed([f"{one} with {other}" for one, other in found.acting_together])
        sentences.append(
            f"There are signs that factors change each other's effect ({pairs_of}); this many runs "
            "cannot prove which."
        )
    sentences.append(_next(found, next_study))
    return sentences


def _few(found: Screened, count: int) -> str:
    if not found.matter:
        text = f"Of {count} factors none is shown to matter"
        return f"{text}; {_open(found)}." if found.open else f"{text}."
    verb = "matters" if len(found.matter) == 1 else "matter"
    text = f"Of {count} factors {len(found.matter)} {verb}: {_at(found, found.matter)}"
    return f"{text}; {_open(found)}." if found.open else f"{text}."


def _open(found: Screened) -> str:
    return (
        f"open is {listed(found.open)}"
        if len(found.open) == 1
        else f"open are {listed(found.open)}"
    )


def _at(found: Screened, factors: tuple[str, ...]) -> str:
    return listed([f"{one} (better at {found.better[one]})" for one in factors])


def _next(found: Screened, next_study: FollowUp | None) -> str:
    if not found.next:
        return (
            "Next: another replicate of these runs halves no effect but narrows every interval; "
            "set 'replicates' one higher and run the same command."
        )
    if next_study is None:
        return f"Next: all combinations of {listed(found.next)}."
    return f"Next: {next_study.what}."


def command_sentence(next_study: FollowUp, path: str) -> str:
    """Where the next study's file lies and what runs it."""
    return f"The next study is in {path}: {next_study.command(path)}"


def combinations_left(found: Screened) -> str:
    """How much of the full grid the study ran."""
    full = 2 ** len(found.screen.factors)
    return f"{counted(len(found.screen.means), 'combination')} of {full:,}"
