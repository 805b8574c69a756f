"""What training left of a few cells: their curves, and what their layers did.

For whoever asks why these cells did not converge; tables of all cells are in `read`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
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
    columns = [epochs.c[one.name] for one in fields(Epoch)]
    for some in _chunks(wanted):
        curves: dict[str, list[Epoch]] = {}
        for cell, *values in connection.execute(
            select(cells.c.cell, *columns)
            .join(epochs, epochs.c.cell_id == SOURCE)
            .where(cells.c.study_id == study_id, cells.c.cell.in_(some))
            .order_by(cells.c.id, epochs.c.epoch)
        ):
            numbers: list[Any] = [nan if value is None else value for value in values]
            curves.setdefault(cell, []).append(Epoch(*numbers))
        found |= {cell: Trace(tuple(curve)) for cell, curve in curves.items()}
    for cell, plain in evidence_of(connection, study_id, wanted).items():
        found[cell] = replace(found.get(cell, Trace()), evidence=plain)
    return found


def evidence_of(
    connection: Connection, study_id: int, wanted: Collection[str]
) -> dict[str, dict[str, Any]]:
    """What the layers of planned cells did, by their id, of those that kept it."""
    if not inspect(connection).has_table(evidence.name):
        return {}
    found: dict[str, dict[str, Any]] = {}
    for some in _chunks(wanted):
        rows = connection.execute(
            select(cells.c.cell, evidence.c.evidence)
            .join(evidence, evidence.c.cell_id == SOURCE)
            .where(cells.c.study_id == study_id, cells.c.cell.in_(some))
        )
        found |= {row.cell: row.evidence for row in rows}
    return found


def _chunks(wanted: Iterable[str]) -> Iterable[list[str]]:
    every = list(wanted)
    return (every[start : start + AT_ONCE] for start in range(0, len(every), AT_ONCE))
