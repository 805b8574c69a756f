"""A table read from a file, as people have them (`analysis.table.forms`), then checked (`tidy`)."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

from ablations.errors import InputError
from analysis.table.forms.shape import Shape, reshape
from analysis.table.forms.sheets import OLD_EXCEL, PARQUET, ZIP, read_excel, read_parquet
from analysis.table.forms.text import Rows, read_text
from analysis.table.tidy import Table, tidy

GZIP = b"\x1f\x8b"


def read_table(
    path: str | Path,
    factors: Sequence[str],
    response: str | None,
    replicate: str | None = None,
    *,
    strict: bool = True,
    shape: Shape | None = None,
) -> Table:
    """Read a table whose columns are factors, a response and perhaps a replicate.

    CSV with commas, semicolons, tabs, bars or spaces, in UTF-8, UTF-16 or Windows-1252, perhaps
    gzipped; Parquet; Excel with openpyxl. Levels are text as written ("None" and "NA" stay
    themselves; 1e-3 and 0.001 are one). An empty or NA response is a missing run. Not `strict`, a
    table that says which runs converged is read even where no effect on the response can be
    estimated (`Table.problem`).

    Args:
        path: of the file.
        factors: columns of the factors.
        response: column of the outcome; of a wide table what it is to be called, or None.
        replicate: column of the replicate.
        strict: see above.
        shape: what is said of its form, such as a column a seed.

    Raises:
        InputError: no such file, column or number, or a factor with fewer than two levels.
    """
    source = Path(path)
    where = f"table {str(source)!r}"
    shape = shape or Shape()
    wanted = [*factors, *(one for one in (response, replicate, shape.std) if one)]
    rows = _rows(source, wanted, where)
    frame = rows.frame
    frame.columns = [str(name).strip() for name in frame.columns]
    shaped = reshape(frame, factors, response, replicate, shape, where, rows.decimal_comma)
    roles = {*factors, shaped.response, shaped.replicate}
    outcomes = {"status", "converged"} & set(shaped.frame.columns) - roles
    return tidy(
        shaped.frame, factors, shaped.response, shaped.replicate, where=where,
        strict=strict or not outcomes, notes=(*rows.notes, *shaped.notes), unit=shaped.unit,
    )  # fmt: skip


def _rows(source: Path, wanted: Sequence[str], where: str) -> Rows:
    """The file by what it begins with, whatever it is called."""
    try:
        raw = source.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{where} does not exist") from None
    except OSError as error:
        raise InputError(f"{where} cannot be read: {error.strerror}") from None
    if raw.startswith(GZIP):
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{where} is no whole gzip file: {error}") from None
    if raw.startswith(PARQUET):
        return read_parquet(raw, where)
    if raw.startswith((ZIP, OLD_EXCEL)):
        return read_excel(raw, wanted, where)
    return read_text(raw, wanted, where)
