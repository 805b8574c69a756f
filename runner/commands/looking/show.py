"""`show CELL`: everything the store and this machine's log know of one cell."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ablations.errors import InputError
from runner.commands import options
from runner.commands.arguments import study_folder
from runner.commands.looking.layers_seen import layers_table, looks_table
from runner.commands.terminal import plain_console, said_damaged, shown
from runner.content.outcome_files import log_path, weights_path
from runner.doctor.cells.why import run_of, why
from runner.program.answers import add_json, print_answer
from runner.program.wording import printable
from runner.store import State, Store, StoreDamaged, StudyInfo, open_store
from runner.store.traces import Trace

EXAMPLES = """examples:
  python -m runner show 3f9a12c4
  python -m runner show 3f9a12c4 --study five_factor --lines 100
"""

SEVERAL = 5
"""Cells named at most where an id's beginning fits several."""

FACTS = (
    "test_accuracy",
    "test_loss",
    "best_validation_accuracy",
    "final_validation_accuracy",
    "epochs_to_target",
    "epochs_run",
    "epochs_budget",
    "diverged_epoch",
    "seconds",
    "peak_memory_bytes",
    "parameters",
)

MOST_STEPS = 40
"""Rows of a curve of one's own that are shown."""

CURVE = (
    *("epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy"),
    *("learning_rate", "gradient_norm", "seconds"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    parser.add_argument("cell", metavar="CELL", help="a cell's id, or enough of its beginning")
    parser.add_argument("--study", metavar="STUDY", help="look only in this study")
    parser.add_argument(
        "--command",
        action="store_true",
        help="only print the line that repeats the cell by hand (a trainer of one's own)",
    )
    parser.add_argument("--lines", type=int, default=40, metavar="N", help="lines of its log")
    options.store(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    store = open_store(arguments.storage)
    names = [store.find_study(arguments.study).name] if arguments.study else store.study_names()
    matches: list[tuple[StudyInfo, dict[str, Any]]] = []
    damage: list[StoreDamaged] = []
    for name in names:
        try:
            info = store.load_study(name)
            rows = store.runs(info, beginning=arguments.cell, limit=SEVERAL)
        except StoreDamaged as error:  # the cell may be another study's
            damage.append(error)
        else:
            matches += [(info, row) for row in rows]
    if not matches and not damage:
        raise InputError(f"no cell {arguments.cell!r} in {store.address}; `status` lists studies")
    cells = sorted({row["cell"] for _, row in matches})
    if len(cells) > 1:
        several = ", ".join(cells[:SEVERAL])
        raise InputError(f"{arguments.cell!r} is the beginning of several cells: {several}")
    if arguments.command:
        for info, row in matches:
            print(printable(repeated_by_hand(store, info, row["cell"], arguments.results)))
        return said_damaged(damage)
    if arguments.json:
        found = [
            _facts(store, info, row) | {"weights": _weights(info, row, arguments.results)}
            for info, row in matches
        ]
        print_answer("show", {"store": str(store.address), "cells": found})
        return said_damaged(damage)
    console = plain_console()
    for info, row in matches:
        _show(store, info, row, console)
        if (weights := _weights(info, row, arguments.results)) is not None:
            console.print(f"weights {shown(str(weights))}", highlight=False, soft_wrap=True)
        _log(_newest_log(store, info, row["cell"], arguments.results), arguments.lines, console)
    return said_damaged(damage)


def _facts(store: Store, info: StudyInfo, row: dict[str, Any]) -> dict[str, Any]:
    """One cell for a program; `curves` has a list for each name, in the order of the steps."""
    target = store.find_target(info)
    points = store.own_curves(info, row["cell"])
    if points:
        curves: dict[str, Any] = {"points": points}
    else:
        curve = store.curves(info, row["cell"])
        curves = {name: curve[name] for name in CURVE} if curve["cell"] else {}
    return {
        "cell": row["cell"],
        "study": info.name,
        "replicate": row["replicate"],
        "levels": {factor: row[f"factor:{factor}"] for factor in info.factors},
        "state": row["state"],
        "outcome": row["status"],
        "reason": row["reason"],
        "detail": row["detail"],
        "notes": row["notes"],
        "adopted_from": row["adopted_from"],
        "target": None if target is None else target.words,
        "responses": row["responses"] or {},
        **{name: row[name] for name in FACTS},
        "attempts": store.attempts(info, row["cell"]),
        "curves": curves,
    }


def _show(store: Store, info: StudyInfo, row: dict[str, Any], console: Console) -> None:
    console.print(
        f"[bold]cell {row['cell']}[/bold] of {shown(info.name)}, replicate {row['replicate']}: "
        + shown(
            " ".join(dict.fromkeys(filter(None, (row["state"], row["status"], row["reason"]))))
        ),
        highlight=False,
    )
    if row["adopted_from"]:
        console.print(
            f"adopted from {shown(row['adopted_from'])}, which trained the same content",
            highlight=False,
            soft_wrap=True,
        )
    facts = Table.grid(padding=(0, 2))
    for factor in info.factors:
        facts.add_row(shown(factor), shown(str(row[f"factor:{factor}"])))
    target = store.find_target(info)
    if target is not None:
        facts.add_row("target", target.words + (", derived" if target.derived else ""))
    for name in FACTS:
        if row[name] is not None:
            facts.add_row(
                name, f"{row[name]:.4g}" if isinstance(row[name], float) else str(row[name])
            )
    for name, value in row["responses"].items():
        facts.add_row(shown(name), f"{value:.6g}")
    for note in row["notes"]:
        facts.add_row("note", shown(note))
    if row["detail"]:
        facts.add_row("detail", shown(row["detail"]))
    console.print(facts)
    attempts = store.attempts(info, row["cell"])
    table = Table("attempt", "state", "reason", "worker", "device", "seconds", "commit", box=None)
    for one in attempts:
        commit = (one["commit"] or "?")[:10] + ("+" if one["dirty"] else "")
        seconds = "" if one["seconds"] is None else f"{one['seconds']:.1f}"
        table.add_row(
            str(one["attempt"]),
            one["state"],
            one["reason"] or "",
            shown(one["worker"]),
            shown(one["device"]),
            seconds,
            commit,
        )
    console.print(table)
    _why(store, info, row, console)
    _curve(store, info, row["cell"], console)


def _why(store: Store, info: StudyInfo, row: dict[str, Any], console: Console) -> None:
    """Why it did not converge, and what its layers did where that was looked at."""
    if row["state"] != State.COMPLETE or "trainer" in info.spec:
        return
    trace = store.traces(info, [row["cell"]]).get(row["cell"], Trace())
    run = run_of(row, store.find_target(info), trace.curve, trace.evidence)
    found = why(run)
    if found is None:
        return
    if found.causes:
        for sentence in found.sentences:
            console.print(f"why: {shown(sentence)}", highlight=False, soft_wrap=True)
    elif not found.healthy:
        console.print("why: not known", highlight=False)
    if run.evidence is None:
        return
    if run.evidence.looks:
        console.print(looks_table(run.evidence))
        console.print(layers_table(run.evidence))
    if found.unseen:
        console.print(f"({shown(found.unseen)})", style="dim", soft_wrap=True)


def _curve(store: Store, info: StudyInfo, cell: str, console: Console) -> None:
    own = store.own_curves(info, cell)
    if own:
        _own_curve(own, console)
        return
    curve = store.curves(info, cell)
    if not curve["cell"]:
        return
    table = Table(*CURVE, box=None)
    for values in zip(*(curve[name] for name in CURVE), strict=True):
        table.add_row(
            *("" if v is None else str(v) if isinstance(v, int) else f"{v:.4g}" for v in values)
        )
    console.print(table)


def _own_curve(points: list[dict[str, Any]], console: Console) -> None:
    """The curves that a trainer of one's own reported, a column a name; the newest `MOST_STEPS`."""
    names = list(dict.fromkeys(one["name"] for one in points))
    steps: dict[int, dict[str, float]] = {}
    for one in points:
        steps.setdefault(one["step"], {})[one["name"]] = one["value"]
    table = Table("step", *map(shown, names), box=None)
    for step in sorted(steps)[-MOST_STEPS:]:
        values = (steps[step].get(name) for name in names)
        table.add_row(str(step), *("" if one is None else f"{one:.4g}" for one in values))
    console.print(table)
    if len(steps) > MOST_STEPS:
        console.print(f"(the last {MOST_STEPS} of {len(steps):,} steps)", style="dim")


def repeated_by_hand(store: Store, info: StudyInfo, cell: str, results: Path) -> str:
    """The line for a shell that calls a cell's function or command once more, outside the store.

    Raises:
        InputError: the study has the shipped trainer, which a line cannot say.
    """
    from runner.trainers.command_line import shell_line

    content = store.content(info, cell)
    if content.trainer is None:
        raise InputError(
            f"cell {cell} is the shipped image classifier's: --command repeats cells whose trainer "
            "is a function or command of one's own"
        )
    return shell_line(content, study_folder(results, info.name) / "cells" / cell)


def _weights(info: StudyInfo, row: dict[str, Any], results: Path) -> Path | None:
    """The file with the weights of a complete cell, on this machine; of an adopted one, there."""
    if row["state"] != State.COMPLETE:
        return None
    studies = dict.fromkeys(one for one in (info.name, row["adopted_from"]) if one)
    files = (weights_path(study_folder(results, study), row["cell"]) for study in studies)
    return next((file for file in files if file.exists()), None)


def _newest_log(store: Store, info: StudyInfo, cell: str, results: Path) -> Path | None:
    """The last attempt's log; of one that runs or was killed, where a run here would write it."""
    attempts = store.attempts(info, cell)
    if not attempts:
        return None
    last = attempts[-1]
    if last["log"]:
        return Path(last["log"])
    here = log_path(study_folder(results, info.name) / "attempts", cell, last["attempt"])
    return here if here.exists() else None


def _log(path: Path | None, lines: int, console: Console) -> None:
    if path is None:
        return
    console.print(f"log {shown(str(path))}", style="dim", highlight=False)
    try:
        with path.open("rb") as file:  # only its end: a log may be long
            file.seek(max(0, path.stat().st_size - 200 * max(lines, 1)))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        console.print("(it lies on another machine)", style="dim")
        return
    for line in text.splitlines()[-lines:]:
        console.print(printable(line), markup=False, highlight=False)
