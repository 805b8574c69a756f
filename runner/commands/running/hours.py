"""`grid FILE --hours H`: what such a run is refused for, and what it says at its end."""

from __future__ import annotations

import argparse
from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING

from ablations.errors import InputError
from runner.commands.placement import on_cluster
from runner.program.wording import counted, listed

if TYPE_CHECKING:
    from runner.design import Design
    from runner.pool.budget import Budget
    from runner.spec import Spec
    from runner.store import Store, StudyInfo

NAMED = 4
"""So many terms that cannot be estimated yet are named; of more only how many."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the option."""
    parser.add_argument(
        "--hours",
        metavar="H",
        help="train for so many hours (2, 0.5) and then report: the cells that tell most per second"
        " first; the same command continues",
    )


def hours_of(arguments: argparse.Namespace) -> float | None:
    """The hours that were asked for; None without the option.

    Raises:
        InputError: they are no number above 0.
    """
    text: str | None = arguments.hours
    if text is None:
        return None
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not (hours > 0 and isfinite(3600.0 * hours)):
        raise InputError(f"--hours {text}: expected a number above 0, such as 2 or 0.5")
    return hours


def budget_of(spec: Spec, arguments: argparse.Namespace) -> Budget | None:
    """The budget of time, its clock running; None where none was asked for.

    Raises:
        InputError: the hours are no number above 0, or the slots are a cluster's.
    """
    hours = hours_of(arguments)
    if hours is None:
        return None
    if on_cluster(spec, arguments):
        raise InputError(
            "--hours works with the slots of this machine: those of a Dask cluster claim cells by "
            "themselves, in the order of the plan; leave out one of the two"
        )
    from runner.pool.budget import Budget

    return Budget(hours)


def closing_words(store: Store, study: StudyInfo, design: Design, budget: Budget) -> str:
    """How far the grid is when its hours are over, what that leaves open, how it goes on."""
    from runner.store import State

    progress = store.progress(study)
    ran = {cell for cell, one in progress.items() if one.state == State.COMPLETE}
    once = {tuple(c.labels.items()) for c in design.cells if c.id in ran}
    hours = f"{budget.hours:g} hour{'' if budget.hours == 1 else 's'}"
    done = len([cell for cell in design.cells if cell.id in ran])
    over = f"the {hours} {'is' if budget.hours == 1 else 'are'} over"
    text = (
        f"{over if budget.spent else f'no further cell would end within the {hours}'}: "
        f"{len(once):,} of {counted(design.combinations, 'combination')} ran at least once "
        f"({done:,} of {counted(len(design.cells), 'cell')})"
    )
    return f"{text}{_lost(design, once)}; the same command continues, with or without --hours"


def _lost(design: Design, once: set[tuple[tuple[str, str], ...]]) -> str:
    """Which main effects and pairs the combinations that ran cannot tell."""
    from runner.design import facts

    if not once or len(once) == design.combinations:
        return ""
    names = [factor.name for factor in design.spec.factors]
    labels = [factor.labels for factor in design.spec.factors]
    runs = tuple(
        run
        for run in design.runs
        if tuple((n, labels[f][i]) for f, (n, i) in enumerate(zip(names, run, strict=True))) in once
    )
    known = facts(replace(design, runs=runs))
    if known is None or not known.not_estimable:
        return ""
    lost = known.not_estimable
    if not known.estimable:
        return "; no main effect and no pair of factors can be estimated from these yet"
    what = listed(lost) if len(lost) <= NAMED else f"{len(lost)} main effects and pairs of factors"
    return f"; not to be estimated from these: {what}"
