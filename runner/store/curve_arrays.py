"""Learning curves as NumPy arrays: a million epochs in a few seconds.

Rows come in the order of their table, as the driver's own tuples and without the name of their
cell; only blocks of them are put in run order afterwards. NumPy is imported when it is needed: the
store itself must not wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from runner.store.columns.checked import DamagedValue
from runner.store.database.tables import cells, epochs
from runner.store.named import SOURCE

if TYPE_CHECKING:
    import numpy as np

CHUNK = 500
"""Rows that are held as Python's objects at a time: few enough for the processor's cache."""


def curve_arrays(connection: Connection, study_id: int) -> dict[str, np.ndarray]:
    """`curves` as NumPy arrays, NaN for what is missing: for a million epochs.

    Columns [rows] in the order of `curves`: `cell` (text), `epoch` (integers), then numbers.
    """
    import numpy as np

    planned = (cells.c.study_id == study_id, cells.c.planned)
    wanted = connection.execute(
        select(cells.c.cell, SOURCE).where(*planned).order_by(cells.c.run_order, cells.c.id)
    ).all()
    names = [column.name for column in epochs.c]
    rows = connection.execute(
        select(epochs)
        .where(epochs.c.cell_id.in_(select(SOURCE).where(*planned)))
        .order_by(epochs.c.cell_id, epochs.c.epoch)
    )
    cursor = rows.cursor
    parts = [np.empty((0, len(names)))]
    while cursor is not None and (chunk := cursor.fetchmany(CHUNK)):
        try:
            parts.append(np.array(chunk, dtype=np.float64))
        except ValueError:
            raise _damaged(chunk) from None
    rows.close()
    table = dict(zip(names, np.concatenate(parts).T, strict=True))
    holders = table.pop("cell_id")
    owners = np.array([row[1] for row in wanted], dtype=np.float64)
    first = np.searchsorted(holders, owners, side="left")
    count = np.searchsorted(holders, owners, side="right") - first
    shift = first - (np.cumsum(count) - count)
    order = np.repeat(shift, count) + np.arange(count.sum())
    ordered = {name: values[order] for name, values in table.items()}
    cell = np.repeat(np.array([row[0] for row in wanted], dtype=object), count)
    return {"cell": cell, **ordered, "epoch": ordered["epoch"].astype(np.int64)}


def _damaged(chunk: Sequence[Sequence[Any]]) -> DamagedValue:
    """The first value of these rows that is no number."""
    column, value = next(
        (column, value)
        for row in chunk
        for column, value in zip(epochs.c, row, strict=True)
        if not isinstance(value, int | float | None)
    )
    return DamagedValue(epochs.name, column.name, value, "a number")
