"""`plan FILE --designs`: what other designs of the same factors would cost and could decide."""

from __future__ import annotations

from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

from rich.table import Table

from runner.commands.terminal import shown
from runner.design import estimate_cost
from runner.design.cost import START_SECONDS
from runner.program.wording import counted, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from runner.design import Design
    from runner.design.alternatives import Alternative
    from runner.machine.device import Slot

POWER = 0.8
TOO_LARGE = "designs are not compared: the grid has one factor, or too many combinations"


def designs_facts(design: Design, slots: Sequence[Slot]) -> list[dict[str, Any]]:
    """Each design as a program reads it; [] where they are not compared.

    `main` and `pair` are the smallest true difference that is found with 80 % power, all questions
    judged together (Bonferroni, which promises a little less than the Holm of the report), in
    standard deviations between runs of one combination; None where it cannot be told.
    """
    from analysis.verdicts.judgement import ALPHA
    from analysis.verdicts.power import detectable_t
    from runner.design.alternatives import alternatives

    asked = _asked(design)
    each = estimate_cost(design, slots).cell_seconds

    def found(one: Alternative, error: float) -> float | None:
        size = detectable_t(error, one.df, POWER, ALPHA / asked)
        return round(size, 3) if isfinite(size) else None

    def seconds(cells: int) -> float | None:
        places = max(1, min(len(slots), cells))
        return None if each is None else ceil(cells / places) * (each + START_SECONDS)

    return [
        {
            "design": one.name,
            "keys": one.keys,
            "combinations": one.combinations,
            "cells": one.cells[0],
            "cells_at_most": one.cells[1],
            "seconds": seconds(one.cells[0]),
            "seconds_at_most": seconds(one.cells[1]),
            "main": found(one, one.main),
            "pair": found(one, one.pair),
        }
        for one in alternatives(design)
    ]


def show_designs(design: Design, slots: Sequence[Slot], console: Console) -> None:
    """Print the comparison."""
    rows = designs_facts(design, slots)
    piped = not console.is_terminal
    if not rows:
        console.print(TOO_LARGE, soft_wrap=piped)
        return
    table = Table("design", "cells", "time", "decides mains of", "pairs of", "keys", box=None)
    for row in rows:
        cells, time = _to(row, "cells", "{:,}".format), _to(row, "seconds", duration)
        table.add_row(
            shown(row["design"]), cells, time, _size(row["main"]), _size(row["pair"]),
            shown(row["keys"]),
        )  # fmt: skip
    console.print(table)
    console.print(
        "decides: the smallest difference between two levels that four studies of five find, in "
        "standard deviations between runs of one combination; "
        f"{counted(_asked(design), 'question')} judged together, in waves after the most "
        "runs; '-' cannot be told",
        soft_wrap=piped,
    )


def _asked(design: Design) -> int:
    from runner.design.alternatives import questions

    return questions([len(factor.levels) for factor in design.spec.factors])


def _size(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _to(row: dict[str, Any], key: str, words: Callable[[float], str]) -> str:
    """One number, or from the least to the most."""
    least, most = row[key], row[f"{key}_at_most"]
    if least is None:
        return "-"
    return words(least) if least == most else f"{words(least)} to {words(most)}"
