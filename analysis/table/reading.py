"""A table read from a file, everything in it as text until it is checked (`tidy`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ablations.errors import InputError
from analysis.table.tidy import Table, tidy


def read_table(
    path: str | Path,
    factors: Sequence[str],
    response: str,
    replicate: str | None = None,
    *,
    strict: bool = True,
) -> Table:
    """Read a CSV whose columns are factors, a response and perhaps a replicate.

    Factor levels are text as written ("None", "NA" and "1e-4" stay themselves). An empty or NA
    response is a missing run. Not `strict`, a table that says which runs converged is read even
    where no effect on the response can be estimated (`Table.problem`).

    Raises:
        InputError: no such file, column or number, or a factor with fewer than two levels.
    """
    source = Path(path)
    try:
        raw = pd.read_csv(source, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"table {str(source)!r} does not exist") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"table {str(source)!r} is not a UTF-8 CSV file: {error}") from None
    raw.columns = [str(name).strip() for name in raw.columns]
    outcomes = {"status", "converged"} & set(raw.columns) - {*factors, response, replicate}
    return tidy(
        raw, factors, response, replicate, where=f"table {str(source)!r}",
        strict=strict or not outcomes,
    )  # fmt: skip
