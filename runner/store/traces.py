"""What training left of a few cells: their curves, and what their layers did.

For whoever asks why these cells did not converge; tables of all cells are in `read`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from math import nan
from typing import Any

from sqlalchemy import Connection, inspect, select

from runner.content.outcome import Epoch
from runner.store.database.tables import cells, epochs, evidence
from runner.store.named import SOURCE

AT_ONCE = 500
"""Cells of one query: databases limit how many values it may name."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is left of one cell of the shipped trainer.

    Attributes:
        curve: epoch by epoch; NaN for what is missing.
        evidence: plain values of `runner.probe.record.Evidence`; None of a cell without.
    """

    curve: tuple[Epoch, ...] = ()
    evidence: dict[str, Any] | None = None


def traces(connection: Connection, study_id: int, wanted: Collection[str]) -> dict[str, Trace]:
    """The traces of planned cells by their id; a cell that left nothing has none.

    An adopted cell's lie where it was trained.
    """
    found: dict[str, Trace] = {}
    kept = inspect(connection).has_table(evidence.name)
    for some in _chunks(wanted):
        which = (cells.c.study_id == study_id, cells.c.cell.in_(some))
        curves: dict[str, list[Epoch]] = {}
        columns = [column for column in epochs.c if column.name != "cell_id"]
        for row in connection.execute(
            select(cells.c.cell, *columns)
            .join(epochs, epochs.c.cell_id == SOURCE)
            .where(*which)
            .order_by(cells.c.id, epochs.c.epoch)
        ):
            cell, *values = row
            numbers = {
                column.name: nan if value is None else value
                for column, value in zip(columns, values, strict=True)
            }
            curves.setdefault(cell, []).append(Epoch(**numbers))
        found |= {cell: Trace(tuple(curve)) for cell, curve in curves.items()}
        if not kept:
            continue
        for cell, plain in connection.execute(
            select(cells.c.cell, evidence.c.evidence)
            .join(evidence, evidence.c.cell_id == SOURCE)
            .where(*which)
        ):
            found[cell] = replace(found.get(cell, Trace()), evidence=plain)
    return found


def _chunks(wanted: Iterable[str]) -> Iterable[list[str]]:
    every = list(wanted)
    return (every[start : start + AT_ONCE] for start in range(0, len(every), AT_ONCE))
