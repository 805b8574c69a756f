"""`plan FILE` (and `grid --dry-run`): what would run, what it could tell, what it would cost."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console
from rich.table import Table

from ablations.errors import InputError
from runner.commands import options
from runner.commands.arguments import named_design
from runner.commands.own_trainer import look_at_trainer
from runner.commands.placement import device_kind, on_cluster, slots_here
from runner.commands.sentences import (
    adopted_words,
    folder_of,
    headline,
    retired_words,
    seeds_words,
    shared_before,
    size_words,
)
from runner.commands.standing.designs import designs_facts, show_designs
from runner.commands.standing.left import Left, left_of
from runner.commands.standing.notes import notes
from runner.commands.terminal import SHORT_ID, plain_console, shown
from runner.commands.trial import Tried, try_plugins
from runner.commands.waves import as_planned
from runner.program.answers import add_json, print_answer
from runner.program.wording import counted, duration

if TYPE_CHECKING:
    from runner.design import Design
    from runner.spec import Spec
    from runner.store import Kind
    from runner.tuning.trials import Trial

EXAMPLES = """examples:
  python -m runner plan ablations/five_factor.yaml
  python -m runner plan ablations/five_factor.yaml --profile cuda --set replicates=5
  python -m runner plan ablations/screening.yaml --cells 0 --all
  python -m runner plan ablations/five_factor.yaml --cells 0 --designs
"""


class _Tuning(NamedTuple):
    """What is said of tuning.

    Attributes:
        design: with what was found, where tuning has ended.
        words: lines for a person.
        ended: False while the values of some cells are open, so that nothing is said of them.
    """

    design: Design
    words: tuple[str, ...]
    ended: bool


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    options.specification(parser)
    options.slots(parser)
    options.store(parser)
    options.planning(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    spec, design = named_design(arguments)
    if arguments.json:
        print_answer("plan", plan_facts(spec, design, arguments))
        return 0
    return show_plan(spec, design, arguments)


def plan_facts(spec: Spec, design: Design, arguments: argparse.Namespace) -> dict[str, Any]:
    """The same for a program; `cells` has as many as `--cells` says."""
    from runner.design import estimate_cost, facts

    looked = look_at_trainer(spec, design)
    spec, design = looked.spec, looked.design
    tried = Tried() if spec.trainer is not None else try_plugins(spec, design)
    known = facts(design, everything=arguments.everything)
    slots = slots_here(spec, arguments)
    cost = estimate_cost(design, slots)
    left = _left(spec, design, arguments)
    return {
        "study": spec.study,
        "profile": spec.profile,
        "cells_planned": len(design.cells),
        "combinations": design.combinations,
        "combinations_excluded": design.excluded,
        "replicates": design.replicates,
        "levels": design.level_counts,
        "fixed": {level.factor: level.label for level in spec.fixed},
        "seeds": spec.seeds,
        "design": [] if known is None else list(known.sentences),
        "notes": [*notes(design), *looked.notes, *tried.notes],
        "slots": len(slots),
        "seconds": cost.seconds,
        "cell_seconds": cost.cell_seconds,
        "disk_bytes": cost.disk_bytes,
        "basis": cost.basis,
        **({"done": None, "left": None} if left is None else left.facts()),
        "cells": [
            {"cell": cell.id, "replicate": cell.replicate, "levels": cell.labels}
            for cell in design.cells[: arguments.cells]
        ],
        "designs": designs_facts(design, slots) if arguments.designs else None,
    }


def show_plan(spec: Spec, design: Design, arguments: argparse.Namespace) -> int:
    """Print the plan; returns the exit code."""
    looked = look_at_trainer(spec, design)
    spec, design = looked.spec, looked.design
    tried = Tried() if spec.trainer is not None else try_plugins(spec, design)
    console = plain_console()
    piped = not console.is_terminal
    console.print(shown(headline(spec)), soft_wrap=piped)
    excluded = f" ({counted(design.excluded, 'combination')} excluded)" if design.excluded else ""
    console.print(
        f"study {shown(spec.study)}: {size_words(design)}{excluded}",
        soft_wrap=piped,
    )
    table = Table("factor", "levels (cells of each)", box=None)
    for factor, counts in design.level_counts.items():
        listed = "  ".join(f"{label} ({count})" for label, count in counts.items())
        table.add_row(shown(factor), shown(listed))
    for level in spec.fixed:
        table.add_row(shown(level.factor), shown(f"{level.label} (fixed)"))
    console.print(table)
    console.print(seeds_words(spec), soft_wrap=piped)
    if spec.adaptive is not None:
        most = counted(design.combinations * spec.adaptive.most, "cell")
        console.print(
            f"{spec.adaptive.words(design.combinations)}; at most {most}", soft_wrap=piped
        )
    stored = True
    if spec.tune is not None:
        tuning = _tuned(spec, design, arguments)
        spec, design, stored = tuning.design.spec, tuning.design, tuning.ended
        for sentence in tuning.words:
            console.print(shown(sentence), soft_wrap=piped)
    if spec.trainer is None and (folder := folder_of(spec)) is not None:
        from runner.data.folder import folder_words

        for sentence in folder_words(folder):
            console.print(shown(sentence), soft_wrap=piped)
    for note in (*notes(design), *looked.notes, *tried.notes):
        console.print(f"note: {shown(note)}", soft_wrap=piped)
    left = _stored(design, arguments, console) if stored else None
    _facts(design, arguments, console, left)
    if arguments.designs:
        show_designs(design, slots_here(design.spec, arguments), console)
    _cells(design, arguments.cells, console)
    return 0


def _tuned(spec: Spec, design: Design, arguments: argparse.Namespace) -> _Tuning:
    """What is tuned first and what it will cost, or what it has found."""
    from runner.commands.tuning.search import search_done, trials_of
    from runner.commands.tuning.words import plan_words
    from runner.design import design_of
    from runner.store import StoreError, open_store
    from runner.tuning.groups import groups_of

    groups = groups_of(spec, design)
    done: list[list[Trial]] = [[] for _ in groups]
    try:
        with open_store(arguments.storage, read_patience=5) as store:
            done = [trials_of(store, one) for one in groups]
            if (found := search_done(spec, design, store)) is not None:
                return _Tuning(design_of(found[0]), tuple(found[1]), ended=True)
    except (InputError, StoreError):  # there is no store yet, or what is in it is said below
        pass
    words = plan_words(spec, design, groups, slots_here(spec, arguments), done)
    begun = any(done)
    known = ("  which cells the grid has is known once tuning has ended",) if begun else ()
    return _Tuning(design, (*words, *known), ended=not begun)


def _left(spec: Spec, design: Design, arguments: argparse.Namespace) -> Left | None:
    """What is done and what is left; None where that is not known, for a program."""
    from runner.store import StoreDamaged, StoreError, open_store

    slots = slots_here(spec, arguments)
    if spec.tune is not None:
        tuning = _tuned(spec, design, arguments)
        if not tuning.ended:
            return None  # which cells there are is known once it has
        spec, design = tuning.design.spec, tuning.design
    try:
        with open_store(arguments.storage, read_patience=5) as store:
            return left_of(
                as_planned(store, spec, design), slots, store, _kind_here(spec, arguments)
            )
    except StoreDamaged:
        raise
    except StoreError:
        return None
    except InputError:  # there is no store yet
        return left_of(design, slots)


def _kind_here(spec: Spec, arguments: argparse.Namespace) -> Kind | None:
    """What cells would train on; a cluster is asked when the grid starts."""
    return None if on_cluster(spec, arguments) else device_kind(spec, arguments)


def _stored(design: Design, arguments: argparse.Namespace, console: Console) -> Left | None:
    """Say what the store knows of the plan: cells that leave the design, outcomes to be adopted."""
    from runner.store import StoreDamaged, StoreError, open_store

    spec = design.spec
    piped = not console.is_terminal
    try:
        with open_store(arguments.storage, read_patience=5) as store:
            before = shared_before(spec, store.study_names())
            design = as_planned(store, spec, design)
            gone = store.leaving(spec.study, design.cells)
            left = left_of(design, slots_here(spec, arguments), store, _kind_here(spec, arguments))
    except StoreDamaged:
        raise  # the grid would be refused as well
    except StoreError as error:
        console.print(f"not known what the store holds: {shown(str(error))}", soft_wrap=piped)
        return None
    except InputError:  # there is no store yet
        return None
    if before:
        console.print(f"note: {shown(before)}", soft_wrap=piped)
    if gone:
        console.print(retired_words(gone), soft_wrap=piped)
    if left.adoptable:
        console.print(
            f"trained already in other studies of the store, to be adopted: "
            f"{counted(sum(left.adoptable.values()), 'cell')} "
            f"({shown(adopted_words(left.adoptable))})",
            soft_wrap=piped,
        )
    return left


def _facts(
    design: Design, arguments: argparse.Namespace, console: Console, left: Left | None
) -> None:
    """What the design can tell, what it would cost on this machine, what of that is left."""
    from runner.design import estimate_cost, facts

    piped = not console.is_terminal
    known = facts(design, everything=arguments.everything)
    for sentence in () if known is None else known.sentences:
        console.print(shown(sentence), soft_wrap=piped)
    slots = slots_here(design.spec, arguments)
    cost = estimate_cost(design, slots)
    begun = [] if left is None else left.words(len(slots))
    whole = f" of all {counted(len(design.cells), 'cell')}" if begun else ""
    places, disk = counted(len(slots), "slot"), f"disk {cost.disk_bytes / 1e6:.1f} MB"
    if cost.seconds is None:
        time = f"{places}, {disk}" if begun else f"time {cost.basis}; {places}, {disk}"
    else:
        each = "" if cost.cell_seconds is None else f" ({cost.cell_seconds:.1f} s a cell)"
        time = f"time{whole} about {duration(cost.seconds)}{each} on {places}, {disk}; basis: "
        time += cost.basis
    console.print(shown(time), soft_wrap=piped)
    for sentence in begun:
        console.print(shown(sentence), soft_wrap=piped)


def _cells(design: Design, count: int, console: Console) -> None:
    if not count:
        return
    table = Table("cell", "rep", *design.spec.labels, box=None)
    for cell in design.cells[:count]:
        table.add_row(cell.id[:SHORT_ID], str(cell.replicate), *map(shown, cell.labels.values()))
    console.print(table)
    if len(design.cells) > count:
        console.print(f"… and {len(design.cells) - count} more (--cells N lists more)")
