"""What cannot be estimated, why, and what can instead.

Names the terms, the cells that never ran, the terms each cannot be told from, and the largest model
below the requested one that is whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc

from analysis.effects.term_tests.anova import estimable_part
from analysis.model.cell_means import CellMeans
from analysis.model.classical import ClassicalFit
from analysis.model.terms import Term, freedom_of
from analysis.table.tidy import Table
from runner.program.wording import counted

MOST_MISSING = 100
"""Empty combinations of a term's factors listed by name; their number is always given."""
MOST_CELLS = 20
"""Empty cells listed for a term whose own combinations all ran."""


@dataclass(frozen=True, eq=False)
class NotEstimable:
    """A term of which not all can be estimated.

    Attributes:
        term: its name.
        df: degrees of freedom it has in a complete grid.
        estimable_df: those that can be tested; their joint test is `ss`, F, p.
        why: one sentence, without the terms it cannot be told from.
        missing_cells: empty combinations of the term's own factors, or else empty cells.
        aliased_with: terms it cannot be told from, wholly or in part.
        confounded: whether these are blocks, which the sentence names.
    """

    term: str
    df: int
    estimable_df: int
    ss: float
    f: float
    p: float
    why: str
    missing_cells: list[dict[str, str]]
    missing_count: int
    aliased_with: list[str]
    confounded: bool = False

    @property
    def reason(self) -> str:
        """Why, and what it cannot be told from."""
        return self.told(", ".join(self.aliased_with))

    def told(self, others: str) -> str:
        """The same with the other terms in somebody's words."""
        if self.confounded or not self.aliased_with:
            return self.why
        return f"{self.why}; it cannot be told from {others}"


def find_not_estimable(
    fit: ClassicalFit, cells: CellMeans, unseen: Mapping[str, Sequence[str]] | None = None
) -> list[NotEstimable]:
    """Every term that is not wholly estimable, those confounded with blocks last.

    Args:
        fit: the classical fit.
        cells: the grid.
        unseen: declared levels that never ran, by factor; they come first.
    """
    nan = float("nan")
    lost_terms = [
        NotEstimable(
            name, len(cells.factors[name]) - 1 + len(lost), len(cells.factors[name]) - 1,
            nan, nan, nan,
            f"{name} = {' and '.join(lost)} never ran, so nothing of that can be estimated",
            [{name: one} for one in lost], len(lost), [],
        )
        for name, lost in (unseen or {}).items()
    ]  # fmt: skip
    for column in fit.columns:
        if column.term is None:
            continue
        part = estimable_part(fit, column)
        if part.df == column.df:
            continue
        missing, count = _missing_for(cells, column.term)
        partners = _partners(fit, column.name)
        df_error, error = fit.residual_df, fit.error_variance
        f = p = float("nan")
        if part.df and df_error > 0 and error > 0:
            f = part.ss / part.df / error
            p = float(fdtrc(part.df, df_error, f))
        share = "nothing" if part.df == 0 else f"{part.df} of {column.df} degrees of freedom"
        why = f"{counted(count, 'combination')} never ran" if count else "the design confounds it"
        lost_terms.append(
            NotEstimable(
                column.name, column.df, part.df, part.ss, f, p,
                f"{share} of {column.name} can be estimated: {why}",
                missing, count, partners,
            )
        )  # fmt: skip
    for term in fit.confounded:
        df = freedom_of(term, fit.factors)
        reason = f"{term.name} differs only between blocks of {fit.block!r}: confounded with them"
        lost_terms.append(
            NotEstimable(
                term.name, df, 0, nan, nan, nan, reason, [], 0, [str(fit.block)], confounded=True
            )
        )
    return lost_terms


def largest_whole_fit(table: Table, fit: ClassicalFit) -> ClassicalFit | None:
    """The fit of the largest order below the requested one of which every term is estimable.

    Of two at least: without interactions anything can be said of a cell that has no result.
    """
    for order in range(fit.order - 1, 1, -1):
        lower = ClassicalFit.of(table, order)
        whole = all(
            estimable_part(lower, column).df == column.df
            for column in lower.columns
            if column.term is not None
        )
        if whole and not lower.confounded:
            return lower
    return None


def _missing_for(cells: CellMeans, term: Term) -> tuple[list[dict[str, str]], int]:
    """Empty combinations of the term's own factors; where there are none, empty cells."""
    axes = tuple(k for k, name in enumerate(cells.names) if name not in term.factors)
    table = cells.counts.sum(axis=axes)
    names = [name for name in cells.names if name in term.factors]
    empty = np.argwhere(table == 0)
    if len(empty):
        listed = [
            {name: cells.factors[name][int(i)] for name, i in zip(names, where, strict=True)}
            for where in empty[:MOST_MISSING]
        ]
        return listed, len(empty)
    flat = np.flatnonzero(cells.empty)
    return [cells.cell_levels(int(i)) for i in flat[:MOST_CELLS]], len(flat)


def _partners(fit: ClassicalFit, name: str) -> list[str]:
    """Terms whose coefficients move together with this term's along the null space."""
    own = fit.null[fit.slices[name]]
    together = fit.null @ own.T
    return [
        column.name
        for column in fit.columns
        if column.name != name
        and np.abs(together[fit.slices[column.name if column.term else f"\0{column.name}"]]).max()
        > 1e-7
    ]
