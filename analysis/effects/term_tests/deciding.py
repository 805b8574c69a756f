"""The tests that verdicts rest on, one a term: none vanishes, what cannot be tested says why.

Where the wider of two intervals counts, so does the larger p of two tests. A term that the deciding
error leaves without a test is tested by the other error that holds, named in its row; the classical
F never stands in, as it does not hold where cells differ in variance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.model.classical import ClassicalFit
from analysis.model.completion import NOT_ESTIMABLE
from analysis.model.margins import Margin
from analysis.stats.multiplicity import holm

COLUMNS = ["term", "df", "F", "df_error", "p", "p_holm", "test", "problem"]
INSTEAD = {
    "joined": ("joined",),
    "wider": ("welch", "blocked"),
    "welch": ("welch", "blocked"),
    "blocked": ("blocked", "welch"),
    "type3": ("type3",),
}
"""Kinds of tests by the one that decides, in the order in which they are tried."""


def deciding_tests(
    kind: str,
    terms: list[str],
    tables: Callable[[str], pd.DataFrame],
    why: Callable[[str], str],
) -> pd.DataFrame:
    """One row a term.

    Args:
        kind: of the tests that decide.
        terms: all that were asked for.
        tables: the tests of a kind: columns term, df, F, df_error, p.
        why: why a term has no test.

    Returns:
        Columns `COLUMNS`: `test` is the kind of the row's test, `problem` why there is none ("" or
        a clause); p_holm over the terms that have one.
    """
    rows = []
    for name in terms:
        row = _row(name, kind, tables)
        problem = "" if np.isfinite(row["p"]) else why(name)
        rows.append({"term": name, **row, "problem": problem})
    table = pd.DataFrame(rows, columns=COLUMNS)
    table = table.astype(dict.fromkeys(("df", "F", "df_error", "p"), float))
    return table.assign(p_holm=holm(table["p"].to_numpy(dtype=float)))


def _row(name: str, kind: str, tables: Callable[[str], pd.DataFrame]) -> dict[str, Any]:
    """The term's test of the first kind that has one, of "wider" that with the larger p."""
    tested: list[dict[str, Any]] = []
    untested: dict[str, Any] = {"test": kind, "p": np.nan}
    for place, one in enumerate(INSTEAD[kind]):
        table = tables(one)
        for row in table[table["term"] == name].to_dict("records"):
            numbers = {key: float(row[key]) for key in ("df", "F", "df_error", "p")}
            if np.isfinite(numbers["p"]):
                tested.append({"test": one, **numbers})
            elif place == 0:
                untested |= numbers
    if kind == "wider" and tested:
        return max(tested, key=lambda row: float(row["p"]))
    return tested[0] if tested else untested


def why_untested(
    margin: Margin, kind: str, fit: ClassicalFit, most: int, sizes: Mapping[str, int]
) -> str:
    """Why a term has no test, as a clause.

    Args:
        margin: of the term.
        kind: of the tests that decide.
        fit: the classical fit.
        most: combinations of levels that are tested at most.
        sizes: combinations of levels of the terms.
    """
    size = sizes[margin.term.name]
    if kind != "type3" and size > most:
        return f"its {size} combinations of levels are more than the {most} that are tested"
    contrasts = margin.contrasts()
    _, orders = margin.needed(contrasts)
    words = margin.words(contrasts, orders)
    lost = [text for text, order in zip(words, orders, strict=True) if order == NOT_ESTIMABLE]
    if lost:
        return lost[0].partition(": ")[2]
    if kind == "type3" and fit.residual_df == 0:
        return "the model takes every degree of freedom, so nothing is left to judge it by"
    parts = margin.cells.parts
    if kind != "type3" and not (parts.variances > 0).any():
        return "the cells it compares never varied, so nothing says how sure it is"
    if kind == "type3" and fit.residual_ss == 0:
        return "the model fits without any residual, so nothing says how sure it is"
    return "the design does not tell it from other effects"
