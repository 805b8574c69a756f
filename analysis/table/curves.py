"""Learning curves of a study: rows of a store read once, by whoever is free; quantiles by level."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.table.cells import Factors

if TYPE_CHECKING:
    from runner.store import StudyInfo
    from runner.store.database.address import Address


class StoredCurves:
    """Calling it gives the rows: cell, epoch and the epoch's numbers; read when first called."""

    def __init__(
        self, address: Address, info: StudyInfo, cells: frozenset[str], *, own: bool = False
    ) -> None:
        """Of these cells alone: a study may have got more since they were read.

        Args:
            address: of the store.
            info: the study.
            cells: whose curves.
            own: whether the trainer is somebody's own, whose curves have names of its own.
        """
        self._address = address
        self._info = info
        self._cells = cells
        self._own = own
        self._rows: pd.DataFrame | None = None
        self._ahead: tuple[Future[bool], Path] | None = None

    def __call__(self) -> pd.DataFrame:
        """Rows, read when first asked for; waits where another process is at it."""
        if self._rows is None and self._ahead is not None:
            written, path = self._ahead
            self._rows = pd.read_parquet(path) if written.result() else None
        if self._rows is None:
            self._rows = self.read()
        return self._rows

    def __reduce__(self) -> tuple[Callable[..., StoredCurves], tuple[Any, ...]]:
        """What they are, not what was read."""
        return partial(StoredCurves, own=self._own), (self._address, self._info, self._cells)

    def read(self) -> pd.DataFrame:
        """Read them by a connection of their own."""
        from runner.store import Store

        with Store(self._address) as store:
            if self._own:
                rows = wide_curves(store.own_curves(self._info))
                return rows[rows["cell"].isin(self._cells)]
            rows = pd.DataFrame(store.curve_arrays(self._info))
        return rows[rows["cell"].isin(self._cells)]

    @property
    def may_travel(self) -> bool:
        """Whether another process can read them: not with a password that only this one knows."""
        return self._rows is None and not self._address.has_secret

    def expect(self, written: Future[bool], path: Path) -> None:
        """Take the rows from a file that another process writes, if it does."""
        self._ahead = written, path


def wide_curves(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Curves in long form (cell, name, step, value) as columns cell, epoch and one a name.

    A curve that is called like the columns that count is left out: many a log holds both its step
    and its epoch.
    """
    long = pd.DataFrame(list(rows), columns=["cell", "name", "step", "value"])
    long = long[~long["name"].isin(("cell", "step", "epoch"))]
    order = list(dict.fromkeys(long["cell"]))
    wide = long.pivot_table(index=["cell", "step"], columns="name", values="value", sort=False)
    wide = wide.reset_index().rename(columns={"step": "epoch"})
    wide.columns.name = None
    wide["cell"] = pd.Categorical(wide["cell"], categories=order, ordered=True)
    wide = wide.sort_values(["cell", "epoch"], kind="stable").reset_index(drop=True)
    wide["cell"] = wide["cell"].astype(str)
    return wide


def curve_quantiles(
    curves: pd.DataFrame, frame: pd.DataFrame, factors: Factors, column: str = "validation_accuracy"
) -> pd.DataFrame:
    """Median and quartiles of the learning curves of every level.

    A run that diverged goes on at chance: leaving it out would show only those that survived.

    Args:
        curves: columns cell, epoch and `column`.
        frame: one row a run with cell, status, classes and the factor columns.
        factors: factor name to its levels.
        column: of the curves.

    Returns:
        Columns factor, level, epoch, median, low, high, runs.
    """
    if curves.empty:
        return pd.DataFrame(columns=["factor", "level", "epoch", "median", "low", "high", "runs"])
    matrix, cells, epochs = curve_matrix(curves, frame, column)
    rows = frame.set_index("cell").loc[cells]
    parts = []
    for factor, levels in factors.items():
        labels = rows[factor].astype(str).to_numpy()
        for level in levels:
            chosen = matrix[labels == level]
            chosen = chosen[np.isfinite(chosen).any(axis=1)]
            if not len(chosen):
                continue
            known = np.isfinite(chosen).any(axis=0)
            low, median, high = np.nanquantile(chosen[:, known], [0.25, 0.5, 0.75], axis=0)
            parts.append(
                pd.DataFrame(
                    {
                        "factor": factor,
                        "level": level,
                        "epoch": epochs[known],
                        "median": median,
                        "low": low,
                        "high": high,
                        "runs": len(chosen),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def curve_matrix(
    curves: pd.DataFrame, frame: pd.DataFrame, column: str
) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Curves as rows of a matrix over the epochs that any has, diverged ones continued at chance.

    Returns:
        The matrix (NaN where there is no epoch), the cell of every row, the epoch of every column.
    """
    codes, cells = pd.factorize(curves["cell"])
    epochs, places = np.unique(curves["epoch"].to_numpy(int), return_inverse=True)
    matrix = np.full((len(cells), len(epochs)), np.nan)
    matrix[codes, places] = curves[column].to_numpy(float)
    about = frame.set_index("cell").reindex(cells)
    diverged = (about["status"].astype(str) == "diverged").to_numpy()
    if diverged.any() and "accuracy" in column and "classes" in about:
        chance = 1 / about["classes"].to_numpy(float)
        rest = diverged[:, None] & np.isnan(matrix)
        matrix = np.where(rest, chance[:, None], matrix)
    return matrix, [str(cell) for cell in cells], epochs
