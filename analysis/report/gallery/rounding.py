"""Columns of rounded numbers for the tables behind figures: text that is read, searched, heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from runner.content.response import Response

NAME_COLUMNS = {"Factor", "Level", "Contrast", "Other factor", "Other level"}
"""Columns that hold names, not numbers."""


def rounded(
    values: pd.Series, scale: float = 1.0, digits: int = 1, sign: bool = False
) -> list[str]:
    """Rounded numbers, "n/a" for those that cannot be estimated."""
    form = f"{{:{'+' if sign else ''}.{digits}f}}"
    numbers = values.to_numpy(float) * scale
    return [form.format(one).replace("-", "−") if np.isfinite(one) else "n/a" for one in numbers]


def intervals(rows: pd.DataFrame, scale: float, digits: int, sign: bool = False) -> list[str]:
    """Columns low and high as "1.0 to 2.0"."""
    low = rounded(rows["low"], scale, digits, sign)
    high = rounded(rows["high"], scale, digits, sign)
    return [
        "n/a" if "n/a" in (first, last) else f"{first} to {last}"
        for first, last in zip(low, high, strict=True)
    ]


def within_limits(rows: pd.DataFrame, measure: Response) -> pd.DataFrame:
    """Intervals of means as the figures draw them: a share's cut at 0 and 100 %."""
    low, high = measure.interval(rows["low"].to_numpy(float), rows["high"].to_numpy(float))
    return rows.assign(low=low, high=high)


def head_of(measure: Response) -> str:
    """Head of a column of the outcome: "Test accuracy (%)"."""
    return f"{measure.title}{f' ({measure.unit})' if measure.unit else ''}"


def unit_of(measure: Response) -> str:
    """The unit of differences behind a head: " (points)"."""
    return f" ({measure.difference})" if measure.difference else ""


def of_levels(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Columns factor and level."""
    return {"Factor": rows["factor"].astype(str), "Level": rows["level"].astype(str)}


def of_pairs(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Columns of two factors with a level each."""
    return {
        "Factor": rows["factor_a"].astype(str),
        "Level": rows["level_a"].astype(str),
        "Other factor": rows["factor_b"].astype(str),
        "Other level": rows["level_b"].astype(str),
    }
