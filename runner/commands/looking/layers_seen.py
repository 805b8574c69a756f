"""What the layers of a cell did, as `show` prints it: a table of looks, a table of layers."""

from __future__ import annotations

from math import isfinite

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
    ("deviation", "deviation"), ("silent", "zero units"), ("gradient", "gradient"),
    ("update", "step/weight"), ("shift", "norm off by"),
)  # fmt: skip
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
    ends = list(dict.fromkeys((evidence.looks[0], evidence.looks[-1])))
    heads = [
        f"{head} @{look.step}" for column, head in OF_LAYER for look in ends if _has(look, column)
    ]
    table = Table("layer", *heads, box=None)
    for place, layer in enumerate(evidence.layers):
        row = [
            _number(look.columns[column][place])
            for column, _ in OF_LAYER
            for look in ends
            if _has(look, column)
        ]
        table.add_row(shown(layer.name), *row)
    return table


def _has(look: Look, column: str) -> bool:
    return column in look.columns


def _number(value: float) -> str:
    return f"{value:.2g}" if isfinite(value) else ""


def _share(value: float) -> str:
    return f"{value:.0%}" if isfinite(value) else ""
