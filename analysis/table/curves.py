"""Learning curves of a study in a store: rows read once, by a process that is free."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from analysis.report.press import Press
    from runner.store import StudyInfo
    from runner.store.database.address import Address


class StoredCurves:
    """Calling it gives the rows: cell, epoch and the epoch's numbers; read when first called."""

    def __init__(self, address: Address, info: StudyInfo, cells: frozenset[str]) -> None:
        """Of these cells alone: a study may have got more since they were read."""
        self._address = address
        self._info = info
        self._cells = cells
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

    def __reduce__(self) -> tuple[type[StoredCurves], tuple[Address, StudyInfo, frozenset[str]]]:
        """What they are, not what was read."""
        return StoredCurves, (self._address, self._info, self._cells)

    def read(self) -> pd.DataFrame:
        """Read them by a connection of their own."""
        from runner.store import Store

        with Store(self._address) as store:
            rows = pd.DataFrame(store.curve_arrays(self._info))
        return rows[rows["cell"].isin(self._cells)]

    def write_ahead(self, press: Press, folder: Path) -> Future[bool]:
        """Have another process write the files of `write_curves`, and take the rows from there.

        Returns:
            Whether the files will be there: not where there are no rows, no other process, or a
            password that only this one knows.
        """
        if self._rows is None and not self._address.has_secret:
            written = press.ask(_Files(self, folder))
            self._ahead = written, folder / "curves.parquet"
            return written
        no: Future[bool] = Future()
        no.set_result(False)
        return no


@dataclass(frozen=True)
class _Files:
    """Rows on their way to disk."""

    rows: StoredCurves
    folder: Path

    def save(self) -> None:
        """Write them; ValueError where there are none."""
        rows = self.rows()
        if rows.empty:
            raise ValueError("no curves")
        self.folder.mkdir(parents=True, exist_ok=True)
        write_curves(rows, self.folder)


def write_curves(rows: pd.DataFrame, folder: Path) -> None:
    """Write curves.parquet and curves.csv; Arrow takes a tenth of the time pandas does."""
    import pyarrow as pa
    from pyarrow import csv
    from pyarrow import parquet as pq

    table = pa.Table.from_pandas(rows, preserve_index=False)
    dictionaries = ["cell", "epoch", "learning_rate"]
    pq.write_table(table, folder / "curves.parquet", use_dictionary=dictionaries)
    with (folder / "curves.csv").open("wb") as file:
        file.write((",".join(table.column_names) + "\n").encode())
        bare = csv.WriteOptions(include_header=False, quoting_style="none")  # cells are hexadecimal
        csv.write_csv(table, file, bare)
