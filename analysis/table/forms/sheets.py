"""Tables that are no text: Parquet, and the sheets of an Excel workbook.

A Parquet table keeps its types. A sheet becomes rows of text, so that header, comments and empty
rows are found there as in text; a cell that holds 0.932 and is shown as 93.2% is in percent.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from ablations.errors import PARQUET as OF_PARQUET
from ablations.errors import InputError
from analysis.table.forms.text import Rows
from runner.program.needs import has

PARQUET, ZIP, OLD_EXCEL = b"PAR1", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
"""What such files begin with; a workbook is an archive."""


def read_parquet(raw: bytes, where: str) -> Rows:
    """Read a Parquet table.

    Raises:
        InputError: it cannot be read, or pyarrow is not installed.
    """
    if not has("pyarrow"):
        raise InputError(
            f"{where} is a Parquet file, which needs pyarrow: {OF_PARQUET}, or save it as CSV"
        )
    try:
        return Rows(pd.read_parquet(io.BytesIO(raw)).reset_index(drop=True))
    except Exception as error:  # pyarrow's own classes, and ValueError of pandas
        raise InputError(f"{where} is no whole Parquet file: {error}") from None


def read_excel(raw: bytes, wanted: Sequence[str], where: str) -> Rows:
    """Read the sheet of a workbook that has most of the wanted columns.

    Raises:
        InputError: it cannot be read, openpyxl is not installed, or it has no rows.
    """
    if raw.startswith(OLD_EXCEL):
        raise InputError(f"{where} is an Excel file of before 2007: save it as .xlsx or .csv")
    if not has("openpyxl"):
        raise InputError(
            f"{where} is an Excel file, which needs openpyxl: pip install "
            "'ablation-grid-runner[excel]', or save the sheet as CSV"
        )
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        sheets = {
            str(sheet.title): [[_text(cell) for cell in row] for row in sheet.iter_rows()]
            for sheet in book.worksheets
        }
        book.close()
    except Exception as error:  # openpyxl and zipfile have classes of their own
        raise InputError(f"{where} is no Excel workbook that can be read: {error}") from None
    tables = {name: _table(pd.DataFrame(rows), wanted) for name, rows in sheets.items()}
    filled = {name: table for name, table in tables.items() if table is not None}
    if not filled:
        raise InputError(f"{where} is empty: expected a header and one row a run")
    chosen = max(filled, key=lambda name: len(set(wanted) & set(filled[name].columns)))
    table = filled[chosen]
    notes = (f"sheet {chosen!r} of {len(filled)} was read",) if len(filled) > 1 else ()
    return Rows(table, notes)


def _table(sheet: pd.DataFrame, wanted: Sequence[str]) -> pd.DataFrame | None:
    """A sheet as texts below its header; None where it holds nothing."""
    texts = sheet.fillna("")  # rows may end early
    texts = texts[(texts != "").any(axis=1)]
    texts = texts.loc[:, (texts != "").any(axis=0)].reset_index(drop=True)
    if texts.empty:
        return None
    found = texts.head(40).apply(lambda row: len(set(wanted) & set(row)), axis=1)
    at = int(found.to_numpy().argmax())
    names = [name or f"Unnamed: {k}" for k, name in enumerate(texts.iloc[at])]
    rows = texts.iloc[at + 1 :].reset_index(drop=True)
    rows.columns = pd.Index(names)
    return rows


def _text(cell: Any) -> str:
    """What a cell holds as text; in percent where it is shown so."""
    value = cell.value
    if value is None:
        return ""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and str(cell.number_format).endswith("%"):
        return f"{(Decimal(str(value)) * 100).normalize():f}%"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value).strip()
