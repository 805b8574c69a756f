"""What the layers of a cell did, as `show` prints it: a table of looks, a table of layers."""

from __future__ import annotations

from math import isfinite, nan

from rich.table import Table

from runner.commands.terminal import shown
from runner.probe.record import Evidence, Look

OF_LOOK = (
    "after step",
    "epoch",
    "loss",
    "right by batch",
    "right as used",
    "one answer",
    "outputs",
)
"""Heads of the table of looks."""
OF_LAYER = (
    ("varied", "between images"),
    ("silent", "zero units"),
    ("gradient", "gradient"),
    ("update", "step/weight"),
    ("shift", "norm off by"),
)
"""Columns of the table of layers by their name in a look, and their head."""


def looks_table(evidence: Evidence) -> Table:
    """A row a look: what the network answers on the same few training images."""
    table = Table(*OF_LOOK, box=None)
    for one in evidence.looks:
        table.add_row(
            str(one.step), str(one.epoch), _number(one.loss), _share(one.accuracy),
            _share(one.accuracy_used), _share(one.top), _number(one.scale),
        )  # fmt: skip
    return table


def layers_table(evidence: Evidence) -> Table:
    """A row a layer, its numbers before the first step and at the latest look."""
    first, last = evidence.looks[0], evidence.looks[-1]
    columns = [(name, head) for name, head in OF_LAYER if name in {*first.columns, *last.columns}]
    table = Table("layer", *(head for _, head in columns), box=None)
    for place, layer in enumerate(evidence.layers):
        row = [_change(_at(first, name, place), _at(last, name, place)) for name, _ in columns]
        table.add_row(shown(layer.name), *row)
    return table


def _at(look: Look, column: str, place: int) -> float:
    values = look.columns.get(column, ())
    return values[place] if place < len(values) else nan


def _change(first: float, last: float) -> str:
    """Before the first step and at the latest look; "–" where it is not finite."""
    if not isfinite(first) and not isfinite(last):
        return ""
    return f"{_number(first) or '–'} → {_number(last) or '–'}"


def _number(value: float) -> str:
    return f"{value:.2g}" if isfinite(value) else ""


def _share(value: float) -> str:
    return f"{value:.0%}" if isfinite(value) else ""
