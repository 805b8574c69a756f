"""Learning curves as files, written by a process that is free (`analysis.report.press`).

Parquet and a fast CSV are Arrow's (extra `parquet`); without it pandas writes the CSV alone.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runner.program.needs import has

if TYPE_CHECKING:
    import pandas as pd

    from analysis.report.press import Press
    from analysis.table.curves import StoredCurves


def write_ahead(curves: StoredCurves, press: Press, folder: Path) -> Future[bool]:
    """Have another process write the files of `write_curves`, and take the rows from Parquet.

    Returns:
        Whether the files will be there: not where there are no rows, no other process, or a
        password that only this one knows.
    """
    if curves.may_travel:
        written = press.ask(CurveFiles(curves, folder))
        if has("pyarrow"):
            curves.expect(written, folder / "curves.parquet")
        return written
    no: Future[bool] = Future()
    no.set_result(False)
    return no


@dataclass(frozen=True)
class CurveFiles:
    """Rows on their way to disk."""

    curves: StoredCurves
    folder: Path

    def save(self) -> None:
        """Write them; ValueError where there are none."""
        rows = self.curves()
        if rows.empty:
            raise ValueError("no curves")
        self.folder.mkdir(parents=True, exist_ok=True)
        write_curves(rows, self.folder)


def write_curves(rows: pd.DataFrame, folder: Path) -> None:
    """Write curves.parquet and curves.csv; Arrow takes a tenth of the time pandas does."""
    if not has("pyarrow"):
        (folder / "curves.parquet").unlink(missing_ok=True)  # of an earlier report
        rows.to_csv(folder / "curves.csv", index=False)
        return
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
