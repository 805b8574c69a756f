"""`diff STUDY CELL CELL`: what differs between two cells, and what came of it, side by side."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from runner.commands import options
from runner.commands.arguments import named_study
from runner.commands.terminal import plain_console, shown
from runner.program.answers import add_json, print_answer
from runner.program.naming import spoken
from runner.program.wording import counted

if TYPE_CHECKING:
    from analysis.study import Study
    from analysis.two_cells.side_by_side import Compared
    from analysis.two_cells.sides import Side

EXAMPLES = """examples:
  python -m runner diff five_factor 3f9a12c4 b07d5e91
  python -m runner diff five_factor init=he,bn_placement=none init=naive,bn_placement=none
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's options."""
    options.study(parser)
    parser.add_argument(
        "pair",
        nargs=2,
        metavar="CELL",
        help="a run, by enough of the beginning of its id; or a combination with all its runs, by "
        "as many levels as it takes: factor=level,factor=level",
    )
    options.store(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the verb; returns the exit code."""
    from analysis.loading import from_store
    from analysis.two_cells.sides import side_of

    store, info = named_study(arguments)
    study = from_store(store, info)
    one, two = (side_of(study, text) for text in arguments.pair)
    if arguments.json:
        about = {"store": str(store.address), "study": study.name}
        print_answer("diff", about | _facts(study, one, two))
        return 0
    _print(study, one, two, plain_console())
    return 0


def _facts(study: Study, one: Side, two: Side) -> dict[str, Any]:
    """The same for a program; what there is of both cells is a list of two, the first first."""
    from analysis.two_cells import side_by_side as both

    return {
        "cells": [
            {
                "name": side.name,
                "levels": side.levels,
                "runs": study.frame["cell"].astype(str).iloc[list(side.rows)].tolist(),
                "statuses": both.statuses(study, side),
                "causes": both.causes_of_side(study, side),
            }
            for side in (one, two)
        ],
        "differs": [
            {"kind": each.kind, "name": each.name, "values": each.values}
            for each in both.differing(study, one, two)
        ],
        "outcomes": [
            {
                "outcome": each.measure.column,
                "n": each.n,
                "means": each.means,
                "difference": each.difference,
                "low": each.low,
                "high": each.high,
                "interval": each.interval or None,
            }
            for each in both.compared(study, one, two)
        ],
        "curves": [
            {"curve": each.name, "starts": each.first, "ends": each.last, "bests": each.best}
            for each in both.curve_ends(study, one, two)
        ],
    }


def _print(study: Study, one: Side, two: Side, console: Console) -> None:
    from analysis.two_cells import side_by_side as both

    sides = {"first": one, "second": two}
    console.print(f"[bold]two cells of {shown(study.name)}[/bold]")
    for place, side in sides.items():
        ended = ", ".join(f"{count} {word}" for word, count in both.statuses(study, side).items())
        console.print(
            f"{place}: {shown(side.name)} ({counted(len(side.rows), 'run')}: {ended})",
            soft_wrap=True,
        )
    differs = both.differing(study, one, two)
    if differs:
        table = Table("what differs", *sides, box=None)
        for each in differs:
            table.add_row(shown(each.name), *(shown(_said(value)) for value in each.values))
        console.print(table)
    elif one.rows == two.rows:
        console.print("both are the same cell")
    else:
        console.print("nothing differs but the seeds of their runs")
    same = [f"{name} {one.levels[name]}" for name in study.factors
            if one.levels[name] == two.levels[name]]  # fmt: skip
    if same:
        console.print(f"the same in both: {shown(', '.join(same))}", style="dim", soft_wrap=True)
    _outcomes(both.compared(study, one, two), console)
    for place, side in sides.items():
        for cause, count in both.causes_of_side(study, side).items():
            console.print(
                f"why {place} did not converge: {shown(cause)} ({counted(count, 'run')})",
                soft_wrap=True,
            )
    curves = both.curve_ends(study, one, two)
    if curves:
        table = Table("curve, mean of its runs", *sides, box=None)
        for curve in curves:
            table.add_row(shown(curve.name))
            ends = {"begins at": curve.first, "ends at": curve.last, "is best at": curve.best}
            for what, pair in ends.items():
                if not math.isnan(pair[0]):
                    table.add_row(f"  {what}", *(f"{value:.4g}" for value in pair))
        console.print(table)


def _outcomes(rows: list[Compared], console: Console) -> None:
    from analysis.number_words import difference_words, value_text

    if not rows:
        console.print("neither has an outcome yet")
        return
    table = Table("outcome", "first", "second", "second − first", "95% interval", box=None)
    for each in rows:
        values = (
            f"{value_text(mean, each.measure)} (n = {n})" if n else "none"
            for mean, n in zip(each.means, each.n, strict=True)
        )
        gap = ""
        if all(each.n):
            gap = difference_words(each.difference, 0, 0, each.measure).value
        ends = ""
        if each.interval:
            ends = difference_words(each.difference, each.low, each.high, each.measure).interval
        table.add_row(shown(each.measure.name), *map(shown, values), shown(gap), shown(ends))
    console.print(table)
    if names := sorted({each.interval for each in rows if each.interval}, reverse=True):
        console.print(
            spoken(
                f"(intervals: {' and '.join(names)}, from the runs of these two alone; whether a "
                "difference is shown is judged with all others: python -m analysis decided)"
            ),
            style="dim",
            soft_wrap=True,
        )


def _said(value: Any) -> str:
    """A value of a setting; a dash where one of the two has none."""
    if value is None:
        return "–"
    return f"{value:g}" if isinstance(value, float) else str(value)
