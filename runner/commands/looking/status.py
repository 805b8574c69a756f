"""`status [STUDY]`: every study in one line each, or one study in full."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from ablations.errors import InputError
from runner.commands import options
from runner.commands.arguments import named_study
from runner.commands.sentences import adopted_words, outcome_words, target_words
from runner.commands.standing.namesakes import differences, words
from runner.commands.terminal import SHORT_ID, plain_console, said_damaged, shown
from runner.program.answers import add_json, print_answer
from runner.program.naming import spoken
from runner.program.wording import counted
from runner.spec.adaptive import Adaptive
from runner.store import Counts, State, Store, StoreDamaged, StudyInfo, open_store

EXAMPLES = """examples:
  python -m runner status
  python -m runner status five_factor
"""

COUNTED = ("cells", "complete", "running", "waiting", "failed")

FAILURES = 20
"""Failed cells shown at most."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    options.study(parser, optional=True)
    options.store(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    if arguments.json:
        return _as_json(arguments)
    console = plain_console()
    if arguments.study is None:
        return _all(open_store(arguments.storage), console)
    _one(*named_study(arguments), console)
    return 0


def _all(store: Store, console: Console) -> int:
    """Every study; 4 where one of them is damaged, which hides none of the others."""
    studies, damage = _studies(store)
    differ = differences(list(studies.values()))
    table = Table("study", "begun", *COUNTED, box=None)
    for name in store.study_names():
        try:
            counts = store.status(studies[name]) if name in studies else None
        except StoreDamaged as error:
            damage.append(error)
            counts = None
        if counts is None:
            table.add_row(shown(name), "damaged")
            continue
        table.add_row(
            shown(name),
            f"{studies[name].created.astimezone():%Y-%m-%d %H:%M}",
            *(str(getattr(counts, "planned" if one == "cells" else one)) for one in COUNTED),
        )
    console.print(f"store {shown(str(store.address))}", highlight=False)
    if not table.row_count:
        console.print(spoken("no study yet: python -m runner grid five_factor"))
    else:
        console.print(table)
    if differ:
        console.print("studies of one name, and the keys in which they differ:")
    for name, keys in differ.items():
        console.print(f"  {shown(name)}: {shown(words(keys))}", highlight=False, soft_wrap=True)
    return said_damaged(damage)


def _studies(store: Store) -> tuple[dict[str, StudyInfo], list[StoreDamaged]]:
    """Every study that can be read, by name, and what is damaged."""
    studies: dict[str, StudyInfo] = {}
    damage: list[StoreDamaged] = []
    for name in store.study_names():
        try:
            studies[name] = store.load_study(name)
        except StoreDamaged as error:
            damage.append(error)
    return studies, damage


def _as_json(arguments: argparse.Namespace) -> int:
    """The same for a program: `studies`, of one that is named with `running` and `failures`."""
    facts: list[dict[str, Any]] = []
    if arguments.study is None:
        store = open_store(arguments.storage)
        studies, damage = _studies(store)
        differ = differences(list(studies.values()))
        for name in store.study_names():
            try:
                found = _counts(store, studies[name], differ) if name in studies else None
            except StoreDamaged as error:
                damage.append(error)
                found = None
            facts.append(found or {"study": name, "damaged": True})
    else:
        store, info = named_study(arguments)
        damage = []
        target = store.find_target(info)
        failed = store.runs(info, state=State.FAILED)
        told = ("cell", "replicate", "reason", "attempts", "detail")
        named = {
            "target": None if target is None else target.words,
            "adopted": store.adopted(info),
            "running": store.running(info),
            "failures": [{key: row[key] for key in told} for row in failed],
        }
        differ = differences(list(_studies(store)[0].values()))
        facts.append(_counts(store, info, differ) | named)
    print_answer("status", {"store": str(store.address), "studies": facts})
    return said_damaged(damage)


def _counts(
    store: Store, info: StudyInfo, differ: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    counts = store.status(info)
    return {
        "study": info.name,
        "begun": info.created.isoformat(),
        "unlike_namesakes": differ.get(info.name, {}),
        "cells": counts.planned,
        "states": counts.states,
        "outcomes": counts.statuses,
        "reasons": counts.reasons,
        "replicates": counts.replicates,
        "outside_the_design": counts.retired,
    }


def _how_often(info: StudyInfo) -> str:
    if "adaptive" not in info.spec:
        return counted(info.replicates, "replicate")
    rule = Adaptive.from_dict(info.spec["adaptive"])
    return f"{rule.least} to {rule.most} runs of each combination"


def _one(store: Store, info: StudyInfo, console: Console) -> None:
    counts = store.status(info)
    console.print(
        f"[bold]{shown(info.name)}[/bold] in {shown(str(store.address))}, begun "
        f"{info.created.astimezone():%Y-%m-%d %H:%M}",
        highlight=False,
        soft_wrap=True,
    )
    differ = differences(list(_studies(store)[0].values())).get(info.name)
    if differ is not None:
        console.print(
            f"unlike its namesakes: {shown(words(differ))}", highlight=False, soft_wrap=True
        )
    console.print(
        f"{counted(counts.planned, 'cell')}, {_how_often(info)}: "
        + ", ".join(f"{number} {state}" for state, number in counts.states.items() if number)
        + (f"; {counts.retired} kept outside the design" if counts.retired else ""),
        highlight=False,
    )
    if adopted := store.adopted(info):
        console.print(f"adopted: {shown(adopted_words(adopted))}", highlight=False, soft_wrap=True)
    console.print(_replicates(counts))
    if counts.statuses:
        target = store.find_target(info)
        text = outcome_words(counts.statuses, target)
        console.print(f"outcomes: {text}", highlight=False, soft_wrap=True)
        if target is not None and target.derived:
            console.print(target_words(target), style="dim", highlight=False, soft_wrap=True)
    running = store.running(info)
    if running:
        table = Table("cell", "rep", "levels", "epoch", "val acc", "worker", box=None)
        for row in running:
            table.add_row(
                row["cell"][:SHORT_ID],
                str(row["replicate"]),
                shown(" · ".join(row["labels"].values())),
                str(row["epoch"] or 0),
                "" if row["accuracy"] is None else f"{row['accuracy']:.3f}",
                shown(f"{row['worker']} {row['slot']}"),
            )
        console.print("running", style="bold")
        console.print(table)
    if counts.failed:
        _failures(store, info, counts, console)
    if counts.complete:
        console.print(shown(_decided(store, info)), highlight=False, soft_wrap=True)
        console.print(
            spoken(f"each difference: python -m analysis decided {shown(info.name)}"),
            style="dim",
            highlight=False,
            soft_wrap=True,
        )


def _decided(store: Store, info: StudyInfo) -> str:
    """What is decided, what it would take to decide the rest, and which look this is."""
    from analysis.loading import from_store
    from analysis.verdicts.looks_words import in_one_line

    try:
        study = from_store(store, info)
        text = in_one_line(study.decided())
        look, claims = study.look, study.claims() if study.planned_claims else None
    except InputError as error:
        return f"Not decided: {error}."
    if look is not None:
        text = f"Look {look.number} of at most {look.of}. {text}"
    if claims is not None:
        verdicts = [f"{n} {verdict}" for verdict, n in Counter(claims["verdict"]).items()]
        text += f" Claims: {', '.join(verdicts)}."
    return text


def _replicates(counts: Counts) -> Table:
    table = Table("replicate", *next(iter(counts.replicates.values()), {}), box=None)
    for replicate, states in counts.replicates.items():
        table.add_row(str(replicate), *map(str, states.values()))
    return table


def _failures(store: Store, info: StudyInfo, counts: Counts, console: Console) -> None:
    console.print("failed", style="bold red")
    table = Table("cell", "reason", "tries", "levels", "what happened", box=None)
    rows = store.runs(info, state=State.FAILED, limit=FAILURES)
    for row in rows:
        levels = [str(row[f"factor:{factor}"]) for factor in info.factors]
        table.add_row(
            row["cell"][:SHORT_ID],
            row["reason"],
            str(row["attempts"]),
            shown(" · ".join(levels)),
            shown(row["detail"] or ""),
        )
    console.print(table)
    if counts.failed > len(rows):
        console.print(f"… and {counts.failed - len(rows)} more")
    reasons = " ".join(f"--reason {reason}" for reason in counts.reasons)
    console.print(spoken("one of them in full: python -m runner show CELL"), style="dim")
    console.print(
        spoken(f"put back: python -m runner retry {shown(info.name)} {reasons}"),
        style="dim",
        highlight=False,
        soft_wrap=True,  # in one piece, to be copied
    )
